"""From the cells of a column to numbers, level numbers, labels or hours; messages name the column and the row.

A column is a pandas Series, or a list of plain values; a list of nothing but numbers takes the short way, since pandas
costs a table of one row more than its prediction.
"""

import re
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError

MISSING = "data.missing=true lets readings be missing"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{3}|\.\d{6})?)?(Z|[+-]\d\d:\d\d)?")
EMPTY = ("", "na", "nan", "null", "none", "n/a")

Cells: TypeAlias = "pd.Series | list[Any]"


class Where:
    """`source, row 7, column x`"""

    def __init__(self, source: str, line: np.ndarray):
        self.source, self.line = source, line

    def __call__(self, position: int, column: str) -> str:
        return f"{self.source}, row {self.line[position]}, column {column}"


class InRecords(Where):
    """`rows[7].x`, of values in memory."""

    def __call__(self, position: int, column: str) -> str:
        return f"{self.source}[{self.line[position]}].{column}"


def as_series(values: Cells) -> pd.Series:
    return values if isinstance(values, pd.Series) else pd.Series(values, dtype=object)


def texts(values: Cells, name: str, where: Where, needed: bool = False) -> np.ndarray:
    text = as_series(values).map(lambda value: "" if pd.isna(value) else str(value).strip()).to_numpy(dtype=object)
    if needed:
        empty = np.flatnonzero(text == "")
        if len(empty):
            raise FulmenError(f"{where(empty[0], name)}: empty; every row needs one")
    return text.astype(str)


def numbers(values: Cells, name: str, where: Where, missing: bool, hint: str = MISSING) -> np.ndarray:
    """The numbers of a column, NaN where one is missing; `hint` says what to do if that may not be."""
    number = as_numbers(values)
    for position in np.flatnonzero(np.isnan(number)).tolist():
        cell = as_series(values).iloc[position]
        text = str(cell).strip()
        if cell is not None and text.lower() not in EMPTY:
            point = "; write a decimal point" if "," in text and _is_number(text.replace(",", ".")) else ""
            raise FulmenError(f"{where(position, name)}: {text!r} is no number{point}")
        if not missing:
            raise FulmenError(f"{where(position, name)}: the value is missing; {hint}")
    infinite = np.flatnonzero(np.isinf(number))
    if len(infinite):
        raise FulmenError(
            f"{where(infinite[0], name)}: {as_series(values).iloc[infinite[0]]} is infinite; leave the cell empty if "
            f"the reading is missing"
        )
    return number


def as_numbers(values: Cells) -> np.ndarray:
    """float64 [N], NaN where a cell holds no number."""
    if isinstance(values, list):
        if all(type(value) is float or type(value) is int for value in values):
            try:
                return np.array(values, dtype=np.float64)
            except OverflowError:  # a whole number of hundreds of digits
                return np.array([float(str(value)) for value in values])
        values = [str(value) if isinstance(value, bool) else value for value in values]  # true is no number
    return pd.to_numeric(as_series(values), errors="coerce").to_numpy(dtype=np.float64, copy=True)


def _hours(time: datetime) -> float:
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH).total_seconds() / 3600


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def levels(
    values: Cells, name: str, levels: Sequence[str], where: Where, missing: bool, hint: str = MISSING
) -> np.ndarray:
    """The numbers of a column's levels, -1 where one is missing; `hint` as in `numbers`."""
    numbers = {str(level): i for i, level in enumerate(levels)}
    if isinstance(values, list) and all(type(value) is str and value in numbers for value in values):
        return np.array([numbers[value] for value in values], dtype=np.int64)
    text = texts(values, name, where)
    unknown = np.flatnonzero(~np.isin(text, list(numbers)) & ~np.isin(np.char.lower(text), EMPTY))
    if len(unknown):
        raise FulmenError(
            f"{where(unknown[0], name)}: {str(text[unknown[0]])!r} is none of its levels, "
            f"{', '.join(map(str, levels))}; the column has {', '.join(sorted(set(text))[:10])}"
        )
    number = np.array([numbers.get(value, -1) for value in text], dtype=np.int64)
    if not missing and (number < 0).any():
        raise FulmenError(f"{where(int((number < 0).argmax()), name)}: the value is missing; {hint}")
    return number


def labels(values: Cells, column: str, labels: Sequence, where: Where) -> np.ndarray:
    text = texts(values, column, where, needed=True)
    numbers = {str(label): i for i, label in enumerate(labels)}
    number = np.array([numbers.get(value, numbers.get(value.removesuffix(".0"), -1)) for value in text], dtype=np.int64)
    if (number < 0).any():
        bad = int((number < 0).argmax())
        raise FulmenError(
            f"{where(bad, column)}: {str(text[bad])!r} is none of the labels "
            f"{', '.join(map(str, labels))}; the column has "
            f"{', '.join(sorted(set(text))[:10])}: data.labels=[...]"
        )
    return number


def hours(values: Cells, name: str, where: Where) -> np.ndarray:
    """Numbers, as the first row has one, are hours; texts are ISO times, hours since 1970."""
    if _is_number(str(values[0] if isinstance(values, list) else values.iloc[0])):
        return numbers(values, name, where, missing=False, hint="every row needs its time")
    if isinstance(values, list) and all(type(value) is str and TIME.fullmatch(value) for value in values):
        with suppress(ValueError):  # there is no 31st of April
            return np.array([_hours(datetime.fromisoformat(value)) for value in values])
    cells = as_series(values)
    time = pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601")
    if time.isna().any():
        bad = int(time.isna().to_numpy().argmax())
        raise FulmenError(
            f"{where(bad, name)}: {str(cells.iloc[bad])!r} is no time; "
            f"write it as 2024-01-31T14:00, or as a number of hours in every row"
        )
    return (time - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy() / 3600
