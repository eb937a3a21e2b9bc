"""A CSV as cells with the lines they stand in; what is no such table is refused with one line."""

import codecs
import csv
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

import numpy as np

from fulmen.config.mistakes import did_you_mean, nearest
from fulmen.errors import FulmenError
from fulmen.io.containers import container_of
from fulmen.workloads.pbpk.simulate.columns import COLUMNS, NAMES
from fulmen.workloads.pbpk.simulate.decimals import Decimal, as_python, decimal_sign
from fulmen.workloads.pbpk.unit_names import other_unit, times

SEPARATORS = ",;\t"
OF_16_BITS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
NOT_A_NUMBER = ("nan", "na", "n/a", "null", "none", "inf", "-inf", "+inf", "infinity", "-infinity")
BY_NAME = {column.name: column for column in COLUMNS}


@dataclass(frozen=True)
class Table:
    """A table of N rows.

    Attributes:
        path: of the file.
        cells: column -> its N cells, without spaces around them.
        line: of each row in the file, as an editor counts.
        decimal: the sign before the decimals of its numbers.
        said: what was decided about it.
    """

    path: Path
    cells: dict[str, list[str]]
    line: list[int]
    decimal: Literal["point", "comma"] = "point"
    said: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.line)

    def refuse(self, row: int, column: str, problem: str) -> NoReturn:
        """One line with file, line and column.

        Raises:
            FulmenError: always.
        """
        raise FulmenError(f"{self.path}, line {self.line[row]}, column {column}: {problem}")

    def texts(self, name: str) -> list[str]:
        """The cells of a column, "" where it is left out."""
        return self.cells.get(name, [""] * len(self))

    def numbers(self, name: str) -> np.ndarray:
        """float64 [N], NaN where a cell is empty.

        Raises:
            FulmenError: a cell that holds no number, or one that cannot be.
        """
        column, cells = BY_NAME[name], self.texts(name)
        try:
            values = np.array([self._number(cell) if cell else np.nan for cell in cells], dtype=np.float64)
        except ValueError:
            row = next(row for row, cell in enumerate(cells) if cell and not self._is_number(cell))
            self.refuse(row, name, f"{cells[row][:60]!r} is no number{_advice(cells[row])}")
        for row in np.flatnonzero(~np.isfinite(values)).tolist():
            if cells[row]:
                self.refuse(row, name, f"{cells[row]!r} is no number; leave the cell empty where nothing is known")
        low = values <= column.low if column.open_low else values < column.low
        bad = low | (values > column.high) | (column.whole & (values % 1 != 0) & ~np.isnan(values))
        if bad.any():
            row = int(bad.argmax())
            self.refuse(row, name, f"{cells[row]}; it must be {column.limits}")
        return values

    def _number(self, cell: str) -> float:
        if "_" in cell:  # Python reads 1_000
            raise ValueError(cell)
        return float(as_python(cell, self.decimal))

    def _is_number(self, cell: str) -> bool:
        try:
            self._number(cell)
        except ValueError:
            return False
        return True

    def levels(self, name: str) -> np.ndarray:
        """int64 [N], the number of each name, -1 where a cell is empty.

        Raises:
            FulmenError: a name that there is not.
        """
        column = BY_NAME[name]
        number = {"": -1} | {level: place for place, level in enumerate(column.levels)}
        found = [number.get(cell.lower(), -2) for cell in self.texts(name)]
        if -2 in found:
            row = found.index(-2)
            cell = self.texts(name)[row]
            self.refuse(row, name, f"there is no {name} {cell[:60]!r}{did_you_mean(cell, column.levels)}")
        return np.array(found, dtype=np.int64)


