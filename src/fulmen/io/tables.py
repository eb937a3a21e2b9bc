"""A table of a stranger as it stands: cells as texts, names, and the line that each row has in the file."""

import csv
import io
import re
import shlex
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.containers import DAMAGED, Container, container_of, unreadable
from fulmen.io.header import headless
from fulmen.io.hints import override
from fulmen.io.layout import QUOTE, Layout, cells_of, layout_of, refuse_undivided, turned
from fulmen.io.options import TableOptions, word_for
from fulmen.io.taken import Guess, listed
from fulmen.io.text import SAMPLE, encoding_of
from fulmen.io.workbooks import excel_table, parquet_table

AS_FOUND = TableOptions()
SMALL = SAMPLE // 2  # characters; the texts of a smaller file are Python's, of a larger one Arrow's, which are packed


@dataclass
class RawTable:
    """A table whose cells nobody has looked at.

    Attributes:
        source: the file.
        frame: [N rows]; texts of a text file, which are "" where nothing stands; else values as the file has them.
        line: number of each row as a person sees it, the first line of a text being 1 [N].
        more_header: further lines of words below the names, one entry per column.
        delimiter: of a text.
        guesses: how the file was read.
        dropped: lines that are no rows.
    """

    source: str
    frame: pd.DataFrame
    line: np.ndarray
    more_header: list[list[str]] = field(default_factory=list)
    delimiter: str | None = None
    guesses: list[Guess] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)


def read_table(
    path: str | Path,
    options: TableOptions = AS_FOUND,
    needed: Sequence[str] = (),
    key: str = "data",
    word: str = "csv",
) -> RawTable:
    """The table in a file: text of any delimiter and encoding, plain or packed, Parquet, or Excel.

    Args:
        needed: names, most of which the table probably has; they help to find delimiter and header.
        key: what stands before the names of options in overrides.
        word: the argument that named the file.

    Raises:
        FulmenError: no table: one line with file, line and column where there is one, and what to do.
    """
    container = container_of(path, word)
    if container.kind == "text":
        return _text_table(container, options, needed, key)
    with container.open() as file:
        content = io.BytesIO(file.read())
    if container.kind == "parquet":
        frame, more = parquet_table(path, content)
        line = np.arange(1, len(frame) + 1)
        table = RawTable(str(path), frame, line, more, guesses=list(container.guesses))
    else:
        found = excel_table(path, content, options, needed, key)
        table = RawTable(str(path), found.frame, found.line, found.more_header)
        table.guesses, table.dropped = [*container.guesses, *found.guesses], found.dropped
    return _not_empty(table)


def _not_empty(table: RawTable) -> RawTable:
    if len(table.frame) == 0:
        sheet = next((guess for guess in table.guesses if guess.what.startswith("sheet ")), None)
        others = f"; that is {sheet.what}; for another one: {sheet.override}" if sheet else ""
        raise FulmenError(f"{table.source}: there is no row below the header{others}")
    return table


def _text_table(container: Container, options: TableOptions, needed: Sequence[str], key: str) -> RawTable:
    path = container.path
    encoding, guesses = encoding_of(container, options.encoding, key)
    with container.open() as file:
        sample = file.read(SAMPLE).decode(encoding, "replace")
    if not sample.strip("\ufeff \t\r\n\x1a"):
        raise FulmenError(f"{path}: the file is empty")
    _refuse_json(path, sample)
    header = None if options.header == "auto" else options.header
    try:
        refuse_undivided(_whole_lines(sample), options.character, key)
        layout = layout_of(_whole_lines(sample), options.character, header, needed)
    except FulmenError as error:
        raise FulmenError(f"{path}: {error}") from None
    if layout.header is None:
        raise FulmenError(f"{path}: {headless('line', layout.width, key)}")
    if options.header == "auto" and turned(_whole_lines(sample), layout, needed):
        raise FulmenError(f"{path} lies on its side, a column a line; turn it: {_turn(path, layout)}")
    frame = _read(container, layout, encoding, object if len(sample) < SMALL else str)
    table = RawTable(
        str(path), frame, np.arange(len(frame)) + layout.first_row + 1, layout.more_header, layout.delimiter
    )
    _shift_lines(table, quoted='"' in sample)
    table.guesses = [*container.guesses, *guesses, *_said(layout, options, key)]
    _drop_what_is_no_row(table)
    _refuse_ragged(table, layout, container, encoding)
    return _not_empty(table)


