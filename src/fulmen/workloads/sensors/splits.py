"""Which rows train, validate and test: whole machines first, then time; by class only where rows are independent."""

from typing import Literal

import numpy as np
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, StratifiedKFold, train_test_split

from fulmen.errors import FulmenError

Kind = Literal["group", "time", "random"]


def choose(group: bool, time: bool) -> Kind:
    """Rows of a machine resemble each other, rows near in time do too."""
    return "group" if group else "time" if time else "random"


def split(
    kind: Kind, target: np.ndarray, group: np.ndarray, time_h: np.ndarray,
    fold: int, folds: int, validation: float, seed: int, gap_h: float = 0.0,
) -> dict[str, np.ndarray]:  # fmt: skip
    """Row numbers of the parts of fold `fold`, sorted.

    "group": no machine in two parts. "time": the rows after the first half are cut into `folds` blocks; each tests what
    was trained on the time before it, the latest rows of which validate; `gap_h` hours before each part are left out.
    "random": stratified by class.

    Args:
        target: [N]
        group: [N], of "group" only.
        time_h: [N], of "time" only.
        validation: share of the rows that do not test.
    """
    everything = np.arange(len(target))
    if kind == "time":
        return _in_time(time_h, fold, folds, validation, gap_h)
    if kind == "group":
        count = len(np.unique(group))
        if count < max(folds, 3):
            raise FulmenError(
                f"folds is {folds}, but the table has {count} group{'s' * (count != 1)}; a fold needs one to test, one "
                "to validate. data.split=time tests the last rows instead"
            )
        ways = GroupKFold(folds, shuffle=True, random_state=seed).split(everything, target, group)
        rest, test = list(ways)[fold]
        if not validation:
            return {"train": rest, "validation": rest[:0], "test": test}
        inner = GroupShuffleSplit(1, test_size=validation, random_state=seed)
        train, held = next(inner.split(rest, target[rest], group[rest]))
        return {"train": rest[train], "validation": rest[held], "test": test}
    fewest = np.bincount(target).min()
    if fewest < folds + 1:
        raise FulmenError(f"folds is {folds}, but the rarest class has {fewest} rows; take fewer folds")
    rest, test = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(everything, target))[fold]
    if not validation:
        return {"train": rest, "validation": rest[:0], "test": test}
    train, held = train_test_split(rest, test_size=validation, stratify=target[rest], random_state=seed)
    return {"train": np.sort(train), "validation": np.sort(held), "test": test}


def _in_time(time_h: np.ndarray, fold: int, folds: int, validation: float, gap_h: float) -> dict[str, np.ndarray]:
    order = np.argsort(time_h, kind="stable")
    borders = np.linspace(len(order) // 2, len(order), folds + 1).astype(int)
    test, before = order[borders[fold] : borders[fold + 1]], order[: borders[fold]]
    before = before[time_h[before] < time_h[test].min() - gap_h]
    held = before[len(before) - round(validation * len(before)) :]
    train = before[time_h[before] < time_h[held].min() - gap_h] if len(held) else before
    return {"train": np.sort(train), "validation": np.sort(held), "test": np.sort(test)}
