"""Tables of readings from CSV or Parquet files, checked column by column; messages name the column and the row.

Rows are counted as a person sees them: in a CSV, the header is line 1.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fulmen.config.mistakes import did_you_mean, nearest
from fulmen.data.ranges import Ranges
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.features.features import needs_time, source_columns
from fulmen.workloads.sensors.io.cells import MISSING, Cells, Where, hours, labels, levels, numbers, texts
from fulmen.workloads.sensors.io.files import read_frame


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
    frame, first_line = read_frame(path, delimiter, columns.named())
    return check_table(frame, columns, path, first_line)


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
    return check_cells({name: table[name] for name in columns.named()}, columns, Where(str(source), line))


def check_cells(table: Mapping[str, Cells], columns: Columns, where: Where) -> Table:
    """The cells of every column that `columns` names, as `Table`; see `read_table`.

    Args:
        where: says how a message names a cell, and which line of the source each row is.
    """
    line = where.line
    gaps = columns.missing, MISSING if columns.target else "the model was trained on rows without gaps"
    numeric = {name: numbers(table[name], name, where, *gaps) for name in source_columns(columns.numeric)}
    category = [levels(table[name], name, known, where, *gaps) for name, known in columns.categorical.items()]
    target = (
        labels(table[columns.target], columns.target, columns.labels, where)
        if columns.target
        else np.full(len(line), -1)
    )
    if needs_time(columns.numeric) and not columns.time:
        raise FulmenError("numeric: hour_sin and hour_cos are made of the time; name its column: data.time=<column>")
    return Table(
        numeric,
        np.stack(category, 1) if category else np.empty((len(line), 0), dtype=np.int64),
        target,
        texts(table[columns.group], columns.group, where, needed=True) if columns.group else line.astype(str),
        hours(table[columns.time], columns.time, where) if columns.time else np.full(len(line), np.nan),
        line,
    )


def check_for_training(table: Table, columns: Columns, source: str | Path) -> None:
    """Pass if something can be learned from `table`.

    Raises:
        FulmenError: a constant column, a target with one class, or two rows of one machine at one time.
    """
    where = Where(str(source), table.line)
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
    if len(present) < 2 and columns.target is not None:
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


def numeric_of(table: Table, names: Sequence[str]) -> np.ndarray:
    """Some of the numeric columns, [N, C]."""
    return np.array([table.numeric[name] for name in names]).reshape(-1, len(table.line)).T


def out_of_range(table: Table, ranges: Ranges, where: Where, what: str = "") -> list[str]:
    """A warning for each column with values outside its range (`what` says which range), which names the first."""
    found, rows = [], len(table.line)
    for i, outside in enumerate(ranges.beyond(numeric_of(table, ranges.names)).T > 0):
        if outside.any():
            name, first = ranges.names[i], int(outside.argmax())
            found.append(
                f"{where(first, name)}: {table.numeric[name][first]:g} lies outside {what}{' ' * bool(what)}"
                f"{ranges.low[i]:g} to {ranges.high[i]:g} ({outside.sum()} of {rows} rows); is the unit right?"
            )
    return found


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
