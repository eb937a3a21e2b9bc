"""How the rows of a text stand: what separates the cells, where the names are and where the data begin."""

import csv
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import dropwhile
from typing import Literal

from fulmen.errors import FulmenError
from fulmen.io.header import completed, header_place, is_date, is_header, is_number, more_header_of
from fulmen.io.hints import override
from fulmen.io.names import plain
from fulmen.io.options import NUMBERED, word_for

CANDIDATES = "\t;|,"  # in this order where several divide the rows evenly
EVEN = 0.9  # share of the rows that a delimiter divides into as many cells
LINES = 100  # that are looked at
QUOTE = "; is a comma the decimal sign? Then quote such cells, or divide the columns by semicolons"
COMMENT = re.compile(r"\s*(#|%|//)")


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
    sample: str,
    delimiter: str | None = None,
    header: Literal["numbered"] | Sequence[str] | None = None,
    needed: Sequence[str] = (),
) -> Layout:
    """The layout of a text, of its beginning.

    Args:
        sample: whole lines.
        delimiter: where it is known.
        header: names of the columns of a text that has none; "numbered": c1, c2, ...
        needed: names of which most are probably in the header.
    """
    lines = re.split(r"\r\n|\n|\r", sample, maxsplit=5 * LINES)[: 5 * LINES]
    places = [i for i, line in enumerate(lines) if line.strip() and not COMMENT.match(line)]
    if places and (told := re.fullmatch(r'"?sep=(.)"?', lines[places[0]].strip(), re.IGNORECASE)):  # a line for Excel
        delimiter, places = delimiter or told[1], places[1:]
    places = places[:LINES]
    body = [lines[i] for i in places]
    if not body:
        raise FulmenError("there is no line of a table")
    delimiter = delimiter or delimiter_of(body, needed)
    rows = [cells_of(line, delimiter) for line in body]
    if header == NUMBERED:
        header = [f"c{i}" for i in range(1, _width(rows) + 1)]
    if header is not None:
        first = _first_even(rows, len(header))
        return Layout(delimiter, list(header), [], places[first], None, body[:first], len(header))
    return _with_header(lines, places, rows, delimiter, needed)


def refuse_undivided(sample: str, delimiter: str | None, key: str) -> None:
    """Pass unless no line has the delimiter that was said, and another one divides the names and the rows alike.

    Raises:
        FulmenError: so it is; with the override for the other one.
    """
    lines = [line for line in re.split(r"\r\n|\n|\r", sample)[:LINES] if line.strip() and not COMMENT.match(line)]
    if delimiter is None or len(lines) < 2 or any(len(cells_of(line, delimiter)) > 1 for line in lines):
        return
    other = delimiter_of(lines)
    if len(cells_of(lines[0], other)) == len(cells_of(lines[-1], other)) > 1:
        raise FulmenError(
            f"no line is divided by {word_for(delimiter)}; {override(f'{key}.delimiter', word_for(other))} divides them"
        )


def cells_of(line: str, delimiter: str) -> list[str]:
    """The cells of one line, without blanks around them."""
    if delimiter == " ":
        line = " ".join(line.split())
    try:
        return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), [])]
    except csv.Error as error:
        raise FulmenError(f"the line {line[:40]!r}…: {error}; is the file a table in text?") from None


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


def _width(rows: Sequence[Sequence[str]]) -> int:
    """Number of cells that most rows have, titles aside."""
    return max(Counter(map(len, rows[len(rows) // 4 :])).items(), key=lambda each: (each[1], each[0]))[0]


def _first_even(rows: Sequence[Sequence[str]], width: int) -> int:
    return next((i for i, row in enumerate(rows) if len(row) == width), 0)


def _with_header(
    lines: Sequence[str], places: Sequence[int], rows: list[list[str]], delimiter: str, needed: Sequence[str]
) -> Layout:
    width = _width(rows)
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
    names, width = completed(names, rows[begins:], width, delimiter)
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


def turned(sample: str, layout: Layout, needed: Sequence[str]) -> bool:
    """Whether names that are wanted stand in the first column, one below the other, and not in the header."""
    known = {plain(name) for name in needed}
    there = len(known & set(map(plain, layout.header or [])))
    if 2 * there >= len(known):
        return False
    lines = [line for line in re.split(r"\r\n|\n|\r", sample)[:LINES] if line.strip()]
    first = {plain(cells[0]) for line in lines if (cells := cells_of(line, layout.delimiter))}
    return len(known & first) > max(1, there)
