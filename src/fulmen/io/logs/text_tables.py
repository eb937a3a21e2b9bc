"""A table written as text: CSV, TSV, semicolons, aligned columns, Markdown, boxes of lines; with or without names."""

import csv
import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from fulmen.errors import FulmenError
from fulmen.io.logs.headless import headless, is_number
from fulmen.io.logs.table import LogTable, of_lists, of_rows, unlike
from fulmen.io.logs.words import AXES, HIGHER, LOSSES, PARTS, words

BOX = str.maketrans({"│": "|", "┃": "|", "║": "|"})
RULE = re.compile(r"[\s|+:=\-─━═┼┬┴├┤┌┐└┘┏┓┗┛┡┩╇╈╞╪╡╒╤╕╘╧╛╔╗╚╝╠╣╬╦╩┠┨╂]+")
PLAIN = frozenset("0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ\"'")  # no line of nothing begins so
WIDE = re.compile(r"\s{2,}|\t")
TITLES = 12  # lines above the names of the columns, at most
TUPLE = re.compile(r"\s*(\(.*\)|\[.*\]),?\s*")
EXCEL = re.compile(r'"?sep=.{1,2}"?', re.IGNORECASE)  # its line about the delimiter
CHUNK = 5000  # lines at a time


KNOWN = {*LOSSES, *HIGHER, *PARTS, *AXES}

TYPES = re.compile(r"\s*(<[a-z]{2,6}>\s*)+")
NUMBERED = re.compile(r"^\s*\d+:\s+")


def table_of_text(source: str, raw: list[str]) -> LogTable | None:
    """None where the lines have no columns in common; else `raw` may be emptied.

    Raises:
        FulmenError: a row has more or fewer cells than there are names; there is no row.
    """
    lines, places, comments = _lines(raw)
    if any(map(TYPES.fullmatch, lines[1:3])):  # R's data.table prints the types, and the number of each row
        full = [i for i, line in enumerate(lines) if not TYPES.fullmatch(line)]
        lines, places = [NUMBERED.sub("", lines[i]) for i in full], [places[i] for i in full]
    if not lines:
        return None
    found = _begin(lines)
    if found is None:
        return None
    start, delimiter = found
    if (table := _long_table(source, lines[start:], places[start:], delimiter)) is not None:
        raw.clear()  # logs are long: once in memory is enough
        return _with_titles(table, start)
    cells = _split(lines[start:], delimiter)
    numbers = places[start:]
    if len(cells) != len(numbers):  # line breaks within quotes
        numbers = [numbers[i] for i in _begins(lines[start:], delimiter)]
    header = cells[0]
    if all(is_number(cell) for cell in header if cell):
        named = next((each for line in comments[::-1] if (each := _named(line, delimiter, len(header)))), None)
        if named is None:
            table = headless(source, cells, numbers)
            table.delimiter = delimiter
            return table
        header, cells, numbers = named, [named, *cells], [0, *numbers]
    if len(cells) == 2 and any(cell.startswith("[") for cell in cells[1]):  # a list in a cell
        return of_lists(source, _lists(source, header, cells[1], numbers[1]))
    if (turned := _turned(cells)) is not None:
        return of_rows(source, turned[0], turned[1:], range(1, len(turned)), word="column", taken=["rows as columns"])
    header, cells, numbers, told = _one_header(cells, numbers)
    if len(cells) < 3 and not any(words(name)[-1:] and words(name)[-1] in KNOWN for name in header):
        return None
    if len(cells) == 1:
        raise FulmenError(f"{source} has names of columns and no row: {', '.join(header)}")
    rows, kept, dropped, breaks = _equal(source, header, cells[1:], numbers[1:], delimiter)
    table = of_rows(source, header, rows, kept, dropped=told + dropped, breaks=breaks, delimiter=delimiter)
    return _with_titles(table, start)


def _lists(source: str, header: list[str], cells: list[str], number: int) -> dict[str, list[Any]]:
    """The lists in cells, by name."""
    if len(header) != len(cells):
        raise FulmenError(f"{source}, line {number}: {len(cells)} cells, the names of the columns are {len(header)}")
    found: dict[str, list[Any]] = {}
    for name, cell in zip(header, cells, strict=True):
        try:
            found[name] = json.loads(cell) if cell.startswith("[") else []
        except ValueError as error:
            raise FulmenError(f"{source}, line {number}, column {name}: a list that cannot be read: {error}") from None
    return found


