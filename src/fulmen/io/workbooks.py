"""Tables in Parquet files and Excel workbooks, whose cells have types."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.header import header_place, headless, is_header, more_header_of
from fulmen.io.hints import override
from fulmen.io.options import NUMBERED, TableOptions
from fulmen.io.taken import Guess, listed


@dataclass
class Sheet:
    """What `RawTable` holds, of one sheet."""

    frame: pd.DataFrame
    line: np.ndarray
    more_header: list[list[str]]
    guesses: list[Guess] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def parquet_table(path: str | Path, content: BytesIO) -> tuple[pd.DataFrame, list[list[str]]]:
    """The table of a Parquet file, its index as columns, and further levels of its names.

    Raises:
        FulmenError: pyarrow is not installed, or the file is damaged.
    """
    try:
        frame = pd.read_parquet(content)
    except ImportError:
        raise FulmenError(f"{path}: Parquet needs pyarrow; install it with: pip install pyarrow") from None
    except Exception as error:  # pyarrow raises kinds of its own
        raise FulmenError(f"{path} cannot be read: {str(error).splitlines()[0]}") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    if isinstance(frame.columns, pd.MultiIndex):
        levels = [list(map(str, frame.columns.get_level_values(i))) for i in range(frame.columns.nlevels)]
        frame.columns = pd.Index(levels[0])
        return frame, levels[1:]
    frame.columns = pd.Index([str(name).strip() for name in frame.columns])
    return frame, []


def excel_table(path: str | Path, content: BytesIO, options: TableOptions, needed: Sequence[str], key: str) -> Sheet:
    """The table of one sheet of a workbook.

    Raises:
        FulmenError: openpyxl is not installed, the file is damaged, or there is no such sheet.
    """
    try:
        sheets = pd.read_excel(content, sheet_name=None, header=None, dtype=object, engine="openpyxl")
    except ImportError:
        raise FulmenError(f"{path}: a workbook needs openpyxl; install it with: pip install openpyxl") from None
    except Exception as error:  # openpyxl raises kinds of its own
        raise FulmenError(f"{path} cannot be read: {(str(error) or type(error).__name__).splitlines()[0]}") from error
    filled = {str(name): sheet for name, sheet in sheets.items() if sheet.notna().any(axis=None)}
    if options.sheet is not None and options.sheet not in filled:
        raise FulmenError(f"{path}: no sheet {options.sheet} with cells in it; there is {listed(filled) or 'none'}")
    if not filled:
        raise FulmenError(f"{path}: the file is empty")
    name = options.sheet or next(iter(filled))
    try:
        found = _of_cells(path, filled[name], options, needed, key)
    except FulmenError as error:
        if options.sheet is not None or len(filled) < 2:
            raise
        other = override(f"{key}.sheet", next(each for each in filled if each != name))
        told = f"that is sheet {name} of {listed(filled)}; for another one: {other}"
        raise FulmenError(f"{error}; {told}") from None
    if options.sheet is None and len(filled) > 1:
        other = next(each for each in filled if each != name)
        found.guesses.append(Guess(f"sheet {name} of {listed(filled)}", override(f"{key}.sheet", other)))
    return found


def _of_cells(path: str | Path, cells: pd.DataFrame, options: TableOptions, needed: Sequence[str], key: str) -> Sheet:
    """A table somewhere on a sheet: below titles, beside empty columns."""
    cells = cells.loc[:, cells.notna().any()]
    line = np.flatnonzero(cells.notna().any(axis=1).to_numpy())
    cells = cells.iloc[line]
    rows = [[_text(cell) for cell in row] for row in cells.iloc[:60].itertuples(index=False)]
    trimmed = [_without_end(row) for row in rows]
    if options.header != "auto":
        count = cells.shape[1]
        names = [f"c{i + 1}" for i in range(count)] if options.header == NUMBERED else list(options.header)
        first, more = 0, []
        if len(names) != cells.shape[1]:
            raise FulmenError(f"{path}: header names {len(names)} columns; the sheet has {cells.shape[1]}")
    else:
        first = header_place(trimmed, cells.shape[1], needed)
        names = rows[first]
        if not is_header(names, rows[first + 1 :], needed):
            raise FulmenError(f"{path}: {headless('row', len(names), key)}")
        more = more_header_of(rows[first + 1 :])
    begins = first + len(more) + (options.header == "auto")
    frame = cells.iloc[begins:].reset_index(drop=True)
    frame.columns = pd.Index(names)
    frame = frame.loc[:, [bool(name) or bool(frame.iloc[:, i].notna().any()) for i, name in enumerate(names)]]
    title = [Guess("a title above the names")] if first else []
    return Sheet(frame, line[begins:] + 1, more, title)


def _text(cell: Any) -> str:
    return "" if pd.isna(cell) else str(cell).strip()


def _without_end(row: list[str]) -> list[str]:
    while row and not row[-1]:
        row = row[:-1]
    return row
