"""The numbers in the cells of a log."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.logs.options import Ask, LogOptions
from fulmen.io.logs.table import EMPTY, LogTable

KEY = "log"  # stands in the messages of the shared reader, where an option of `fulmen diagnose` will
ASKED = re.compile(rf"{KEY}\.decimal=(\w+)")
MARK = re.compile(r": '(?P<mark>.+)' is no number(?P<advice>; if it marks a missing value: .*)$")
GROUPED = re.compile(r"\s*\d{1,3}(?:\.\d{3})*\s*")
COUNT = re.compile(r"\d+(?:[.,]\d+)?")


def numbers(table: LogTable, wanted: Mapping[str, np.ndarray], options: LogOptions) -> dict[str, np.ndarray]:
    """float64 [K] for each column: the numbers at K rows of it, none of which is empty; NaN where a cell says nan.

    Args:
        wanted: column -> positions of the rows.

    Raises:
        Ask: the decimal sign is open.
        FulmenError: a cell is no number; the message names it.
    """
    columns = {name: table.columns[name] for name in wanted}
    cells = {
        name: list(column) if len(wanted[name]) == len(column) else [column[row] for row in wanted[name].tolist()]
        for name, column in columns.items()
    }
    found: dict[str, np.ndarray] = {}
    for name, each in cells.items():
        quick = None if options.decimal == "comma" else _quick(each, table.delimiter == ";")
        if quick is None:  # all columns tell together which sign is that of decimals
            return _slow(table, wanted, cells, options)
        found[name] = quick
    return found


def _quick(cells: Sequence[Any], doubt_points: bool) -> np.ndarray | None:
    """Plain numbers; None where there is another, or where a point may part thousands."""
    try:
        values = np.array(cells, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    if not isinstance(cells[0] if cells else 0.0, str):
        return values
    finite = values[np.isfinite(values)]
    whole = finite == np.rint(finite)
    parted = np.abs(finite * 1000 - np.rint(finite * 1000)) < 1e-6
    doubtful = bool(whole.any()) or doubt_points
    if len(finite) and parted.all() and doubtful and not whole.all() and np.abs(finite).max() < 1000:
        return None if (np.abs(finite[~whole]) >= 1).all() else values
    return values


def _slow(
    table: LogTable, wanted: Mapping[str, np.ndarray], cells: Mapping[str, list[Any]], options: LogOptions
) -> dict[str, np.ndarray]:
    from fulmen.io.numbers import read_numbers
    from fulmen.io.options import TableOptions
    from fulmen.io.where import Where

    found: dict[str, np.ndarray] = {}
    longest = max(map(len, cells.values()))
    padded = {name: [*each, *[None] * (longest - len(each))] for name, each in cells.items()}
    lines = {name: np.asarray(table.lines)[wanted[name]] for name in cells}

    class InLog(Where):
        def __call__(self, position: int, column: str) -> str:
            return f"{table.source}, {table.word} {lines[column][position]}, column {column}"

    given = TableOptions(decimal=options.decimal or "auto")  # type: ignore[arg-type]
    try:
        read, guesses = read_numbers(
            padded, InLog(table.source, np.arange(longest)), given, KEY, infinite=True, delimiter=table.delimiter
        )
    except FulmenError as error:
        raise _asked(str(error)) from None
    for name, each in cells.items():
        found[name] = read[name][: len(each)]
    for guess in guesses:
        sign = ASKED.search(guess.override)
        told = f"{guess.what} (--decimal {sign[1]} says it)" if sign else guess.what
        table.taken += [told] if told not in table.taken else []
    return found


def _asked(problem: str) -> FulmenError:
    if found := MARK.search(problem):
        return Ask(problem[: found.start("advice")], [("if that marks a missing value", {"missing": found["mark"]})])
    signs = ASKED.findall(problem)
    said = ASKED.sub(r"--decimal \1", problem)
    return Ask(said, [("", {"decimal": sign}) for sign in signs[::-1]]) if signs else FulmenError(said)


def counts(table: LogTable, name: str, filled: np.ndarray) -> np.ndarray:
    """float64 [rows] of a column of epochs or steps, NaN where it is empty; `3/14`, `[3]` and `Epoch 3` are 3.

    Raises:
        FulmenError: a cell has no number, or one that is not finite.
    """
    found = np.full(len(table), np.nan)
    rows = np.flatnonzero(filled)
    cells = _without_thousands([table.columns[name][row] for row in rows.tolist()])
    try:
        values = np.array(cells, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        values = np.array([_count(table, name, row) for row in rows.tolist()])
    if not np.isfinite(values).all():
        row = int(rows[np.flatnonzero(~np.isfinite(values))[0]])
        raise FulmenError(f"{table.where(row)}: {name} is {table.text(name, row)!r}, no number")
    found[rows] = values
    return found


def _without_thousands(cells: list[Any]) -> list[Any]:
    """`1.000` as 1000 where that alone makes the numbers rise or fall throughout."""
    if not all(isinstance(cell, str) for cell in cells) or not any("." in cell for cell in cells):
        return cells
    if not all(map(GROUPED.fullmatch, cells)):
        return cells
    for read in (cells, [cell.replace(".", "") for cell in cells]):
        steps = np.diff(np.array(read, dtype=np.float64))
        if (steps >= 0).all() or (steps <= 0).all():
            return read
    return cells


def _count(table: LogTable, name: str, row: int) -> float:
    text = table.text(name, row)
    if text.lower() in EMPTY:
        return float("nan")
    found = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text).partition("/")[0]
    number = COUNT.search(found)
    if number is None or not text.isascii():
        raise FulmenError(f"{table.where(row)}: {name} is {text!r}, no number")
    return float(number[0].replace(",", "."))
