"""What repeated measurements allow one to say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from fulmen.report import known


@dataclass(frozen=True)
class Comparison:
    """Mean of paired differences, its corrected standard error, t, two-sided p, and the ends of the interval."""

    mean: float
    se: float
    t: float
    p: float
    low: float
    high: float


def corrected_t_test(
    differences: Sequence[float] | np.ndarray, train_rows: float, test_rows: float, level: float = 0.95
) -> Comparison:
    """Is the mean of J differences between two learners, one per fold or resampling, other than 0?

    Training parts overlap, so the J differences are not independent and the plain t-test claims too much. Nadeau &
    Bengio (2003): the variance of the mean is (1 / J + test_rows / train_rows) times the variance of the differences.
    """
    return _t_test(np.asarray(differences, dtype=float), test_rows / train_rows, level)


def t_test(differences: Sequence[float] | np.ndarray, level: float = 0.95) -> Comparison:
    """Is the mean of J independent differences other than 0? The variance of the mean is that of them, by J."""
    return _t_test(np.asarray(differences, dtype=float), 0.0, level)


def holm(p: Sequence[float]) -> list[float]:
    """p-values adjusted for as many looks as there are (Holm 1979); NaN where there is none."""
    adjusted, largest = [math.nan] * len(p), 0.0
    order = sorted((i for i in range(len(p)) if known.is_known(p[i])), key=lambda i: p[i])
    for before, i in enumerate(order):
        largest = max(largest, min((len(p) - before) * p[i], 1.0))
        adjusted[i] = largest
    return adjusted


def _t_test(d: np.ndarray, shared: float, level: float) -> Comparison:
    """The variance of the mean is (1 / J + shared) times that of the differences `d` [J]."""
    from scipy import stats  # half a second that a multirun need not wait for

    count, mean = len(d), float(np.mean(d))
    if count < 2:
        return Comparison(mean, math.nan, math.nan, math.nan, math.nan, math.nan)
    se = float(np.sqrt((1 / count + shared) * d.var(ddof=1)))
    if se == 0:
        return Comparison(mean, 0.0, math.copysign(math.inf, mean) if mean else 0.0, 0.0 if mean else 1.0, mean, mean)
    half = float(stats.t.ppf(0.5 + level / 2, count - 1)) * se
    return Comparison(mean, se, mean / se, float(2 * stats.t.sf(abs(mean / se), count - 1)), mean - half, mean + half)
