"""Statistics of two models on the same test items: the maths, no files.

A model may have been trained several times (seeds); then each of its runs says something of every item.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from fulmen.errors import FulmenError
from fulmen.report.confusion import classification_scores, confusion
from fulmen.report.test_predictions import METRIC
from fulmen.report.words import counted

REPLICATES = 2000
LEVEL = 0.95
AREAS = 5  # classes up to which areas under ROC curves are drawn anew: each replicate costs a pass over the items


@dataclass(frozen=True)
class Items:
    """What the runs of one model say of the items that all share.

    Attributes:
        item: [N] sorted identities.
        loss: [S, N] of S runs.
        target: [N] classes, of classifiers.
        probability: [S, N, C], of classifiers.
        group: [N], of items that resemble each other.
        train_count: [C] training samples of each class.
        metrics: name -> [S, N], further scores of each item, NaN where it has none.
        counts: items of each training; several where S is 1 and each has items of its own.
    """

    item: np.ndarray
    loss: np.ndarray
    target: np.ndarray | None = None
    probability: np.ndarray | None = None
    group: np.ndarray | None = None
    train_count: np.ndarray | None = None
    metrics: Mapping[str, np.ndarray] = field(default_factory=dict)
    counts: tuple[int, ...] = ()

    @cached_property
    def ranks(self) -> np.ndarray | None:
        """Places of the items by the probability of each class, equal ones alike [S, K, N]; K is 1 of two classes.

        None where nothing is ranked: without classes, with one, or with more than `AREAS`.
        """
        if self.probability is None or not 2 <= self.probability.shape[-1] <= AREAS:
            return None
        classes = [1] if self.probability.shape[-1] == 2 else range(self.probability.shape[-1])
        return np.array([[np.unique(run[:, c], return_inverse=True)[1] for c in classes] for run in self.probability])

    @cached_property
    def predicted(self) -> np.ndarray:
        """The most probable class [S, N]."""
        return given(self.probability).argmax(-1)


def given(array: np.ndarray | None) -> np.ndarray:
    """An array that only classifiers have."""
    if array is None:
        raise TypeError("these items are of no classifier")
    return array


def same(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    """Whether both are missing, or equal."""
    return a is b if a is None or b is None else np.array_equal(a, b)


def align(models: Mapping[str, Mapping[str, np.ndarray]]) -> tuple[dict[str, Items], str]:
    """The items of each model in one order, and a sentence on what was left out, or "".

    Args:
        models: name -> arrays of `Summary.items`; with an array `run` [N], items come once for each run.

    Raises:
        FulmenError: they share fewer than two items, have them a different number of times, or disagree about a target.
    """
    runs = {name: split_by_run(arrays) for name, arrays in models.items()}
    counts = {name: len(each) for name, each in runs.items()}
    if len(set(counts.values())) > 1:
        often = ", ".join(f"{name} {counted(count, 'time')}" for name, count in counts.items())
        raise FulmenError(f"the models were trained a different number of times: {often}; give all the same seeds")
    columns = list(zip(*runs.values(), strict=True))  # the k-th run of every model
    shared = [
        np.asarray(sorted(set.intersection(*(set(one["item"].tolist()) for one in column)))) for column in columns
    ]
    if min(map(len, shared)) < 2:
        raise FulmenError(
            f"{', '.join(models)} share no test items: were they trained on the same data, split and seeds?"
        )
    everything = sum(len(one["item"]) for column in columns for one in column)
    used = sum(len(items) * len(runs) for items in shared)
    if not all(np.array_equal(items, shared[0]) for items in shared):  # each run drew data of its own: runs in a row
        aligned = {name: _in_a_row(each, shared) for name, each in runs.items()}
    else:
        aligned = {name: _stacked(each, shared[0]) for name, each in runs.items()}
    targets = [one.target for one in aligned.values()]
    if not all(same(target, targets[0]) for target in targets):
        raise FulmenError(f"{', '.join(models)} do not agree about the classes of the test items: is it the same task?")
    return (
        aligned,
        "" if used == everything else f"{used} of {everything} predictions are of items that all models share.",
    )


def split_by_run(arrays: Mapping[str, np.ndarray]) -> list[dict[str, np.ndarray]]:
    """The arrays of each run, in the order of their seeds."""
    if "run" not in arrays:
        return [dict(arrays)]
    over_items = [name for name in arrays if name not in ("run", "train_count")]
    rest = {name: arrays[name] for name in arrays if name == "train_count"}
    return [
        {name: arrays[name][arrays["run"] == run] for name in over_items} | rest for run in np.unique(arrays["run"])
    ]


def scores(items: Items, weight: np.ndarray | None = None, runs: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """The scores of one model, means over its runs.

    Args:
        weight: [N] how often each item counts; once by default.
        runs: [S] which runs count, repeats allowed; all by default.
    """
    weight = np.ones(len(items.item)) if weight is None else weight
    runs = np.arange(len(items.loss)) if runs is None else runs
    found = {name: _mean(values[runs], weight) for name, values in {"loss": items.loss, **items.metrics}.items()}
    if items.probability is None:
        return found
    classes = items.probability.shape[-1]
    counts = np.stack([confusion(given(items.target), items.predicted[run], classes, weight) for run in runs])
    if items.ranks is not None:
        found["roc_auc"] = np.array([areas(items.ranks[run], given(items.target), weight) for run in runs]).mean()
    return {name: value.mean() for name, value in classification_scores(counts, minority(items)).items()} | found


def areas(ranks: np.ndarray, target: np.ndarray, weight: np.ndarray) -> float:
    """The area under the ROC curve, of more than two classes the mean over them; NaN where one has no other beside it.

    Args:
        ranks: [K, N], see `Items.ranks`.
        target: [N]
        weight: [N] how often each item counts.
    """
    found = []
    for k, rank in enumerate(ranks):
        own = target == (1 if len(ranks) == 1 else k)
        hits, others = np.bincount(rank, weight * own), np.bincount(rank, weight * ~own)
        pairs = hits.sum() * others.sum()
        found.append(hits @ (others.cumsum() - others / 2) / pairs if pairs else math.nan)
    return float(np.mean(found))


def _mean(values: np.ndarray, weight: np.ndarray) -> Any:
    """The mean over runs and items of values [S, N], of which NaN are left out, items counted `weight` [N] times."""
    known = np.isfinite(values)
    if known.all():
        return np.average(values.mean(0), weights=weight)
    counted = known * weight
    return np.divide((np.where(known, values, 0) * counted).sum(), counted.sum())


def minority(items: Items) -> np.ndarray | None:
    """[C] classes with less than half the training samples of the largest."""
    return None if items.train_count is None else items.train_count < 0.5 * items.train_count.max()


@dataclass(frozen=True)
class Difference:
    """How far two models differ in a score: an interval and p of the same replicates, which therefore agree.

    Attributes:
        value: of the second less that of the first.
        low: end of the interval, likewise `high`.
        p: two-sided; below 0.05 where, and only where, the interval leaves out 0.
    """

    value: float
    low: float
    high: float
    p: float


def compared(a: Items, b: Items, looks: int = 1, seed: int = 0) -> dict[str, Difference]:
    """The differences b - a of `scores` with 95 % intervals and p-values, both for so many looks (Bonferroni)."""
    first, second, drawn = scores(a), scores(b), replicates(a, b, seed)
    return {name: _judged(float(second[name] - first[name]), drawn[name], looks) for name in first if name in second}


def _judged(value: float, drawn: np.ndarray, looks: int) -> Difference:
    """Percentile interval and p of replicates [R] of a difference."""
    ordered = np.sort(drawn[np.isfinite(drawn)])
    count = len(ordered)
    if not count or not ordered.any():
        return Difference(value, value, value, 1.0)
    tail = max(math.ceil((1 - LEVEL) / 2 * (count + 1) / looks) - 2, 0)  # the largest tail that p counts as significant
    fewer = min(int((ordered <= 0).sum()), int((ordered >= 0).sum()))
    p = min(1.0, looks * 2 * (fewer + 1) / (count + 1))
    return Difference(value, float(ordered[tail]), float(ordered[count - 1 - tail]), p)


def replicates(a: Items, b: Items, seed: int = 0, count: int = REPLICATES) -> dict[str, np.ndarray]:
    """So many draws of the differences b - a of `scores`.

    Items (whole groups, where there are some) and runs are drawn with replacement, the same ones for both models.
    """
    rng = np.random.default_rng(seed)
    units = np.arange(len(a.item)) if a.group is None else np.unique(a.group, return_inverse=True)[1]
    drawn: dict[str, list[float]] = {}
    for _ in range(count):
        often = np.bincount(rng.integers(0, units.max() + 1, units.max() + 1), minlength=units.max() + 1)
        runs = rng.integers(0, len(a.loss), len(a.loss))
        weight = often[units].astype(float)
        if not weight.any():
            continue
        first, second = scores(a, weight, runs), scores(b, weight, runs)
        for name in first.keys() & second.keys():
            drawn.setdefault(name, []).append(float(second[name] - first[name]))
    return {name: np.array(values) for name, values in drawn.items()}


def _stacked(runs: list[dict[str, np.ndarray]], shared: np.ndarray) -> Items:
    """Runs of the same items beside each other."""
    ordered = [_ordered(one, shared) for one in runs]
    first = ordered[0]
    if not all(same(one.get("target"), first.get("target")) for one in ordered[1:]):
        raise FulmenError("the runs of one model do not agree about the classes of the test items")
    stack = {name: np.stack([one[name] for one in ordered]) for name in ("loss", "probability") if name in first}
    rest = {name: first[name] for name in ("target", "group", "train_count") if name in first}
    metrics = {name: np.stack(each) for name, each in _metrics(ordered).items()}
    return Items(shared, **stack, **rest, metrics=metrics, counts=(len(shared),) * len(runs))


def _in_a_row(runs: list[dict[str, np.ndarray]], shared: list[np.ndarray]) -> Items:
    """Runs of different items one after the other, as one run; groups of different runs stay apart."""
    ordered = [_ordered(one, items) for one, items in zip(runs, shared, strict=True)]
    names = ordered[0]
    row: dict[str, np.ndarray] = {
        name: np.concatenate([one[name] for one in ordered])
        for name in ("loss", "probability", "target")
        if name in names
    }
    if "group" in names:
        number = [np.unique(one["group"], return_inverse=True)[1] for one in ordered]
        row["group"] = np.concatenate([k * len(row["loss"]) + each for k, each in enumerate(number)])
    if "train_count" in names:
        row["train_count"] = np.mean([one["train_count"] for one in ordered], 0)
    arrays = {name: value[None] if name in ("loss", "probability") else value for name, value in row.items()}
    metrics = {name: np.concatenate(each)[None] for name, each in _metrics(ordered).items()}
    return Items(np.concatenate(shared), **arrays, metrics=metrics, counts=tuple(map(len, shared)))


def _metrics(runs: list[dict[str, np.ndarray]]) -> dict[str, list[np.ndarray]]:
    """Further score -> its values in each run, of those that all runs have."""
    names = [name for name in runs[0] if name.startswith(METRIC) and all(name in one for one in runs)]
    return {name.removeprefix(METRIC): [one[name] for one in runs] for name in names}


def _ordered(one: dict[str, np.ndarray], shared: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of one run, its items sorted and held to `shared`."""
    _, first = np.unique(one["item"], return_index=True)
    where = first[np.isin(one["item"][first], shared)]
    return {name: value if name == "train_count" else value[where] for name, value in one.items()}