def _whole_lines(sample: str) -> str:
    """Without the last line, if the sample may end in the middle of it."""
    return sample[: sample.rfind("\n") + 1] if len(sample) > SAMPLE // 4 - 4 and "\n" in sample else sample


def _read(container: Container, layout: Layout, encoding: str, texts: type) -> pd.DataFrame:
    """Every cell as a text, "" also where a line ends early; one column more than there are names."""
    path, width = container.path, layout.width
    separator = {"sep": r"\s+"} if layout.delimiter == " " else {"sep": layout.delimiter, "skipinitialspace": True}
    try:
        with container.open() as file, warnings.catch_warnings():
            warnings.simplefilter("ignore", pd.errors.ParserWarning)
            frame = pd.read_csv(
                file, **separator, header=None, names=list(range(width + 1)), skiprows=layout.first_row, dtype=texts,
                keep_default_na=False, na_values=[], encoding=encoding, skip_blank_lines=False, index_col=False,
                on_bad_lines="error", engine="c",
            )  # fmt: skip
    except pd.errors.ParserError as error:
        found = re.search(r"in line (\d+), saw (\d+)", str(error))
        if found:
            place = int(found[1])
            raise FulmenError(f"{path}, line {place}: {found[2]} values for the {width} columns") from None
        if opened := re.search(r"inside string starting at row (\d+)", str(error)):
            place = 1 + int(opened[1])
            raise FulmenError(f"{path}, line {place}: a quotation mark that opens a cell is never closed") from None
        raise FulmenError(f"{path} cannot be read: {str(error).strip()}") from error
    except pd.errors.EmptyDataError:
        frame = pd.DataFrame(columns=list(range(width + 1)), dtype=str)
    except (*DAMAGED, csv.Error) as error:
        raise unreadable(path, error) from error
    frame.columns = pd.Index([*(name.strip() for name in layout.header or []), ""])
    return frame


def _shift_lines(table: RawTable, quoted: bool) -> None:
    """Count the line breaks within cells."""
    if quoted:
        breaks = np.zeros(len(table.frame), dtype=int)
        for i in range(table.frame.shape[1]):
            column = table.frame.iloc[:, i]
            if column.str.contains("\n", regex=False).any():
                breaks += column.str.count("\n").fillna(0).to_numpy(dtype=int)
        table.line[1:] += breaks.cumsum()[:-1]


def _drop_what_is_no_row(table: RawTable) -> None:
    """Leave out empty lines, comments and repetitions of the header; the end of a file of DOS."""
    frame, line = table.frame, table.line
    first = frame.iloc[:, 0]
    blank = _alone(frame, first.isin(["", "\x1a"]).to_numpy())
    comment = _alone(frame, first.str.startswith("#").to_numpy(dtype=bool))
    names = list(frame.columns[:-1])
    again = (first == names[0]).to_numpy(copy=True) if names[0] else np.zeros(len(frame), dtype=bool)
    for place in np.flatnonzero(again):
        again[place] = [str(cell).strip() for cell in frame.iloc[place, :-1]] == names
    if again.any():
        table.dropped.append(f"the header again in line {listed(map(str, line[again]), 3)}")
    last = int(np.flatnonzero(~blank).max(initial=-1))
    for what, count in (("empty line", blank[:last].sum()), ("line", comment.sum())):
        if count:
            table.dropped.append(f"{count} {what}{'s' * int(count > 1)}{' of comment' * (what == 'line')}")
    dropped = blank | again | comment
    if dropped.any():
        table.frame, table.line = frame[~dropped].reset_index(drop=True), line[~dropped]


