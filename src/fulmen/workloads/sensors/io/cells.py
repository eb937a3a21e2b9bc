"""From the cells of a column to numbers, level numbers, labels or hours; messages name the column and the row."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError

MISSING = "data.missing=true lets readings be missing"
EMPTY = ("", "na", "nan", "null", "none", "n/a")


class Where:
    """`source, row 7, column x`"""

    def __init__(self, source: str, line: np.ndarray):
        self.source, self.line = source, line

    def __call__(self, position: int, column: str) -> str:
        return f"{self.source}, row {self.line[position]}, column {column}"


def texts(values: pd.Series, where: Where, needed: bool = False) -> np.ndarray:
    text = values.map(lambda value: "" if pd.isna(value) else str(value).strip()).to_numpy(dtype=object)
    if needed:
        empty = np.flatnonzero(text == "")
        if len(empty):
            raise FulmenError(f"{where(empty[0], values.name)}: empty; every row needs one")
    return text.astype(str)


def numbers(values: pd.Series, where: Where, missing: bool, hint: str = MISSING) -> np.ndarray:
    """The numbers of a column, NaN where one is missing; `hint` says what to do if that may not be."""
    number = pd.to_numeric(values, errors="coerce").to_numpy(dtype=np.float64, copy=True)
    for position in np.flatnonzero(np.isnan(number)).tolist():
        text = str(values.iloc[position]).strip()
        if values.iloc[position] is not None and text.lower() not in EMPTY:
            point = "; write a decimal point" if "," in text and _is_number(text.replace(",", ".")) else ""
            raise FulmenError(f"{where(position, values.name)}: {text!r} is no number{point}")
        if not missing:
            raise FulmenError(f"{where(position, values.name)}: the value is missing; {hint}")
    infinite = np.flatnonzero(np.isinf(number))
    if len(infinite):
        raise FulmenError(
            f"{where(infinite[0], values.name)}: {values.iloc[infinite[0]]} is infinite; leave the cell empty if the "
            f"reading is missing"
        )
    return number


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def levels(
    values: pd.Series, name: str, levels: Sequence[str], where: Where, missing: bool, hint: str = MISSING
) -> np.ndarray:
    """The numbers of a column's levels, -1 where one is missing; `hint` as in `numbers`."""
    numbers = {str(level): i for i, level in enumerate(levels)}
    text = texts(values, where)
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


def labels(values: pd.Series, column: str, labels: Sequence, where: Where) -> np.ndarray:
    text = texts(values, where, needed=True)
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


def hours(values: pd.Series, where: Where) -> np.ndarray:
    """Numbers, as the first row has one, are hours; texts are ISO times, hours since 1970."""
    if _is_number(str(values.iloc[0])):
        return numbers(values, where, missing=False, hint="every row needs its time")
    time = pd.to_datetime(values, errors="coerce", utc=True, format="ISO8601")
    if time.isna().any():
        bad = int(time.isna().to_numpy().argmax())
        raise FulmenError(
            f"{where(bad, values.name)}: {str(values.iloc[bad])!r} is no time; "
            f"write it as 2024-01-31T14:00, or as a number of hours in every row"
        )
    return (time - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy() / 3600
