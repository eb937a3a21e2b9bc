"""What the columns of a file of prices without a line of names are probably called, by their values."""

import re

import numpy as np
import pandas as pd

from fulmen.io.options import TableOptions
from fulmen.workloads.stocks.fitting import (
    adjusts,
    counts,
    dates_in,
    falls,
    high_and_low,
    moves_like_a_price,
    numbers_in,
    of_one_day,
    opens,
)

CLOCK = re.compile(r"\d{1,2}:\d\d(:\d\d(\.\d+)?)?")


def likely_names(frame: pd.DataFrame, options: TableOptions) -> list[list[str]]:
    """Names for all columns, the likeliest first; a column of no use keeps its own; none if values tell none.

    Where values leave it open which of two columns is Open and which is Close there are two lists.
    """
    there = [str(name) for name in frame.columns]
    known = _texts(frame, there)
    if known is None:
        return []
    rest = [name for name in there if name not in known]
    numbers = numbers_in(frame, rest, options)
    date = next(name for name, role in known.items() if role == "Date")
    found = []
    for prices in _prices(numbers, falls([str(cell) for cell in frame[date]])):
        close = numbers[next(name for name, role in prices.items() if role == "Close")]
        left = [name for name in numbers if name not in prices]
        adjusted = [name for name in left if adjusts(numbers[name], close)]
        volume = [
            name
            for name in left
            if name not in adjusted and np.nanmin(numbers[name]) >= 0 and not moves_like_a_price(numbers[name])
        ]
        names = {**known, **prices} | dict.fromkeys(adjusted[:1], "Adj Close") | dict.fromkeys(volume[:1], "Volume")
        found.append([names.get(name, name) for name in there])
    return found


def _texts(frame: pd.DataFrame, there: list[str]) -> dict[str, str] | None:
    """Columns of dates, times and tickers, which stand before the prices; None without a date."""
    dates = dates_in(frame, there[:3])
    if not dates and _counts(frame[there[0]]):
        dates = there[:1]
    if not dates:
        return None
    known = {dates[0]: "Date"}
    for name in there[:3]:
        cells = [str(cell).strip() for cell in frame[name]]
        if name not in known and all(map(CLOCK.fullmatch, cells)):
            known[name] = "Time"
        elif name not in known and "Ticker" not in known.values() and all(cell[:1].isalpha() for cell in cells):
            known[name] = "Ticker"
    return known


def _counts(cells: pd.Series) -> bool:
    values = pd.to_numeric(cells, errors="coerce").to_numpy(dtype=float)
    return bool(np.isfinite(values).all() and values.min() > 10_000 and counts(values))


def _prices(numbers: dict[str, np.ndarray], newest_first: bool) -> list[dict[str, str]]:
    """Column -> Open, High, Low or Close; twice, if Open and Close could be either."""
    group = of_one_day(numbers)[:4]
    if len(group) < 3:
        smooth = [name for name in numbers if moves_like_a_price(numbers[name])]
        pair = len(smooth) == 2 and adjusts(numbers[smooth[1]], numbers[smooth[0]])
        return [{smooth[0]: "Close"}] if len(smooth) == 1 or pair else []
    bounds = high_and_low({name: numbers[name] for name in group})
    if bounds is None:
        return []
    known = {bounds[0]: "High", bounds[1]: "Low"}
    inner = [name for name in group if name not in known]
    if len(inner) == 1:
        return [{**known, inner[0]: "Close"}]
    first, second = inner
    told = opens(numbers[first], numbers[second], newest_first)
    usual, turned = known | {first: "Open", second: "Close"}, known | {first: "Close", second: "Open"}
    if told is None:  # Open, High, Low, Close is what nearly all write
        return [usual] if group.index(second) == 3 and group.index(first) == 0 else [turned, usual]
    return [usual if told else turned]