def _alone(frame: pd.DataFrame, rows: np.ndarray) -> np.ndarray:
    """Those of `rows` in which nothing stands behind the first column."""
    for i in range(1, frame.shape[1]):
        if not rows.any():
            break
        rows = rows & (frame.iloc[:, i] == "").to_numpy()
    return rows


def _refuse_ragged(table: RawTable, layout: Layout, container: Container, encoding: str) -> None:
    """Pass if every line has as many cells as there are names, but for a delimiter at its end."""
    width = layout.width
    wide = (table.frame.iloc[:, width] != "").to_numpy()
    if wide.any():
        raise FulmenError(
            f"{table.source}, line {table.line[int(wide.argmax())]}: {width + 1} values for the {width} columns of the "
            f"header{QUOTE if layout.delimiter == ',' else ''}"
        )
    table.frame = table.frame.iloc[:, :width]
    suspect = table.line[(table.frame.iloc[:, width - 1] == "").to_numpy()]
    if len(suspect) and width > 1:
        _refuse_short(table, layout, container, encoding, set(suspect.tolist()))
    nameless = [i for i, name in enumerate(table.frame.columns) if not name and (table.frame.iloc[:, i] == "").all()]
    if nameless:
        table.frame = table.frame.iloc[:, [i for i in range(width) if i not in nameless]]


def _refuse_short(table: RawTable, layout: Layout, container: Container, encoding: str, lines: set[int]) -> None:
    """Pass if what is empty at the end of `lines` stands there as an empty cell."""
    ends = (layout.delimiter, '""', "''")
    with container.open() as file, io.TextIOWrapper(file, encoding, newline=None) as text:
        for number, line in enumerate(text, 1):
            if number in lines and not line.rstrip("\n ").endswith(ends):
                found = len(cells_of(line.rstrip("\n"), layout.delimiter))
                if found < layout.width:
                    raise FulmenError(
                        f"{table.source}, line {number}: {found} value{'s' * (found > 1)} for the {layout.width} "
                        f"columns of the header"
                    )


def _said(layout: Layout, options: TableOptions, key: str) -> list[Guess]:
    found = []
    if options.character is None and layout.delimiter != ",":
        word = word_for(layout.delimiter)
        found.append(Guess(f"columns divided by {word}", override(f"{key}.delimiter", word)))
    if layout.titles:
        found.append(Guess("a title above the names"))
    if layout.more_header:
        found.append(Guess(f"{len(layout.more_header)} more line{'s' * (len(layout.more_header) > 1)} of words below "
                           f"the names"))  # fmt: skip
    if layout.header and "" in layout.header:
        found.append(Guess("a column without a name"))
    return found


def _refuse_json(path: Path, sample: str) -> None:
    if re.match(r"\ufeff?\s*(\{\s*\"|\[\s*[\[{])", sample):
        lines = ", lines=True" * bool(re.match(r"\ufeff?\s*\{.*\}\s*\n\s*\{", sample))
        table = str(path.with_suffix(".csv"))
        call = f"import pandas; pandas.read_json({str(path)!r}{lines}).to_csv({table!r}, index=False)"
        raise FulmenError(f"{path} is JSON; make a table of it: python -c {shlex.quote(call)}")


def _turn(path: Path, layout: Layout) -> str:
    """A command that writes the table with its columns upright."""
    to = str(path.with_name(f"{path.name.partition('.')[0]}_upright.csv"))
    read = f"pandas.read_csv({str(path)!r}, sep={layout.delimiter!r}, header=None, index_col=0, dtype=str)"
    return f"python -c {shlex.quote(f'import pandas; {read}.T.to_csv({to!r}, index=False)')}"
