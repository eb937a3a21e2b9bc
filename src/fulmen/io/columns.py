"""One column on its way to numbers: what is a number already, what is missing, what has to be looked at."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from fulmen.io.forms import COMMA, POINT, Form, cleaned, form_of, unwrapped
from fulmen.io.missing import Cells, as_series, plain_mark

LARGEST = 1e300
SHAPE = str.maketrans("012345678", "999999999")


class Kind(NamedTuple):
    """Cells that differ in their digits alone, by the first of them."""

    text: str
    form: Form
    place: int


@dataclass
class Column:
    """A column of N cells.

    Attributes:
        number: float64 [N], NaN where a cell is no plain number.
        odd: positions of the cells that are neither numbers nor marks of a missing value [K].
        marks: how often each mark of a missing value stands there, in small letters.
        kinds: of the texts that hold a number, once `look` was called.
        readings: float64 [2, N]: what a text is with a decimal point and with a comma, NaN where that is no number.
    """

    name: str
    cells: Cells
    number: np.ndarray
    odd: np.ndarray
    marks: Counter[str]
    kinds: list[Kind] = field(default_factory=list)
    readings: np.ndarray = field(default_factory=lambda: np.empty((2, 0)))

    @property
    def holds_texts(self) -> bool:
        return isinstance(self.cells, list) or not pd.api.types.is_any_real_numeric_dtype(self.cells.dtype)

    def look(self, marks: Collection[str]) -> None:
        """Find the kinds of its texts and their readings."""
        self.readings = np.full((2, len(self.number)), np.nan)
        shapes: dict[str, list[int]] = {}
        cells = [cleaned(cell) if isinstance(cell, str) else "" for cell in as_series(self.cells).tolist()]
        for place, cell in enumerate(cells):
            shapes.setdefault(cell.translate(SHAPE), []).append(place)
        for shape, places in shapes.items():
            digit = shape.find("9")
            if digit < 0:
                alike = [[place] for place in places if cells[place] and plain_mark(cells[place]) not in marks]
            else:  # 0,123 is read otherwise than 1,123
                begin_with_0 = [place for place in places if cells[place][digit] == "0"]
                others = [place for place in places if cells[place][digit] != "0"] if begin_with_0 else places
                alike = [each for each in (begin_with_0, others) if each]
            for each in alike:
                self._add(cells, each)
        self.kinds.sort(key=lambda kind: kind.place)

    def _add(self, cells: list[str], places: list[int]) -> None:
        form = form_of(cells[places[0]])
        if form is None:
            return
        self.kinds.append(Kind(cells[places[0]], form, places[0]))
        texts = [cells[place] for place in places]
        for i, decimal in enumerate((POINT, COMMA)):
            if form.digits[i] is not None:
                self.readings[i, places] = form.values_of(texts, decimal) if form.span[1] else form.value(decimal)


def column(name: str, cells: Cells, marks: Collection[str]) -> Column:
    number = as_numbers(cells)
    unread = np.flatnonzero(np.isnan(number))
    counts: Counter[str] = Counter()
    odd = np.empty(0, dtype=np.int64)
    if len(unread):
        kinds, texts = _distinct(as_series(cells).iloc[unread])
        plain = [plain_mark(unwrapped(cleaned(str(text)))) for text in texts]
        for mark, count in zip(plain, np.bincount(kinds[kinds >= 0], minlength=len(plain)).tolist(), strict=True):
            if mark in marks:
                counts[mark] += count
        is_odd = np.array([mark not in marks for mark in plain] + [False])  # a cell without a value has number -1
        odd = unread[is_odd[kinds]]
    return Column(name, cells, number, odd, counts)


def _distinct(cells: pd.Series) -> tuple[np.ndarray, Sequence[Any]]:
    """Number of each cell's value, -1 where it has none, and the values."""
    try:
        return pd.factorize(cells.to_numpy(dtype=object))
    except TypeError:  # lists
        return pd.factorize(cells.map(str, na_action="ignore").to_numpy(dtype=object))


def plain_numbers(columns: Mapping[str, Cells]) -> dict[str, np.ndarray] | None:
    """Columns that are lists of finite numbers, as a row to be predicted is; None if one is not."""
    found = {}
    for name, cells in columns.items():
        if not (isinstance(cells, list) and all(type(cell) is float or type(cell) is int for cell in cells)):
            return None
        if not all(abs(cell) < LARGEST for cell in cells):  # nor NaN
            return None
        found[name] = np.array(cells, dtype=np.float64)
    return found


def as_numbers(cells: Cells) -> np.ndarray:
    """float64 [N], NaN where a cell is no plain number; True and dates are none, but a column of truth values is."""
    if isinstance(cells, list):
        if all(type(cell) is float or type(cell) is int for cell in cells):
            try:
                return np.array(cells, dtype=np.float64)
            except OverflowError:  # a whole number of hundreds of digits
                return np.array([float(str(cell)) for cell in cells])
        cells = [str(cell) if isinstance(cell, bool) else cell for cell in cells]  # true is no number
    series = as_series(cells)
    if series.dtype.kind in "mMc" or isinstance(series.dtype, pd.PeriodDtype):
        return np.full(len(series), np.nan)
    read = pd.to_numeric(series, errors="coerce")
    if not isinstance(read.dtype, np.dtype):
        return read.to_numpy(dtype=np.float64, copy=True, na_value=np.nan)
    number = read.to_numpy(dtype=np.float64, copy=True)
    if series.dtype == object:
        may_be = np.flatnonzero((number == 0) | (number == 1))
        objects = series.to_numpy()[may_be].tolist()
        number[may_be[[isinstance(cell, bool | np.bool_) for cell in objects]]] = np.nan
    return number
