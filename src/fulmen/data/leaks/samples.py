"""What a scan for leaks looks at: samples in one row each, whatever they are samples of."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import torch

from fulmen.data.batches import Batch

TRAIN, VALIDATION, TEST, LEFT_OUT = 0, 1, 2, -1
SPLITS = ("train", "validation", "test")  # by number
Splitting = Literal["random", "group", "time", "given"]


@dataclass(frozen=True)
class Fitted:
    """What was fitted before training, so that it can be fitted again.

    Attributes:
        name: in words: "mean and sd of the scaler", "threshold".
        value: as it is used, numbers [...].
        again: the same, fitted on these rows, numbers of samples [n].
        rows: what it should have been fitted on, numbers of samples; None: those of the training split.
        kind: "statistic" of inputs, or a "choice" of features, thresholds or models by a score.
    """

    name: str
    value: np.ndarray
    again: Callable[[np.ndarray], np.ndarray]
    rows: np.ndarray | None = None
    kind: Literal["statistic", "choice"] = "statistic"


@dataclass(frozen=True)
class Series:
    """What windows were cut from: values of one series over time.

    Attributes:
        name: of the ticker, the machine or the person.
        time: increasing, in units of `Samples.time` or finer [T].
        values: name -> numbers [T], NaN where missing; the first is what is foretold.
    """

    name: str
    time: np.ndarray
    values: Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Samples:
    """N samples of all splits together.

    Attributes:
        target: what is to be foretold [N]: whole numbers of classes, or numbers; of several outputs [N, H].
        kind: whether the target is "classes" or "numbers".
        split: 0 train, 1 validation, 2 test, -1 none of them, int [N].
        columns: inputs that have a name, as a person knows them, before scaling: numbers (NaN where missing) or texts
            and level numbers (dtype object or integer) [N] each. Empty for pictures and curves.
        content: inputs without names: pictures, windows, curves [N, ...]; near copies are sought in it.
        group: number of the machine, person or series of each sample [N]; None where there is none.
        time: when each sample was taken, in one unit [N]; NaN where that is not known; None: there are no times.
        order: place of each sample in its source [N]; None: as they stand.
        also: columns that are known and are no inputs, such as an id or a person, [N] each: groups may hide in them.
        splitting: how the splits were made; "given": by whoever made the data.
        target_name: as a person knows it.
        sample: what one is called: "row", "image", "window".
        fitted: what was fitted to the data, or chosen by them.
        without: overrides that leave these columns out.
        by_group: overrides that split by the groups of a column, which is no input then.
        by_time: overrides that split by the times of a column, which is no input then.
        cures: name of a finding -> overrides that remove such a leak.
        advice: name of a finding -> what to do where no override removes it, as the end of a sentence.
        line: number of the line of the file in which each stands [N]; None: they are counted from 0.
        horizon: how far ahead the target lies, in units of `time`; 0: it is of the same time.
        outcome: what is foretold, whole, where `target` only sums it up: curves [N, ..., T].
        outcome_time: of the points of `outcome` [T].
        series: what windows were cut from.
        called: what one is called by its number, as a person finds it; None: `sample` and the number.
        made_of: names of `Series.values` -> the inputs that are made of them; None: that is not known.
    """

    target: np.ndarray
    kind: Literal["classes", "numbers"]
    split: np.ndarray
    columns: Mapping[str, np.ndarray] = field(default_factory=dict)
    content: np.ndarray | None = None
    group: np.ndarray | None = None
    time: np.ndarray | None = None
    order: np.ndarray | None = None
    also: Mapping[str, np.ndarray] = field(default_factory=dict)
    splitting: Splitting = "given"
    target_name: str = "target"
    sample: str = "sample"
    fitted: Sequence[Fitted] = ()
    without: Callable[[Sequence[str]], Sequence[str]] = lambda columns: ()
    by_group: Callable[[str], Sequence[str]] = lambda column: ()
    by_time: Callable[[str], Sequence[str]] = lambda column: ()
    cures: Mapping[str, Sequence[str]] = field(default_factory=dict)
    advice: Mapping[str, str] = field(default_factory=dict)
    line: np.ndarray | None = None
    horizon: float = 0.0
    outcome: np.ndarray | None = None
    outcome_time: np.ndarray | None = None
    series: Sequence[Series] = ()
    made_of: Mapping[str, Sequence[str]] | None = None
    called: Callable[[int], str] | None = None

    def __len__(self) -> int:
        return len(self.split)

    def number(self, sample: int) -> int:
        """The number by which a person finds a sample: of its line in the file, or counted from 0."""
        return int(sample if self.line is None else self.line[sample])

    def named(self, sample: int) -> str:
        """`line 2407 of the file`, or `row 2405` where there are no lines, or as these samples are called."""
        if self.called:
            return self.called(sample)
        return f"{self.sample} {sample}" if self.line is None else f"line {self.number(sample)} of the file"

    def beside(self, sample: int) -> str:
        """The same where another one was named before: its number alone, if that says which."""
        return self.called(sample) if self.called else str(self.number(sample))

    def rows(self, split: int) -> np.ndarray:
        """Numbers of the samples of a split."""
        return np.flatnonzero(self.split == split)


def joined(splits: Mapping[str, Batch], names: Sequence[str]) -> dict[str, np.ndarray]:
    """Tensors of all splits one below the other, [N, ...] each, and `split`, the number of the split of each row."""
    there = [(number, splits[name]) for number, name in enumerate(SPLITS) if name in splits]
    rows = [np.full(len(part[names[0]]), number) for number, part in there]
    arrays = {name: np.concatenate([part[name].detach().cpu().numpy() for _, part in there]) for name in names}
    return arrays | {"split": np.concatenate(rows)}


def rows_in(splits: Mapping[str, Batch], name: str) -> np.ndarray:
    """Numbers of the samples of a split, where those of all splits are counted on in the order of `SPLITS` [n]."""
    sizes = {each: len(next(iter(splits[each].values()))) for each in SPLITS if each in splits}
    begin = sum(sizes[each] for each in SPLITS[: SPLITS.index(name)] if each in sizes)
    return np.arange(begin, begin + sizes.get(name, 0))


def rows_of(splits: Mapping[str, Batch], rows: np.ndarray) -> Batch:
    """Samples by such numbers [n], those of the training split first."""
    taken = []
    for name in SPLITS:
        if name in splits:
            there = rows_in(splits, name)
            own = torch.from_numpy(rows[np.isin(rows, there)] - (there[0] if len(there) else 0))
            taken.append({key: value[own] for key, value in splits[name].items()})
    return {key: torch.cat([part[key] for part in taken]) for key in taken[0]}


def from_splits(splits: Mapping[str, Batch]) -> Samples | None:
    """Samples of data that say nothing more than their tensors; None where these hold no target or no inputs.

    The target is what is called target, label, labels, y or class; the inputs are all other floating-point tensors and
    those of more than one dimension, by their flat numbers. A tensor `group` and one `time`, [N] each, are what they
    are called.
    """
    parts = [splits[name] for name in SPLITS if name in splits and len(splits[name])]
    names = set.intersection(*(set(part) for part in parts)) if parts else set()
    target = next((name for name in ("target", "label", "labels", "y", "class") if name in names), None)
    if target is None:
        return None
    joined = {name: np.concatenate([part[name].detach().cpu().numpy() for part in parts]) for name in sorted(names)}
    own = {target, "group", "time"}
    inputs = [
        value for name, value in joined.items() if name not in own and (value.dtype.kind == "f" or value.ndim > 1)
    ]
    if not inputs:
        return None
    flat = np.concatenate([value.reshape(len(value), -1).astype(np.float32) for value in inputs], 1)
    few = flat.shape[1] <= 64
    return Samples(
        target=joined[target],
        kind="numbers" if joined[target].dtype.kind == "f" else "classes",
        split=np.concatenate([np.full(len(splits[n][target]), i) for i, n in enumerate(SPLITS) if n in splits]),
        columns={f"input {i}": flat[:, i] for i in range(flat.shape[1])} if few else {},
        content=flat,
        group=joined.get("group"),
        time=joined.get("time"),
    )
