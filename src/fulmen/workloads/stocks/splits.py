"""Which days train, validate and test: in this order, without a target day in two splits.

Days are counted on the calendar of all tickers together. A window is described by its origin, the last day it sees; its
targets are the following days.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from fulmen.errors import FulmenError


@dataclass(frozen=True)
class Split:
    """First and one past the last target day of each split, as positions in the calendar."""

    train: tuple[int, int]
    validation: tuple[int, int]
    test: tuple[int, int]

    def parts(self) -> dict[str, tuple[int, int]]:
        return {"train": self.train, "validation": self.validation, "test": self.test}


def chronological(days: int, validation: float, test: float, embargo_days: int) -> Split:
    """The last `test` share of the days tests, the `validation` share before it validates, the rest trains."""
    first_test = days - round(days * test)
    first_validation = first_test - round(days * validation)
    return Split(
        (0, first_validation), (first_validation + embargo_days, first_test), (first_test + embargo_days, days)
    )


def walk_forward(
    days: int, fold: int, folds: int, validation: float, test: float, embargo_days: int,
    training: Literal["expanding", "sliding"] = "expanding",
) -> Split:  # fmt: skip
    """Fold number `fold` (from 0): the last `test` share of the days is cut into `folds` blocks, one after the other.

    Each block is tested by a model that validates on the days just before it and trains on those before: on all of
    them, or on as many as the first fold has.
    """
    if not 0 <= fold < folds:
        raise FulmenError(f"fold is {fold}; with folds={folds} it runs from 0 to {folds - 1}")
    borders = np.linspace(days - round(days * test), days, folds + 1).round().astype(int).tolist()
    first_test, end = borders[fold], borders[fold + 1]
    first_validation = first_test - round(days * validation)
    begin = 0 if training == "expanding" else borders[fold] - borders[0]
    return Split(
        (begin, first_validation), (first_validation + embargo_days, first_test), (first_test + embargo_days, end)
    )


def members(first_target: np.ndarray, last_target: np.ndarray, part: tuple[int, int]) -> np.ndarray:
    """Which windows [N] have all their target days inside `part`: those across a border belong to nobody."""
    return (first_target >= part[0]) & (last_target < part[1])
