"""From the cells of columns to numbers, a whole file at a time: a number is read wholly, or its cell is named.

Columns of plain numbers take the short way, `pandas.to_numeric`. Where a cell is no plain number, all cells are looked
at: they say together which sign is the decimal one, and each column has one unit.
"""

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype

from fulmen.errors import FulmenError
from fulmen.io.columns import Column, column, plain_numbers
from fulmen.io.decimals import decimal_sign, may_part_thousands
from fulmen.io.forms import COMMA, POINT, cleaned, form_of, unwrapped
from fulmen.io.hints import override
from fulmen.io.missing import COMMON, Cells, as_series, marks_of
from fulmen.io.options import TableOptions
from fulmen.io.taken import Guess, listed
from fulmen.io.units import check_units, told_units
from fulmen.io.where import Where

AS_FOUND = TableOptions()
NAMES = {",": "comma", ".": "point", " ": "space", "'": "apostrophe"}
NO_NUMBER = {"nan": np.nan, "inf": np.inf, "infinity": np.inf}
TRUTH = re.compile("true|false|yes|no|on|off", re.IGNORECASE)
BEHIND = re.compile(r"[-+]?[\d.,]*\d\s*([^\W\d_][\w/²³%]*|[°µμΩ]\w*)")


def read_numbers(
    columns: Mapping[str, Cells],
    where: Where,
    options: TableOptions = AS_FOUND,
    key: str = "data",
    missing: bool = True,
    hint: str = "",
    strict: bool = False,
    infinite: bool = False,
    delimiter: str | None = None,
) -> tuple[dict[str, np.ndarray], list[Guess]]:
    """The numbers of columns, float64 [N] each, NaN where one is missing; and what was decided about them.

    Args:
        columns: all columns of a file that hold numbers: they have one decimal sign.
        where: names a cell in a message.
        key: what stands before the name of an option in an override.
        missing: whether a number may be missing; `hint` says what to do if not.
        strict: plain numbers alone are numbers, as in records of JSON.
        infinite: whether a number may be infinite.
        delimiter: of the file; semicolons are written where the comma is the decimal sign, so that 1.234 may be 1234.

    Raises:
        FulmenError: a cell is no number, missing or infinite where it may not be, or has two readings.
    """
    if not options.missing_values and (plain := plain_numbers(columns)) is not None:
        return plain, []
    marks = COMMON if strict else marks_of(options.missing_values)
    found = [column(name, cells, marks) for name, cells in columns.items()]
    guesses: list[Guess] = []
    if strict:
        for each in found:
            _refuse_odd(each, where, options, key, missing)
    elif _needs_a_look(found, options, delimiter == ";"):
        guesses = _looked_at(found, where, options, key, missing, delimiter == ";")
    guesses += [*_told_marks(found), *_told_truth(found)]
    for each in found:
        _drop_marked(each, options)
        _check(each, where, missing, hint, infinite)
    return {each.name: each.number for each in found}, guesses


def number(text: str, decimal: str = "auto") -> float | None:
    """The number that a cell of its own holds; None if it holds none, or has two readings, as `1,234` has.

    `0.5`, `0,693`, `4,100.0`, `50%` (50), `1.5f`, `tensor(0.5, device='cuda:0')`, `nan` and `inf` are numbers; a cell
    with any other unit is none. Many cells of one column belong to `read_numbers`, where each helps to read the others.

    Args:
        decimal: `point`, `comma`, or `auto`: what the cell itself proves; a point alone is a decimal one.
    """
    text = cleaned(text)
    plain = unwrapped(text).lower().lstrip("+-")
    if plain in NO_NUMBER:
        return -NO_NUMBER[plain] if text.startswith("-") else NO_NUMBER[plain]
    found = form_of(text)
    if found is None or found.unit not in ("", "%") or found.scale or found.turned:
        return None
    if decimal == "auto":
        if found.two_ways() and found.group[0] == ",":
            return None
        decimal = COMMA if found.digits[0] is None else POINT
    return found.value(decimal)


def _needs_a_look(columns: list[Column], options: TableOptions, doubt_points: bool) -> bool:
    if any(len(each.odd) for each in columns):
        return True
    if options.decimal == COMMA:
        texts = (cell for each in columns if each.holds_texts for cell in as_series(each.cells).tolist())
        return any("." in cell for cell in texts if isinstance(cell, str))
    return options.decimal != POINT and any(may_part_thousands(each, doubt_points) for each in columns)


