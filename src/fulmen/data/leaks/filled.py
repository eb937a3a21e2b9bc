"""Values of a series that hold later ones: smoothed, filled on a line between two others, or filled backwards."""

from collections.abc import Iterator

import numpy as np

from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples, Series
from fulmen.data.leaks.steps import USUAL, changes, foretold, standard

SERIES = 40  # that are looked at
FEWEST = 200  # steps, below which nothing is said
LAGS = 5  # steps by which the next one is foretold
TOO_GOOD, GRAVE = 0.15, 0.2  # of the variance of the next step, which no market tells
LINES = 0.01  # of the steps that lie on lines between others
MANY_LINES = 0.1  # of them, below which smoothing explains them
GAPS, BY_CHANCE = 20, 2e-3  # runs without a step that are asked, and the chance of steps so unequal around them


def filled(samples: Samples) -> list[Leak]:
    """Series whose values know later ones."""
    found: list[Leak] = []
    for one in samples.series[:SERIES]:
        if len(one.time) > FEWEST:
            found += _filled(one, BY_CHANCE / min(len(samples.series), SERIES))
    told: dict[str, list[Leak]] = {}
    for leak in found:
        told.setdefault(str(leak.evidence["how"]), []).append(leak)
    return [_together(leaks) for leaks in told.values()]


def is_filled(one: Series) -> bool:
    """Whether values of a series were smoothed, or lie on lines between others."""
    values = foretold(one)
    if len(values) <= FEWEST:
        return False
    share, sign = foretelling(standard(changes(values)))
    return (share > TOO_GOOD and sign > 0) or on_lines(values) > LINES


def _together(leaks: list[Leak]) -> Leak:
    """One finding for all series of which the same is to be said."""
    first = leaks[0]
    more = f"; so are {len(leaks) - 1} more series" if len(leaks) > 1 else ""
    columns = tuple(column for leak in leaks for column in leak.columns)
    return Leak(first.code, first.severity, first.finding + more, columns, first.evidence)


def _filled(one: Series, by_chance: float) -> Iterator[Leak]:
    values = foretold(one)
    step = changes(values)
    share, sign = foretelling(standard(step))
    lines = on_lines(values)
    ratio, chance, runs = around_gaps(step)
    smooth = share > TOO_GOOD and sign > 0
    if lines > (MANY_LINES if smooth else LINES):
        said = f"{lines:.1%} of the values of {one.name} lie on a line between an earlier and a later one: they were"
        yield _leak(one, f"{said} filled in with the later one known", "lines", "error", share=lines)
    elif smooth:
        said = (
            f"the last {LAGS} steps of {one.name} tell {share:.0%} of the variance of the next, more than a market "
            f"does: its values were smoothed, with later ones if the mean was centred"
        )
        yield _leak(one, said, "smooth", "error" if share > GRAVE else "warning", share=share)
    if runs >= GAPS and ratio > 1 and chance < by_chance:
        said = (
            f"{one.name} stands still {runs} times after a step that is {ratio:.1f} times as large as the one that "
            f"ends it: gaps were filled backwards, with the value that came later"
        )
        yield _leak(one, said, "backwards", "error", runs=runs)


def _leak(one: Series, said: str, how: str, severity: str, **evidence: float) -> Leak:
    return Leak("look_ahead", severity, said, (one.name,), {"how": how, **evidence})  # type: ignore[arg-type]


def foretelling(step: np.ndarray) -> tuple[float, float]:
    """What the last steps tell of the next one, as a share of its variance on the half not fitted on, and the sign.

    The sign is that of the correlation of one step with the next.
    """
    known = step[np.isfinite(step)]
    if len(known) < FEWEST:
        return 0.0, 0.0
    x = np.lib.stride_tricks.sliding_window_view(known, LAGS)[:-1]
    y, half = known[LAGS:], len(x) // 2
    error = np.zeros(len(y))
    for fit, judge in ((slice(None, half), slice(half, None)), (slice(half, None), slice(None, half))):
        gram = x[fit].T @ x[fit] + 5 * np.eye(LAGS)
        error[judge] = y[judge] - x[judge] @ np.linalg.solve(gram, x[fit].T @ y[fit])
    share = 1 - float(np.square(error).sum() / max(np.square(y - y.mean()).sum(), 1e-12))
    return share, float(np.mean(known[1:] * known[:-1]))


