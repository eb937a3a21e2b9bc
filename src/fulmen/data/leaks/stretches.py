"""Series that are another one times a number, over a stretch of time or as a whole, but for rounding."""

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from fulmen.data.leaks.filled import grain
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples, Series
from fulmen.data.leaks.steps import EQUAL, foretold, steps_of
from fulmen.report.words import counted

SERIES = 40  # that are compared with each other
LONG = 101  # steps of a stretch, odd
FINE = 2e-6  # of a value, by which numbers are rounded that are not rounded to a digit
LIVELY, MOVING = 8, 0.5  # times the rounding that values move over a stretch, and share of its steps that move
ALIKE = 0.5  # correlation of steps of two series over some stretch, below which neither is the other


def shared_stretches(samples: Samples) -> list[Leak]:
    """Pairs of series of which one is the other times a number over `LONG` steps or more."""
    pairs = list(_pairs([one for one in samples.series[:SERIES] if len(one.time) > LONG]))
    if not pairs:
        return []
    steps, start, first, second = max(pairs)
    more = f"; {counted(len(pairs) - 1, 'more such pair')}" if len(pairs) > 1 else ""
    finding = (
        f"{second} is {first} times a number, but for rounding, at {steps:,} times of both (first: number "
        f"{start + 1:,} of {second}){more}"
    )
    names = tuple(dict.fromkeys(name for *_, one, other in pairs for name in (one, other)))
    evidence = {"steps": steps, "start": start, "pairs": [[one, other] for *_, one, other in pairs[:10]]}
    cures = tuple(samples.without(tuple(dict.fromkeys(other for *_, other in pairs))))
    return [Leak("near_copies", "warning", finding, names, evidence, cures)]


def _pairs(series: list[Series]) -> Iterator[tuple[int, int, str, str]]:
    for one, other in combinations(series, 2):
        _, here, there = np.intersect1d(one.time, other.time, return_indices=True)
        if len(here) <= LONG:
            continue
        a, b = foretold(one)[here], foretold(other)[there]
        known = np.isfinite(a) & np.isfinite(b)
        a, b, there = a[known], b[known], there[known]
        if len(a) <= LONG or min(a.min(), b.min()) <= 0:
            continue
        inside = proportional(a, b)
        if inside.any() and not is_one_series(one, other):
            yield int(inside.sum()), int(there[np.argmax(inside)]), one.name, other.name


def is_one_series(one: Series, other: Series) -> bool:
    """Whether two series are told as one already, by all their steps."""
    steps = steps_of([one, other])
    return bool(steps.values.prod(0).sum() / max(int(steps.known.all(0).sum()), 1) > EQUAL)


def proportional(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Which places of values above 0 [T] lie in stretches in which b is a times one number, but for rounding."""
    from scipy.ndimage import binary_dilation, maximum_filter1d, minimum_filter1d, uniform_filter1d

    nothing = np.zeros(len(a), dtype=bool)
    if not _somewhere_alike(np.diff(np.log(a)), np.diff(np.log(b))):
        return nothing
    wide = [np.maximum(grain(each) / 2 / each, FINE) for each in (a, b)]
    ratio, width = np.log(b / a), 1.02 * (wide[0] + wide[1])
    low, high = maximum_filter1d(ratio - width, LONG), minimum_filter1d(ratio + width, LONG)
    moved = maximum_filter1d(np.log(a), LONG) - minimum_filter1d(np.log(a), LONG)
    moving = uniform_filter1d(np.append(0.0, np.abs(np.diff(np.log(a))) > width[1:]), LONG)
    middle = (low <= high) & (moved > LIVELY * uniform_filter1d(width, LONG)) & (moving > MOVING)
    middle[: LONG // 2] = middle[len(a) - LONG // 2 :] = False  # a filter goes on beyond the ends
    return np.asarray(binary_dilation(middle, np.ones(LONG))) if middle.any() else nothing


def _somewhere_alike(one: np.ndarray, other: np.ndarray) -> bool:
    size = len(one) // (LONG // 2) * (LONG // 2)
    a, b = (each[:size].reshape(-1, LONG // 2) for each in (one, other))
    a, b = (each - each.mean(1, keepdims=True) for each in (a, b))
    length = np.sqrt(np.square(a).sum(1) * np.square(b).sum(1))
    return bool(((a * b).sum(1) > ALIKE * np.maximum(length, 1e-300)).any())
