"""Features that know what comes: the target or a reading of a later time, or a mean that reaches into the future."""

import re
from collections.abc import Iterator, Sequence

import numpy as np

from fulmen.data.leaks.columns import Column, classes, columns_of, used
from fulmen.data.leaks.identity import counts_up
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples
from fulmen.data.leaks.times import has_times, series

FEWEST = 100  # samples below which nothing is said
LATER = re.compile(r"next|lead|future|ahead|tomorrow|fwd|forward|later|after|t\+\d")
EARLIER = re.compile(r"lag|prev|past|last|before|yesterday|earlier|back|t-\d")
MOST = 4_000  # samples that are looked at
LAGS = 12  # steps ahead that are looked at
WIDEST = 15  # steps to either side of a mean


def look_ahead(samples: Samples) -> list[Leak]:
    """Features that agree with later values better than with present and earlier ones."""
    rows = used(samples)
    if len(rows) < FEWEST or samples.target.ndim != 1 or not samples.columns:
        return []
    if not has_times(samples) and samples.splitting == "group":
        return []
    rows, place = (part[:MOST] for part in series(samples, rows))
    by_class = samples.kind == "classes"
    y = classes(samples, rows) if by_class else np.asarray(samples.target, float)[rows]
    if y is None or y.std() == 0:
        return []
    columns = [each for each in columns_of(samples.columns, rows) if not each.levels or each.count == 2]
    if not columns:
        return []
    pairs = _worth_a_look(columns, place)
    found = []
    for i, each in enumerate(columns):
        others = [columns[j] for j in np.flatnonzero(pairs[i])]
        leak = _of_target(samples, each, y, place, by_class) or next(_of_columns(samples, each, others, place), None)
        if leak:
            found.append(leak)
    return found


def _worth_a_look(columns: Sequence[Column], place: np.ndarray) -> np.ndarray:
    """Pairs of columns of which one is nearly the other one of a later time, or goes with it: bool [F, F]."""
    numbers = np.array([not each.levels and each.count >= 10 and not counts_up(each.values) for each in columns])
    x = np.stack([np.where(each.missing, np.nanmean(each.values), each.values) for each in columns], 1)
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-300)
    numbers &= ~np.array([is_clock(values, place) for values in x.T])
    best = np.zeros((len(columns), len(columns)), dtype=bool)
    before, after, own = x.copy(), np.zeros_like(x), np.ones(len(x), dtype=bool)
    for lag in range(1, WIDEST + 1):
        own[lag:] &= place[lag:] - place[:-lag] == lag
        own[:lag] = False
        own[-lag:] = False
        inside = own.copy()
        inside[:-lag] &= own[lag:]
        if inside.sum() < 50:
            break
        ahead = np.roll(x, -lag, 0)
        after, before = after + ahead, before + np.roll(x, lag, 0)
        for moved in (ahead, before + after, after, after + x):
            best |= _correlations(x[inside], moved[inside]) > 0.9
    return best & numbers[:, None] & numbers[None] & ~np.eye(len(columns), dtype=bool)


def is_clock(values: np.ndarray, place: np.ndarray) -> bool:
    """Whether numbers [n] follow from their last two, as the sine of an hour does: their future is no secret."""
    there = place[2:] - place[:-2] == 2
    if there.sum() < 20:
        return False
    past = np.stack([values[1:-1][there], values[:-2][there], np.ones(there.sum())], 1)
    left = values[2:][there] - past @ np.linalg.lstsq(past, values[2:][there], rcond=None)[0]
    return bool(np.median(np.abs(left)) < 1e-4 * values.std())


