"""Values that are not what they look like: one machine under two names, a number that stands for no reading."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.hints import override, overrides
from fulmen.io.identity import look_alikes, sentinel
from fulmen.io.taken import Guess, listed
from fulmen.io.where import Where

Alike = Literal["ask", "one", "apart"]


def one_name_each(
    names: np.ndarray, column: str, where: Where, alike: Alike, key: str = "data"
) -> tuple[np.ndarray, list[Guess]]:
    """Names of machines [N], of which no two look like one; and what was decided.

    Args:
        alike: what machines are whose names differ in case, blanks or how a number is written alone: "one", "apart",
            or "ask".

    Raises:
        FulmenError: there are such names, and nobody has said what they are.
    """
    found = look_alikes(names.tolist()) if alike != "apart" else []
    if not found:
        return names, []
    if alike == "one":
        one = {other: pair.names[0] for pair in found for other in pair.names[1:]}
        said = [Guess(f"{', '.join(pair.names[1:])} is {column} {pair.names[0]}") for pair in found]
        return np.array([one.get(name, name) for name in names.tolist()]), said
    first = found[0]
    place = int((names == first.names[-1]).argmax())
    more = f" ({len(found) - 1} more such)" if len(found) > 1 else ""
    raise FulmenError(
        f"{where(place, column)}: {first}{more}; is it one {column}, or are they two? "
        f"{overrides(key, 'alike', ['one', 'apart'])}"
    )


def refuse_marks(columns: Mapping[str, np.ndarray], where: Where, key: str = "data") -> None:
    """Pass if no column of numbers [N] has one that probably marks a missing reading.

    Raises:
        FulmenError: some have.
    """
    marks = {name: mark for name, values in columns.items() if (mark := sentinel(values)) is not None}
    if not marks:
        return
    name, mark = next(iter(marks.items()))
    rows = columns[name] == mark
    also = listed([f"{other} ({each:g})" for other, each in marks.items() if other != name])
    values = sorted({int(each) if each == int(each) else each for each in marks.values()}, reverse=True)
    raise FulmenError(
        f"{where(int(rows.argmax()), name)}: {mark:g} stands in {rows.sum():,} rows, far from all other values"
        f"{f', and so in {also}' if also else ''}; if it marks a missing reading: "
        f"{override(f'{key}.missing_values', values)}; if it is a reading: {override(f'{key}.missing_values', [])}"
    )
