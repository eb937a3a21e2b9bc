"""Which lines of a table belong to which ticker, and whether a column tells them apart that nobody has named."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.identity import empty_names, look_alikes
from fulmen.io.names import plain
from fulmen.io.tables import RawTable
from fulmen.io.taken import Guess, listed
from fulmen.io.where import Where
from fulmen.workloads.stocks.names import KNOWN


def tickers_of(table: RawTable, columns: Mapping[str, str], where: Where) -> tuple[list[str], np.ndarray, list[Guess]]:
    """Names of the tickers by their first lines, the number of each line's ticker [N], and what was decided."""
    rows = len(table.frame)
    if "Ticker" not in columns:
        return [name_of(Path(table.source))], np.zeros(rows, dtype=np.int64), []
    name = columns["Ticker"]
    texts = ["" if pd.isna(cell) else str(cell) for cell in table.frame[name]]
    if len(empty := empty_names(texts)):
        raise FulmenError(f"{where(int(empty[0]), name)}: is empty; every line needs its ticker")
    bare = [text.strip() for text in texts]
    said = [Guess(f"blanks around texts in {name} do not count")] if bare != texts else []
    if alike := look_alikes(bare):
        second = next(i for i, text in enumerate(bare) if text == alike[0].names[1])
        raise FulmenError(f"{where(second, name)}: {alike[0]}; if they are one ticker, write it one way in all lines")
    number, kinds = pd.factorize(np.array(bare, dtype=object))
    return [str(kind) for kind in kinds], number.astype(np.int64), said


def name_of(path: Path) -> str:
    """`AAPL` of `AAPL.csv.gz`."""
    name = path.name
    for ending in (".gz", ".bz2", ".xz", ".zip"):
        name = name.removesuffix(ending)
    return Path(name).stem


def refuse_unnamed_tickers(table: RawTable, found: Mapping[str, str], said: Mapping[str, Any], key: str) -> None:
    """Pass if no column that is not used may tell series apart that stand one below the other.

    Raises:
        FulmenError: a column of texts does, by what it holds.
    """
    if "Ticker" in found or "ticker" in map(plain, said):
        return
    rows = len(table.frame)
    for name in table.frame.columns:
        if name in found.values() or plain(name) in map(plain, KNOWN):
            continue
        cells = table.frame[name]
        if not isinstance(cells, pd.Series) or pd.api.types.is_numeric_dtype(cells.dtype):
            continue
        texts = cells.astype(str)
        kinds = texts.nunique()
        parts = 1 + int((texts.to_numpy()[1:] != texts.to_numpy()[:-1]).sum())
        if not 2 <= kinds <= max(2, rows // 20) or parts > kinds or _hold_numbers(texts.unique()):
            continue  # it changes back and forth: series of prices would have days twice then
        first, yes, no = listed(sorted(texts.unique()), 3), {"ticker": name}, {"ticker": None}
        raise FulmenError(
            f"{table.source}, column {name}: it holds {kinds} texts ({first}); does it tell series of prices apart? "
            f"Then {override(f'{key}.columns', yes)}; if not, {override(f'{key}.columns', no)}"
        )


def _hold_numbers(texts: np.ndarray) -> bool:
    numbers = 0
    for text in texts:
        with suppress(ValueError):
            float(str(text).strip("%$ "))
            numbers += 1
    return numbers > len(texts) / 2


def hint_of_ticker(table: RawTable, columns: Mapping[str, str], key: str) -> str:
    """Which column may tell apart the tickers of a file in which days come twice."""
    if "Ticker" in columns:
        return ""
    for name in table.frame.columns:
        if name not in columns.values() and name and plain(str(name)) not in map(plain, KNOWN):
            kinds = table.frame[name].nunique() if isinstance(table.frame[name], pd.Series) else 0
            if 2 <= kinds <= len(table.frame) / 5:
                return f"; if {name} tells several tickers apart: {override(f'{key}.columns', {'ticker': name})}"
    return ""