def on_lines(values: np.ndarray) -> float:
    """The share of values [T] on a line through both neighbours, beyond what chance puts there.

    Chance is what the same steps give in another order, each within `USUAL` of its place: prices in whole cents make
    equal steps now and then.
    """
    known = values[np.isfinite(values)]
    if len(known) < FEWEST:
        return 0.0
    best = 0.0
    for series in (known, np.log(known)) if known.min() > 0 else (known,):
        step = np.diff(series)
        unit = grain(known) if series is known else 0.0
        tolerance = max(1.01 * unit, 1e-7 * float(np.median(np.abs(series))) * (series is known), 1e-9)
        here = _even(step, tolerance)
        rng = np.random.default_rng(0)
        chance = float(np.mean([_even(shuffled(step, rng), tolerance) for _ in range(5)]))
        if here - chance > 4 * np.sqrt(max(chance, 1.0 / len(step)) / len(step)):
            best = max(best, float(here - 1.5 * chance))
    return best


def _even(step: np.ndarray, tolerance: float) -> float:
    """The share of steps that equal the one before, steps of nothing left out."""
    moving = np.abs(step) > 2 * tolerance
    return float((moving[1:] & moving[:-1] & (np.abs(np.diff(step)) <= tolerance)).mean())


def shuffled(step: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Steps [T] in another order, each within `USUAL` of its place."""
    return step[np.argsort(np.arange(len(step)) + rng.uniform(0, USUAL, len(step)))]


def grain(values: np.ndarray) -> float:
    """What values are multiples of, such as a cent; 0 where that is not seen."""
    for unit in (1.0, 0.1, 0.05, 0.01, 0.005, 0.001, 0.0001):
        if np.abs(values / unit - np.round(values / unit)).max() < 1e-4:
            return unit
    return 0.0


def rounding(one: Series) -> float:
    """What share of the variance of the steps of a series comes from rounding, where values are lowest."""
    known = foretold(one)
    known = known[np.isfinite(known)]
    unit = grain(known)
    if unit == 0 or known.min() <= 0:
        return 0.0
    low = known[known <= np.quantile(known, 0.3)]
    return float(np.mean(np.square(unit / low)) / 6 / max(np.var(np.diff(np.log(known))), 1e-12))


def around_gaps(step: np.ndarray) -> tuple[float, float, int]:
    """How much larger steps before runs without one are than those after them, by the median, and how many runs.

    The second is the chance that they are so much larger or smaller: of the signed-rank test of Wilcoxon (1945).
    """
    from scipy.stats import wilcoxon

    still = np.abs(np.nan_to_num(step)) < 1e-12
    starts = np.flatnonzero(still[1:] & ~still[:-1]) + 1
    ends = np.flatnonzero(still[:-1] & ~still[1:]) + 1
    ends = ends[ends > starts[0]] if len(starts) else ends[:0]
    runs = min(len(starts), len(ends))
    if runs < GAPS:
        return 1.0, 1.0, runs
    moved = np.abs(standard(np.where(still, np.nan, step)))
    before, after = moved[starts[:runs] - 1], moved[ends[:runs]]
    known = np.isfinite(before) & np.isfinite(after) & (before != after)
    if known.sum() < GAPS:
        return 1.0, 1.0, runs
    ratio = float(np.median(before[known]) / max(np.median(after[known]), 1e-9))
    return ratio, float(wilcoxon(before[known], after[known]).pvalue), runs
