"""What repeated measurements allow one to say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fulmen.report import known

ROUNDING = 1e-12  # of values about 1: less spread than that is none


@dataclass(frozen=True)
class Comparison:
    """Mean of paired differences, its corrected standard error, t, two-sided p, and the ends of the interval.

    The ends are NaN where nothing is known of the spread.
    """

    mean: float
    se: float
    t: float
    p: float
    low: float
    high: float


def corrected_t_test(
    differences: Sequence[float] | np.ndarray, train_rows: float, test_rows: float, level: float = 0.95,
    least: float = 0.0,
) -> Comparison:  # fmt: skip
    """Is the mean of J differences between two learners, one per fold or resampling, other than 0?

    Training parts overlap, so the J differences are not independent and the plain t-test claims too much. Nadeau &
    Bengio (2003): the variance of the mean is (1 / J + test_rows / train_rows) times the variance of the differences.

    Args:
        least: standard error that is taken where the differences give a smaller one, see `least_error`.
    """
    return _t_test(np.asarray(differences, dtype=float), test_rows / train_rows, level, least)


def t_test(differences: Sequence[float] | np.ndarray, level: float = 0.95, least: float = 0.0) -> Comparison:
    """Is the mean of J independent differences other than 0? The variance of the mean is that of them, by J."""
    return _t_test(np.asarray(differences, dtype=float), 0.0, level, least)


def z_test(
    differences: Sequence[float] | np.ndarray, variance: float, shared: float = 0.0, level: float = 0.95
) -> Comparison:  # fmt: skip
    """Is the mean of J differences other than 0, where the variance of each is known?

    Args:
        shared: rows that test over rows that train, as in `corrected_t_test`; 0 for independent differences.
    """
    from scipy import stats

    mean, se = float(np.mean(differences)), float(np.sqrt((1 / len(differences) + shared) * variance))
    half = float(stats.norm.ppf(0.5 + level / 2)) * se
    return Comparison(mean, se, mean / se, float(2 * stats.norm.sf(abs(mean / se))), mean - half, mean + half)


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for as many looks as there are (Holm 1979); NaN where there is none."""
    adjusted, largest = [math.nan] * len(p), 0.0
    order = sorted((i for i in range(len(p)) if known.is_known(p[i])), key=lambda i: p[i])
    for before, i in enumerate(order):
        largest = max(largest, min((len(p) - before) * p[i], 1.0))
        adjusted[i] = largest
    return adjusted


def least_error(width: float, units: float) -> float:
    """The standard error that `units` pairs leave to a mean difference of scores even where they all agree.

    Scores that are equal on every fold have no spread, but the next unit may differ. Half a unit is added either way
    (Agresti & Min 2005, simple intervals for matched proportions): without any that differs, 1 / (units + 2).

    Args:
        width: of the range that the score can have, 1 for a share.
        units: independent ones behind the mean of all folds.
    """
    return width / (units + 2)


def share_interval(share: float, units: float, level: float = 0.95) -> tuple[float, float]:
    """The exact interval of a share of so many independent units (Clopper & Pearson 1934); of 1 it ends at 1.

    An area under a curve of 1 has this interval too, with as many units as events or other rows, whichever are fewer:
    so many pairs of one of each share no row, and all of them were in order.
    """
    from scipy import stats

    hits, tail = share * units, (1 - level) / 2
    low = float(stats.beta.ppf(tail, hits, units - hits + 1)) if hits > 0 else 0.0
    high = float(stats.beta.ppf(1 - tail, hits + 1, units - hits)) if hits < units else 1.0
    return low, high


def _t_test(d: np.ndarray, shared: float, level: float, least: float) -> Comparison:
    """The variance of the mean is (1 / J + shared) times that of the differences `d` [J]."""
    from scipy import stats  # half a second that a multirun need not wait for

    count, mean = len(d), float(np.mean(d))
    if count < 2:
        return Comparison(mean, math.nan, math.nan, math.nan, math.nan, math.nan)
    se = max(float(np.sqrt((1 / count + shared) * d.var(ddof=1))), least)
    if se <= ROUNDING * max(1.0, abs(mean)):  # all alike: the signs alone are a test (Arbuthnot 1710)
        p = 2.0 ** (1 - count) if abs(mean) > ROUNDING else 1.0
        return Comparison(mean, 0.0, math.nan, p, math.nan, math.nan)
    half = float(stats.t.ppf(0.5 + level / 2, count - 1)) * se
    return Comparison(mean, se, mean / se, float(2 * stats.t.sf(abs(mean / se), count - 1)), mean - half, mean + half)
