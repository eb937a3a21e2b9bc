"""Columns that are the target: equal, recoded, in parts, or with noise."""

import re
from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from fulmen.data.leaks.columns import Column, classes, columns_of, drawn, used
from fulmen.data.leaks.combined import together
from fulmen.data.leaks.derived import Beyond, beyond, shifted
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import Samples
from fulmen.data.leaks.single import told

FEWEST = 50  # samples below which nothing is said
MOST = 20_000  # that are looked at
RARE = 10  # samples of a class, below which the class says nothing
EXACT = 0.01  # share of the samples in which a copy may differ
USUAL = 0.7  # share of a class, above which it is nothing special that a value stands with it alone
LIKELY, STRONG, PERFECT = 0.88, 0.97, 0.9999  # areas under the ROC curve, or R2
NEAR, NEAR_OF_FEW = 0.995, 0.95  # the same, of what looks derived; the latter of columns of as few values as the target
CODE = 0.92  # the same, of columns of few values that are shown to go with nothing but the target
GAPS = 0.75  # the same, of where a column is missing
LATE = re.compile(
    r"\b(after\w*|later|post|final\w*|outcome\w*|result\w*|label\w*|target\w*|resol\w*|predict\w*|prob\w*)\b"
)


def target_leaks(samples: Samples) -> list[Leak]:
    """Columns that are the target or were made from it."""
    rows = drawn(used(samples), MOST)
    if len(rows) < FEWEST or samples.target.ndim != 1 or not samples.columns:
        return []
    by_class = samples.kind == "classes"
    y = classes(samples, rows) if by_class else np.asarray(samples.target, float)[rows]
    assert y is not None
    if (by_class and (np.sort(np.bincount(y))[-2:] < RARE).any()) or y.std() == 0:
        return []
    columns = columns_of(samples.columns, rows)
    found = {each.name: leak for each in columns if (leak := _copy(samples, each, y, by_class))}
    rest = [each for each in columns if each.name not in found]
    if parts := _parts(samples, rest, y, by_class):
        found |= dict.fromkeys(parts.columns, parts)
        rest = [each for each in rest if each.name not in parts.columns]
    for each in rest:
        if leak := _pure(samples, each, y, by_class):
            found[each.name] = leak
    rest = [each for each in rest if each.name not in found]
    areas = {each.name: told(each, y, by_class) for each in rest}
    if by_class and (both := together(samples, rest, y, areas)):
        found |= dict.fromkeys(both.columns, both)
        rest = [each for each in rest if each.name not in found]
    for each in rest:
        others = [other for other in rest if other is not each]
        leak = _missing(samples, each, others, y, by_class) or _proxy(samples, each, others, y, areas, by_class)
        if leak:
            found[each.name] = leak
    return list({id(leak): leak for leak in found.values()}.values())


def _copy(samples: Samples, column: Column, y: np.ndarray, by_class: bool) -> Leak | None:
    """The target under another name, code or unit."""
    if by_class:
        agreement = _agreement(column, y)
        if agreement is None:
            return None
        wrong = round((1 - agreement) * len(y))
    else:
        agreement = _same_order(column, y)
        if agreement < 0.9999:
            return None
        wrong = 0
    but = f" but for {wrong:,} of {len(y):,} {samples.sample}s" if wrong else ""
    several = by_class and not column.levels and column.count > y.max() + 2
    how = "tells without error" if several else "is"
    finding = f"the feature {column.name} {how} {samples.target_name}{'' if several else ' under another name'}: "
    finding += f"each of its values stands with one of {samples.target_name}{but}"
    return _leak(
        samples, "target_proxy" if several else "target_copy", "error", finding, (column.name,), agreement=agreement
    )


