"""Which line of a table holds its names, and what else stands there."""

import re
from collections.abc import Sequence
from datetime import datetime

from fulmen.io.hints import override
from fulmen.io.missing import MARKS
from fulmen.io.names import plain
from fulmen.io.options import NUMBERED
from fulmen.io.stamps import stamp_of

MOST_NAMES = 12  # that a message lists
NUMERIC = re.compile(
    r"[-+(]?[$€£¥]?\s*[-+]?(\d[\d.,'’ \u00a0\u202f]*|[.,]\d+)(e[-+]?\d+)?\s*[%KMBT$€£¥)]?", re.IGNORECASE
)
DATE = re.compile(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}([T ].*)?")


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
    filled = [names[i] for i in numbers if names[i].lower() not in MARKS]
    if filled and all(map(is_number, filled)):
        return len(numbers) > 2 and filled in [[str(i) for i in range(b, b + len(numbers))] for b in (0, 1)]
    return any(name.lower() not in MARKS and not is_number(name) for name in names)


def more_header_of(rows: Sequence[Sequence[str]]) -> list[list[str]]:
    """Lines below the names without a number, where the rows after them have some."""
    found: list[list[str]] = []
    for i, row in enumerate(rows[:3]):
        below = rows[i + 1 : i + 40]
        numbers = [k for k in range(len(row)) if _numeric_column([each[k] for each in below if k < len(each)])]
        words = [row[k] for k in numbers if row[k]]
        if not numbers or not below or any(map(is_number, row)) or any(is_date(cell) for cell in row):
            break
        if any(word.lower() in MARKS for word in words) or (not words and not any(row)):
            break  # values that are missing, or an empty line
        if not words and not (found or any(is_date(each[0]) for each in below[:1] if each)):
            break
        found.append(list(row))
    return found


def completed(names: list[str], rows: Sequence[Sequence[str]], width: int, delimiter: str) -> tuple[list[str], int]:
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
    filled = [cell for cell in cells if cell.lower() not in MARKS]
    return len(filled) > 0 and all(map(is_number, filled))


def headless(what: str, width: int, key: str) -> str:
    """That no line or row holds names, and how to give them."""
    names = [f"c{i}" for i in range(1, width + 1)] if width <= MOST_NAMES else NUMBERED
    return (
        f"there is no {what} with the names of the {width} columns; give them, or number them: "
        f"{override(f'{key}.header', names)}"
    )
