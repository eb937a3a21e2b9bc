"""Workbooks of several sheets: which of them holds the losses."""

from pathlib import Path
from typing import TYPE_CHECKING

from fulmen.errors import FulmenError
from fulmen.io.logs.words import meaning
from fulmen.io.taken import Guess, listed

if TYPE_CHECKING:
    from fulmen.io.tables import RawTable


def sheet_with_losses(path: Path) -> "RawTable | None":
    """The only sheet with columns of losses where a workbook has several; None where that is not so."""
    from fulmen.io.options import TableOptions
    from fulmen.io.tables import read_table

    names = _sheets(path)
    found = []
    for name in names if len(names) > 1 else ():
        try:
            raw = read_table(path, TableOptions(sheet=name), key="log")
        except FulmenError:
            continue
        if any(meaning(str(column)).quantities for column in raw.frame):
            raw.guesses.append(Guess(f"sheet {name} of {listed(names)}"))
            found.append(raw)
    return found[0] if len(found) == 1 else None


def _sheets(path: Path) -> list[str]:
    """The names of its sheets; none where the file is no workbook that can be opened."""
    import pandas as pd

    if not path.suffix.lower().startswith(".xls"):
        return []
    try:
        with pd.ExcelFile(path, engine="openpyxl") as book:
            return [str(name) for name in book.sheet_names]
    except Exception:  # openpyxl raises kinds of its own; reading the first sheet says what is wrong
        return []
