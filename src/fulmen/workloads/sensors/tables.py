"""Tables of readings from CSV or Parquet files, checked column by column; messages name the column and the row.

Rows are counted as a person sees them: in a CSV, the header is line 1.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.mistakes import did_you_mean, nearest
from fulmen.workloads.sensors.features import needs_time, source_columns

EMPTY = ("", "na", "nan", "null", "none", "n/a")
DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}


@dataclass(frozen=True)
class Columns:
    """What is to be read from a table.

    Attributes:
        numeric: features, columns of the table or derived from them (`features.DERIVED`).
        categorical: name -> levels.
        target: column of the labels; None where they are not known (prediction).
        labels: as they stand in the table.
        group: column of the machine, or None.
        time: column of the time (ISO, or a number of hours), or None.
        missing: whether a numeric reading may be missing.
    """

    numeric: Sequence[str]
    categorical: Mapping[str, Sequence[str]]
    target: str | None
    labels: Sequence
    group: str | None = None
    time: str | None = None
    missing: bool = True

    def named(self) -> list[str]:
        """Every column the table must have."""
        others = [name for name in (self.target, self.group, self.time) if name]
        return list(dict.fromkeys([*source_columns(self.numeric), *self.categorical, *others]))


@dataclass
class Table:
    """Columns of N rows.

    Attributes:
        numeric: name -> float64 [N], NaN where missing.
        category: level numbers [N, c], -1 where missing.
        target: label numbers [N]; -1 where the target was not asked for.
        group: names of the machines [N], or the row numbers if there are no machines.
        time_h: hours [N], or NaN if there is no time.
        line: of each row in the file [N].
    """

    numeric: dict[str, np.ndarray]
    category: np.ndarray
    target: np.ndarray
    group: np.ndarray
    time_h: np.ndarray
    line: np.ndarray
    warnings: list[str] = field(default_factory=list)


def read_table(path: str | Path, columns: Columns, delimiter: str = ",") -> Table:
    """The columns of a CSV or Parquet file.

    Raises:
        FulmenError: no such file, nothing in it, a wrong delimiter, a column that is not there, or a value that cannot
            be: the message names file, column and row.
    """
    frame, first_line = read_frame(path, columns, delimiter)
    return check_table(frame, columns, path, first_line)


def read_frame(path: str | Path, columns: Columns, delimiter: str = ",") -> tuple[pd.DataFrame, int]:
    """All columns of a file as they stand there, and the number of its first row; errors as `read_table`."""
    path = Path(path)
    if not path.is_file():
        raise FulmenError(f"csv: there is no file {path}")
    return (_parquet(path), 1) if path.suffix.lower() in (".parquet", ".pq") else (_csv(path, columns, delimiter), 2)


def check_table(table: pd.DataFrame, columns: Columns, source: str | Path, first_line: int = 1) -> Table:
    """`table` as `Table`; see `read_table`."""
    for name in columns.named():
        if name not in table.columns:
            raise FulmenError(f"{source}: no column {name}{_instead(name, table, columns)}")
        if list(table.columns).count(name) > 1:
            raise FulmenError(f"{source}: two columns are called {name}")
    if len(table) == 0:
        raise FulmenError(f"{source}: there is no row below the header")
    line = np.arange(first_line, first_line + len(table))
    where = _Where(str(source), line)
    numeric = {name: _number(table[name], where, columns.missing) for name in source_columns(columns.numeric)}
    category = [
        _level(table[name], name, levels, where, columns.missing) for name, levels in columns.categorical.items()
    ]
    target = _label(table[columns.target], columns, where) if columns.target else np.full(len(table), -1)
    if needs_time(columns.numeric) and not columns.time:
        raise FulmenError("numeric: hour_sin and hour_cos are made of the time; name its column: data.time=<column>")
    return Table(
        numeric,
        np.stack(category, 1) if category else np.empty((len(table), 0), dtype=np.int64),
        target,
        _text(table[columns.group], where, needed=True) if columns.group else line.astype(str),
        _hours(table[columns.time], where) if columns.time else np.full(len(table), np.nan),
        line,
    )


def check_for_training(table: Table, columns: Columns, source: str | Path) -> None:
    """Pass if something can be learned from `table`.

    Raises:
        FulmenError: a constant column, a target with one class, or two rows of one machine at one time.
    """
    where = _Where(str(source), table.line)
    for name, values in table.numeric.items():
        known = np.flatnonzero(~np.isnan(values))
        if len(known) == 0:
            raise FulmenError(f"{where(0, name)}: the column holds no number, here or below; leave it out of numeric")
        if (values[known] == values[known[0]]).all():
            raise FulmenError(
                f"{where(known[0], name)}: the column is constant, {values[known[0]]:g} here and in every row below; "
                f"leave it out of numeric"
            )
    for i, name in enumerate(columns.categorical):
        if (table.category[:, i] == table.category[0, i]).all():
            raise FulmenError(
                f"{where(0, name)}: the column is constant, here and in every row below; leave it out of categorical"
            )
    present = np.unique(table.target)
    if len(present) < 2:
        raise FulmenError(
            f"{where(0, columns.target)}: the target has one class, {columns.labels[present[0]]} here and in every row "
            f"below; a classifier needs two"
        )
    if columns.group and columns.time:
        order = np.lexsort((table.line, table.time_h, table.group))
        twice = (np.diff(table.time_h[order]) == 0) & (table.group[order][1:] == table.group[order][:-1])
        if twice.any():
            first = order[int(twice.argmax())], order[int(twice.argmax()) + 1]
            raise FulmenError(
                f"{where(first[1], columns.time)}: {columns.group} {table.group[first[1]]} has a reading at this time "
                f"already, in row {table.line[first[0]]}; each machine needs one row a time"
            )


def out_of_range(table: Table, ranges: Mapping[str, Sequence[float]], source: str | Path, what: str = "") -> list[str]:
    """A warning for each column with values outside its range (`what` says which range), which names the first."""
    found, where = [], _Where(str(source), table.line)
    for name, (low, high) in ranges.items():
        values = table.numeric.get(name)
        if values is None:
            continue
        slack = 1e-6 * max(abs(low), abs(high))  # a training range is kept in single precision
        outside = np.flatnonzero((values < low - slack) | (values > high + slack))
        if len(outside):
            found.append(
                f"{where(outside[0], name)}: {values[outside[0]]:g} lies outside {what}{' ' * bool(what)}{low:g} to "
                f"{high:g} ({len(outside)} of {len(values)} rows); is the unit right?"
            )
    return found


class _Where:
    """`source, row 7, column x`"""

    def __init__(self, source: str, line: np.ndarray):
        self.source, self.line = source, line

    def __call__(self, position: int, column: str) -> str:
        return f"{self.source}, row {self.line[position]}, column {column}"


def _csv(path: Path, columns: Columns, delimiter: str) -> pd.DataFrame:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            header = next(csv.reader(file, delimiter=delimiter), [])
        if not any(name.strip() for name in header):
            raise FulmenError(f"{path}: the file is empty")
        if len(header) == 1 and len(columns.named()) > 1:
            other = next((d for d in DELIMITERS if d != delimiter and d in header[0]), None)
            if other:
                raise FulmenError(
                    f"{path}, row 1: one column, {header[0][:60]!r}, with delimiter {delimiter!r}; the file seems to "
                    f"use {DELIMITERS[other]}: data.delimiter={'tab' if other == chr(9) else repr(other)}"
                )
        table = pd.read_csv(
            path, sep=delimiter, dtype=str, keep_default_na=False, encoding="utf-8-sig", skip_blank_lines=False,
            skipinitialspace=True, index_col=False, on_bad_lines="error", engine="c",
        )  # fmt: skip
    except (OSError, UnicodeDecodeError, csv.Error, pd.errors.ParserError) as error:
        raise FulmenError(f"{path} cannot be read: {str(error).strip()}") from error
    table.columns = [str(name).strip() for name in header]
    blank = (table == "").all(axis=1).to_numpy()
    end = len(blank) - int(blank[::-1].argmin()) if len(blank) and not blank.all() else 0
    return table.iloc[:end]


def _parquet(path: Path) -> pd.DataFrame:
    try:
        return pd.read_parquet(path)
    except ImportError:
        raise FulmenError(f"{path}: Parquet needs pyarrow; install it with: pip install fulmen[parquet]") from None
    except (OSError, ValueError) as error:
        raise FulmenError(f"{path} cannot be read: {error}") from error


def _instead(name: str, table: pd.DataFrame, columns: Columns) -> str:
    """What the column may have been meant to be, or how the table's own columns would be named."""
    there = [str(column) for column in table.columns]
    if nearest(name, there):
        return did_you_mean(name, there)
    taken = {columns.target, columns.group, columns.time}
    numbers = [c for c in there if c not in taken and pd.to_numeric(table[c], errors="coerce").notna().mean() > 0.5]
    numbers = [c if c.isidentifier() else f'"{c}"' for c in numbers]
    return (
        f"; the file has {', '.join(there[:20])}. Name its columns: 'data.numeric=[{', '.join(numbers[:20])}]' "
        f"data.target=... data.group=... data.time=... (null: there is none)"
    )


