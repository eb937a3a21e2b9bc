"""How far the best of many lies ahead by luck alone, where nothing is known but their scores."""

from collections.abc import Sequence
from statistics import median

import numpy as np

from fulmen.report.document import number
from fulmen.report.known import is_known

FEWEST = 3  # scores, below which their spread says nothing


def expected_largest(count: int) -> float:
    """The mean of the largest of so many standard normal numbers (Tippett 1925): 0.56 of 2, 1.54 of 10, 2.51 of 100."""
    from scipy import integrate, stats

    def density(x: float) -> float:
        return float(x * count * stats.norm.pdf(x) * stats.norm.cdf(x) ** (count - 1))

    return float(integrate.quad(density, -8, 8 + np.log(count))[0])


def by_luck(scores: Sequence[float], larger: bool) -> float:
    """How far the best would lie ahead of the middle if all were equally good, but for noise.

    The noise is what the better half scatters about the median, since bad settings make a long tail on the other side;
    it is too much where the better half differs by more than noise, so that this is what luck can be at most.
    """
    middle = median(scores)
    ahead = [abs(score - middle) for score in scores if (score >= middle if larger else score <= middle)]
    return expected_largest(len(scores)) * float(np.sqrt(np.mean(np.square(ahead))))


def said_of(scores: Sequence[object], larger: bool, unit: str) -> str:
    """In a sentence; "" of fewer than three known scores, or where they do not differ.

    Args:
        unit: what has the scores, in the plural.
    """
    known = [float(score) for score in scores if is_known(score)]
    if len(known) < FEWEST or np.ptp(known) == 0:
        return ""
    best = max(known) if larger else min(known)
    return (
        f"If these {len(known)} {unit} were equally good, the best would lie about {number(by_luck(known, larger), 2)} "
        f"ahead of the middle one by luck alone; it lies {number(abs(best - median(known)), 2)} ahead."
    )