def _correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Absolute correlations of all columns of [n, F] with all of [n, F]: [F, F]."""
    a, b = ((each - each.mean(0)) / np.maximum(each.std(0), 1e-12) for each in (a, b))
    return np.abs(a.T @ b) / len(a)


def later(values: np.ndarray, place: np.ndarray, lag: int) -> np.ndarray:
    """The value `lag` steps later in the same series [n]; NaN where there is none."""
    moved = np.full(len(values), np.nan)
    if lag >= 0:
        there = place[lag:] - place[: len(place) - lag] == lag
        moved[: len(values) - lag][there] = values[lag:][there]
    else:
        there = place[-lag:] - place[:lag] == -lag
        moved[-lag:][there] = values[:lag][there]
    return moved


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """Absolute correlation of numbers that may be missing [n]; 0 where few are there or one is constant."""
    known = ~np.isnan(a) & ~np.isnan(b)
    if known.sum() < 50:
        return 0.0
    a, b = a[known], b[known]
    if a.std() == 0 or b.std() == 0:
        return 0.0
    return float(abs(np.corrcoef(a, b)[0, 1]))


def _of_target(samples: Samples, each: Column, y: np.ndarray, place: np.ndarray, by_class: bool) -> Leak | None:
    """A feature that is the target of a later time."""
    target = y.astype(float) if not by_class or y.max() == 1 else None
    if target is None:
        return None
    by_lag = {lag: alike(each.values, later(target, place, lag)) for lag in range(-LAGS, LAGS + 1)}
    ahead = max(range(1, LAGS + 1), key=lambda lag: by_lag[lag])
    behind = max(by_lag[lag] for lag in range(-LAGS, 1))
    best = by_lag[ahead]
    if best < 0.8 or 1 - best > 0.5 * (1 - behind):
        return None
    steps = f"{ahead} step{'s' * (ahead > 1)}"
    finding = (
        f"the feature {each.name} agrees with {samples.target_name} {steps} later (correlation {best:.3f}), and less "
        f"with that of its own or of any earlier time ({behind:.3f}): it knows what comes"
    )
    return _leak(samples, each, finding, steps=ahead, later=best, present=behind)


def _of_columns(samples: Samples, each: Column, others: list[Column], place: np.ndarray) -> Iterator[Leak]:
    """A feature that is a reading of a later time, or a mean of readings that reaches into the future."""
    for other in others:
        now, by_lag = alike(each.values, other.values), {}
        for lag in range(1, LAGS + 1):
            by_lag[lag] = alike(each.values, later(other.values, place, lag))
        ahead = max(by_lag, key=lambda lag: by_lag[lag])
        over, agreed = _mean_ahead(each.values, other.values, place)
        shifted = by_lag[ahead] > 0.98 and 1 - by_lag[ahead] < 0.2 * (1 - now) and agreed <= by_lag[ahead]
        if shifted and _is_the_later(each, other, place):
            finding = (
                f"the feature {each.name} is {other.name} of {ahead} step{'s' * (ahead > 1)} later (correlation "
                f"{by_lag[ahead]:.4f}): it knows what comes"
            )
            yield _leak(samples, each, finding, steps=ahead, later=by_lag[ahead], present=now)
        elif over:
            finding = f"the feature {each.name} is the mean of {other.name} over {over}: it knows what comes"
            yield _leak(samples, each, finding)


def _is_the_later(each: Column, other: Column, place: np.ndarray) -> bool:
    """Of two columns that are one shifted in time: whether `each` was taken from the future, not `other` from the past.

    Their names may say it, or the gap that the shift has left at the end or the beginning of a series.
    """
    if LATER.search(each.name.lower()) or EARLIER.search(other.name.lower()):
        return bool(LATER.search(each.name.lower()))
    ends = np.append(np.diff(place) != 1, True)
    starts = np.insert(np.diff(place) != 1, 0, True)
    return bool(each.missing[ends].mean() > 0.5 and not other.missing[starts].mean() > 0.5)


def _mean_ahead(values: np.ndarray, other: np.ndarray, place: np.ndarray) -> tuple[str, float]:
    """The steps over which `values` is a mean of `other`, some of them later, and how well; "" and 0: it is none."""
    centred, past, ahead = other.copy(), other.copy(), np.zeros(len(other))
    known, found = max(alike(values, other), 0.0), ("", 0.0)
    for width in range(1, WIDEST + 1):
        after = later(other, place, width)
        before = later(other, place, -width)
        centred, past, ahead = centred + after + before, past + before, ahead + after
        known = max(known, alike(values, past))
        ways = {
            f"{width} steps before and {width} after": centred,
            f"its own and the next {width} steps": ahead + other,
        }
        ways |= {f"the next {width} steps": ahead} if width > 1 else {}  # the next one alone is a shift
        for words, mean in ways.items():
            if (best := alike(values, mean)) > max(0.99, found[1]) and 1 - best < 0.1 * (1 - known):
                found = words, best
    return found


def _leak(samples: Samples, each: Column, finding: str, **evidence: float) -> Leak:
    return Leak("look_ahead", "error", finding, (each.name,), evidence, tuple(samples.without((each.name,))))