def _text(values: pd.Series, where: _Where, needed: bool = False) -> np.ndarray:
    text = values.map(lambda value: "" if pd.isna(value) else str(value).strip()).to_numpy(dtype=object)
    if needed:
        empty = np.flatnonzero(text == "")
        if len(empty):
            raise FulmenError(f"{where(empty[0], values.name)}: empty; every row needs one")
    return text.astype(str)


def _number(values: pd.Series, where: _Where, missing: bool) -> np.ndarray:
    number = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    for position in np.flatnonzero(np.isnan(number)):
        text = str(values.iloc[position]).strip()
        if values.iloc[position] is not None and text.lower() not in EMPTY:
            hint = "; write a decimal point" if "," in text and _is_number(text.replace(",", ".")) else ""
            raise FulmenError(f"{where(position, values.name)}: {text!r} is no number{hint}")
        if not missing:
            raise FulmenError(
                f"{where(position, values.name)}: the value is missing; data.missing=true lets readings be missing"
            )
    infinite = np.flatnonzero(np.isinf(number))
    if len(infinite):
        raise FulmenError(
            f"{where(infinite[0], values.name)}: {values.iloc[infinite[0]]} is infinite; leave the cell empty if the "
            f"reading is missing"
        )
    return number


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _level(values: pd.Series, name: str, levels: Sequence[str], where: _Where, missing: bool) -> np.ndarray:
    numbers = {str(level): i for i, level in enumerate(levels)}
    text = _text(values, where)
    unknown = np.flatnonzero(~np.isin(text, list(numbers)) & ~np.isin(np.char.lower(text), EMPTY))
    if len(unknown):
        raise FulmenError(
            f"{where(unknown[0], name)}: {str(text[unknown[0]])!r} is none of its levels, "
            f"{', '.join(map(str, levels))}; the column has {', '.join(sorted(set(text))[:10])}"
        )
    number = np.array([numbers.get(value, -1) for value in text], dtype=np.int64)
    if not missing and (number < 0).any():
        raise FulmenError(
            f"{where(int((number < 0).argmax()), name)}: the value is missing; data.missing=true lets it be missing"
        )
    return number


def _label(values: pd.Series, columns: Columns, where: _Where) -> np.ndarray:
    text = _text(values, where, needed=True)
    numbers = {str(label): i for i, label in enumerate(columns.labels)}
    number = np.array([numbers.get(value, numbers.get(value.removesuffix(".0"), -1)) for value in text], dtype=np.int64)
    if (number < 0).any():
        bad = int((number < 0).argmax())
        raise FulmenError(
            f"{where(bad, columns.target)}: {str(text[bad])!r} is none of the labels "
            f"{', '.join(map(str, columns.labels))}; the column has "
            f"{', '.join(sorted(set(text))[:10])}: data.labels=[...]"
        )
    return number


def _hours(values: pd.Series, where: _Where) -> np.ndarray:
    """Numbers, as the first row has one, are hours; texts are ISO times, hours since 1970."""
    if _is_number(str(values.iloc[0])):
        return _number(values, where, missing=False)
    time = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    if time.isna().any():
        bad = int(time.isna().to_numpy().argmax())
        raise FulmenError(
            f"{where(bad, values.name)}: {str(values.iloc[bad])!r} is no time; "
            f"write it as 2024-01-31T14:00, or as a number of hours in every row"
        )
    return (time - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy() / 3600
