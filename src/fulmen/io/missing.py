"""Columns of cells, and the marks that people and programs write where a value is missing."""

from collections.abc import Sequence
from typing import Any, TypeAlias

import pandas as pd

Cells: TypeAlias = "pd.Series | list[Any]"

COMMON = frozenset({"", "na", "nan", "null", "none", "n/a"})  # so common that nobody needs to be told
MARKS = COMMON | {
    "<na>", "#n/a", "#n/a n/a", "#na", "#nv", "nat", "n.a.", "missing", "(null)", "\\n", "-", "--", "---", "–", "—",
    "?", ".", "..", "-nan", "+nan", "nan(ind)", "-nan(ind)", "1.#qnan", "-1.#qnan", "1.#ind", "-1.#ind",
}  # in small letters  # fmt: skip


def as_series(values: Cells) -> pd.Series:
    """A column as numpy or pandas hold it; one that Arrow holds becomes objects."""
    if not isinstance(values, pd.Series):
        return pd.Series(values, dtype=object)
    return values.astype(object) if isinstance(values.dtype, pd.ArrowDtype) else values


def marks_of(further: Sequence[str | float] | None) -> frozenset[str]:
    """Every text that marks a missing value, in small letters; `further` are those that an option names."""
    return MARKS | {plain_mark(mark) for mark in further or ()}


def plain_mark(cell: Any) -> str:
    """A cell as `marks_of` has it."""
    return str(cell).strip().casefold()
