"""Numbers that were made of the target of test rows too: the mean label of each level, gaps filled by class means."""

import numpy as np

from fulmen.data.leaks.columns import Column, columns_of, drawn, used
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.samples import TRAIN, Samples

FEWEST = 60  # samples below which nothing is said
MOST = 20_000  # that are looked at
VALUES = 8  # of an encoding, at least
EXACT = 2e-4  # an encoding may be rounded to three digits or so
OFTEN = 0.02  # of the rows have a gap of a class, at least
CLASSES = 20  # at most


def encoded(samples: Samples) -> list[Leak]:
    """Columns that are means of the target, and columns whose gaps tell the class."""
    whole = used(samples)
    if len(whole) < FEWEST or samples.target.ndim != 1 or not samples.columns:
        return []
    rows = whole if len(whole) <= MOST else drawn(whole, MOST)
    y = np.asarray(samples.target)[rows]
    kinds = np.unique(y) if samples.kind == "classes" else np.empty(0)
    targets = [np.asarray(y == kind, float) for kind in kinds[: CLASSES + 1]] if len(kinds) else [y.astype(float)]
    train, found = samples.split[rows] == TRAIN, []
    for each in columns_of(samples.columns, rows):
        if each.levels or each.whole:
            continue
        if len(rows) == len(whole) and len(targets) <= CLASSES and any(_is_mean(each, t, train) for t in targets):
            said = (
                f"the feature {each.name} is the mean of {samples.target_name} over the rows that share its value, "
                f"those of the test split among them: fitted on all rows before they were split"
            )
            found.append(_leak(samples, "fitted_on_test", each, said))
        elif 2 <= len(kinds) <= CLASSES and (values := _fillings(each, np.searchsorted(kinds, y))):
            said = (
                f"the feature {each.name} has a value of its own for each class, "
                f"{', '.join(f'{value:.6g}' for value in values[:4])}, that comes again and again within its range: "
                f"gaps that were filled by the mean of their class"
            )
            found.append(_leak(samples, "target_proxy", each, said))
    return found


def _is_mean(column: Column, target: np.ndarray, train: np.ndarray) -> bool:
    """Whether each value is the mean of the target over the rows that have it, and not over the training rows alone."""
    return _means_agree(column, target, np.ones(len(target), bool)) and not _means_agree(column, target, train)


def _means_agree(column: Column, target: np.ndarray, rows: np.ndarray) -> bool:
    known = rows & ~column.missing
    counts = np.bincount(column.code[known], minlength=column.count)
    there = np.flatnonzero(counts)
    if len(there) < VALUES or counts[there].mean() < 2 or known.mean() < 0.5 * rows.mean():
        return False
    mean = np.bincount(column.code[known], target[known], column.count)[there] / counts[there]
    value = np.zeros(column.count)
    value[column.code[known]] = column.values[known]
    close = np.abs(value[there] - mean) <= EXACT * max(1e-12, float(np.ptp(mean)))
    return bool(np.ptp(mean) > 0 and counts[there][close].sum() > 0.98 * known.sum())


def _fillings(column: Column, kind: np.ndarray) -> list[float]:
    """The value of each class that it alone has, often, within the range of what was measured; [] if one has none."""
    counts = np.bincount(column.code[~column.missing], minlength=column.count)
    often = np.flatnonzero(counts > max(10, OFTEN * len(kind)))
    if len(often) < kind.max() + 1 or len(often) > 2 * (kind.max() + 1) or (counts > 0).sum() < 5 * len(often):
        return []
    low, high = np.nanquantile(column.values, [0.01, 0.99])
    own: dict[int, float] = {}
    for code in often:
        at = column.code == code
        value, classes = float(column.values[at][0]), np.unique(kind[at])
        if len(classes) == 1 and low < value < high:
            own[int(classes[0])] = value
    return [own[each] for each in sorted(own)] if len(own) == kind.max() + 1 else []


def _leak(samples: Samples, code: str, column: Column, said: str) -> Leak:
    return Leak(code, "error", said, (column.name,), {"values": column.count}, tuple(samples.without((column.name,))))
