"""One check per epoch: the mean of its training losses, the last of its validation losses."""

import math
from typing import NamedTuple

import numpy as np

from fulmen.io.logs.order import Points

LOST = 3  # rows without losses at the end of a log that has no others


class Checks(NamedTuple):
    """Checks in order, NaN where a loss is NaN.

    Attributes:
        at: epoch or step of each, as the log has it [N].
        train: losses [N].
        val: losses [N].
        has_train: whether there is one [N].
        has_val: whether there is one [N].
    """

    at: np.ndarray
    train: np.ndarray
    val: np.ndarray
    has_train: np.ndarray
    has_val: np.ndarray

    def take(self, which: np.ndarray) -> "Checks":
        return Checks(*(each[which] for each in self))


def checks_of(train: Points, val: Points, empty: np.ndarray, by_step: bool) -> Checks:
    """Checks of two curves whose epochs rise.

    Args:
        empty: epochs of rows in which both cells are empty [M].
        by_step: whether they are counted by steps or rows, each of which may hold one of the curves alone.
    """
    at = np.unique(np.concatenate([train.at, val.at]))
    found = Checks(at, *_of_epochs(train, val, at))
    lost = np.unique(empty[empty > (at[-1] if len(at) else math.inf)])
    if len(lost) >= LOST and len(lost) == len(np.unique(empty)):  # a table's empty cells: it became NaN
        nan, there = np.full(len(lost), np.nan), np.ones(len(lost), dtype=bool)
        found = Checks(*(np.concatenate(pair) for pair in zip(found, (lost, nan, nan, there, there), strict=True)))
    both = int((found.has_train & found.has_val).sum())
    alone = int((found.has_train & ~found.has_val).sum())
    whole = bool((found.at == np.rint(found.at)).all())
    elsewhere = 2 * both < found.has_val.sum()
    if found.has_train.any() and found.has_val.any() and (elsewhere or (alone and (by_step or not whole))):
        return _joined(found)
    return found


def _of_epochs(train: Points, val: Points, at: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    place = np.searchsorted(at, train.at)
    count = np.bincount(place, minlength=len(at))
    mean = np.bincount(place, weights=train.values, minlength=len(at)) / np.maximum(count, 1)
    one = count[place] == 1
    mean[place[one]] = train.values[one]
    last = np.full(len(at), np.nan)
    has_val = np.zeros(len(at), dtype=bool)
    last[np.searchsorted(at, val.at)] = val.values  # the last one of an epoch stays
    has_val[np.searchsorted(at, val.at)] = True
    return np.where(count > 0, mean, np.nan), last, count > 0, has_val


def _joined(found: Checks) -> Checks:
    """Validations with the mean of the training losses since the one before."""
    ends = np.flatnonzero(found.has_val)
    since = np.searchsorted(ends, np.arange(len(found.at)))  # number of the validation at or after each row
    inside = found.has_train & (since < len(ends))
    count = np.bincount(since[inside], minlength=len(ends))
    total = np.bincount(since[inside], weights=found.train[inside], minlength=len(ends))
    kept = found.take(ends)
    return kept._replace(train=np.where(count > 0, total / np.maximum(count, 1), np.nan), has_train=count > 0)
