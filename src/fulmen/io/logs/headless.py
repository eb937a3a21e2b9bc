"""Tables of numbers without names of columns: what each column is, by its values."""

import re
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

from fulmen.errors import FulmenError
from fulmen.io.logs.table import LogTable, of_rows
from fulmen.io.logs.table import is_number as is_plain

NUMBER = re.compile(r"\(?[-+]?[$€£]?(?:[.,]?\d[\d.,' ]*(?:e[-+]?\d+)?|nan|inf(?:inity)?)\s?%?\)?", re.IGNORECASE)
TIMES = 1e8  # from there on numbers that rise are seconds or milliseconds since 1970


def is_number(text: str) -> bool:
    return NUMBER.fullmatch(text.strip()) is not None


def headless(source: str, rows: list[list[Any]], numbers: Sequence[int], word: str = "line") -> LogTable:
    """A table of numbers without names: an index, time stamps, epochs and steps are told from losses by their values.

    Two columns that are left are training and validation, one is a curve without a name.
    """
    width = len(rows[0])
    uneven = next((number for row, number in zip(rows, numbers, strict=True) if len(row) != width), None)
    if uneven is not None:
        raise FulmenError(f"{source}, {word} {uneven}: not as many cells as in the first row, {width}")
    names = [str(i) for i in range(1, width + 1)]
    roles = {name: _role([row[i] for row in rows]) for i, name in enumerate(names)}
    _tell_steps(rows, names, roles)
    curves = [name for name in names if not roles[name]]
    counting = [name for name in names if roles[name] in ("epoch", "step")]
    if not curves and counting:  # whole numbers throughout: losses that count
        curves, counting = counting[-2:], counting[:-2]
    called: dict[str, str] = {name: f"column {name}" for name in names}
    if counting:
        called[counting[0]] = roles[counting[0]]
    if len(curves) == 1:
        called[curves[0]] = "value"
    elif len(curves) == 2:
        called |= {curves[0]: "train_loss", curves[1]: "val_loss"}
    stamps = [name for name in names if roles[name] == "time"]
    table = of_rows(source, [called[name] for name in names], rows, numbers, word=word, headless=True)
    if width > 1:
        table.taken.append(
            "no names of columns: "
            + ", ".join(
                f"column {name} as {'time stamps' if name in stamps else called[name].replace('value', 'the curve')}"
                for name in names
                if called[name] != f"column {name}" or name in stamps
            )
            if len(curves) < 3
            else "no names of columns"
        )
    if len(curves) == 1:
        table.lone = "write both curves into one file, under the names train_loss and val_loss"
    return table


def _tell_steps(rows: list[list[Any]], names: list[str], roles: dict[str, str]) -> None:
    """Beside time stamps whole numbers are steps, though they stand still or begin again, as MLflow writes them; and
    what is the same in every row is no curve."""
    curves = [name for name in names if not roles[name]]
    whole = [name for name in curves if all(str(row[int(name) - 1]).lstrip("-").isdigit() for row in rows)]
    if "time" in roles.values() and len(whole) == 1 < len(curves) and not {"epoch", "step"} & set(roles.values()):
        roles[whole[0]] = "step"
    still = [name for name in names if len(rows) > 2 and len({str(row[int(name) - 1]) for row in rows}) == 1]
    if set(curves) - set(still):
        roles |= dict.fromkeys(still, "still")


def _role(cells: list[Any]) -> str:
    """`time` for time stamps, `epoch` for what counts one by one, `step` in equal steps, `empty`; "" for a curve."""
    try:
        values = [float(cell) for cell in cells if is_plain(cell) or str(cell).strip()]
    except (TypeError, ValueError):
        return "time" if any(":" in str(cell) for cell in cells) else ""
    if not values:
        return "empty"
    rising = all(b >= a for a, b in pairwise(values))
    if min(values) > TIMES and rising:
        return "time"
    steps = {b - a for a, b in pairwise(values)}
    whole = all(value == int(value) for value in values if abs(value) < TIMES)
    if len(values) > 1 and whole and steps != {0.0}:
        if steps <= {0.0, 1.0} or steps == {-1.0}:
            return "epoch"
        return "step" if len(steps) == 1 and next(iter(steps)) > 0 else ""
    return ""
