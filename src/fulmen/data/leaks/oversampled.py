"""Rows of one class that were drawn again many times with a little noise before the split, to make it more frequent."""

import numpy as np

from fulmen.data.leaks.columns import classes, drawn, used
from fulmen.data.leaks.leak import Leak, Severity
from fulmen.data.leaks.near_rows import GRAVE, dequantised, fine_columns
from fulmen.data.leaks.neighbours import distances
from fulmen.data.leaks.samples import TEST, TRAIN, VALIDATION, Samples
from fulmen.report.words import counted

RANKS = (4, 8, 16, 32, 64, 128, 256)  # of neighbours; each is compared with the one of twice the rank
APART = 3.0  # times that the further one lies away: 2 ** (1 / dimension) of them by chance
OFTEN, ELSEWHERE = 0.2, 5.0  # share of the rows of a class, and times that any other class has less
ASKED = 200  # rows of each class
FEWEST = 20  # of them
CLASSES = 6  # at most
CELLS = 8_000_000  # distances that are computed


def oversampled(samples: Samples) -> list[Leak]:
    """A class of which most rows lie in tight heaps of their own class, where rows of the others do not."""
    rows = used(samples)
    y = classes(samples, rows) if samples.kind == "classes" and len(rows) else None
    if y is None or not 2 <= y.max() + 1 <= CLASSES:
        return []
    reference = np.flatnonzero(samples.split[rows] == TRAIN)
    judged = next((each for each in (TEST, VALIDATION) if (samples.split[rows] == each).any()), VALIDATION)
    asked = np.flatnonzero(samples.split[rows] == judged)
    names = fine_columns(samples, rows)
    if len(reference) < 100 or len(names) < 2:
        return []
    most = min(ASKED, CELLS // len(reference) // (y.max() + 1))
    query = [drawn(asked[y[asked] == kind], most) for kind in range(y.max() + 1)]
    x = dequantised([np.asarray(samples.columns[name], float)[rows] for name in names])
    group = None if samples.group is None else np.unique(samples.group[rows], return_inverse=True)[1].reshape(-1)
    heaps = [_in_heaps(x, y, each, reference, group) for each in query]
    shares = np.array([heap.mean() if len(heap) >= FEWEST else 0.0 for heap in heaps])
    kind = int(shares.argmax())
    if shares[kind] < OFTEN or np.delete(shares, kind).max() * ELSEWHERE > shares[kind]:
        return []
    return [_leak(samples, shares, kind, y[asked] == kind, np.unique(samples.target[rows])[kind])]


def _in_heaps(
    x: np.ndarray, y: np.ndarray, query: np.ndarray, reference: np.ndarray, group: np.ndarray | None
) -> np.ndarray:
    """Whether each of some rows has four training rows or more of its class at hand, and all others far away [Q]."""
    if not len(query):
        return np.zeros(0, dtype=bool)
    ranks = [rank for rank in RANKS if 2 * rank <= len(reference) // 4]
    squares = distances(x[query], x[reference])
    if group is not None:
        squares[group[query][:, None] == group[reference][None]] = np.inf
    kth = sorted({place - 1 for rank in ranks for place in (rank, 2 * rank)})
    sorted_ = np.sqrt(np.partition(squares, kth, axis=1)[:, kth])
    place = {k + 1: at for at, k in enumerate(kth)}
    found = np.zeros(len(query), dtype=bool)
    for rank in ranks:
        near, far = sorted_[:, place[rank]], sorted_[:, place[2 * rank]]
        for row in np.flatnonzero(np.isfinite(far) & (far > APART * near) & ~found):
            heap = reference[squares[row] <= near[row] ** 2]
            found[row] = bool((y[heap] == y[query[row]]).all())
    return found


def _leak(samples: Samples, shares: np.ndarray, kind: int, of_kind: np.ndarray, label: object) -> Leak:
    others = np.delete(shares, kind).max()
    share = float(shares[kind] * of_kind.mean())
    finding = (
        f"{shares[kind]:.0%} of the {counted(int(of_kind.sum()), samples.sample)} to be judged by whose "
        f"{samples.target_name} is {label} lie in a heap of four training {samples.sample}s or more of the same "
        f"{samples.target_name}, at least {APART:.0f} times nearer than any outside the heap; of the others "
        f"{others:.0%} do: such {samples.sample}s were drawn again and again with a little noise, and dealt to the "
        f"splits afterwards"
    )
    evidence = {"share": share, "share_of_class": float(shares[kind]), "share_of_others": float(others)}
    severity: Severity = "error" if share >= GRAVE else "warning"
    return Leak("near_copies", severity, finding, (), evidence, tuple(samples.cures.get("near_copies", ())))
