"""Tables of several tickers side by side, as yfinance writes them: two lines of names, fields and tickers."""

from dataclasses import replace

import numpy as np
import pandas as pd

from fulmen.io.names import plain
from fulmen.io.tables import RawTable

FIELDS = frozenset(map(plain, ("Open", "High", "Low", "Close", "Adj Close", "Volume")))
CORNERS = frozenset(
    map(plain, ("", "Price", "Ticker", "Tickers", "Date", "Datetime", "Attributes", "Symbols", "index"))
)


def one_below_the_other(table: RawTable) -> RawTable:
    """A table with a line of tickers above or below its fields with a column Ticker instead; any other as it is."""
    levels = _filled([[str(name).strip() for name in level] for level in (table.frame.columns, *table.more_header)])
    fields = next((level for level in levels if len(FIELDS & set(map(plain, level))) > 1), None)
    others = [level for level in levels if level is not fields and len(set(filter(None, level[1:])) - {"Date"}) > 0]
    if fields is None or not others or plain(fields[0]) not in CORNERS:
        return table
    tickers = others[0]
    names = [name for name in dict.fromkeys(tickers[1:]) if name]
    closing = {tickers[i] for i, field in enumerate(fields) if plain(field) == "close"}
    if closing != set(names):  # a line of units, not of tickers
        return table
    parts = [_of_ticker(table, fields, tickers, name) for name in names]
    frame = pd.concat([frame for frame, _ in parts], ignore_index=True)
    return replace(table, frame=frame, line=np.concatenate([line for _, line in parts]), more_header=[])


def _filled(levels: list[list[str]]) -> list[list[str]]:
    """Names of merged cells, which a workbook has in the first of them alone, in all of them."""
    for level in levels:
        for i in range(2, len(level)):
            if not level[i] and level[i - 1] and any(other[i] for other in levels):
                level[i] = level[i - 1]
    return levels


def _of_ticker(table: RawTable, fields: list[str], tickers: list[str], name: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The rows of one ticker in which anything stands."""
    own = [i for i in range(1, len(fields)) if tickers[i] == name]
    frame = table.frame.iloc[:, [0, *own]]
    frame.columns = pd.Index(["Date", *(fields[i] for i in own)])
    cells = frame.iloc[:, 1:]
    kept = ~(cells.isna() | (cells == "")).all(axis=1).to_numpy()
    if not kept.any():
        kept = ~kept
    return frame[kept].assign(Ticker=name), table.line[kept]
