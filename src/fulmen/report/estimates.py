"""Scores with intervals that count what is independent and stay honest at the boundary.

An estimate is a score of the test split. Its pulls say how much each independent unit (a row, a machine, a day) moves
it: jackknife pseudo-values, whose mean has the variance of the score. N: items of the test split, U: units, C: classes,
K: outputs of an item. Items of one unit may resemble each other; units may not.
"""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from fulmen.report.intervals import area_variance, counted, long_run, quantile, score_ends

DRAWS = 999  # permutations
FEW = 2000  # items up to which they are drawn for forecasts; beyond, Student's t is as good


@dataclass(frozen=True)
class Estimate:
    """A score, or a difference of two.

    Attributes:
        value: of all items.
        ends: of alpha, the two ends of an interval that misses the truth with this probability, half on either side.
        pulls: [U] pseudo-values, of what the interval is made on.
    """

    value: float
    ends: Callable[[float], tuple[float, float]]
    pulls: np.ndarray


class Lead(NamedTuple):
    """How far a model lies before the best of several others, whichever that is."""

    name: str
    value: float
    low: float
    high: float


def area(target: np.ndarray, probability: np.ndarray, unit: np.ndarray | None = None) -> Estimate:
    """The area under the ROC curve; of more than two classes the mean of each against the rest.

    The interval is Newcombe's fifth: all areas whose distance from the estimate a normal quantile allows, with the
    variance that they themselves would have. At 0.5 it is the test of Mann and Whitney, at 1 it has a width. Where rows
    come in units its variance is that of the jackknife over these, never below that of independent rows, and Student's
    t takes the place of the normal. Source: Newcombe 2006, Statistics in Medicine 25:559; Obuchowski 1997, Biometrics
    53:567 for units.

    Args:
        target: [N] class numbers.
        probability: [N, C]
        unit: [N] that each row belongs to; None: rows are independent.

    Returns:
        NaN without two classes; an interval from 0 to 1 where a unit holds all rows of a class.
    """
    classes = np.unique(target)
    rows = np.arange(len(target))
    wanted = [int(classes[-1])] if probability.shape[1] == 2 else [int(c) for c in classes]
    sides = [(target == c, probability[:, c]) for c in wanted]
    if len(classes) < 2:
        return Estimate(math.nan, lambda _: (math.nan, math.nan), np.full(len(rows), math.nan))
    unit = rows if unit is None else np.unique(unit, return_inverse=True)[1]
    alone = len(np.unique(unit)) == len(rows)
    value = float(np.mean([_placed(event, score)[event].mean() for event, score in sides]))
    sizes = [(int(event.sum()), int((~event).sum())) for event, _ in sides]
    of_rows = np.mean([_area_pulls(event, score, rows) for event, score in sides], 0)
    pulls = of_rows if alone else np.mean([_area_pulls(event, score, unit) for event, score in sides], 0)
    if not alone and not np.isfinite(pulls).all():
        return Estimate(value, lambda _: (0.0, 1.0), pulls)
    if not alone and 0 in (value, 1 - value):
        sizes = [(len(np.unique(unit[event])), len(np.unique(unit[~event]))) for event, _ in sides]
    inflation = 1.0 if len(sides) == 1 else _ratio(_of_mean(of_rows), area_variance(value, sizes))
    if not alone:
        inflation = max(inflation, _ratio(_of_mean(pulls), area_variance(value, sizes)))

    def ends(alpha: float) -> tuple[float, float]:
        reach = quantile(alpha, math.inf if alone else len(pulls) - 1) * math.sqrt(inflation)
        return score_ends(value, lambda x: reach * math.sqrt(area_variance(x, sizes)))

    return Estimate(value, ends, pulls)