def _looked_at(
    columns: list[Column], where: Where, options: TableOptions, key: str, missing: bool, doubt_points: bool
) -> list[Guess]:
    """Fill in the numbers of texts, by one decimal sign; what was decided."""
    texts = [each for each in columns if each.holds_texts]
    marks = marks_of(options.missing_values)
    for each in columns:
        if each in texts:
            each.look(marks)
        _refuse_odd(each, where, options, key, missing)
        check_units(each, where)
    decimal = decimal_sign(texts, where, options.decimal, key, doubt_points)
    for each in texts:
        read = each.readings[int(decimal == COMMA)]
        np.copyto(each.number, read, where=~np.isnan(read))
    return [*_told_sign(texts, decimal, key), *told_units(texts, decimal)]


def _refuse_odd(each: Column, where: Where, options: TableOptions, key: str, missing: bool) -> None:
    """Raise for the first cell that is no number."""
    odd = each.odd
    if each.readings.size:
        odd = odd[np.isnan(each.readings[:, odd]).all(axis=0)]
    if len(odd):
        text = str(as_series(each.cells).iat[odd[0]]).strip()
        advice = _advice(text, each, options, key, missing)
        raise FulmenError(f"{where(int(odd[0]), each.name)}: {text[:60]!r} is no number{advice}")


def _advice(text: str, each: Column, options: TableOptions, key: str, missing: bool) -> str:
    if key == "" or len(text) > 60:
        return ""
    if not each.readings.size:  # nothing but plain numbers is read
        known = form_of(text)
        return "; write a decimal point" if known and known.digits[1] and "," in text else ""
    if text.startswith("#") and text[-1] in "!?":
        return ": a formula of the spreadsheet failed; mend it, or leave the cell empty"
    if unit := BEHIND.fullmatch(text):
        return f": {unit[1]} is no unit that is known here; write the number alone"
    read = ~np.isnan(each.number) if not each.kinds else ~np.isnan(each.readings).all(axis=0)
    if not missing or read.mean() < 0.5 or TRUTH.fullmatch(text) or any(map(str.isdigit, text)):
        return ""
    marks = [*(options.missing_values or []), text]
    return f"; if it marks a missing value: {override(f'{key}.missing_values', marks)}"


def _check(each: Column, where: Where, missing: bool, hint: str, infinite: bool) -> None:
    if not missing:
        gap = np.flatnonzero(np.isnan(each.number))
        if len(gap):
            raise FulmenError(f"{where(int(gap[0]), each.name)}: the value is missing{'; ' if hint else ''}{hint}")
    if infinite:
        return
    beyond = np.flatnonzero(np.isinf(each.number))
    if len(beyond):
        text = str(as_series(each.cells).iat[beyond[0]])
        raise FulmenError(
            f"{where(int(beyond[0]), each.name)}: {text[:60]} is infinite; leave the cell empty if the "
            f"reading is missing"
        )


def _drop_marked(each: Column, options: TableOptions) -> None:
    """Numbers that the option calls missing."""
    for mark in options.missing_values or ():
        value = mark if isinstance(mark, int | float) else number(mark, POINT)
        if value is not None and not np.isnan(value):
            each.number[each.number == value] = np.nan


def _told_marks(columns: list[Column]) -> list[Guess]:
    told: dict[str, list[str]] = {}
    for each in columns:
        for mark, count in each.marks.items():
            if mark not in COMMON:
                told.setdefault(mark, []).append(f"{each.name} ({count} {'cell' if count == 1 else 'cells'})")
    return [Guess(f"{mark!r} is a missing value in {listed(names)}") for mark, names in told.items()]


def _told_truth(columns: list[Column]) -> list[Guess]:
    names = [each.name for each in columns if isinstance(each.cells, pd.Series) and is_bool_dtype(each.cells.dtype)]
    return [Guess(f"true as 1 and false as 0 in {listed(names)}")] if names else []


def _told_sign(columns: list[Column], decimal: str, key: str) -> list[Guess]:
    told: dict[str, list[str]] = {"decimal comma": []}
    for each in columns:
        forms = [kind.form for kind in each.kinds]
        if decimal == COMMA and any("." in (form.digits[1] or "") for form in forms):
            told["decimal comma"].append(each.name)
        for group in {form.group[decimal == COMMA] for form in forms} - {""}:
            told.setdefault(f"{NAMES[group]} between thousands", []).append(each.name)
    choice = override(f"{key}.decimal", decimal)
    return [Guess(f"{what} in {listed(names)}", choice) for what, names in told.items() if names]
