"""Which rows train, validate and test: whole machines first, then time; by class only where rows are independent."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from sklearn.model_selection import GroupKFold, GroupShuffleSplit, StratifiedKFold, train_test_split

from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.report.words import counted

Kind = Literal["group", "time", "random"]
FEWEST = 3  # rows of a class: one each to train, validate and test, which two folds do


def choose(group: bool, time: bool) -> Kind:
    """Rows of a machine resemble each other, rows near in time do too."""
    return "group" if group else "time" if time else "random"


@dataclass(frozen=True)
class Splitting:
    """How the rows are dealt to the splits.

    Attributes:
        kind: "group": no machine in two splits. "time": the rows after the first half are cut into `folds` blocks; each
            tests what was trained on the time before it, the latest rows of which validate. "random": stratified by
            class; copies of a row are dealt together, as one.
        fold: number of the fold that tests, from 0.
        folds: how many there are.
        validation: share of the rows that do not test.
        seed: of what is drawn.
        gap_h: hours that are left out before each split in time.
    """

    kind: Kind
    fold: int = 0
    folds: int = 5
    validation: float = 0.2
    seed: int = 42
    gap_h: float = 0.0

    def rows(
        self, target: np.ndarray, group: np.ndarray, time_h: np.ndarray, copies: np.ndarray | None = None
    ) -> dict[str, np.ndarray]:
        """Numbers of the rows in each split, sorted.

        Args:
            target: [N]
            group: [N], of "group" only.
            time_h: [N], of "time" only.
            copies: number of the first row that each is equal to [N], of "random" only; None: all rows differ.

        Raises:
            FulmenError: too few machines, or too few rows of a class, for so many folds.
        """
        if self.kind == "time":
            return _in_time(time_h, self.fold, self.folds, self.validation, self.gap_h)
        if self.kind == "group":
            return self._by_group(target, group)
        return self._at_random(target) if copies is None else self._copies_together(target, copies)

    def can_keep_together(self, target: np.ndarray, copies: np.ndarray) -> bool:
        """Whether every class has distinct rows enough for all folds; the same arguments as of `rows`."""
        distinct = np.bincount(target[np.unique(copies)], minlength=target.max() + 1)
        return bool(distinct.min() > self.folds)

    def _copies_together(self, target: np.ndarray, copies: np.ndarray) -> dict[str, np.ndarray]:
        distinct = np.unique(copies)
        dealt = self._at_random(target[distinct])
        return {name: np.flatnonzero(np.isin(copies, distinct[rows])) for name, rows in dealt.items()}

    def _by_group(self, target: np.ndarray, group: np.ndarray) -> dict[str, np.ndarray]:
        count = len(np.unique(group))
        if count < max(self.folds, 3):
            code = FINDINGS["one_group" if count == 1 else "too_few_rows"]
            raise FulmenError(
                f"folds is {self.folds}, but the table has {count} group{'s' * (count != 1)} ({code}); a fold needs "
                "one to test, one to validate. data.split=time tests the last rows instead"
            )
        ways = GroupKFold(self.folds, shuffle=True, random_state=self.seed)
        rest, test = list(ways.split(np.arange(len(target)), target, group))[self.fold]
        if not self.validation:
            return {"train": rest, "validation": rest[:0], "test": test}
        inner = GroupShuffleSplit(1, test_size=self.validation, random_state=self.seed)
        train, held = next(inner.split(rest, target[rest], group[rest]))
        return {"train": rest[train], "validation": rest[held], "test": test}

    def _at_random(self, target: np.ndarray) -> dict[str, np.ndarray]:
        fewest = np.bincount(target).min()
        if fewest < self.folds + 1:
            has = f"the rarest class has {counted(int(fewest), 'row')} ({FINDINGS['too_few_rows']})"
            if fewest < FEWEST:
                raise FulmenError(
                    f"{has}, and no number of folds puts one each into training, validation and test; it takes "
                    f"{FEWEST} rows of each class or more"
                )
            raise FulmenError(f"folds is {self.folds}, but {has}; take {fewest - 1} folds at most")
        ways = StratifiedKFold(self.folds, shuffle=True, random_state=self.seed)
        rest, test = list(ways.split(np.arange(len(target)), target))[self.fold]
        if not self.validation:
            return {"train": rest, "validation": rest[:0], "test": test}
        train, held = train_test_split(
            rest, test_size=self.validation, stratify=target[rest], random_state=self.seed
        )  # fmt: skip
        return {"train": np.sort(train), "validation": np.sort(held), "test": np.sort(test)}


def later_than_test(time_h: np.ndarray, rows: Mapping[str, np.ndarray]) -> int:
    """How many rows lie after the test split and are in no split.

    Args:
        time_h: of all rows [N].
        rows: numbers of the rows in each split.
    """
    used = np.isin(np.arange(len(time_h)), np.concatenate(list(rows.values())))
    return int((~used & (time_h >= time_h[rows["test"]].max())).sum())


def _in_time(time_h: np.ndarray, fold: int, folds: int, validation: float, gap_h: float) -> dict[str, np.ndarray]:
    order = np.argsort(time_h, kind="stable")
    borders = np.linspace(len(order) // 2, len(order), folds + 1).astype(int)
    test, before = order[borders[fold] : borders[fold + 1]], order[: borders[fold]]
    before = before[time_h[before] < time_h[test].min() - gap_h]
    held = before[len(before) - round(validation * len(before)) :]
    train = before[time_h[before] < time_h[held].min() - gap_h] if len(held) else before
    return {"train": np.sort(train), "validation": np.sort(held), "test": np.sort(test)}
