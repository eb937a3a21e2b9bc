"""The order of the checks: by epochs, which may stand newest first, begin again, or stand several times."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.logs.options import ALL, NONE, Ask, LogOptions
from fulmen.io.logs.table import LogTable

NEXT = 0.1  # of the way from the first loss to the last one: where the next begins nearer, a training goes on
NEAR = 0.1  # of the reach of losses: nearer, those at the same epochs are of one training


@dataclass
class Points:
    """The values of one curve, in the order of the file.

    Attributes:
        rows: positions in the table [K].
        values: losses [K].
        at: epoch, step, or position of the row [K].
    """

    rows: np.ndarray
    values: np.ndarray
    at: np.ndarray

    def take(self, which: np.ndarray) -> "Points":
        return Points(self.rows[which], self.values[which], self.at[which])

    def __len__(self) -> int:
        return len(self.rows)


def ordered(
    table: LogTable,
    train: Points,
    val: Points,
    options: LogOptions,
    axis: str,
    counted: str,
    told: list[str],
    steps: np.ndarray | None = None,
) -> tuple[Points, Points]:
    """Both curves with epochs that rise; rows that stand twice word for word count once.

    Args:
        axis: name of the column of `at`.
        counted: what it counts, epoch or step.
        steps: the steps of all rows, where the log has them beside epochs [rows].

    Raises:
        Ask: the epochs begin again, as those of several runs, or stand several times and nothing says why.
        FulmenError: they are in no order.
    """
    if not len(train) and not len(val):
        return train, val
    pairs = len(train) == len(val) and bool((train.rows == val.rows).all())
    if not _unique(train, val) and (pairs or not (_rises(train) and _rises(val))):
        train, val = _without_copies(table, train, val, told)
    if options.run.isdigit():
        return _parts(table, train, val, options, axis, counted, told)
    if _rises(train) and _rises(val):
        stepped = steps is not None and all(bool((np.diff(steps[each.rows]) > 0).all()) for each in (train, val))
        if not stepped:
            _refuse_repeated(table, train, val, options, counted)
        return train, val
    if _falls(train) and _falls(val):
        told.append(f"the newest {counted} stands first; sorted by {axis}")
        return train.take(np.arange(len(train))[::-1]), val.take(np.arange(len(val))[::-1])
    if _unique(train, val):
        told.append(f"rows sorted by {axis}")
        return train.take(np.argsort(train.at, kind="stable")), val.take(np.argsort(val.at, kind="stable"))
    return _parts(table, train, val, options, axis, counted, told)


def _rises(points: Points) -> bool:
    return bool((np.diff(points.at) >= 0).all())


def _falls(points: Points) -> bool:
    return bool((np.diff(points.at) <= 0).all())


def _unique(*points: Points) -> bool:
    return all(len(np.unique(each.at)) == len(each) for each in points)


def _without_copies(table: LogTable, train: Points, val: Points, told: list[str]) -> tuple[Points, Points]:
    """Without rows that stood before, cell for cell."""
    first: dict[tuple[Any, ...], int] = {}
    rows = zip(*table.columns.values(), strict=True)
    fresh = np.array([first.setdefault(cells, row) == row for row, cells in enumerate(rows)], dtype=bool)
    gone = int((~fresh[np.union1d(train.rows, val.rows)]).sum())
    if gone:
        told.append(f"{gone} row{'s' * (gone > 1)} that stood before, cell for cell")
    return train.take(fresh[train.rows]), val.take(fresh[val.rows])


def _parts(
    table: LogTable, train: Points, val: Points, options: LogOptions, axis: str, counted: str, told: list[str]
) -> tuple[Points, Points]:
    """Epochs that go back: a training that went on, was taken up again, or several of them."""
    lead = train if len(train) else val
    begins = lead.rows[np.flatnonzero(np.diff(lead.at) < 0) + 1]
    if len(begins) > max(1, len(lead) // 3):
        raise FulmenError(
            f"{table.where(int(begins[0]))}: the {counted} goes back {len(begins)} times; the rows are in no order"
        )
    edges = np.array([*begins, np.inf])
    pieces = [
        (_between(train, low, high), _between(val, low, high))
        for low, high in zip([-np.inf, *begins], edges, strict=True)
    ]
    if options.run.isdigit():
        if not 1 <= int(options.run) <= len(pieces):
            raise FulmenError(
                f"{table.source} has no run {options.run}; the {counted} begins again {len(begins)} times"
            )
        return pieces[int(options.run) - 1]
    joined = pieces[0]
    for number, piece in enumerate(pieces[1:], 2):
        before, after = (pair[0] if len(train) else pair[1] for pair in (joined, piece))
        start = float(after.at[0])
        again = _taken_up(before, after) if start > _start(joined) else None
        if again:
            told.append(f"taken up again from {counted} {start:g}: of {counted}s that stand twice, the later ones")
            joined = (_after(_below(joined[0], start), piece[0], 0.0), _after(_below(joined[1], start), piece[1], 0.0))
            continue
        if options.run != ALL and (again is False or not _goes_on(joined, piece)):
            place = table.where(int(after.rows[0]))
            raise Ask(
                f"{place}: {axis} begins again, {len(pieces)} times in all; several runs, or one that went on",
                [("one training throughout", {"run": ALL}), ("the last run alone", {"run": str(len(pieces))})],
            )
        shift = max(float(each.at[-1]) for each in joined if len(each)) + _step(before) - start
        joined = (_after(joined[0], piece[0], shift), _after(joined[1], piece[1], shift))
        place = f"{table.word} {table.lines[int(after.rows[0])]}"
        told.append(f"{axis} begins again ({place}): run {number} goes on where the one before ended")
    return joined


def _start(pair: tuple[Points, Points]) -> float:
    return min(float(each.at.min()) for each in pair if len(each))


def _between(points: Points, low: float, high: float) -> Points:
    return points.take((points.rows >= low) & (points.rows < high))


def _below(points: Points, at: float) -> Points:
    return points.take(points.at < at)


def _after(before: Points, after: Points, shift: float) -> Points:
    return Points(
        np.concatenate([before.rows, after.rows]),
        np.concatenate([before.values, after.values]),
        np.concatenate([before.at, after.at + shift]),
    )


def _step(points: Points) -> float:
    steps = np.diff(np.unique(points.at))
    return float(np.median(steps)) if len(steps) else 1.0


def _goes_on(before: tuple[Points, Points], after: tuple[Points, Points]) -> bool:
    """Whether both losses begin where those before ended, and far from where they began."""
    pairs = [(old.values, new.values) for old, new in zip(before, after, strict=True) if len(old) and len(new)]
    return bool(pairs) and all(abs(new[0] - old[-1]) <= NEXT * abs(old[0] - old[-1]) for old, new in pairs)


def _taken_up(before: Points, after: Points) -> bool:
    """Whether losses at epochs that stand twice are alike; False if no epoch does."""
    old = dict(zip(before.at.tolist(), before.values.tolist(), strict=True))
    both = [(old[at], value) for at, value in zip(after.at.tolist(), after.values.tolist(), strict=True) if at in old]
    if not both:
        return False
    reach = float(np.nanmax(before.values) - np.nanmin(before.values))
    return bool(np.median([abs(a - b) for a, b in both]) <= NEAR * reach)


def _refuse_repeated(table: LogTable, train: Points, val: Points, options: LogOptions, counted: str) -> None:
    """Pass if several rows of an epoch are steps of the training.

    Raises:
        Ask: they may as well be runs side by side, or training and validation without a word.
    """
    if counted != "epoch" or options.epoch:
        return
    at, each = np.unique(train.at, return_counts=True) if len(train) else np.unique(val.at, return_counts=True)
    if len(at) < 2 or each.min() < 2 or each.min() != each.max():
        return
    times = int(each[0])
    alone = not len(val) or not len(train)
    pairs = len(train) == len(val) and (train.rows == val.rows).all()
    if pairs or (alone and times == 2):
        what = "training and validation in turn, or steps" if alone else "steps, or runs side by side"
        raise Ask(
            f"{table.source}: every epoch stands {times} times, no column says why ({what}); if each row is a check",
            [("", {"epoch": NONE})],
        )
