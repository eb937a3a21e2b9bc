"""Scores of which some may be missing, as None (how JSON has it) or NaN: means, deviations, orders.

A metric may have no value in a run, such as an area under a curve where one class is absent. What is said of several
runs then says so too: nothing is computed of the rest in silence, and nothing that is missing wins.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, stdev
from typing import TypeGuard

Score = float | int | None


def is_known(value: object) -> TypeGuard[float]:
    """Whether `value` is a number that can be compared: not None, NaN or infinite."""
    return isinstance(value, int | float) and math.isfinite(value)


def of_test(metrics: Iterable[str]) -> bool:
    """Whether one of the names is that of a metric of the test split: the run was tested."""
    return any(name.startswith("test/") for name in metrics)


def mean(values: Sequence[Score]) -> float:
    """NaN where one is missing, or all are."""
    known = [float(value) for value in values if is_known(value)]
    return fmean(known) if known and len(known) == len(values) else math.nan


def deviation(values: Sequence[Score]) -> float:
    """The sample's standard deviation; NaN where one is missing, or fewer than two are there."""
    known = [float(value) for value in values if is_known(value)]
    return stdev(known) if len(known) == len(values) > 1 else math.nan


def place(value: Score, larger: bool = False) -> tuple[bool, float]:
    """A key to sort scores by: best first, what is missing last.

    Args:
        larger: whether more is better.
    """
    return (False, -value if larger else value) if is_known(value) else (True, 0.0)


def best(scores: Mapping[str, Score], larger: bool = False) -> str | None:
    """The name that has the best score; None where none has any."""
    known = {name: value for name, value in scores.items() if is_known(value)}
    return min(known, key=lambda name: place(known[name], larger)) if known else None


def is_score(metric: str) -> bool:
    """Whether a logged value says how good a run is: a learning rate, `lr-Adam` or `lr`, does not."""
    return metric != "lr" and not metric.startswith(("lr-", "lr/"))


def has_mean(metric: str) -> bool:
    """Whether a mean over runs says anything of a metric: of p-values, which are named `..._p`, it does not."""
    return not metric.endswith("_p")