def read_table(path: Path, decimal: Decimal = "auto") -> Table:
    """The rows of a CSV with commas, semicolons or tabs; blank lines and those that begin with # are passed over.

    Args:
        decimal: the sign before the decimals, where the table leaves a doubt.

    Raises:
        FulmenError: the file is not there, no text, no table, or has columns that nobody reads.
    """
    text = _text(path)
    separator = separator_of(text)
    rows = _rows(path, text, separator)
    _, head = next(rows, (0, []))
    if not head:
        raise FulmenError(f"{path} is empty; `fulmen pbpk simulate --example {path.stem}_example.csv` writes a start")
    names = [name.strip() for name in head]
    _check_names(path, names)
    cells: list[list[str]] = [[] for _ in names]
    lines = []
    for line, row in rows:
        if len(row) != len(names):
            raise FulmenError(f"{path}, line {line}: it has {len(row)} cells, and the header {len(names)}")
        lines.append(line)
        for column, cell in zip(cells, row, strict=True):
            column.append(cell.strip())
    if not lines:
        raise FulmenError(f"{path} has a header and no row below it")
    by_name = dict(zip(names, cells, strict=True))
    numbers = {name: by_name[name] for name in names if name in BY_NAME and BY_NAME[name].is_number}
    sign, sentence = decimal_sign(str(path), numbers, lines, separator, decimal)
    return Table(path, by_name, lines, sign, [sentence] if sentence else [])


def _text(path: Path) -> str:
    try:
        raw = path.read_bytes()
        if raw:
            container = container_of(path)
            if container.kind != "text":
                what = "a Parquet table" if container.kind == "parquet" else "an Excel workbook"
                raise FulmenError(f"{path} is {what}; save it as CSV UTF-8")
            with container.open() as file:
                raw = file.read()
    except FileNotFoundError:
        raise FulmenError(
            f"there is no file {path}; `fulmen pbpk simulate --example {path.name}` writes one to start from"
        ) from None
    except OSError as error:
        raise FulmenError(f"{path} cannot be read: {error.strerror}") from None
    encoding = "utf-16" if raw[:2] in OF_16_BITS else "utf-8-sig"
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise FulmenError(
            f"{path}, line {line}: its letters are in no encoding that is known here; save it as CSV UTF-8"
        ) from None
    if "\0" in text:
        raise FulmenError(f"{path} is no CSV: it holds bytes that are no text; export the table as CSV UTF-8")
    return text


def separator_of(text: str) -> str:
    """What stands between the names of the columns."""
    lines = text.splitlines(keepends=True)
    head = next((line for line in lines if line.strip() and not line.startswith("#")), "")
    return max(SEPARATORS, key=head.count)


def _rows(path: Path, text: str, separator: str) -> Iterator[tuple[int, list[str]]]:
    """Each row with the line it begins in, the header first."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    before = 0
    try:
        for row in reader:
            if any(cell.strip() for cell in row) and not row[0].startswith("#"):
                yield before + 1, row
            before = reader.line_num
    except csv.Error as error:
        raise FulmenError(f"{path}, line {before + 1}: it is no CSV: {error}") from None


def _check_names(path: Path, names: Sequence[str]) -> None:
    known = set(names) & set(NAMES)
    for name in names:
        if names.count(name) > 1:
            raise FulmenError(f"{path}: the column {name!r} stands in it twice")
        if name == "kp_blood":
            raise FulmenError(f"{path}: the column kp_blood is called blood_plasma_ratio")
        if found := other_unit(name, NAMES):
            wanted, unit, factor = found
            raise FulmenError(
                f"{path}: the column {name} is in {unit}; call it {wanted} and give its numbers {times(factor)}"
            )
        if name not in NAMES and (not known or nearest(name, NAMES) or not name):
            what = f"no column is called {name[:60]!r}" if name else "a column has no name"
            also = did_you_mean(name, NAMES) if name and nearest(name, NAMES) else ""
            raise FulmenError(f"{path}: {what}{also or '; `fulmen pbpk simulate --help` lists the columns'}")


def unread(table: Table) -> list[str]:
    """The columns that nobody reads."""
    return [name for name in table.cells if name not in NAMES]


def _advice(cell: str) -> str:
    if cell.lower() in NOT_A_NUMBER:
        return "; leave the cell empty where nothing is known"
    return "; write a decimal point" if re.fullmatch(r"[-+]?\d+,\d+", cell) else ""
