"""Signs of currency, percent, K/M/B/T: one unit a column, or both cells are named."""

import re
from collections.abc import Sequence

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.columns import Column
from fulmen.io.forms import Form
from fulmen.io.taken import Guess, listed
from fulmen.io.where import Where

KELVIN = re.compile(r"temp|kelvin|(^|_)t\d*(_?k)?$|_k$", re.IGNORECASE)
KELVINS = (150, 1500)  # where temperatures lie, the highest not half as high again as the lowest


def check_units(column: Column, where: Where) -> None:
    """Pass if all numbers of a column have one unit, or none has.

    Raises:
        FulmenError: two cells differ, or K may be kelvin.
    """
    first: tuple[str, int, str] | None = None
    for text, form, place in column.kinds:
        if first is None:
            first = form.unit, place, text
        elif form.unit != first[0]:
            raise FulmenError(
                f"{where(place, column.name)}: {text!r} and {first[2]!r}, {where(first[1], column.name)}, differ in "
                f"their unit; a column has one"
            )
    if column.kinds and all(kind.form.scale == "K" for kind in column.kinds) and _may_be_kelvin(column):
        text, _, place = column.kinds[0]
        raise FulmenError(f"{where(place, column.name)}: {text!r} may be kelvin or thousands; write the number alone")


def _may_be_kelvin(column: Column) -> bool:
    known = column.readings[~np.isnan(column.readings)] / 1000
    alike = len(known) > 2 and KELVINS[0] <= known.min() and known.max() <= min(KELVINS[1], 1.5 * known.min())
    return bool(KELVIN.search(column.name)) or bool(alike)


def told_units(columns: Sequence[Column], decimal: str) -> list[Guess]:
    """What was made of units, by columns that share it."""
    told: dict[str, list[str]] = {}
    for column in columns:
        for what in _made_of(column, decimal):
            told.setdefault(what, []).append(column.name)
    return [Guess(f"{what} in {listed(names)}") for what, names in told.items()]


def _made_of(column: Column, decimal: str) -> list[str]:
    found = [(kind.text, kind.form) for kind in column.kinds]
    said = []
    unit = next((form.unit for _, form in found if form.unit), "")
    if unit == "%":
        said.append("percent, 5% read as 5,")
    elif unit:
        said.append(f"sign {unit} read as a currency")
    for scale in dict.fromkeys(form.scale for _, form in found if form.scale):
        text, form = next((text, form) for text, form in found if form.scale == scale)
        said.append(f"{text} read as {_as_text(form, decimal)}")
    if turned := next(((text, form) for text, form in found if form.turned), None):
        said.append(f"{turned[0]} read as {_as_text(turned[1], decimal)}")
    return said


def _as_text(form: Form, decimal: str) -> str:
    value = form.value(decimal)
    return f"{value:.15g}"
