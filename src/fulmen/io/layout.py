"""How the rows of a text stand: what separates the cells, where the names are and where the data begin."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import dropwhile

from fulmen.errors import FulmenError
from fulmen.io.names import plain
from fulmen.io.stamps import stamp_of

CANDIDATES = "\t;|,"  # in this order where several divide the rows evenly
EVEN = 0.9  # share of the rows that a delimiter divides into as many cells
LINES = 200  # that are looked at
QUOTE = "; is a comma the decimal sign? Then quote such cells, or divide the columns by semicolons"
COMMENT = re.compile(r"\s*(#|%|//)")
NUMERIC = re.compile(
    r"[-+(]?[$€£¥]?\s*[-+]?(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)(e[-+]?\d+)?\s*[%KMBT$€£¥)]?", re.IGNORECASE
)
EMPTY = ("", "na", "nan", "null", "none", "n/a", "<na>", "-", "--", "?", "#n/a", ".")
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?")


@dataclass(frozen=True)
class Layout:
    """Where things stand in a text.

    Attributes:
        delimiter: between cells; " " for any number of blanks.
        header: names of the columns; None where the file has no line of names.
        more_header: further lines of words below the names: units, or the tickers of yfinance.
        first_row: index of the line with the first row, from 0.
        header_at: index of the line with the names, from 0; None without one.
        titles: lines above the names that are no part of the table.
        width: number of columns.
    """

    delimiter: str
    header: list[str] | None
    more_header: list[list[str]]
    first_row: int
    header_at: int | None
    titles: list[str] = field(default_factory=list)
    width: int = 0


def layout_of(
    sample: str, delimiter: str | None = None, header: Sequence[str] | None = None, needed: Sequence[str] = ()
) -> Layout:
    """The layout of a text, of its beginning.

    Args:
        sample: whole lines.
        delimiter: where it is known.
        header: names of the columns of a text that has none.
        needed: names of which most are probably in the header.
    """
    lines = re.split(r"\r\n|\n|\r", sample)[: 5 * LINES]
    places = [i for i, line in enumerate(lines) if line.strip() and not COMMENT.match(line)]
    if places and (told := re.fullmatch(r'"?sep=(.)"?', lines[places[0]].strip(), re.IGNORECASE)):  # a line for Excel
        delimiter, places = delimiter or told[1], places[1:]
    places = places[:LINES]
    body = [lines[i] for i in places]
    if not body:
        raise FulmenError("there is no line of a table")
    delimiter = delimiter or delimiter_of(body, needed)
    rows = [cells_of(line, delimiter) for line in body]
    if header is not None:
        first = _first_even(rows, len(header))
        return Layout(delimiter, list(header), [], places[first], None, body[:first], len(header))
    return _with_header(lines, places, rows, delimiter, needed)


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line, without blanks around them."""
    if delimiter == " ":
        line = " ".join(line.split())
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]


def delimiter_of(lines: Sequence[str], needed: Sequence[str] = ()) -> str:
    """What divides lines most evenly; where names are known, what brings most of them to light."""
    if needed:
        known = {plain(name) for name in needed}
        hits = {
            d: max(len(known & set(map(plain, cells_of(line, d)))) for line in lines[:20]) for d in CANDIDATES + " "
        }
        best = max(hits, key=lambda d: hits[d])
        if hits[best] > 1 and list(hits.values()).count(hits[best]) == 1:
            return best
    untitled = list(dropwhile(lambda line: not set(CANDIDATES) & set(line), lines))
    lines = untitled if len(untitled) > 1 else lines
    shares = {d: _evenness(lines, d) for d in CANDIDATES}
    even = next((d for d in CANDIDATES if shares[d] >= EVEN), None)
    best = even or max(CANDIDATES, key=lambda d: shares[d])
    if even != "," and shares[best] >= EVEN:
        return best
    blanks = _evenness(lines, " ")
    if (blanks >= EVEN and (shares[best] < EVEN or _cuts_numbers(lines, best))) or (blanks > 0.5 and not shares[best]):
        return " "
    return best if shares[best] > 0 else ","


def _evenness(lines: Sequence[str], delimiter: str) -> float:
    """Share of the lines with as many cells as most have; 0 where that is one cell."""
    widths = Counter(len(cells_of(line, delimiter)) for line in lines)
    width, count = max(widths.items(), key=lambda each: (each[1], each[0]))
    return count / len(lines) if width > 1 else 0.0


def _cuts_numbers(lines: Sequence[str], delimiter: str) -> bool:
    """Whether cells hold numbers on both sides of a blank, as decimal commas between blanks do."""
    cells = [cell for line in lines[-20:] for cell in cells_of(line, delimiter)]
    cut = sum(bool(re.search(r"\d\s+[-+]?\d", cell)) and not is_date(cell) for cell in cells)
    return cut >= 0.3 * len(cells) and not _divides_names(lines, delimiter)


def _divides_names(lines: Sequence[str], delimiter: str) -> bool:
    """Whether the first line has as many cells as the last by this delimiter, and not by blanks."""
    by, blanks = ([len(cells_of(line, sign)) for line in (lines[0], lines[-1])] for sign in (delimiter, " "))
    return by[0] == by[1] and blanks[0] != blanks[1]


def _first_even(rows: Sequence[Sequence[str]], width: int) -> int:
    return next((i for i, row in enumerate(rows) if len(row) == width), 0)


