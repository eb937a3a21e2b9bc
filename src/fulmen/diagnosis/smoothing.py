"""Causal summaries of a series: the value at check i knows checks 0 ... i only, so a verdict never changes its past."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Series = NDArray[np.float64]  # [checks]
Flags = NDArray[np.bool_]  # [checks]
BEGINNING = 16  # second differences among which the first fall of a loss is many
APART = 24  # checks, before those that are 3 apart say anything of noise
TRIANGLE = np.tri(BEGINNING, dtype=bool)
MEMORY = 1.3  # times, noise of checks 3 apart over that of neighbours: more is hardly chance
FEW_SURE = 1.2  # times, in square roots: how much a median of few may lie below what it stands for
CEILING = 1e4  # times the first value: what a diverged loss is cut to, so that sums stay exact


def window(checks: int, share: float = 0.08, least: int = 3) -> NDArray[np.int64]:
    """How many of the latest values count at each check: a share of those so far, at least `least`: [checks]."""
    return np.maximum(least, np.ceil(share * np.arange(1, checks + 1))).astype(np.int64)


def trailing_mean(x: Series, width: NDArray[np.int64], at: NDArray[np.int64] | None = None) -> Series:
    """The mean of the latest `width[i]` values at each check i, or at the check `at[i]` (fewer at the start)."""
    total = np.concatenate([[0.0], np.cumsum(x)])
    end = 1 + (np.arange(len(x)) if at is None else at)
    begin = np.maximum(end - width, 0)
    return (total[end] - total[begin]) / (end - begin)


def noise(x: Series, lag: int = 1, share: float = 0.3) -> Series:
    """Standard deviation of what jumps from check to check, blind to trends and to single steps.

    It is that of a share of the latest checks, eight at least. Second differences of white noise with sd s have the sd
    sqrt(6) s; the mean of their square roots, unlike that of their squares, hardly sees a step of the learning rate
    (E sqrt|z| = 0.8222 for a standard normal z).
    """
    return noises(x, lag, (share,))[0]


def noises(x: Series, lag: int, shares: Sequence[float]) -> list[Series]:
    """`noise` for several shares of the latest checks.

    The first fall of a loss is among the first differences: there, a median that is clearly lower counts (its factor
    is nearly that of the mean).
    """
    if len(x) <= 2 * lag:
        return [np.zeros(len(x)) for _ in shares]
    roots = np.sqrt(np.abs(x[2 * lag :] - 2 * x[lag:-lag] + x[: -2 * lag]))
    medians, found = FEW_SURE * beginning_medians(roots), []
    for share in shares:
        mean = trailing_mean(roots, window(len(roots), share, 8))
        mean[:BEGINNING] = np.minimum(mean[:BEGINNING], medians)
        found.append(np.concatenate([np.zeros(2 * lag), mean**2 / (0.8222**2 * np.sqrt(6))]))
    return found


def far_noises(x: Series, near: Sequence[Series], shares: Sequence[float]) -> list[Series]:
    """`noises` of checks 3 apart, or those of neighbours where there are too few to tell noise from a trend."""
    found = noises(x, 3, shares)
    for far, close in zip(found, near, strict=True):
        far[:APART] = close[:APART]
    return found


def beginning_medians(x: Series) -> Series:
    """The median of all values so far, of the first `BEGINNING` ones."""
    head = x[:BEGINNING]
    so_far = np.where(TRIANGLE[: len(head), : len(head)], head, np.inf)
    so_far.sort(axis=1)
    index = np.arange(len(head))
    return 0.5 * (so_far[index, index // 2] + so_far[index, (index + 1) // 2])


def remembered(near: Series, far: Series) -> Series:
    """Noise with a memory hides from differences of neighbours: that of checks 3 apart, where it is clearly larger."""
    return np.where(far > MEMORY * near, np.minimum(far, 2 * near), near)


def bendless_noise(x: Series, lag: int = 1, share: float = 0.3) -> Series:
    """`noise` blind to bends too, from third differences: those of white noise with sd s have the sd sqrt(20) s.

    Second differences take the bend of a falling loss for noise, all the more those of checks or means far apart.
    """
    if len(x) <= 3 * lag:
        return np.zeros(len(x))
    roots = np.sqrt(np.abs(x[3 * lag :] - 3 * x[2 * lag : -lag] + 3 * x[lag : -2 * lag] - x[: -3 * lag]))
    mean = trailing_mean(roots, window(len(roots), share, 8))
    return np.concatenate([np.zeros(3 * lag), mean**2 / (0.8222**2 * np.sqrt(20))])


def bendless_noise_of_means(smooth: Series, width: NDArray[np.int64], shares: Sequence[float] = (0.3, 0.6)) -> Series:
    """`noise_of_means` that is blind to bends too, from third differences of means beside each other: [checks]."""
    one, two, three = (lagged(smooth, times * width) for times in (1, 2, 3))
    return _lowest_noise(smooth - 3 * one + 3 * two - three, shares, 20)


def wandering(near: Series, far: Series) -> Series:
    """Standard deviation that white noise would have to have for its means to differ as those of a series do.

    Noise with a memory does not average out. With s1 and s3 the noise between checks that are 1 and 3 apart,
    s3^3 / s1^2 is that of white noise, and within a fifth of what is sought for autoregressive noise of the first order
    up to a memory of 0.6; never below s1, and s3 counts as at most twice s1.
    """
    return near * np.clip(far / np.maximum(near, 1e-300), 1.0, 2.0) ** 3


def noise_of_means(smooth: Series, width: NDArray[np.int64], shares: Sequence[float] = (0.3, 0.6)) -> Series:
    """Standard deviation of means of `width[i]` checks, from such means beside each other, blind to trends: [checks].

    However long the memory of a noise is, it shows in means as they are. Of several shares of the latest checks the
    lower one counts: a step of the loss lies in the longer one alone.
    """
    one, two = lagged(smooth, width), lagged(smooth, 2 * width)
    return _lowest_noise(smooth - 2 * one + two, shares, 6)


def _lowest_noise(differences: Series, shares: Sequence[float], variance: int) -> Series:
    """Standard deviation of what such differences were taken of, by the share of the latest ones that has the least.

    Args:
        differences: of white noise with sd 1 they have this `variance`.
    """
    roots = np.sqrt(np.abs(differences))
    lowest = np.min([trailing_mean(roots, window(len(roots), share, 8)) for share in shares], axis=0)
    return np.asarray(lowest**2 / (0.8222**2 * np.sqrt(variance)))


def bounded(x: Series) -> Series:
    """`x` with what lies far beyond its first value cut off."""
    return np.minimum(x, CEILING * (abs(x[0]) + 1e-12))


def block_ends(checks: int, most: int) -> NDArray[np.int64]:
    """The last check of each of at most `most` blocks, all of one length but the first: [blocks]."""
    length = -(-checks // most)
    return np.arange(checks - 1, -1, -length)[: checks // length][::-1].astype(np.int64)


def block_means(x: Series, ends: NDArray[np.int64]) -> Series:
    """The mean of each block: [blocks]."""
    if len(ends) == len(x):
        return x
    begins = np.concatenate([[0], ends[:-1] + 1])
    return np.add.reduceat(x, begins) / (ends + 1 - begins)


def in_a_row(flags: Flags, times: int | NDArray[np.int64]) -> Flags:
    """Where `flags` has held for the latest `times` checks."""
    index = np.arange(len(flags))
    last_miss = np.maximum.accumulate(np.where(flags, -1, index))
    return index - last_miss >= times


def hysteresis(raised: Flags, cleared: Flags) -> Flags:
    """On from a check in `raised` until one in `cleared`; what is both counts as raised."""
    index = np.arange(len(raised))
    last = np.maximum.accumulate(np.where(raised | cleared, index, -1))
    return (last >= 0) & raised[last]


def running_best(x: Series) -> tuple[Series, NDArray[np.int64]]:
    """The lowest value so far and the check where it stood, both [checks]."""
    best = np.minimum.accumulate(x)
    return best, np.maximum.accumulate(np.where(x <= best, np.arange(len(x)), 0))


def best_mean(x: Series, width: NDArray[np.int64]) -> tuple[Series, NDArray[np.int64]]:
    """The lowest mean of `width[i]` values in a row up to check i, and the check where they end; both [checks].

    The best is smoothed as the present is: a narrower window would find a lower one by luck. Where there are fewer
    values than that yet, it is the mean of them all.
    """
    total = np.concatenate([[0.0], np.cumsum(x)])
    best, at = trailing_mean(x, width), np.arange(len(x))
    begins = np.flatnonzero(np.diff(width, prepend=0))
    for wide, begin, end in zip(width[begins], begins, [*begins[1:], len(x)], strict=True):
        lowest, where = running_best((total[wide : end + 1] - total[: max(end + 1 - wide, 0)]) / wide)
        first = max(begin, wide - 1)
        best[first:end], at[first:end] = lowest[first - wide + 1 :], where[first - wide + 1 :] + wide - 1
    return best, at


def lagged(x: Series, back: NDArray[np.int64]) -> Series:
    """The value `back[i]` checks before check i, the first one where there is none."""
    return x[np.maximum(np.arange(len(x)) - back, 0)]