def _one_header(
    cells: list[list[str]], numbers: Sequence[int]
) -> tuple[list[str], list[list[str]], Sequence[int], list[str]]:
    """Names, rows below them with those of names, their numbers, and what was left out.

    Further lines of words below the names are part of them, or units.
    """
    header, told = cells[0], []
    while len(cells) > 2 and len(cells[1]) == len(header) and any(cells[1]) and not any(map(_may_be_value, cells[1])):
        if any(KNOWN & set(words(cell)) for cell in cells[1]):
            header = [" ".join(filter(None, dict.fromkeys(pair))) for pair in zip(header, cells[1], strict=True)]
        else:
            told.append(f"line {numbers[1]}, which holds no number")
        cells, numbers = [header, *cells[2:]], [numbers[0], *numbers[2:]]
    return header, cells, numbers, told


def _may_be_value(cell: str) -> bool:
    return any(map(str.isdigit, cell)) or cell.strip().lower() in {"nan", "inf", "-inf", "infinity"}


def _turned(cells: list[list[str]]) -> list[list[str]] | None:
    """The table if it lies on its side: names in the first column, numbers in all others; else None."""
    names = [row[0] for row in cells]
    if not 2 <= len(cells) <= 12 or len(cells[0]) < 4 or len({len(row) for row in cells}) > 1:
        return None
    if not all(map(is_number, cells[0][1:])) or not all(KNOWN & set(words(name)) for name in names[1:]):
        return None
    first = names[0] if names[0] and not is_number(names[0]) else "epoch"
    return [list(column) for column in zip([first, *cells[0][1:]], *cells[1:], strict=True)]


def _with_titles(table: LogTable, start: int) -> LogTable:
    if start:
        table.taken.append(f"{'a line' if start == 1 else f'{start} lines'} above the names of the columns")
    return table


def _long_table(source: str, lines: list[str], places: Sequence[int], delimiter: str) -> LogTable | None:
    """A table of many lines, read some at a time; None for any that is not plain throughout."""
    if delimiter not in (",", ";") or len(lines) < CHUNK:
        return None
    header = _split(lines[:2], delimiter)[0]
    if any(map(is_number, header)):
        return None
    columns: list[list[str]] = [[] for _ in header]
    for begin in range(1, len(lines), CHUNK):
        rows = _split(lines[begin : begin + CHUNK], delimiter)
        if (
            {len(row) for row in rows} != {len(header)}
            or len(rows) != len(lines[begin : begin + CHUNK])
            or header in rows
        ):
            return None
        for column, cells in zip(columns, zip(*rows, strict=True), strict=True):
            column.extend(cells)
    return LogTable(source, dict(zip(unlike(header), columns, strict=True)), places[1:], delimiter=delimiter)


def _lines(raw: list[str]) -> tuple[list[str], Sequence[int], list[str]]:
    """Lines with something in them, without those that only draw, and their numbers; and the comments."""
    if len(raw) > 2 and all(TUPLE.fullmatch(line) for line in raw if line):  # (1, 2.05, 2.45)
        raw = [line.strip(" ()[],") for line in raw]
    if any(sign in line for line in raw[:TITLES] for sign in "│┃║"):
        raw = [line.translate(BOX) for line in raw]
    odd = [i for i, line in enumerate(raw) if line[:1] not in PLAIN]
    gone: set[int] = {0} if raw and EXCEL.fullmatch(raw[0]) else set()
    comments: list[str] = []
    for i in odd:
        line = raw[i]
        if line.startswith(("#", "%", "//")) and not line.startswith("%|"):
            comments.append(line.lstrip("#%/ \t"))
            gone.add(i)
        elif not line or line.isspace() or RULE.fullmatch(line):
            gone.add(i)
    if not gone or gone == {len(raw) - 1}:
        return raw[: len(raw) - len(gone)], range(1, len(raw) + 1 - len(gone)), comments
    kept = [i for i in range(len(raw)) if i not in gone]
    return [raw[i] for i in kept], [i + 1 for i in kept], comments