def _agreement(column: Column, y: np.ndarray) -> float | None:
    """The share of the rows that have the class that goes with their value; None: values and classes do not go so."""
    if column.count > max(30, 2 * (y.max() + 1)) or column.count * 10 > len(y):
        return None
    table = np.zeros((column.count, y.max() + 1))
    np.add.at(table, (column.code, y), 1.0)
    most = table.argmax(1)
    present = np.flatnonzero(table.sum(0) >= RARE)
    hit = np.array([table[most == kind, kind].sum() for kind in present])
    recall, precision = hit / table.sum(0)[present], hit / np.maximum(1.0, [table[most == k].sum() for k in present])
    share = float(hit.sum() / len(y))
    if min(recall.min(), precision.min()) < 0.9 or share < 1 - EXACT:
        return None
    return share


def _same_order(column: Column, y: np.ndarray) -> float:
    """How well a column and numbers rise together: the square of their rank correlation, 0 where much is missing."""
    known = ~column.missing
    if known.mean() < 0.9 or column.count < 5:
        return 0.0
    return float(np.corrcoef(rankdata(column.values[known]), rankdata(y[known]))[0, 1] ** 2)


def _parts(samples: Samples, columns: Sequence[Column], y: np.ndarray, by_class: bool) -> Leak | None:
    """Columns that are the target together: kinds of the event, each alone no copy; or terms of a sum."""
    return _kinds(samples, columns, y) if by_class else _sum(samples, columns, y)


def _kinds(samples: Samples, columns: Sequence[Column], y: np.ndarray) -> Leak | None:
    shares = np.bincount(y) / len(y)
    for kind in np.argsort(shares):
        together, names = np.zeros(len(y), dtype=bool), []
        for each in columns:
            if each.count != 2 or each.missing.any():
                continue
            for value in (0, 1):
                on = each.code == value
                pure = (y[on] == kind).mean() if on.any() else 0.0
                if pure > 0.99 and on.sum() >= 5 and on.sum() * np.log10(shares[kind]) < -6:
                    together |= on
                    names.append(each.name)
        share = float((together & (y == kind)).sum() / (y == kind).sum())
        if len(names) > 1 and share >= 0.8:
            finding = (
                f"the features {', '.join(names)} together are {samples.target_name}: each stands with one class alone "
                f"and together they make up {share:.0%} of its {samples.sample}s"
            )
            return _leak(samples, "target_copy", "error", finding, tuple(names), share=share)
    return None


def _pure(samples: Samples, column: Column, y: np.ndarray, by_class: bool) -> Leak | None:
    """A column of which some values, or any but the usual one, stand with one class alone, and with much of it."""
    if not by_class:
        return None
    counts = np.bincount(column.code)
    unusual = column.code != counts.argmax()
    ways = [unusual] if counts.max() > 0.1 * len(y) else []
    ways += [column.code == value for value in np.flatnonzero(counts >= 5)] if column.count <= 12 else []
    shares, known = np.bincount(y) / len(y), {}
    for kind in np.flatnonzero(shares <= USUAL):
        pure = [on for on in ways if (y[on] == kind).mean() > 0.99 and on.sum() * np.log10(shares[kind]) < -8]
        if pure:
            known[int(kind)] = float((np.any(pure, 0) & (y == kind)).sum() / (y == kind).sum())
    if not known or max(known.values()) < 0.15:
        return None
    share = max(known.values())
    finding = (
        f"the feature {column.name} has values that stand with one of {samples.target_name} alone, in {share:.0%} of "
        f"its {samples.sample}s: is it known before {samples.target_name} is?"
    )
    return _leak(samples, "target_proxy", "error" if share > 0.8 else "warning", finding, (column.name,), share=share)


def _sum(samples: Samples, columns: Sequence[Column], y: np.ndarray) -> Leak | None:
    numbers = [each for each in columns if not each.levels and not each.missing.any()]
    if not 2 <= len(numbers) < len(y) / 10:
        return None
    x = np.stack([each.values for each in numbers], 1)
    centred = x - x.mean(0)
    weight = np.linalg.lstsq(centred, y - y.mean(), rcond=1e-10)[0]
    left = y - y.mean() - centred @ weight
    terms = [(each.name, w) for each, w in zip(numbers, weight, strict=True) if abs(w) > 1e-3]
    if left.var() > 1e-8 * y.var() or len(terms) < 2 or any(abs(abs(w) - 1) > 1e-3 for _, w in terms):
        return None
    said = " ".join(f"{'+' if w > 0 else '-'} {name}" for name, w in terms).removeprefix("+ ")
    finding = f"{samples.target_name} is {said}, up to a constant: the features hold it in parts"
    return _leak(samples, "target_copy", "error", finding, tuple(name for name, _ in terms), terms=len(terms))


