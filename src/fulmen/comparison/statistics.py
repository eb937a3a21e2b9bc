"""What repeated measurements allow one to say."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats


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
    d = np.asarray(differences, dtype=float)
    count, mean = len(d), float(np.mean(d))
    if count < 2:
        return Comparison(mean, math.nan, math.nan, math.nan, math.nan, math.nan)
    se = float(np.sqrt((1 / count + test_rows / train_rows) * d.var(ddof=1)))
    if se == 0:
        return Comparison(mean, 0.0, math.copysign(math.inf, mean) if mean else 0.0, 0.0 if mean else 1.0, mean, mean)
    half = float(stats.t.ppf(0.5 + level / 2, count - 1)) * se
    return Comparison(mean, se, mean / se, float(2 * stats.t.sf(abs(mean / se), count - 1)), mean - half, mean + half)