def balanced_accuracy(label: np.ndarray, right: np.ndarray, predicted: np.ndarray) -> Estimate:
    """The mean of the shares of each class that are right, of independent items.

    The interval is that of Clopper and Pearson for as many items of one class as would have this variance (Korn and
    Graubard 1998, Survey Methodology 24:193); it reaches 1 / C where labels permuted 999 times do as well too often.

    Args:
        label: [N] class numbers.
        right: [N] whether each is recognised.
        predicted: [N] class numbers, by which chance is judged.
    """
    _, place, count = np.unique(label, return_inverse=True, return_counts=True)
    weight = 1 / (len(count) * count[place])
    share = np.bincount(place, right) / count
    value, chance = float(share.mean()), 1 / len(count)
    smooth = (share * count + value) / (count + 1)
    alike = 1 / float(np.square(weight).sum())  # items of one class that would say as much, if all were as hard
    variance = float((smooth * (1 - smooth) / count).sum()) / len(count) ** 2
    items = min(alike, value * (1 - value) / variance) if variance > 0 else alike
    shared = _permuted(label, predicted, weight, value)

    def ends(alpha: float) -> tuple[float, float]:
        low, high = counted(value, items, alpha)
        return (min(low, chance), max(high, chance)) if shared >= alpha else (low, high)

    return Estimate(value, ends, value + len(label) * weight * (right - share[place]))


def agreement(true: np.ndarray, forecast: np.ndarray, unit: np.ndarray | None = None, span: int = 1) -> Estimate:
    """The correlation of what was forecast with what came, over all outputs, on Fisher's scale.

    It says whether a forecast knows anything, however badly it is scaled; 0 for a constant one.

    Args:
        true: [N, K], the constant forecast taken off.
        forecast: [N, K]
        unit: [N] that each item belongs to, in order of time in a series; None: items are independent, and the interval
            reaches 0 where forecasts dealt out to other items 999 times agree as well too often.
        span: units on whose outcomes those of one lie, such as 5 where every day is asked for the sum of 5 days.
    """
    y, f = (each - each.mean(0) for each in (true, forecast))
    shared = _permuted_agreement(y, f) if unit is None and len(y) <= FEW else 0.0
    unit = np.arange(len(y)) if unit is None else np.unique(unit, return_inverse=True)[1]
    sums = [np.bincount(unit, product.sum(1)) for product in (y * f, y * y, f * f)]
    total = [each.sum() for each in sums]
    value = _correlation(*total)
    left = _correlation(*(all_ - each for all_, each in zip(total, sums, strict=True)))
    count = len(sums[0])
    pulls = count * np.arctanh(_inside(value)) - (count - 1) * np.arctanh(_inside(left))
    known = _around(float(np.arctanh(_inside(value))), pulls, span)

    def ends(alpha: float) -> tuple[float, float]:
        low, high = map(math.tanh, known(alpha))
        return (min(low, 0.0), max(high, 0.0)) if shared >= alpha else (low, high)

    return Estimate(float(value), ends, pulls)


def gain(ours: np.ndarray, theirs: np.ndarray, unit: np.ndarray | None = None, span: int = 1) -> Estimate:
    """How much lower our mean loss is than theirs, by the jackknife over units and Student's t.

    Args:
        ours: [N] losses of the items.
        theirs: [N]
        unit: as in `agreement`, likewise `span`.
    """
    unit = np.arange(len(ours)) if unit is None else np.unique(unit, return_inverse=True)[1]
    sums, sizes = np.bincount(unit, theirs - ours), np.bincount(unit)
    value, count = float(sums.sum() / sizes.sum()), len(sums)
    left = (sums.sum() - sums) / np.maximum(sizes.sum() - sizes, 1)
    pulls = count * value - (count - 1) * left
    return Estimate(value, _around(value, pulls, span), pulls)


def difference(a: Estimate, b: Estimate) -> Estimate:
    """a - b of two scores of the same units: the ends of both, put together with their correlation.

    As honest at the boundary as these are: two perfect scores differ by 0, within the widths of both. Source: Zou and
    Donner 2008, Statistics in Medicine 27:1693 (MOVER).
    """
    value, rho = a.value - b.value, 0.0
    if len(a.pulls) > 1 and min(np.ptp(a.pulls), np.ptp(b.pulls)) > 0:
        rho = float(np.corrcoef(a.pulls, b.pulls)[0, 1])

    def ends(alpha: float) -> tuple[float, float]:
        (low, high), (bottom, top) = a.ends(alpha), b.ends(alpha)
        below = _apart(a.value - low, top - b.value, rho)
        return value - below, value + _apart(high - a.value, b.value - bottom, rho)

    return Estimate(value, ends, a.pulls - b.pulls)


