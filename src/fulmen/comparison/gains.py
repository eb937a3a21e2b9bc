"""How much better one candidate is than another on the same folds: intervals and p-values for all looks there are."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fulmen.comparison.statistics import Comparison, corrected_t_test, holm, least_error, share_interval, t_test, z_test
from fulmen.report import known
from fulmen.report.contest import Contest
from fulmen.report.document import number

ALPHA = 0.05
LEVEL = 0.95
NEAR = 0.5  # of a unit between a mean and its bound, below which folds do not tell the spread


@dataclass(frozen=True)
class Gain:
    """By how much one candidate is better than another.

    Attributes:
        value: mean over the folds; above 0 is better, whichever way the metric goes.
        p: two-sided, adjusted for the number of looks.
        low: end of an interval that leaves out 0 where, and only where, p is below 0.05; likewise `high`. NaN where
            nothing is known of the spread.
        half: half the width of this interval.
    """

    value: float
    p: float
    low: float
    high: float
    half: float

    @property
    def is_shown(self) -> bool:
        """Whether the two are shown to differ."""
        return bool(self.p < ALPHA)

    def __str__(self) -> str:
        said = f"gain {number(self.value, 2)}"
        if not known.is_known(self.low):
            return f"{said}, interval not known"
        return f"{said}, 95 % interval {number(self.low, 2)} to {number(self.high, 2)}"


def scores_of(contest: Contest, metric: str) -> dict[str, np.ndarray]:
    """Candidate -> its scores [folds]."""
    return {name: np.asarray(each[metric], dtype=float) for name, each in contest.scores.items()}


def in_order(contest: Contest, metric: str, larger: bool) -> list[str]:
    """The candidates, best mean first; of equal ones the constant predictor last."""
    means = {name: float(values.mean()) for name, values in scores_of(contest, metric).items()}
    return sorted(means, key=lambda name: (known.place(means[name], larger), name == contest.constant))


def leads(contest: Contest, metric: str, larger: bool, place: int = 0) -> dict[str, Gain]:
    """How much better the candidate at a place, from 0, is than each that follows.

    p is adjusted for the number that follow (Holm); beside the constant predictor at least for the number of
    candidates that the one was chosen of (Bonferroni): the best of many has had many chances to look better.
    """
    order, scores, way = in_order(contest, metric, larger), scores_of(contest, metric), 1 if larger else -1
    after = order[place + 1 :]
    differences = [way * (scores[order[place]] - scores[name]) for name in after]
    bound = {name: _bound(contest, metric, float(values.mean())) for name, values in scores.items()}
    near = [bound[name] != 0 and bound[name] == bound[order[place]] for name in after]
    strict = 1 - ALPHA / max(len(order) - 1, 1)
    plain = [_judged(contest, metric, name, each, at_bound=at, strict=strict)
             for name, each, at in zip(after, differences, near, strict=True)]  # fmt: skip
    adjusted = holm([each.p for each in plain])
    found = {}
    for name, each, test, p, at in zip(after, differences, plain, adjusted, near, strict=True):
        chosen_of = max(len(order) - 1, 1) if name == contest.constant else 1
        p = max(p, min(chosen_of * test.p, 1.0))
        looks = p / test.p if test.p > 0 and p < 1 else max(len(after), chosen_of)
        judged = _judged(contest, metric, name, each, 1 - ALPHA / looks, at, strict)
        found[name] = Gain(judged.mean, p, judged.low, judged.high, judged.high - judged.mean)
    return found


def compared(
    contest: Contest, differences: Sequence[float] | np.ndarray, metric: str, level: float = LEVEL,
    at_bound: bool = False,
) -> Comparison:  # fmt: skip
    """Whether the mean over the folds of differences of a metric is other than 0, with the variance of these folds.

    Args:
        at_bound: whether both scores are all but at the same end of what is possible. There, and where all folds agree,
            the error is at least that of half a unit either way.
    """
    test = _over_folds(contest, differences, level)
    width, units = _width(contest, metric), contest.units.get(metric)
    if units and math.isfinite(width) and (at_bound or test.se == 0):
        return _over_folds(contest, differences, level, least_error(width, units))
    return test


def interval(contest: Contest, metric: str, values: np.ndarray) -> tuple[float, float]:
    """The 95 % interval of the mean of scores on the folds, cut to what is possible; NaN where nothing is known of it.

    Where less than half a unit lies between the mean and its bound, it is the exact one of a share, if that is wider.
    """
    test = _over_folds(contest, values, LEVEL)
    ends = test.low, test.high
    (low, high), width = contest.bounds.get(metric, (-math.inf, math.inf)), _width(contest, metric)
    units = contest.units.get(metric)
    if units and math.isfinite(width) and (test.se == 0 or _bound(contest, metric, test.mean)):
        share = min(max((test.mean - low) / width, 0.0), 1.0)
        exact = [low + width * end for end in share_interval(share, units, LEVEL)]
        ends = float(np.fmin(ends[0], exact[0])), float(np.fmax(ends[1], exact[1]))
    return float(np.clip(ends[0], low, high)), float(np.clip(ends[1], low, high))


def reach(contest: Contest, metric: str, larger: bool, name: str) -> float:
    """How much better than the constant predictor a candidate may be: the end of a one-sided 95 % interval."""
    scores, way = scores_of(contest, metric), 1 if larger else -1
    gain = way * (scores[name] - scores[contest.constant])
    test = _judged(contest, metric, contest.constant, gain, 1 - 2 * ALPHA)
    return test.high if known.is_known(test.high) else math.inf


def _judged(
    contest: Contest, metric: str, other: str, differences: np.ndarray, level: float = LEVEL, at_bound: bool = False,
    strict: float = 1.0,
) -> Comparison:  # fmt: skip
    """As `compared`; beside the constant predictor with the spread of chance, where that is known.

    It does not have to be estimated of a few folds, so that the normal distribution stands in the place of t. That
    spread is of scores that know nothing, and tells little of how far a good one may be off: where the folds show the
    gap by their own spread too, the test is the weaker of the two, as that of all other rows.

    Args:
        strict: level at which both have to show a gap for that; 1: never.
    """
    if other != contest.constant or metric not in contest.by_chance:
        return compared(contest, differences, metric, level, at_bound)
    variance = float(np.mean(np.square(contest.by_chance[metric])))
    shared = 0.0 if contest.in_time else contest.test_rows / contest.train_rows
    by_chance, by_folds = (z_test(differences, variance, shared, level),
                           compared(contest, differences, metric, level, at_bound))  # fmt: skip
    both = known.is_known(by_folds.p) and max(by_chance.p, by_folds.p) < 1 - strict
    return by_folds if both and by_folds.p > by_chance.p else by_chance


def _over_folds(contest: Contest, values: Sequence[float] | np.ndarray, level: float, least: float = 0.0) -> Comparison:
    if contest.in_time:
        return t_test(values, level, least)
    return corrected_t_test(values, contest.train_rows, contest.test_rows, level, least)


def _bound(contest: Contest, metric: str, mean: float) -> int:
    """-1 or 1 where a mean is less than half a unit from the lowest or highest value that there can be, else 0."""
    (low, high), units = contest.bounds.get(metric, (-math.inf, math.inf)), contest.units.get(metric)
    if not units or not math.isfinite(high - low):
        return 0
    near = NEAR * (high - low) / units
    return 1 if high - mean < near else -1 if mean - low < near else 0


def _width(contest: Contest, metric: str) -> float:
    low, high = contest.bounds.get(metric, (-math.inf, math.inf))
    return high - low
