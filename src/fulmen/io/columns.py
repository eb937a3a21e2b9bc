"""One column on its way to numbers: what is a number already, what is missing, what has to be looked at."""

from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from fulmen.io.forms import Form, form_of
from fulmen.io.missing import Cells, as_series, plain_mark


@dataclass
class Column:
    """A column of N cells.

    Attributes:
        number: float64 [N], NaN where a cell is no plain number.
        odd: positions of the cells that are neither numbers nor marks of a missing value [K].
        gap: positions of those that are marked as missing [M].
        marks: how often each mark stands there, in small letters.
        texts: the distinct texts of its cells, in order, once `look` was called.
        place: position of the first cell of each text.
        code: the text of each cell, -1 where it is none [N].
        forms: of each text; None where it holds no number.
    """

    name: str
    cells: Cells
    number: np.ndarray
    odd: np.ndarray
    gap: np.ndarray
    marks: Counter[str]
    texts: list[str] = field(default_factory=list)
    place: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    code: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    forms: list[Form | None] = field(default_factory=list)

    @property
    def holds_texts(self) -> bool:
        return isinstance(self.cells, list) or not pd.api.types.is_any_real_numeric_dtype(self.cells.dtype)

    def look(self, marks: Collection[str]) -> None:
        """Find the form of every text."""
        series = as_series(self.cells)
        is_text = series.map(lambda cell: type(cell) is str).to_numpy(dtype=bool)
        where = np.flatnonzero(is_text)
        code, texts = pd.factorize(series.iloc[where].to_numpy(dtype=object))
        self.texts = [str(text) for text in texts]
        self.place = where[np.unique(code, return_index=True)[1]]
        self.code = np.full(len(series), -1)
        self.code[where] = code
        self.forms = [None if plain_mark(text) in marks else form_of(text) for text in self.texts]


def column(name: str, cells: Cells, marks: Collection[str]) -> Column:
    number = as_numbers(cells)
    unread = np.flatnonzero(np.isnan(number))
    counts: Counter[str] = Counter()
    odd: list[int] = []
    if len(unread):
        series = as_series(cells)
        empty = series.iloc[unread].isna().to_numpy(dtype=bool)
        counts[""] = int(empty.sum())
        for position, cell in zip(unread[~empty].tolist(), series.iloc[unread[~empty]].tolist(), strict=True):
            mark = plain_mark(cell)
            if mark in marks:
                counts[mark] += 1
            else:
                odd.append(position)
    return Column(name, cells, number, np.array(odd, dtype=np.int64), np.setdiff1d(unread, odd), counts)


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
    if series.dtype.kind in "mMc":
        return np.full(len(series), np.nan)
    read = pd.to_numeric(series, errors="coerce")
    plain = isinstance(read.dtype, np.dtype)
    number = read.to_numpy(dtype=np.float64, copy=True, **({} if plain else {"na_value": np.nan}))
    if series.dtype == object and not isinstance(cells, list):
        may_be = np.flatnonzero((number == 0) | (number == 1))
        number[[at for at in may_be.tolist() if isinstance(series.iat[at], bool | np.bool_)]] = np.nan
    return number
