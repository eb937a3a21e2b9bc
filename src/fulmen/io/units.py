"""Signs of currency, percent, K/M/B/T: one unit a column, or both cells are named."""

import re
from collections.abc import Sequence

from fulmen.errors import FulmenError
from fulmen.io.columns import Column
from fulmen.io.forms import Form
from fulmen.io.taken import Guess, listed
from fulmen.io.where import Where

KELVIN = re.compile(r"temp|kelvin|(^|_)t(_?k)?$|_k$", re.IGNORECASE)


def check_units(column: Column, where: Where) -> None:
    """Pass if all numbers of a column have one unit, or none has.

    Raises:
        FulmenError: two cells differ, or K may be kelvin.
    """
    first: tuple[str, int, str] | None = None
    for text, form, place in zip(column.texts, column.forms, column.place.tolist(), strict=True):
        if form is None:
            continue
        if first is None:
            first = form.unit, place, text
        elif form.unit != first[0]:
            raise FulmenError(
                f"{where(place, column.name)}: {text!r} and {first[2]!r}, {where(first[1], column.name)}, differ in "
                f"their unit; a column has one"
            )
    in_kelvin = [form.scale == "K" for form in column.forms if form]
    if in_kelvin and all(in_kelvin) and KELVIN.search(column.name):
        raise FulmenError(
            f"{where(int(column.place[0]), column.name)}: {column.texts[0]!r} may be kelvin or thousands; write the "
            f"number alone"
        )


def told_units(columns: Sequence[Column], decimal: str) -> list[Guess]:
    """What was made of units, by columns that share it."""
    told: dict[str, list[str]] = {}
    for column in columns:
        for what in _made_of(column, decimal):
            told.setdefault(what, []).append(column.name)
    return [Guess(f"{what} in {listed(names)}") for what, names in told.items()]


def _made_of(column: Column, decimal: str) -> list[str]:
    found = [(text, form) for text, form in zip(column.texts, column.forms, strict=True) if form]
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