def _proxy(
    samples: Samples, column: Column, others: Sequence[Column], y: np.ndarray, areas: dict[str, float], by_class: bool
) -> Leak | None:
    """The target with noise, or what can hardly be anything else."""
    area = areas[column.name]
    if area < LIKELY:
        return None
    next_best = max((areas[each.name] for each in others), default=0.5 if by_class else 0.0)
    shared = beyond(column, others, y, by_class)
    code = by_class and _few(column, y) and shared.nothing  # then it may stand beside causes that are as strong
    derived = shared.none and _one_law(column, y, by_class) and (code or area - next_best > 0.02)
    late = _sounds_late(column.name, samples.target_name) or (code and area >= CODE)
    severity = _severity(column, area, derived, y, late)
    if severity is None:
        return None
    name = "target_copy" if derived and by_class and _few(column, y) else "target_proxy"
    words = "area under the ROC curve" if by_class else "R2"
    why = (
        f", and goes with no other feature but through {samples.target_name}, as a copy with noise does"
        if derived
        else "; is it known before the target is?"
    )
    finding = f"the feature {column.name} alone tells {samples.target_name} ({words} {area:.4f}; the next best feature "
    finding += f"{next_best:.4f}){why}"
    return _leak(samples, name, severity, finding, (column.name,), score=area, next_best=next_best,
                 beyond_target=shared.ratio)  # fmt: skip


def _few(column: Column, y: np.ndarray) -> bool:
    """Whether a column has as many values as there are classes, or a few levels for each."""
    count, kinds = column.count - bool(column.missing.any()), y.max() + 1
    return bool(count == kinds or (column.levels and count <= 6 * kinds))


def _one_law(column: Column, y: np.ndarray, by_class: bool) -> bool:
    if not by_class or column.levels or column.count <= (30 if column.whole else 12):
        return True
    return any(shifted(column.values, y == kind) for kind in range(y.max() + 1))


def _sounds_late(name: str, target: str) -> bool:
    """Whether a column is named after the target, or as what is known after it."""
    words = re.sub(r"[^a-z]+", " ", name.lower())
    own = re.sub(r"[^a-z]+", " ", target.lower()).strip()
    return bool(LATE.search(words)) or (len(own) > 3 and own in words)


def _severity(column: Column, area: float, derived: bool, y: np.ndarray, late: bool) -> str | None:
    if area >= PERFECT:
        return "error"
    if derived and (late or area >= (NEAR_OF_FEW if _few(column, y) else NEAR)):
        return "error" if area >= STRONG and _few(column, y) else "warning"
    return "note" if derived or area >= STRONG else None


def _missing(samples: Samples, column: Column, others: Sequence[Column], y: np.ndarray, by_class: bool) -> Leak | None:
    """A column of which it tells the target whether anything stands in it."""
    gone = column.missing
    if not 0.01 <= gone.mean() <= 0.99:
        return None
    mark = Column(column.name, gone.astype(float), gone.astype(int), 2, False)
    area = told(mark, y, by_class)
    shared = beyond(mark, others, y, by_class) if area >= GAPS else Beyond()
    if not (area > 0.95 or (area >= LIKELY and shared.none) or shared.little):
        return None
    finding = f"whether {column.name} is missing tells {samples.target_name} (area under the ROC curve {area:.4f})"
    return _leak(samples, "target_proxy", "error" if area > 0.98 else "warning", finding, (column.name,), score=area)


def _leak(
    samples: Samples, code: str, severity: str, finding: str, columns: tuple[str, ...], **evidence: float
) -> Leak:
    return Leak(code, severity, finding, columns, evidence, tuple(samples.without(columns)))  # type: ignore[arg-type]
