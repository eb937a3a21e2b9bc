"""Rows of one machine, person or source in several splits: groups that are given, and groups that hide in a column."""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.columns import SEED, Column, classes, column, columns_of, drawn, standardised, used
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.neighbours import QUERIES, REFERENCES, Gain, flat, gain, targets
from fulmen.data.leaks.resemblance import Residuals, Shared, shared, standard
from fulmen.data.leaks.samples import TEST, TRAIN, VALIDATION, Samples

FEWEST = 60  # samples below which nothing is said
GROUPS = 8  # values below which a column is no column of groups
VALUES = 20  # the same of a feature, whose values may be levels
SMOOTH = 0.5  # of what one value shares: what neighbouring values share more than that is a cause, and no group
SCREEN = 20_000  # samples by which columns are chosen
MEMBERS = 30  # rows of each value of a feature on average, beyond which all of them come again


@dataclass(frozen=True)
class Candidate:
    """A column that may hold groups.

    Attributes:
        name: as a person knows it; "" of groups that are given.
        code: number of the group of each sample [N]; -1 where there is none.
        feature: whether it is an input.
        ordered: whether its values have an order.
    """

    name: str
    code: np.ndarray
    feature: bool
    ordered: bool = False


def group_leaks(samples: Samples) -> list[Leak]:
    """Groups whose samples resemble each other and are in several splits."""
    rows = used(samples)
    if samples.splitting not in ("random", "given") or len(rows) < FEWEST or samples.target.ndim != 1:
        return []
    found = []
    for each in _candidates(samples, rows):
        picked = _whole_groups(each.code, rows)
        straddle = _straddle(samples.split[picked], each.code[picked])
        if straddle.sum() < 20 or straddle.sum() < 0.2 * (samples.split[picked] == _judged(samples, picked)).sum():
            continue
        if leak := _looked_at(samples, each, picked, straddle):
            found.append(leak)
            if not each.name:
                break
    return found


def _judged(samples: Samples, rows: np.ndarray) -> int:
    """The split that is judged by: the test split, where it holds any."""
    return TEST if (samples.split[rows] == TEST).sum() >= 20 else VALIDATION


def _straddle(split: np.ndarray, code: np.ndarray) -> np.ndarray:
    """Whether each row is to be judged by and has some of its group in the training split [n]."""
    judged = split == (TEST if (split == TEST).sum() >= 20 else VALIDATION)
    return judged & np.isin(code, code[split == TRAIN])


def _looked_at(samples: Samples, each: Candidate, rows: np.ndarray, straddle: np.ndarray) -> Leak | None:
    by_class = samples.kind == "classes"
    y = classes(samples, rows) if by_class else np.asarray(samples.target, float)[rows]
    if y is None or y.std() == 0:
        return None
    code = np.unique(each.code[rows], return_inverse=True)[1].reshape(-1)
    if (shared(standard(targets(y, by_class)), code).z < 3).all():  # most columns end here
        return None
    left = Residuals.of(samples, rows, y, each.name)
    target, inputs = shared(left.target, code), shared(left.inputs, code)
    smooth = (target.beyond < 4) | (target.next > SMOOTH * target.same)
    if (target.z < 4).all() or (each.ordered and smooth.all()):
        return None
    worth = _worth(samples, each, rows, y, straddle)
    by_kin = worth is not None and _is_group(worth, each)
    strongest = inputs.same >= np.sort(inputs.same)[-2:].min() if len(inputs.same) else np.zeros(0, bool)
    alike = bool(
        len(inputs.same)
        and inputs.same[strongest].mean() > 0.1
        and (inputs.z[strongest] > 6).all()
        and (inputs.next[strongest] < 0.5 * inputs.same[strongest]).all()
    )
    by_variance = not each.feature and alike and bool(((target.same > 0.04) & (target.z > 6)).any())
    by_variance = by_variance or (
        each.feature and len(rows) < MEMBERS * len(np.unique(code)) and _people(target, inputs)
    )
    if not (by_kin or by_variance) or worth is None:
        return None
    share = straddle.sum() / max(1, (samples.split[rows] == _judged(samples, rows)).sum())
    return _leak(samples, each, worth, float(share), float(target.same.max()))


def _people(target: Shared, inputs: Shared) -> bool:
    """Whether rows of one value share target and inputs as those of one person do, and neighbouring values nothing."""
    by_target = (target.same > 0.05) & (target.beyond > 6) & (target.next < 0.3 * target.same)
    by_inputs = (inputs.same > 0.5) & (inputs.z > 6) & (np.abs(inputs.next) < 0.2 * inputs.same)
    return bool(by_target.any() and by_inputs.sum() >= 2)


