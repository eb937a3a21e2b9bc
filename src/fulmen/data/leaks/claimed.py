"""What a split by groups, and curves that are foretold, claim to be new: is it?"""

import numpy as np

from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.samples import SPLITS, TEST, TRAIN, VALIDATION, Samples
from fulmen.report.words import counted

VALUES = 80  # of each curve that are compared
LOW = 1e-4  # of the highest of a curve: what lies below is not compared
COPY, BESIDE = 0.1, 0.15  # distance of logarithms of a copy at most, and of the distance of the sixth nearest
RANK = 6
MOST = 3_000  # samples of a split that are looked at


def claimed(samples: Samples) -> list[Leak]:
    """Groups that a split by groups has torn apart, and curves of one split that are those of another."""
    return [*_groups(samples), *_curves(samples)]


def _groups(samples: Samples) -> list[Leak]:
    if samples.splitting != "group" or samples.group is None:
        return []
    found = []
    for one, other in ((TRAIN, TEST), (TRAIN, VALIDATION), (VALIDATION, TEST)):
        a, b = samples.rows(one), samples.rows(other)
        there = np.isin(samples.group[b], samples.group[a])
        if not there.any():
            continue
        groups = len(np.unique(samples.group[b[there]]))
        severity: Severity = "error" if there.mean() > 0.05 else "warning"
        finding = (
            f"{counted(int(there.sum()), samples.sample)} of the {len(b):,} of the {SPLITS[other]} split are of "
            f"{counted(groups, 'group')} that the {SPLITS[one]} split has too, though the split is by groups"
        )
        evidence = {"splits": [SPLITS[one], SPLITS[other]], "count": int(there.sum()), "groups": groups,
                    "share": float(there.mean())}  # fmt: skip
        cures = tuple(samples.cures.get("group_in_several_splits", ()))
        found.append(Leak("group_in_several_splits", severity, finding, (), evidence, cures))
    return found


def _curves(samples: Samples) -> list[Leak]:
    """Curves of the same form, whatever their size, that stand in two splits."""
    if samples.outcome is None or len(samples.rows(TRAIN)) < 2 * RANK:
        return []
    found = []
    pool = _some(samples.rows(TRAIN))
    known = forms(samples.outcome[pool])
    for other in (TEST, VALIDATION):
        rows = _some(samples.rows(other))
        if not len(rows):
            continue
        first, distance, sixth = nearest(forms(samples.outcome[rows]), known)
        copies = np.flatnonzero((distance < COPY) & (distance < BESIDE * sixth))
        if not len(copies):
            continue
        share = len(copies) / len(rows)
        best = copies[np.argsort(distance[copies])][:5]
        pairs = [[int(pool[first[i]]), int(rows[i])] for i in best]
        finding = (
            f"the curves of {counted(len(copies), samples.sample)} of {len(rows):,} of the {SPLITS[other]} split are "
            f"those of others of the train split, but for a factor ({share:.1%}; first: {pairs[0][1]} is {pairs[0][0]})"
        )
        evidence = {"splits": ["train", SPLITS[other]], "count": len(copies), "share": share, "pairs": pairs}
        severity: Severity = "error" if share > 0.05 else "warning"
        found.append(Leak("near_copies", severity, finding, (), evidence, tuple(samples.cures.get("near_copies", ()))))
    return found


def forms(curves: np.ndarray) -> np.ndarray:
    """Curves [N, ..., T] without their size: some logarithms of each, with a mean of 0 [N, VALUES]."""
    flat = curves.reshape(len(curves), -1).astype(float)
    flat = flat[:, np.linspace(0, flat.shape[1] - 1, min(VALUES, flat.shape[1])).astype(int)]
    logs = np.log(np.maximum(flat, LOW * flat.max(1, keepdims=True)) + 1e-300)
    return logs - logs.mean(1, keepdims=True)


def nearest(query: np.ndarray, pool: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of each of `query` [n, D] the row of the nearest of `pool` [N, D], its distance and that of the sixth nearest."""
    square = np.square(query).sum(1)[:, None] + np.square(pool).sum(1) - 2 * query @ pool.T
    square = np.maximum(square, 0) / query.shape[1]
    rank = min(RANK, square.shape[1]) - 1
    sixth = np.sqrt(np.partition(square, rank, 1)[:, rank])
    first = square.argmin(1)
    return first, np.sqrt(np.square(query - pool[first]).mean(1)), sixth


def _some(rows: np.ndarray) -> np.ndarray:
    return rows if len(rows) <= MOST else rows[np.linspace(0, len(rows) - 1, MOST).astype(int)]
