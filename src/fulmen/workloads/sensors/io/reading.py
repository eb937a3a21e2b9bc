"""A stranger's table of readings, from the file to checked arrays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fulmen.config.override_values import value_of
from fulmen.errors import FulmenError
from fulmen.io import tables
from fulmen.io.missing import Cells
from fulmen.io.options import TableOptions
from fulmen.io.taken import Guess
from fulmen.io.where import Where
from fulmen.workloads.sensors.io.alike import Alike, one_name_each, refuse_marks
from fulmen.workloads.sensors.io.roles import columns_of, with_its_date
from fulmen.workloads.sensors.io.tables import Columns, Table, check_cells

AS_FOUND = TableOptions()
MOST_UNUSED = 40  # columns that nobody asked for and that are remembered all the same


@dataclass(frozen=True)
class Frame:
    """The columns of a file that are wanted, by the names that they are wanted by.

    Attributes:
        cells: as they stand in the file.
        line: number of each row, as a person sees it [N].
        guesses: how the file was read.
        dropped: lines that are no rows.
        unused: names of its other columns.
        delimiter: between the columns of a text.
        also: some of the other columns, as `Table` has them.
    """

    cells: dict[str, Cells]
    line: np.ndarray
    guesses: Sequence[Guess]
    dropped: Sequence[str]
    unused: Sequence[str]
    delimiter: str
    also: dict[str, np.ndarray]


def read_table(
    path: str | Path, columns: Columns, options: TableOptions = AS_FOUND, key: str = "data", alike: Alike = "ask"
) -> Table:
    """The columns of a CSV, Parquet or Excel file.

    Args:
        key: what stands before the names of options in overrides.
        alike: what machines are whose names differ in case or in how a number is written alone.

    Raises:
        FulmenError: no such file, nothing in it, a column that is not there, or a value that cannot be or is not
            certain: the message names file, column and row, and what to do.
    """
    raw = read_frame(path, columns, options, key=key)
    where = Where(str(path), raw.line)
    table = check_cells(raw.cells, columns, where, options, key, raw.delimiter)
    if options.missing_values is None:
        refuse_marks(table.numeric, where, key)
    if columns.group:
        table.group, said = one_name_each(table.group, columns.group, where, alike, key)
        table.guesses += said
    table.guesses = [*raw.guesses, *table.guesses]
    table.dropped, table.unused = list(raw.dropped), list(raw.unused)
    table.also = raw.also
    return table


def read_frame(
    path: str | Path, columns: Columns, options: TableOptions, carried: Sequence[str] = (), key: str = "data"
) -> Frame:
    """The wanted columns of a file, and those of `carried` that it has; see `read_table`."""
    raw = tables.read_table(path, options, columns.named(), key)
    names, guesses = columns_of(raw, columns, options, key)
    others = {name: str(options.columns.get(name) or name) for name in carried if name not in names}
    names |= {name: column for name, column in others.items() if column in raw.frame.columns}
    cells: dict[str, Cells] = {wanted: raw.frame[name] for wanted, name in names.items()}
    if columns.time in cells:
        cells[columns.time], said = with_its_date(raw.frame, names[columns.time])
        guesses += [said] if said else []
    unused = [str(name) for name in raw.frame.columns if name not in names.values()]
    also = {name: ranks(raw.frame[name]) for name in unused[:MOST_UNUSED] if isinstance(raw.frame[name], pd.Series)}
    every = [*raw.guesses, *guesses]
    return Frame(cells, raw.line, every, raw.dropped, unused, raw.delimiter or "", also)


def ranks(cells: Cells) -> np.ndarray:
    """Numbers of the values of a column that nobody reads, in the order of numbers or else of texts; -1 where missing.

    Returns:
        int32 [N]
    """
    code, distinct = pd.factorize(pd.Series(np.asarray(cells, dtype=object)), use_na_sentinel=True)
    words = ["" if pd.isna(value) else str(value).strip() for value in distinct]
    known = [word for word in words if word]
    numbers = pd.to_numeric(pd.Series(known, dtype=object), errors="coerce")
    keys = known if numbers.isna().any() else numbers.tolist()
    place = {word: rank for rank, (_, word) in enumerate(sorted(zip(keys, known, strict=True)))}
    table = np.array([place.get(word, -1) for word in words] + [-1], dtype=np.int32)
    return table[code]


def read_options(stored: Mapping[str, Any], typed: Mapping[str, str]) -> TableOptions:
    """How a file to predict for is read: as the training data in what a person said of them, or as typed.

    Args:
        stored: options that differ from what is found out; the delimiter is found out anew.
        typed: values of options as one types them into a shell.

    Raises:
        FulmenError: a value that is none of such an option.
    """
    found = {name: value for name, value in stored.items() if name != "delimiter"}
    for name, text in typed.items():
        found[name] = text if name in ("delimiter", "encoding", "sheet") else _value(f"data.{name}={text}")
    known = {each.name for each in fields(TableOptions)}
    try:
        return TableOptions(**{name: value for name, value in found.items() if name in known})
    except TypeError as error:
        raise FulmenError(f"data.{next(iter(typed))}: {error}") from None


def _value(override: str) -> Any:
    try:
        return value_of(override)
    except ValueError as error:
        raise FulmenError(str(error)) from None
