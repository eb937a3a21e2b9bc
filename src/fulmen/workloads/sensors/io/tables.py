"""What is to be read from a table of readings, and what was: checked cells as arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.missing import Cells
from fulmen.io.numbers import read_numbers
from fulmen.io.options import TableOptions, TimeUnit
from fulmen.io.taken import Guess
from fulmen.io.times import read_times
from fulmen.io.where import Where
from fulmen.workloads.sensors.features.features import needs_time, source_columns
from fulmen.workloads.sensors.io.labels import labels, levels, texts

MISSING = "data.missing=true lets readings be missing"
STRICT = TableOptions(decimal="point", missing_values=())  # of values that have types


@dataclass(frozen=True)
class Columns:
    """What is to be read from a table.

    Attributes:
        numeric: features, columns of the table or derived from them (`features.DERIVED`).
        categorical: name -> levels.
        target: column of the labels; None where they are not known (prediction).
        labels: as they stand in the table.
        group: column of the machine, or None.
        time: column of the time, or None.
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
        absolute: whether hours count from 1970.
        time_unit: of times that are numbers in the source.
        zone: "UTC" where times of another zone became those; "" where they stand as in the file.
        guesses: what was decided in reading.
        dropped: what was left out.
        unused: columns of the file that nobody asked for.
        also: some of these: numbers of their values in the order of these, int32 [N], -1 where one is missing.
    """

    numeric: dict[str, np.ndarray]
    category: np.ndarray
    target: np.ndarray
    group: np.ndarray
    time_h: np.ndarray
    line: np.ndarray
    absolute: bool = False
    time_unit: str = "hours"
    zone: str = ""
    guesses: list[Guess] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)
    also: dict[str, np.ndarray] = field(default_factory=dict)

    def at(self, rows: np.ndarray) -> "Table":
        """Some rows of it: numbers or a mask."""
        return Table(
            {name: values[rows] for name, values in self.numeric.items()}, self.category[rows], self.target[rows],
            self.group[rows], self.time_h[rows], self.line[rows], self.absolute, self.time_unit, self.zone,
            self.guesses, self.dropped, self.unused, {name: values[rows] for name, values in self.also.items()},
        )  # fmt: skip


def check_cells(
    cells: Mapping[str, Cells], columns: Columns, where: Where, options: TableOptions | None = None, key: str = "data",
    delimiter: str = "", time_unit: TimeUnit = "hours",
) -> Table:  # fmt: skip
    """The cells of every column that `columns` names, as `Table`.

    Args:
        where: says how a message names a cell, and which line of the source each row is.
        options: how texts are read; None: they have types, and nothing is found out.
        key: what stands before the names of options in overrides.
        delimiter: between the columns of a text.
        time_unit: of numbers in a column of times, where values have types.

    Raises:
        FulmenError: a value that cannot be; the message names its place.
    """
    if needs_time(columns.numeric) and not columns.time:
        rest = [name for name in columns.numeric if not needs_time([name])]
        cure = f"; or leave them out: {override(f'{key}.numeric', rest)}" if rest else ""
        raise FulmenError(f"numeric: hour_sin and hour_cos are made of the time; name its column by {key}.time{cure}")
    strict, options = options is None, options or replace(STRICT, time_unit=time_unit)
    line = where.line
    gaps = MISSING if columns.target else "the model was trained on rows without gaps"
    wanted = {name: cells[name] for name in source_columns(columns.numeric)}
    numeric, guesses = read_numbers(wanted, where, options, key, columns.missing, gaps, strict, delimiter=delimiter)
    category = []
    for name, known in columns.categorical.items():
        number, said = levels(cells[name], name, known, where, columns.missing, gaps, key)
        category.append(number)
        guesses = [*guesses, *said]
    target = np.full(len(line), -1)
    if columns.target:
        target, said = labels(cells[columns.target], columns.target, columns.labels, where, key)
        guesses = [*guesses, *said]
    group = texts(cells[columns.group], columns.group, where) if columns.group else line.astype(str)
    table = Table(
        numeric,
        np.stack(category, 1) if category else np.empty((len(line), 0), dtype=np.int64),
        target,
        group,
        np.full(len(line), np.nan),
        line,
        guesses=guesses,
    )
    if columns.time:
        times = read_times(cells[columns.time], columns.time, where, options, key, group if columns.group else None)
        table.time_h, table.absolute, table.time_unit = times.hours, times.absolute, times.unit
        table.zone = "UTC" if any("UTC" in guess.what for guess in times.guesses) else ""
        table.guesses = [*guesses, *times.guesses]
    return table
