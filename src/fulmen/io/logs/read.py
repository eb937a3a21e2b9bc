"""The two curves in a log of this or another tool, and what was taken for them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.logs.blocks import in_blocks
from fulmen.io.logs.checks import Checks, checks_of
from fulmen.io.logs.columns import choose
from fulmen.io.logs.curve import Curve, Pair
from fulmen.io.logs.named import typed
from fulmen.io.logs.numbers_of import counts, numbers
from fulmen.io.logs.options import NONE, Ask, LogOptions, command
from fulmen.io.logs.order import Points, ordered
from fulmen.io.logs.rows import axis, curves_of, one_run
from fulmen.io.logs.said import Said, lines, tell_gaps
from fulmen.io.logs.schedule import without_pauses
from fulmen.io.logs.sources import table_of
from fulmen.io.logs.table import LogTable
from fulmen.io.logs.turn import turned

DEEPEST = 4  # questions one after the other
ALIKE = 3  # checks from which on equal curves are no accident


class Log(NamedTuple):
    """One value per check, None where there is none.

    Attributes:
        train: losses; of a metric where higher is better, what it leaves to its best value, or its negative.
        val: likewise.
        epochs: their numbers from 1; None if the log does not say.
        errors: whether the values are what accuracies and the like leave to 1 or 100.
        from_zero: whether the log itself counts them from 0.
        said: one to five lines on what was taken.
    """

    train: list[float | None]
    val: list[float | None]
    epochs: list[int] | None
    errors: bool = False
    from_zero: bool = False
    said: tuple[str, ...] = ()


def read_log(path: Path, train: str | None = None, val: str | None = None, options: LogOptions | None = None) -> Log:
    """Training and validation losses of a log, with what was decided on the way.

    Rows of one epoch are one check: the mean of its training losses and the last of its validation losses.

    Args:
        path: a file, or a folder of one run.
        train: column of the training loss; found by its name where it is not given.
        val: column of the validation loss.
        options: what else a person says of the log.

    Raises:
        FulmenError: no log, a cell that is no number, or something that is open; the message then ends with a command
            that settles it.
    """
    asked = (options or LogOptions()).changed({key: each for key, each in (("train", train), ("val", val)) if each})
    table = table_of_asked(Path(path), asked)
    try:
        return _log(table, asked)
    except Ask as ask:
        raise FulmenError(told(Path(path), table, ask, asked)) from None


def table_of_asked(path: Path, options: LogOptions) -> LogTable:
    try:
        return table_of(path)
    except Ask as ask:
        raise FulmenError(told(path, None, ask, options)) from None


def told(path: Path, table: LogTable | None, ask: Ask, options: LogOptions) -> str:
    """What is open, and a command that settles it; it was tried. Other answers are named by their options."""
    from fulmen.config.mistakes import for_shell

    works = [(when, change, found) for when, change in ask.choices if (found := _tried(path, table, options, change))]
    if not works:
        return ask.problem
    others = [
        f"{when}: {' '.join(map(for_shell, LogOptions(**change).words()))}" for when, change, _ in works[:-1] if when
    ]
    when, _, found = works[-1]
    last = f"{when + ': ' if when else ''}{command(*found)}"
    return f"{'; '.join([ask.problem, *others])}{'; ' if when else ': '}{last}"


def _tried(
    path: Path, table: LogTable | None, options: LogOptions, change: dict[str, str], depth: int = 0
) -> tuple[Path, LogOptions] | None:
    """Path and options with which a log is read, `change` among them; None if there are none."""
    change = dict(change)
    if "path" in change:
        path, table = Path(change.pop("path")), None
    options = options.changed(change)
    try:
        table = table_of(path) if table is None else table
        _log(table, options)
        return path, options
    except Ask as ask:
        tries = (_tried(path, table, options, more, depth + 1) for _, more in ask.choices[::-1] if depth < DEEPEST)
        return next((found for found in tries if found), None)
    except FulmenError:
        return None


def _log(table: LogTable, options: LogOptions) -> Log:
    table = table.without(options.missing) if options.missing else table
    dropped, taken = list(table.dropped), list(table.taken)
    epoch, step = axis(table, options)
    rows, _ = one_run(table, options, epoch, taken)
    curves = curves_of(table, rows, options, taken)
    train, val = choose(table, curves, options, dropped)
    _of_one_length(table, train, val)
    points = _points(table, train, val, options, taken)
    at, counted, name = _at(table, points, epoch, step, options)
    placed = [Points(each.rows, each.values, at[each.rows]) for each in points]
    steps = counts(table, step, table.filled(step)) if step and counted == "epoch" else None
    first, second = ordered(table, placed[0], placed[1], options, name, counted, dropped, steps)
    empty = _empty(table, rows, (train, val), at)
    paused = any(curve and len(each) < len(curve.rows) for curve, each in zip((train, val), points, strict=True))
    checks = checks_of(first, second, empty, counted != "epoch" and not paused)
    checks = _begun(checks, dropped)
    _distinct(table, train, val, checks)
    checks, how, errors = turned(table, checks, train, val, options)
    log = _as_log(checks, counted, errors)
    said = Said(table, train, val, checks, how, counted, log.from_zero)
    tell_gaps(said, first, second, dropped)
    return log._replace(said=tuple(lines(said, taken, dropped)))


def _of_one_length(table: LogTable, train: Curve | None, val: Curve | None) -> None:
    """Pass if two lists have a value each for the same epochs, but for the last.

    Raises:
        Ask: one is much shorter: of other epochs, as with `validation_freq` of Keras.
    """
    lengths = [table.lengths.get(curve.column, 0) for curve in (train, val) if curve]
    if train and val and all(lengths) and abs(lengths[0] - lengths[1]) > 1:
        problem = f"{table.source}: {train.name} has {lengths[0]} values and {val.name} {lengths[1]}, of unknown epochs"
        raise Ask(f"{problem}; to judge one alone", [("", {"train": typed(table, train), "val": NONE})])


def _of_one_unit(table: LogTable, train: Curve | None, val: Curve | None) -> None:
    """Pass if both or none are losses in per cent."""
    curves = [curve for curve in (train, val) if curve and len(curve.rows)]
    signs = ["%" in table.text(curve.column, int(curve.rows[0])) for curve in curves]
    if any(signs) and not all(signs) and not any(curve.meaning.turn == "share" for curve in curves):
        one, other = curves[signs.index(True)], curves[signs.index(False)]
        raise FulmenError(f"{table.source}: {one.name} is in per cent and {other.name} is not; write both in one unit")


def union(size: int, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Positions below `size` that are in one of two arrays, in order."""
    there = np.zeros(size, dtype=bool)
    there[first] = there[second] = True
    return np.flatnonzero(there)


