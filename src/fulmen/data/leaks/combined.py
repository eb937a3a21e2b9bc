"""Columns that are the class together and none of them alone: terms of a sum, two that differ, two flags that cross."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.stats import rankdata

from fulmen.data.leaks.columns import Column, column, drawn
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples
from fulmen.data.leaks.single import auc, told

EXACT = 1e-6  # of the variance of the class that a sum of columns leaves
MOST_TERMS = 6  # of a sum
PAIRS, ROWS = 40, 3_000  # pairs of columns that go together most, and rows in which they are looked at
TOGETHER = 0.7  # rank correlation of two columns whose difference can tell what neither tells
PERFECT = 0.9999  # area under the ROC curve of what two columns tell together
NEAR = 0.995  # the same where one value stands in many rows: two that are equal there
USUAL = 0.1  # of the rows: many
BETTER = 0.02  # than each of the two
FEW = 4  # values of a flag
CROSSED = 0.999  # of the rows, and
OF_EACH = 0.98  # of the rows of each class, whose class two flags tell together


@dataclass(frozen=True)
class Pair:
    """Two columns that tell a class together.

    Attributes:
        one, other: their names.
        words: what of them tells it.
        area: under the ROC curve.
        equal: whether it is the same number in many rows, as the difference of two that are equal is.
    """

    one: str
    other: str
    words: str
    area: float
    equal: bool


def together(samples: Samples, columns: Sequence[Column], y: np.ndarray, areas: dict[str, float]) -> Leak | None:
    """Columns of which a sum, a difference or a ratio is the class [N], where none of them tells it alone.

    Args:
        columns: none of which is the class.
        areas: under the ROC curve, of each alone.
    """
    told_by, code, severity = samples.target_name, "target_copy", "error"
    evidence: dict[str, float]
    if terms := of_sum(columns, y):
        said = " ".join(f"{'+' if w > 0 else '-'} {'' if abs(abs(w) - 1) < 1e-3 else f'{abs(w):.3g} '}{name}"
                        for name, w in terms).removeprefix("+ ")  # fmt: skip
        names, evidence = tuple(name for name, _ in terms), {"terms": len(terms)}
        finding = f"{told_by} is {said}, up to a constant: the features hold it in parts"
    elif pair := of_pair(columns, y, areas):
        one, other = pair.one, pair.other
        names, evidence, code = (one, other), {"score": pair.area}, "target_proxy"
        severity = "error" if pair.equal and pair.area >= PERFECT else "warning"
        finding = (
            f"{pair.words} tells {told_by} (area under the ROC curve {pair.area:.4f}; {one} alone {areas[one]:.4f}, "
            f"{other} alone {areas[other]:.4f}): is one of them known after {told_by} is?"
        )
    elif crossed := of_flags(columns, y, areas):
        one, other, share = crossed
        names, evidence, severity = (one, other), {"share": share}, "warning"
        finding = (
            f"{one} and {other} together tell {told_by} in {share:.2%} of the {samples.sample}s, and neither does "
            f"alone: is one of them made from it?"
        )
    else:
        return None
    return Leak(code, severity, finding, names, evidence, tuple(samples.without(names)))  # type: ignore[arg-type]


def of_sum(columns: Sequence[Column], y: np.ndarray) -> list[tuple[str, float]]:
    """Names and weights of the columns whose sum is the class [N] of two, up to a constant; [] if there are none."""
    numbers = [each for each in columns if not each.levels and not each.missing.any()]
    if y.max() != 1 or not 2 <= len(numbers) < len(y) / 10:
        return []
    x = np.stack([each.values for each in numbers], 1)
    sd = x.std(0)
    centred, truth = (x - x.mean(0)) / sd, y - y.mean()
    weight = np.linalg.lstsq(centred, truth, rcond=1e-10)[0]
    if (truth - centred @ weight).var() > EXACT * truth.var():
        return []
    terms = [(each.name, w / s) for each, w, s in zip(numbers, weight, sd, strict=True) if abs(w) > 1e-3 * truth.std()]
    return terms if 2 <= len(terms) <= MOST_TERMS else []


def of_pair(columns: Sequence[Column], y: np.ndarray, areas: dict[str, float]) -> Pair | None:
    """Two columns of which the difference, the sum or the ratio tells the class [N]."""
    some = drawn(np.arange(len(y)), ROWS)
    numbers = [each for each in columns if not each.levels and each.count > FEW and each.missing.mean() < 0.1]
    best: Pair | None = None
    for one, other in _going_together(numbers, some):
        alone = max(areas[one.name], areas[other.name])
        if alone + BETTER > 1:
            continue
        for words, values in _ways(one, other):
            if _rough(values[some], y[some]) < NEAR - 0.005:
                continue
            known = np.isfinite(values)
            equal = np.unique(values[known], return_counts=True)[1].max() > USUAL * known.sum()
            area = told(column("", values[known]), y[known], True)
            if area >= max(NEAR if equal else PERFECT, alone + BETTER, best.area if best else 0.0):
                best = Pair(one.name, other.name, words, area, equal)
    return best


def _going_together(numbers: Sequence[Column], some: np.ndarray) -> list[tuple[Column, Column]]:
    """Pairs of columns, those that correlate most first."""
    if len(numbers) < 2:
        return []
    ranks = np.stack([rankdata(np.where(each.missing, np.nanmedian(each.values), each.values)[some])
                      for each in numbers], 1)  # fmt: skip
    sd = ranks.std(0)
    x = (ranks - ranks.mean(0)) / np.where(sd > 0, sd, 1.0)
    corr = np.abs(np.triu(x.T @ x / len(x), 1))
    order = np.argsort(-corr, axis=None)[:PAIRS]
    places = [divmod(int(place), len(numbers)) for place in order if corr.ravel()[place] > TOGETHER]
    return [(numbers[i], numbers[j]) for i, j in places]


def _ways(one: Column, other: Column) -> Iterator[tuple[str, np.ndarray]]:
    a, b = one.values, other.values
    yield f"{one.name} - {other.name}", a - b
    yield f"whether {one.name} and {other.name} differ, and by how much,", np.abs(a - b)
    yield f"{one.name} + {other.name}", a + b
    if np.nanmin(b) > 0:
        yield f"{one.name} / {other.name}", a / b


def _rough(values: np.ndarray, y: np.ndarray) -> float:
    """The area under the ROC curve of numbers as they are, of the class that they tell best."""
    known = np.isfinite(values)
    each = [auc(values[known], y[known] == kind) for kind in range(1 if y.max() == 1 else 0, y.max() + 1)]
    return max(max(area, 1 - area) for area in each)


def of_flags(columns: Sequence[Column], y: np.ndarray, areas: dict[str, float]) -> tuple[str, str, float] | None:
    """Two columns of few values that tell the class [N] together, and the share of the rows in which they do."""
    flags = [each for each in columns if 2 <= each.count <= FEW and areas[each.name] < NEAR - 0.2]
    for one, other in combinations(flags[:PAIRS], 2):
        code = one.code * other.count + other.code
        table = np.bincount(code * (y.max() + 1) + y, minlength=(code.max() + 1) * (y.max() + 1))
        table = table.reshape(-1, y.max() + 1)
        right = np.bincount(table.argmax(1), table.max(1), y.max() + 1)
        share = float(right.sum() / len(y))
        if share >= CROSSED and (right >= OF_EACH * table.sum(0)).all():
            return one.name, other.name, share
    return None