def _with_header(
    lines: Sequence[str], places: Sequence[int], rows: list[list[str]], delimiter: str, needed: Sequence[str]
) -> Layout:
    tail = rows[len(rows) // 4 :]
    width = max(Counter(map(len, tail)).items(), key=lambda each: (each[1], each[0]))[0]
    first = header_place(rows, width, needed)
    names = rows[first]
    titles = [lines[place] for place in places[:first]]
    if not is_header(names, rows[first + 1 :], needed):
        above = [line for line in lines[: places[0]] if COMMENT.match(line)]
        commented = [cells_of(COMMENT.sub("", line), delimiter) for line in above]
        if commented and len(commented[-1]) == len(names) and is_header(commented[-1], rows[first:], needed):
            return Layout(delimiter, commented[-1], [], places[first], places[first], titles, width)
        _refuse_wider_than_names(places, rows, first)
        return Layout(delimiter, None, [], places[first], None, titles, width)
    more = more_header_of(rows[first + 1 :])
    begins = first + 1 + len(more)
    names, width = _completed(names, rows[begins:], width, delimiter)
    return Layout(
        delimiter, names, more, places[begins] if begins < len(places) else len(lines), places[first], titles, width
    )


def _refuse_wider_than_names(places: Sequence[int], rows: Sequence[Sequence[str]], first: int) -> None:
    """Pass unless the line above the first row holds names, of which there are fewer than values."""
    if first and 1 < len(rows[first - 1]) < len(rows[first]) and not any(map(is_number, rows[first - 1])):
        raise FulmenError(
            f"line {places[first] + 1}: {len(rows[first])} values for the {len(rows[first - 1])} columns of line "
            f"{places[first - 1] + 1}{QUOTE}"
        )


def header_place(rows: Sequence[Sequence[str]], width: int, needed: Sequence[str]) -> int:
    """The first line as wide as the table, or one narrower (R leaves out the name of its first column)."""
    known = {plain(name) for name in needed}
    for i, row in enumerate(rows[:30]):
        if known and len(known & set(map(plain, row))) > min(1, len(known) - 1):
            return i
    for i, row in enumerate(rows[:30]):
        if len(row) == width and (any(row) or i == len(rows) - 1):
            if i and len(rows[i - 1]) == width - 1 and width > 2 and not any(map(is_number, rows[i - 1])):
                return i - 1
            return i
    return 0


def is_header(names: Sequence[str], rows: Sequence[Sequence[str]], needed: Sequence[str] = ()) -> bool:
    """Whether a line holds names: a word where the rows below have numbers, or no number at all."""
    known = {plain(name) for name in needed}
    if known & set(map(plain, names)):
        return True
    numbers = [i for i in range(len(names)) if _numeric_column([row[i] for row in rows if i < len(row)])]
    if not numbers:
        return not any(is_number(name) or is_date(name) for name in names)
    if all(names[i] and is_number(names[i]) for i in numbers):
        counted = [names[i] for i in numbers]
        return len(counted) > 2 and counted in [[str(i) for i in range(b, b + len(counted))] for b in (0, 1)]
    return any(names[i] and not is_number(names[i]) and names[i].lower() not in EMPTY[1:] for i in numbers) or any(
        name and not is_number(name) for name in names
    )


def more_header_of(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Lines below the names without a number, where the rows after them have some."""
    found: list[list[str]] = []
    for i, row in enumerate(rows[:3]):
        below = rows[i + 1 : i + 40]
        numbers = [k for k in range(len(row)) if _numeric_column([each[k] for each in below if k < len(each)])]
        words = [row[k] for k in numbers if row[k]]
        if not numbers or not below or any(map(is_number, row)) or any(is_date(cell) for cell in row):
            break
        if any(word.lower() in EMPTY for word in words) or (not words and not any(row)):
            break  # values that are missing, or an empty line
        if not words and not (found or any(is_date(each[0]) for each in below[:1] if each)):
            break
        found.append(list(row))
    return found


def _completed(names: list[str], rows: Sequence[Sequence[str]], width: int, delimiter: str) -> tuple[list[str], int]:
    """Names for all columns: R leaves out that of the first, a delimiter at the end of each line adds an empty one."""
    while len(names) > width and not names[-1]:
        names = names[:-1]
    if len(names) == width - 1 and rows and all(len(row) == width for row in rows):
        if all(not row[-1] for row in rows):
            return names, len(names)
        if _names_rows([row[0] for row in rows], delimiter):
            return ["", *names], width
    return names, len(names)


def _names_rows(cells: Sequence[str], delimiter: str) -> bool:
    """Whether a first column without a name is what R writes: numbers from 1 on, or names that are no dates.

    Between commas it could be half of a number with a decimal comma.
    """
    if cells[:3] == ["1", "2", "3"] and cells == [str(i) for i in range(1, len(cells) + 1)]:
        return True
    words = not any(is_number(cell) or is_date(cell) or not cell for cell in cells)
    return delimiter != "," and words and len(set(cells)) == len(cells)


def is_number(text: str) -> bool:
    """Whether a text is a number in some country."""
    return bool(NUMERIC.fullmatch(text.strip()))


def is_date(text: str) -> bool:
    """Whether a text begins like a date."""
    if DATE.match(text.strip()) or stamp_of(text):
        return True
    try:
        datetime.fromisoformat(text.strip())
    except ValueError:
        return False
    return True


def _numeric_column(cells: Sequence[str]) -> bool:
    filled = [cell for cell in cells if cell.lower() not in EMPTY]
    return len(filled) > 0 and all(map(is_number, filled))
