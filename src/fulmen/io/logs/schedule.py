"""NaN that stands where a loss was not taken: between values at equal distances, or where the other loss is."""

import numpy as np

from fulmen.io.logs.order import Points


def without_pauses(train: Points, val: Points, told: list[str]) -> tuple[Points, Points]:
    """Both curves without the NaN of rows in which they were not taken; what was left out is added to `told`.

    NaN is a pause where values stand at equal distances of two rows and more (validation at every third epoch), or
    where every row holds one of the two losses and NaN for the other. Any other NaN is a loss that was lost.
    """
    apart = _one_a_row(train, val)
    found = []
    for name, points in (("training", train), ("validation", val)):
        lost = np.isnan(points.values)
        if lost.any() and (apart or _at_equal_distances(~lost)):
            told.append(f"NaN in {int(lost.sum())} rows without {name}: it was not evaluated there")
            points = points.take(~lost)
        found.append(points)
    return found[0], found[1]


def _at_equal_distances(there: np.ndarray) -> bool:
    """Whether values stand at every n-th position, n >= 2; the first and the last one may stand closer.

    Args:
        there: bool [K], whether a value is no NaN.
    """
    at = np.flatnonzero(there)
    if len(at) < 2:
        return False
    gaps = np.diff(at)
    most = int(gaps.max())
    inner = gaps[1:-1] if len(gaps) > 2 else gaps
    if most < 2 or (inner != most).any():
        return False
    return bool(at[0] <= most) and len(there) - 1 - int(at[-1]) < most


def _one_a_row(train: Points, val: Points) -> bool:
    """Whether each row holds one of the losses and NaN for the other, and each is held somewhere."""
    if len(train) != len(val) or not len(train) or (train.rows != val.rows).any():
        return False
    lost = np.isnan(train.values)
    return bool((lost != np.isnan(val.values)).all() and lost.any() and not lost.all())
