"""The decimal sign of a table: one for all its numbers, told by those that can be read in one way alone."""

import re
from collections.abc import Mapping, Sequence
from typing import Literal

from fulmen.errors import FulmenError

Decimal = Literal["auto", "point", "comma"]
COMMA_ALONE = re.compile(r"[-+]?(?:\d{1,3}(?:[. ']\d{3})+|\d+),\d+(?:[eE][-+]?\d+)?")
POINT_ALONE = re.compile(r"[-+]?(?:\d{1,3}(?:[, ']\d{3})+|\d*)\.\d+(?:[eE][-+]?\d+)?|[-+]?\d+\.")
THOUSANDS = {sign: re.compile(rf"[-+]?[1-9]\d{{0,2}}(?:\{sign}\d{{3}})+") for sign in ",."}


def decimal_sign(
    where: str, cells: Mapping[str, Sequence[str]], line: Sequence[int], separator: str, said: Decimal = "auto"
) -> tuple[Literal["point", "comma"], str]:
    """The sign, and a sentence where it is not the point or was decided by the table.

    Args:
        where: the file.
        cells: of the columns that hold numbers.
        line: of each row.
        separator: of the cells; a comma between them leaves the point alone for decimals.

    Raises:
        FulmenError: both are there, or a number could be read in two ways.
    """
    if said != "auto":
        return said, ""
    places = {"comma": "", "point": "", ",": "", ".": ""}
    for name, column in cells.items():
        for row, cell in enumerate(column):
            if cell and not cell.isdecimal() and ("," in cell or "." in cell):
                for kind in _kinds(cell):
                    places[kind] = places[kind] or f"line {line[row]}, column {name}: {cell[:40]!r}"
    if places["comma"] and places["point"]:
        raise FulmenError(
            f"{where}: {places['comma']} has a decimal comma and {places['point']} a decimal point; write all numbers "
            f"alike"
        )
    if places["comma"]:
        return "comma", f"{where}: decimal commas are read ({places['comma']})"
    for sign, doubtful in ((",", True), (".", separator == ";")):
        if places[sign] and not places["point"] and doubtful:
            raise FulmenError(
                f"{where}, {places[sign]} could be thousands or have decimals; say --decimal comma or --decimal point"
            )
    return "point", f"{where}: commas part thousands ({places[',']})" if places[","] else ""


def as_python(cell: str, decimal: str) -> str:
    """A number as Python reads it."""
    group, sign = (".", ",") if decimal == "comma" else (",", ".")
    whole, _, rest = cell.partition(sign)
    if re.fullmatch(rf"[-+]?\d{{1,3}}(?:[{re.escape(group)} ']\d{{3}})+", whole):
        whole = re.sub(rf"[{re.escape(group)} ']", "", whole)
    return f"{whole}.{rest}" if sign in cell else whole


def _kinds(cell: str) -> list[str]:
    """Signs that a number says it has: a decimal one for certain, or one that could part thousands too."""
    doubtful = [sign for sign, form in THOUSANDS.items() if form.fullmatch(cell)]
    if doubtful:
        return doubtful if cell.count(doubtful[0]) == 1 else []
    found = ["comma"] if COMMA_ALONE.fullmatch(cell) else []
    return found + (["point"] if POINT_ALONE.fullmatch(cell) else [])