def _points(
    table: LogTable, train: Curve | None, val: Curve | None, options: LogOptions, taken: list[str]
) -> tuple[Points, Points]:
    each = [curve for part in (train, val) if part for curve in (part, *part.summed)]
    wanted: dict[str, np.ndarray] = {}
    for curve in each:
        wanted[curve.column] = (
            union(len(table), wanted[curve.column], curve.rows) if curve.column in wanted else curve.rows
        )
    _of_one_unit(table, train, val)
    known = len(table.taken)
    values = numbers(table, wanted, options)
    taken += [line for line in table.taken[known:] if line not in taken]
    found = []
    for part in (train, val):
        if part is None:
            found.append(Points(np.empty(0, dtype=int), np.empty(0), np.empty(0)))
            continue
        total = np.zeros(len(part.rows))
        for curve in (part, *part.summed):
            of_column = values[curve.column]
            total += (
                of_column
                if len(of_column) == len(curve.rows)
                else of_column[np.searchsorted(wanted[curve.column], curve.rows)]
            )
        found.append(Points(part.rows, total, part.rows))
    return without_pauses(found[0], found[1], taken)


def _at(
    table: LogTable, points: tuple[Points, Points], epoch: str | None, step: str | None, options: LogOptions
) -> tuple[np.ndarray, str, str]:
    """What counts each row [rows], epochs where every value has one, else steps, else the rows; its kind and column."""
    used = union(len(table), points[0].rows, points[1].rows)
    for name, counted in ((epoch, "epoch"), (step, "step")):
        if name is None:
            continue
        filled = table.filled(name)
        if filled[used].all() and len(used):
            return counts(table, name, filled), counted, name
    if not table.breaks and not options.epoch and (nth := in_blocks(table, *points)) is not None:
        return nth
    at = np.arange(len(table), dtype=float)
    if table.breaks and not options.epoch:
        at -= np.concatenate([[0], table.breaks])[np.searchsorted(table.breaks, at, side="right")]
    return at, "row", "the count of rows"


def _empty(table: LogTable, rows: np.ndarray, curves: Pair, at: np.ndarray) -> np.ndarray:
    """Where the columns of both curves have nothing; a row of another curve or part is not empty."""
    there = np.zeros(len(at), dtype=bool)
    for curve in curves:
        if curve:
            there |= table.filled(curve.column)
    blank = rows[~there[rows]]
    return at[blank][np.isfinite(at[blank])]


def _begun(checks: Checks, dropped: list[str]) -> Checks:
    """Without validations before any training."""
    early = checks.at < (checks.at[checks.has_train].min() if checks.has_train.any() else -np.inf)
    if early.any():
        dropped.append(f"{early.sum()} validation{'s' * int(early.sum() > 1)} before the training")
    return checks.take(~early) if early.any() else checks


def _distinct(table: LogTable, train: Curve | None, val: Curve | None, checks: Checks) -> None:
    """Pass if training and validation are two curves.

    Raises:
        Ask: they are one.
    """
    if train is None or val is None:
        return
    both = checks.has_train & checks.has_val
    t, v = checks.train[both], checks.val[both]
    same = train.column == val.column and np.array_equal(train.rows, val.rows)
    equal = len(t) >= ALIKE and np.array_equal(t, v) and len(np.unique(t)) > 1
    if same or equal:
        what = "stands for both" if same else f"and {val.name} are equal in all {len(t)} checks"
        alone = {"train": typed(table, train), "val": NONE}
        raise Ask(f"{table.source}: {train.name} {what}; to judge one alone", [("", alone)])


def _as_log(checks: Checks, counted: str, errors: bool) -> Log:
    train, val = _plain(checks.train, checks.has_train), _plain(checks.val, checks.has_val)
    if counted != "epoch":
        return Log(train, val, None, errors)
    whole = bool((checks.at == np.rint(checks.at)).all())
    from_zero = whole and bool(len(checks.at)) and bool(checks.at.min() == 0)
    return Log(train, val, (np.ceil(checks.at).astype(int) + from_zero).tolist(), errors, from_zero)


def _plain(values: np.ndarray, there: np.ndarray) -> list[float | None]:
    return [value if has else None for value, has in zip(values.tolist(), there.tolist(), strict=True)]
