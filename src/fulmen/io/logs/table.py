"""A log as columns of cells, whatever it was written as."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

EMPTY = frozenset(
    {"", "na", "n/a", "<na>", "none", "null", "-", "--", "—", "–", "no log", "nil", "undefined", "?", "#na#"}
)
NO_NUMBER = EMPTY | {"nan", "+nan", "-nan"}  # infinite is a value: a loss that became too large
DIGITS = frozenset("0123456789")
Cell = Any  # a text, a number, or None where there is nothing


@dataclass
class LogTable:
    """Rows of a log, before anything is chosen.

    Attributes:
        source: its path, for messages.
        columns: name -> its cells, one a row.
        lines: number of each row as a person sees it.
        word: what such a number counts: line, row, record.
        taken: what it was recognised as, and what was decided on the way.
        dropped: what was left out on the way.
        higher: columns of which the file itself says that higher is better (False: lower).
        headless: whether the names of the columns were given by the reader.
        lone: what to do for the other curve where the shape holds one alone.
        breaks: rows before which the names of the columns stand once more.
        delimiter: between its cells, of a text.
        lengths: of columns that were lists of their own.
        known: which cells hold something, of columns that were asked for.
    """

    source: str
    columns: dict[str, Sequence[Cell]]
    lines: Sequence[int]
    word: str = "line"
    taken: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    higher: dict[str, bool] = field(default_factory=dict)
    headless: bool = False
    lone: str = ""
    breaks: Sequence[int] = ()
    delimiter: str | None = None
    lengths: Mapping[str, int] = field(default_factory=dict)
    known: dict[tuple[str, int], np.ndarray] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.lines)

    def __bool__(self) -> bool:
        return True

    def where(self, row: int) -> str:
        return f"{self.source}, {self.word} {self.lines[row]}"

    def text(self, name: str, row: int) -> str:
        cell = self.columns[name][row]
        return "" if cell is None else str(cell).strip()

    def without(self, mark: str) -> "LogTable":
        """Nothing where `mark` stands."""
        columns: dict[str, Sequence[Cell]] = {
            name: [None if cell is not None and str(cell).strip() == mark else cell for cell in cells]
            for name, cells in self.columns.items()
        }
        return replace(self, columns=columns, known={})

    def filled(self, name: str, nothing: frozenset[str] = EMPTY) -> np.ndarray:
        """bool [rows]: whether a cell holds something."""
        if (name, len(nothing)) not in self.known:
            found = np.ones(len(self), dtype=bool)
            odd = [
                (i, cell)
                for i, cell in enumerate(self.columns[name])
                if not (type(cell) is str and cell[:1] in DIGITS) and type(cell) is not int
            ]
            for i, cell in odd:
                found[i] = _filled(cell, nothing)
            self.known[name, len(nothing)] = found
        return self.known[name, len(nothing)]


def _filled(cell: Cell, nothing: frozenset[str]) -> bool:
    if isinstance(cell, str):
        return cell.strip().lower() not in nothing
    return is_number(cell) and (nothing is EMPTY or not math.isnan(cell))


def is_number(cell: Cell) -> bool:
    return isinstance(cell, int | float | np.number) and not isinstance(cell, bool)


def of_rows(
    source: str, header: Sequence[str], rows: Sequence[Sequence[Cell]], lines: Sequence[int], **more: Any
) -> LogTable:
    """Rows of equal length; names that stand twice get the number of their column."""
    names = unlike(header)
    cells: list[Sequence[Cell]] = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    columns = dict(zip(names, cells, strict=True))
    return LogTable(source, columns, lines, **more)


def unlike(header: Sequence[str]) -> list[str]:
    """`loss (column 2)` and `loss (column 5)` for two that are called loss."""
    cleaned = [str(name).strip().strip("\"'`*").strip() for name in header]
    twice = {name for name in cleaned if cleaned.count(name) > 1} | {""}
    return [f"{name} (column {i})".strip() if name in twice else name for i, name in enumerate(cleaned, 1)]


def of_records(
    source: str, records: Sequence[Mapping[str, Cell]], lines: Sequence[int] | None = None, **more: Any
) -> LogTable:
    """One row a record; a record that holds others gives `train_loss` for `train: {loss: ...}`."""
    flat = [_flat(record) if any(isinstance(x, dict | list) for x in record.values()) else record for record in records]
    names = list(dict.fromkeys(str(name) for record in flat for name in record))
    columns: dict[str, Sequence[Cell]] = {name: [record.get(name) for record in flat] for name in names}
    more.setdefault("word", "record")
    return LogTable(source, columns, range(1, len(flat) + 1) if lines is None else lines, **more)


def of_lists(source: str, lists: Mapping[str, Sequence[Cell]], **more: Any) -> LogTable:
    """One column a list; the shorter ones end with nothing."""
    longest = max(map(len, lists.values()), default=0)
    columns: dict[str, Sequence[Cell]] = {
        str(name): [*each, *[None] * (longest - len(each))] for name, each in lists.items()
    }
    more.setdefault("word", "value")
    lengths = {str(name): len(each) for name, each in lists.items()}
    return LogTable(source, columns, range(1, longest + 1), lengths=lengths, **more)


def _flat(record: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in record.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}_")
        elif isinstance(value, list):
            found |= {f"{before}{name}_{i}": x for i, x in enumerate(value) if is_number(x)} if len(value) < 9 else {}
        else:
            found[f"{before}{name}"] = value
    return found
