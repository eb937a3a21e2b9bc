"""Whether a point or a comma is the decimal sign: one answer for all columns of a file, from what its cells prove."""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.columns import Column
from fulmen.io.forms import COMMA, POINT, Form
from fulmen.io.hints import override
from fulmen.io.missing import as_series
from fulmen.io.where import Where

LOOK = 200  # numbers
FEW = 5  # cells like 1.234 beside whole numbers below 1000, from which on the point may part thousands
PARTED = re.compile(r"\s*[-+]?\d{1,3}\.\d{3}\s*")


class Cell(NamedTuple):
    """A text that holds a number, and where it stands first."""

    text: str
    form: Form
    place: str


def decimal_sign(columns: Sequence[Column], where: Where, wanted: str, key: str, doubt_points: bool = False) -> str:
    """`point` or `comma`.

    Args:
        wanted: what the option says: `point`, `comma`, or `auto`.
        doubt_points: whether 1.234 throughout may be 1234, as in files whose columns are parted by semicolons.

    Raises:
        FulmenError: one cell proves a point and another a comma, a cell has no reading with the sign that is wanted, or
            every cell has two readings.
    """
    point, comma, unsure = _evidence(columns, where)
    if wanted == POINT and comma:
        raise FulmenError(_unlike(comma, point, POINT, key))
    if wanted == COMMA and point:
        raise FulmenError(_unlike(point, comma, COMMA, key))
    if wanted in (POINT, COMMA):
        return wanted
    if point and comma:
        raise FulmenError(
            f"{comma.place}: {comma.text!r} has a decimal comma, but {point.text!r} has a decimal point, "
            f"{point.place}; write all numbers of the file one way"
        )
    if point or comma or not unsure:
        return COMMA if comma else POINT
    as_of_python = ("", "%")  # prices with three decimals are rare
    points_alone = all(cell.form.group[0] != "," and cell.form.unit in as_of_python for cell in unsure)
    if points_alone and not doubt_points and not any(map(_parts_thousands, columns)):
        return POINT  # 1.234 throughout: as Python writes it
    raise FulmenError(_asked(next((cell for cell in unsure if cell.form.group[0]), unsure[0]), key))


def _evidence(columns: Sequence[Column], where: Where) -> tuple[Cell | None, Cell | None, list[Cell]]:
    """The first cell that a point alone lets read, the first that a comma alone does, and one of each column that both
    do, if their numbers differ."""
    point: Cell | None = None
    comma: Cell | None = None
    unsure: list[Cell] = []
    for column in columns:
        doubtful: dict[str, Cell] = {}
        for text, form, place in column.kinds:
            if form.digits[1] is None:
                point = point or Cell(text, form, where(place, column.name))
            elif form.digits[0] is None:
                comma = comma or Cell(text, form, where(place, column.name))
            elif form.group[0] != form.group[1] and form.group[0] not in doubtful and form.two_ways():
                doubtful[form.group[0]] = Cell(text, form, where(place, column.name))
        unsure += doubtful.values()
    return point, comma, unsure


def _unlike(cell: Cell, other: Cell | None, wanted: str, key: str) -> str:
    if other:
        return (
            f"{cell.place}: {cell.text!r} is no number with a decimal {wanted}, as {other.text!r} is, {other.place}; "
            f"write all numbers of the file one way"
        )
    return (
        f"{cell.place}: {cell.text!r} is no number with a decimal {wanted}; "
        f"{override(f'{key}.decimal', COMMA if wanted == POINT else POINT)} reads it"
    )


def _asked(cell: Cell, key: str) -> str:
    readings = [
        f"{override(f'{key}.decimal', sign)} reads {digits}"
        for sign, digits in zip((POINT, COMMA), cell.form.digits, strict=True)
    ]
    return f"{cell.place}: {cell.text!r} has two readings, and no cell of the file says which: {', '.join(readings)}"


def _parts_thousands(column: Column) -> bool:
    """Whether each cell is a whole number below 1000 or like 1.234, and there are both."""
    forms = [kind.form for kind in column.kinds]
    parted = [form.two_ways() and form.group == ("", ".") for form in forms]
    whole = [form.digits[0] == form.digits[1] and form.group == ("", "") for form in forms]
    point, comma = column.readings
    differ = int((point < comma).sum() + (point > comma).sum())
    below = (np.abs(point[point == comma]) < 1000).all()
    return differ >= FEW and any(whole) and all(a or b for a, b in zip(parted, whole, strict=True)) and bool(below)


def may_part_thousands(column: Column, doubt_points: bool = False) -> bool:
    """Whether a column of plain numbers may be one of thousands, by its values: a look at its texts then tells."""
    if not column.holds_texts:
        return False
    first = as_series(column.cells).iloc[:LOOK]
    if any(type(text) is str and "." in text and not PARTED.fullmatch(text) for text in first):
        return False
    for number in (column.number[:LOOK], column.number):  # most columns are told from their first numbers
        number = number[~np.isnan(number)]
        whole = number == np.rint(number)
        parts = number[~whole]
        if (np.abs(number) >= 1000).any() or (np.abs(parts) < 1).any():
            return False
        if (np.abs(parts * 1000 - np.rint(parts * 1000)) > 1e-6).any():
            return False
    return len(parts) > 0 and (doubt_points or (len(parts) >= FEW and bool(whole.any())))
