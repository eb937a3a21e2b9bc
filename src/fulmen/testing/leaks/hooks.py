"""Data classes that fit something on the test split: scalers, encodings, choices of columns, the epoch that is kept."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import torch

from fulmen.data.batches import Batch
from fulmen.data.leaks.samples import SPLITS, Fitted, Samples, from_splits
from fulmen.testing.leaks.planting import Planting, table_of
from fulmen.testing.leaks.sources import Curves, Pictures, Prices, Source, Table, reader
from fulmen.workload import WorkloadData

SITES = 4  # rows of each, by the mean: an encoding of them holds the label of the row itself
NOISE, KEPT = 240, 10  # columns without meaning, and how many of them are chosen
INPUTS = {Pictures: ("image",), Prices: ("window",), Curves: ("node", "context")}


@dataclass(frozen=True)
class Step:
    """What is fitted before training.

    Attributes:
        name: in words.
        kind: "statistic" or "choice".
        fit: value from inputs [N, D] and targets [N] or [N, H].
        use: splits from splits and the value.
        inputs: inputs and targets of a split.
    """

    name: str
    kind: Literal["statistic", "choice"]
    fit: Callable[[np.ndarray, np.ndarray], np.ndarray]
    use: Callable[[Mapping[str, Batch], np.ndarray], dict[str, Batch]]
    inputs: Callable[[Batch], tuple[np.ndarray, np.ndarray]]


def preprocessing(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """An encoding of sites by the mean of their labels (tables), or a scaler (all else), is fitted on test rows too.

    The dial is the share of the test split that it sees.
    """
    seed, expected = int(rng.integers(2**31)), ("fitted_on_test", "target_proxy", "target_copy")
    if not isinstance(source, Table):
        return _hooked(source, scaler(type(source)), dial, seed, expected=expected)
    sites = rng.integers(0, len(source.frame) // SITES, len(source.frame))
    leaky = replace(source, frame=source.frame.assign(site=sites), numeric=(*source.numeric, "site"))
    return _hooked(leaky, encoding(len(leaky.numeric) - 1, int(sites.max())), dial, seed, ("site",), expected)


def selection(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Columns are chosen by their correlation with the label, test rows included; of all but tables, the best epoch is.

    The dial is the share of the test split that is seen: in the choice, or as validation split.
    """
    seed, expected = int(rng.integers(2**31)), ("chosen_on_test", "copies")
    if not isinstance(source, Table):
        kind = reader(tuple(source.experiment))[0]
        return Planting(source, source, expected=expected, hook=validates_on_test(kind, dial, seed), honest_hook=kind)
    noise = {f"marker_{number}": rng.standard_normal(len(source.frame)).round(4) for number in range(NOISE)}
    import pandas as pd

    frame = pd.concat([source.frame, pd.DataFrame(noise, index=source.frame.index)], axis=1)
    leaky = replace(table_of(source), frame=frame, numeric=(*source.numeric, *noise))
    return _hooked(leaky, choice(len(source.numeric)), dial, seed, tuple(noise), ("chosen_on_test", "fitted_on_test"))


def encoding(column: int, sites: int) -> Step:
    """Replaces a column of numbers of sites in `x` by the mean label of each."""

    def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        site = x[:, 0].astype(np.int64)
        sums, counts = (np.bincount(site, each, minlength=sites + 1) for each in (y, np.ones(len(y))))
        return (sums + 0.1 * y.mean()) / (counts + 0.1)

    def use(splits: Mapping[str, Batch], value: np.ndarray) -> dict[str, Batch]:
        changed = {}
        for name, part in splits.items():
            x = part["x"].clone()
            x[:, column] = torch.from_numpy(value).float()[x[:, column].long()]
            changed[name] = part | {"x": x}
        return changed

    def inputs(part: Batch) -> tuple[np.ndarray, np.ndarray]:
        return part["x"][:, column : column + 1].double().numpy(), part["target"].double().numpy()

    return Step("mean label of each site", "statistic", fit, use, inputs)


def choice(first: int) -> Step:
    """Keeps those of the columns of `x` from `first` on that go best with the label, and makes all others 0."""

    def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        z = (x - x.mean(0)) / (x.std(0) + 1e-12)
        return np.sort(np.argsort(-np.abs(z.T @ (y - y.mean())), kind="stable")[:KEPT])

    def use(splits: Mapping[str, Batch], value: np.ndarray) -> dict[str, Batch]:
        changed = {}
        for name, part in splits.items():
            x = part["x"].clone()
            x[:, [c for c in range(first, x.shape[1]) if c - first not in set(value.tolist())]] = 0.0
            changed[name] = part | {"x": x}
        return changed

    def inputs(part: Batch) -> tuple[np.ndarray, np.ndarray]:
        return part["x"][:, first:].double().numpy(), part["target"].double().numpy()

    return Step("markers that go with the label", "choice", fit, use, inputs)