def _candidates(samples: Samples, rows: np.ndarray) -> list[Candidate]:
    """Groups that are given, known columns that are no inputs, and features of many repeated values."""
    found = []
    if samples.group is not None:
        found.append(Candidate("", np.unique(samples.group, return_inverse=True)[1].reshape(-1), False))
    screen = drawn(rows, SCREEN)
    for named, feature in ((samples.also, False), (samples.columns, True)):
        for each in columns_of(named, screen):
            distinct = each.count - bool(each.missing.any())
            least = VALUES if feature and not each.levels else GROUPS
            whole = column(each.name, np.asarray(named[each.name])) if least <= distinct else None
            if whole is None or not least <= whole.count <= 0.6 * len(rows) or not _repeats(whole):
                continue
            found.append(Candidate(each.name, np.where(whole.missing, -1, whole.code), feature, not whole.levels))
    return found


def _repeats(each: Column) -> bool:
    """Whether most values stand with two rows or more, and none with a tenth of all."""
    counts = np.bincount(each.code[~each.missing])
    counts = counts[counts > 0]
    return bool((counts[counts > 1].sum() > 0.7 * counts.sum()) and counts.max() < max(0.15 * counts.sum(), 3))


def _whole_groups(code: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Rows of groups that are drawn as wholes, of so many as can be compared."""
    rows = rows[code[rows] >= 0]
    if len(rows) <= REFERENCES:
        return rows
    groups, counts = np.unique(code[rows], return_counts=True)
    order = np.random.default_rng(SEED).permutation(len(groups))
    some = groups[order][np.cumsum(counts[order]) <= REFERENCES]
    return rows[np.isin(code[rows], some)]


def _worth(
    samples: Samples, candidate: Candidate, rows: np.ndarray, y: np.ndarray, straddle: np.ndarray
) -> Gain | None:
    query = drawn(np.flatnonzero(straddle), QUERIES)
    reference = np.flatnonzero(samples.split[rows] == TRAIN)
    if samples.columns:
        columns = columns_of(samples.columns, rows)
        x = standardised(columns, len(rows), () if candidate.ordered else (candidate.name,))
        plain = standardised(columns, len(rows), (candidate.name,))
    else:
        plain = x = flat(samples, rows)
    if not x.shape[1] or len(reference) < 20:
        return None
    code = candidate.code[rows]
    kin = code[query][:, None] == code[reference][None]
    values = targets(y, samples.kind == "classes")
    worth = gain(x, values, query, reference, kin, code[query], candidate.feature)
    if candidate.feature and plain.shape[1]:
        alike = gain(plain, values, query, reference, kin, code[query])
        return Gain(worth.before, worth.after, worth.t, alike.kin, alike.chance, worth.rows)
    return worth


def _is_group(worth: Gain, candidate: Candidate) -> bool:
    if not worth.leaks(0.1 if candidate.feature else 0.05):
        return False
    return worth.near or (candidate.feature and candidate.ordered and worth.leaks(0.2, 6.0))


def _leak(samples: Samples, candidate: Candidate, worth: Gain, straddle: float, correlation: float) -> Leak:
    count = len(np.unique(candidate.code[candidate.code >= 0]))
    what = (
        f"the {count:,} groups" if not candidate.name else f"the {count:,} values of {candidate.name} are groups that"
    )
    errors = (
        f"; squared error of nearest neighbours {worth.after:.3g} with the own group and {worth.before:.3g} without"
        if worth.after < worth.before
        else ""
    )
    finding = (
        f"{what} stand in several splits: {straddle:.0%} of the {samples.sample}s to be judged by share theirs with "
        f"training {samples.sample}s, which resemble them and tell {samples.target_name} of them (its rest, without "
        f"what the inputs tell, has a correlation of {correlation:.2f} within a group{errors})"
    )
    cures = samples.cures.get("group_in_several_splits", ()) if not candidate.name else samples.by_group(candidate.name)
    evidence = {"groups": count, "share": straddle, "rows_of_each": len(candidate.code) / count,
                "correlation": correlation, "error_with": worth.after, "error_without": worth.before,
                "nearest_is_kin": worth.kin, "by_chance": worth.chance}  # fmt: skip
    columns = (candidate.name,) if candidate.name else ()
    return Leak("group_in_several_splits", "error", finding, columns, evidence, tuple(cures))