def _begin(lines: list[str]) -> tuple[int, str] | None:
    """Where the table begins and its delimiter: as many cells as the lines after it have."""
    sample = lines[: TITLES + 30]
    for start in range(min(TITLES, len(sample))):
        for delimiter in ("|", "\t", ";", ",", " "):
            here = sample[start:]
            if delimiter != " " and delimiter not in here[0]:
                continue
            widths = [len(row) for row in _split(here, delimiter)]
            common, times = Counter(widths[1:] or widths).most_common(1)[0]
            if widths[0] < 2 or times < max(1, 0.6 * (len(widths) - 1)):
                continue
            if widths[0] == common or (delimiter in ";\t," and len(widths) > 1 and widths[0] < common):
                return start, delimiter
    if all(len(line.split()) == 1 for line in sample):
        return 0, "\t"  # one column
    return None


def _begins(lines: list[str], delimiter: str) -> list[int]:
    """Positions of the lines that rows begin with."""
    reader = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    ends = [reader.line_num for _ in reader]
    return [0, *ends[:-1]]


def _split(lines: list[str], delimiter: str) -> list[list[str]]:
    first = lines[0]
    if delimiter == "|":
        return [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]
    if delimiter == " ":
        wide = bool(re.search(r"\S\s{2,}\S", first.strip())) and not is_number(first.split()[0])
        if wide and len(lines) > 1 and len(WIDE.split(first.strip())) != len(WIDE.split(lines[1].strip())):
            wide = len(first.split()) != len(lines[1].split())
        gap = WIDE if wide else re.compile(r"\s+")
        return [gap.split(line.strip()) for line in lines]
    rows = list(csv.reader(lines, delimiter=delimiter, skipinitialspace=True))
    if " " in first or " " in lines[-1]:
        rows = [[cell.strip() for cell in row] for row in rows]
    if delimiter == "\t" and "" in rows[0][1:]:  # tabs that align
        return [re.split(r"\s*\t\s*", re.sub(r"\s*\t\s*", "\t", line).strip()) for line in lines]
    return rows


def _named(comment: str, delimiter: str, width: int) -> list[str] | None:
    """The names in a comment above a table that has no others."""
    for each in dict.fromkeys((delimiter, ",", " ")):
        names = _split([comment], each)[0] if comment else []
        if len(names) == width and not any(map(is_number, names)):
            return names
    return None


def _equal(
    source: str, header: list[str], rows: list[list[str]], numbers: Sequence[int], delimiter: str
) -> tuple[list[list[str]], Sequence[int], list[str], list[int]]:
    """Rows as long as the header; the names once more, and a last line that was cut, are left out.

    Also given are the numbers of the kept lines, what was left out, and the rows before which the names stood again.

    Raises:
        FulmenError: another row is shorter or longer.
    """
    width = len(header)
    if set(map(len, rows)) == {width} and header not in rows:
        return rows, numbers, [], []
    if any(len(row) > width for row in rows) and all(len(row) == width + 1 and row[-1] == "" for row in rows):
        rows = [row[:-1] for row in rows]  # a delimiter at the end
    kept: list[list[str]] = []
    lines: list[int] = []
    dropped: list[str] = []
    breaks: list[int] = []
    shift = all(len(row) == width + 1 for row in rows) and delimiter == " "  # pandas' to_string: an index without name
    for row, number in zip(rows, numbers, strict=True):
        row = row[1:] if shift else row
        if len(row) > width and not any(row[width:]):
            row = row[:width]
        if row == header:
            dropped.append(f"the names of the columns once more, line {number}")
            breaks.append(len(kept))
            continue
        if len(row) < width and number == numbers[-1] and len(kept) > 1:
            dropped.append(f"line {number}, which ends after {len(row)} of {width} cells")
            continue
        if len(row) != width:
            comma = delimiter == "," and len(row) > width and all(cell.isdigit() for cell in row[-2:])
            advice = "; with a comma for decimals, another sign has to stand between the cells" if comma else ""
            raise FulmenError(
                f"{source}, line {number}: {len(row)} cells, the names of the columns are {width}: "
                f"{', '.join(header)}{advice}"
            )
        kept.append(row)
        lines.append(number)
    return kept, lines, dropped, breaks