def scaler(kind: type[Any]) -> Step:
    """Brings inputs to mean 0 and standard deviation 1; pictures, which are bytes, to those of 128 and 48."""
    names = INPUTS[kind]

    def fit(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        return np.stack([x.mean(0), x.std(0) + 1e-6])

    def use(splits: Mapping[str, Batch], value: np.ndarray) -> dict[str, Batch]:
        changed = {}
        for name, part in splits.items():
            scaled, begin = {}, 0
            for key in names:
                flat = part[key].flatten(1).double()
                mean, sd = torch.from_numpy(value[:, begin : begin + flat.shape[1]])
                begin += flat.shape[1]
                z = ((flat - mean) / sd).reshape(part[key].shape)
                bytes_ = part[key].dtype == torch.uint8
                scaled[key] = (z * 48 + 128).clamp(0, 255).to(torch.uint8) if bytes_ else z.to(part[key].dtype)
            changed[name] = part | scaled
        return changed

    def inputs(part: Batch) -> tuple[np.ndarray, np.ndarray]:
        flat = torch.cat([part[key].flatten(1).double() for key in names], 1).numpy()
        return flat, np.zeros(len(flat))

    return Step("mean and standard deviation of the inputs", "statistic", fit, use, inputs)


def fitted_before(kind: type[WorkloadData], step: Step, share: float, seed: int) -> type[WorkloadData]:
    """A data class with a step that is fitted on the training split and a share of the test split.

    Its `samples` tell of the step, as those of any data class may.
    """

    def setup(self: Any, stage: str | None = None) -> None:
        if self.splits:
            return
        kind.setup(self, "fit")
        pairs = [step.inputs(self.splits[name]) for name in SPLITS]
        x, y = (np.concatenate(each) for each in zip(*pairs, strict=True))
        sizes = [len(pair[1]) for pair in pairs]
        train, test = np.arange(sizes[0]), np.arange(sizes[0] + sizes[1], len(y))
        seen = np.random.default_rng(seed).permutation(test)[: round(share * len(test))]
        self._again = lambda rows: step.fit(x[rows], y[rows])  # rows of the splits one below the other
        self._value = self._again(np.concatenate([train, seen]))
        self.splits = step.use(self.splits, self._value)

    def all_samples(self: Any) -> Samples | None:
        found = kind.all_samples(self) or from_splits(self.splits)
        if found is None:
            return None
        rows = np.concatenate([found.rows(number) for number in range(len(SPLITS))])
        below = np.empty(len(found), dtype=np.int64)  # place of each sample where the splits stand below each other
        below[rows] = np.arange(len(rows))
        fitted = Fitted(step.name, self._value, lambda rows: self._again(below[rows]), kind=step.kind)
        return replace(found, fitted=[*found.fitted, fitted])

    return type(f"{kind.__name__}Fitted", (kind,), {"setup": setup, "all_samples": all_samples})


def validates_on_test(kind: type[WorkloadData], share: float, seed: int) -> type[WorkloadData]:
    """A data class whose validation split, by which the epoch is chosen, holds a share of the test split.

    As many of its own samples make room, where there are as many.
    """

    def setup(self: Any, stage: str | None = None) -> None:
        if self.splits:
            return
        kind.setup(self, "fit")
        held, test = self.splits["validation"], self.splits["test"]
        sizes = [len(next(iter(part.values()))) for part in (held, test)]
        rng = np.random.default_rng(seed)
        seen = np.sort(rng.permutation(sizes[1])[: round(share * sizes[1])])
        kept = np.sort(rng.permutation(sizes[0])[: max(0, sizes[0] - len(seen))])
        joined = {name: torch.cat([held[name][kept], test[name][seen]]) for name in held}
        self.splits = {**self.splits, "validation": joined}

    return type(f"{kind.__name__}ChosenOnTest", (kind,), {"setup": setup})


def _hooked(
    source: Source, step: Step, dial: float, seed: int, columns: tuple[str, ...] = (), expected: tuple[str, ...] = ()
) -> Planting:
    kind = reader(tuple(source.experiment))[0]
    leaky, honest = (fitted_before(kind, step, share, seed) for share in (dial, 0.0))
    return Planting(source, source, columns, expected=expected, hook=leaky, honest_hook=honest)