def lead(differences: Mapping[str, Estimate], alpha: float) -> Lead | None:
    """How far we lie before the best of several others, without choosing that one by the same items.

    We are better than the best of them if better than each, which takes no correction (Berger 1982): the lower end is
    the lowest. We are worse than the best if worse than any, which is looked for as often as there are others: the
    upper end is the lowest of intervals for so many looks.
    """
    if not differences:
        return None
    name = min(differences, key=lambda each: differences[each].value)
    low = min(each.ends(alpha)[0] for each in differences.values())
    high = min(each.ends(alpha / len(differences))[1] for each in differences.values())
    return Lead(name, differences[name].value, low, high)


def _around(value: float, pulls: np.ndarray, span: int) -> Callable[[float], tuple[float, float]]:
    """Student's interval around a mean of pulls; infinite for fewer than two spans of them."""
    free = len(pulls) // span - 1
    reach = math.sqrt(max(long_run(pulls, span), 0)) if free > 0 else math.inf

    def ends(alpha: float) -> tuple[float, float]:
        half = quantile(alpha, free) * reach if free > 0 else math.inf
        return value - half, value + half

    return ends


def _placed(event: np.ndarray, score: np.ndarray) -> np.ndarray:
    """For each row [N] the share of the rows of the other side that are on the right side of it, ties by half."""
    from scipy.stats import rankdata

    ranks = rankdata(score)
    own = np.empty(len(score))
    for side in (event, ~event):
        own[side] = rankdata(score[side])
    others = np.where(event, (~event).sum(), event.sum())
    below = (ranks - own) / np.maximum(others, 1)
    return np.where(event, below, 1 - below)


def _area_pulls(event: np.ndarray, score: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Pseudo-values [U] of an area, each unit left out in turn; not finite where all of a side would go with it."""
    place = _placed(event, score)
    events, quiet = np.bincount(unit, event), np.bincount(unit, ~event)
    of_events, of_quiet = (np.bincount(unit, place * side) for side in (event, ~event))
    m, n = events.sum(), quiet.sum()
    pairs = float(place[event].sum()) * n
    within = np.zeros(len(events))
    rows = np.split(np.argsort(unit, kind="stable"), np.cumsum(events + quiet)[:-1].astype(int))
    for each in np.flatnonzero(events * quiet):
        own = event[rows[each]]
        within[each] = _placed(own, score[rows[each]])[own].sum() * quiet[each]
    with np.errstate(divide="ignore", invalid="ignore"):
        left = (pairs - of_events * n - of_quiet * m + within) / ((m - events) * (n - quiet))
        return len(events) * pairs / (m * n) - (len(events) - 1) * left


def _permuted(label: np.ndarray, predicted: np.ndarray, weight: np.ndarray, value: float) -> float:
    """Two-sided p of a balanced accuracy among those of permuted labels; draws are the same each time."""
    orders = _orders(len(label))
    return _among(np.array([weight[order] @ (label[order] == predicted) for order in orders]), value)


def _permuted_agreement(y: np.ndarray, f: np.ndarray) -> float:
    """Two-sided p of the sum of products of y and f [N, K] among those of permuted items."""
    every, rows = f @ y.T, np.arange(len(y))
    return _among(np.array([every[rows, order].sum() for order in _orders(len(y))]), float(np.trace(every)))


def _orders(count: int) -> Iterator[np.ndarray]:
    rng = np.random.default_rng(0)
    return (rng.permutation(count) for _ in range(DRAWS))


def _among(drawn: np.ndarray, value: float) -> float:
    """Two-sided p of a value among draws that are as likely where nothing is known."""
    near = 1e-9 * max(abs(value), float(np.abs(drawn).max()))
    fewer = 1 + min(int((drawn >= value - near).sum()), int((drawn <= value + near).sum()))
    return min(1.0, 2 * fewer / (len(drawn) + 1))


def _correlation(product: np.ndarray, square: np.ndarray, other: np.ndarray) -> np.ndarray:
    size = np.sqrt(np.maximum(square * other, 0))
    return np.divide(product, size, out=np.zeros_like(size), where=size > 0)


def _inside(x: np.ndarray) -> np.ndarray:
    return np.clip(x, -1 + 1e-12, 1 - 1e-12)


def _of_mean(pulls: np.ndarray) -> float:
    return float(pulls.var(ddof=1) / len(pulls))


def _ratio(a: float, b: float) -> float:
    return a / b if b > 0 and math.isfinite(a) and a > 0 else 1.0


def _apart(a: float, b: float, rho: float) -> float:
    return math.sqrt(max(a * a + b * b - 2 * rho * a * b, 0.0))
