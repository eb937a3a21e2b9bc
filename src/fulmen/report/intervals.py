"""Intervals of shares, areas and means of series: the maths, of numbers alone."""

import math
from collections.abc import Callable, Sequence

import numpy as np

STEPS = 60  # of a bisection between 0 and 1: to the last digit


def counted(share: float, items: float, alpha: float) -> tuple[float, float]:
    """The interval of Clopper and Pearson (1934) for a share of so many items, which may be no whole number."""
    from scipy.stats import beta

    hits = share * items
    low = float(beta.ppf(alpha / 2, hits, items - hits + 1)) if hits > 0 else 0.0
    return low, float(beta.ppf(1 - alpha / 2, hits + 1, items - hits)) if hits < items else 1.0


def long_run(values: np.ndarray, span: int) -> float:
    """The variance of the mean of a series [T] whose values share what lies within `span`, for small samples.

    `span` - 1 autocovariances count (Diebold and Mariano 1995), with Bartlett's weights where their plain sum is not
    positive; corrected by Harvey, Leybourne and Newbold (1997).
    """
    count, span = len(values), max(1, min(span, len(values) - 1))
    centred = values - values.mean()
    found = np.array([centred[k:] @ centred[: count - k] / count for k in range(span)])
    variance = found[0] + 2 * found[1:].sum()
    if variance <= 0:
        variance = found[0] + 2 * ((1 - np.arange(1, span) / span) * found[1:]).sum()
    correction = (count + 1 - 2 * span + span * (span - 1) / count) / count
    return float(variance / count / max(correction, 1 / count))


def quantile(alpha: float, free: float) -> float:
    """Of Student's t, or of the normal distribution where so many degrees are infinite."""
    from scipy.stats import norm, t

    return float(norm.ppf(1 - alpha / 2) if math.isinf(free) else t.ppf(1 - alpha / 2, free))


def area_variance(x: float, sizes: Sequence[tuple[int, int]]) -> float:
    """Newcombe's variance of a mean of areas that all are x, over classes of m events and n others."""

    def of_one(m: int, n: int) -> float:
        more = ((m + n) / 2 - 1) * ((1 - x) / (2 - x) + x / (1 + x))
        return x * (1 - x) * (1 + more) / (m * n)

    return float(np.mean([math.sqrt(max(of_one(*each), 0)) for each in sizes])) ** 2


def score_ends(value: float, reach: Callable[[float], float]) -> tuple[float, float]:
    """The lowest and highest x in 0 to 1 whose distance to `value` is at most its reach."""
    found = []
    for end in (0.0, 1.0):
        out, inside = end, value
        for _ in range(STEPS):
            middle = (out + inside) / 2
            out, inside = (out, middle) if abs(middle - value) <= reach(middle) else (middle, inside)
        found.append(inside)
    return found[0], found[1]
