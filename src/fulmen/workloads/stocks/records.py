"""Daily prices from records in memory, whose types are those of JSON: nothing in them is guessed."""

import math
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from fulmen.data.predicting import Record, cells
from fulmen.errors import FulmenError
from fulmen.io.where import InRecords
from fulmen.workloads.stocks.checks import refuse_impossible
from fulmen.workloads.stocks.names import OPTIONAL, PRICES, REQUIRED
from fulmen.workloads.stocks.prices import adjusted, series_of
from fulmen.workloads.stocks.simulator import Prices
from fulmen.workloads.stocks.steps import Lines, oldest_first

EPOCH = datetime(1970, 1, 1).toordinal()


def read_records(records: Sequence[Record], needed: Sequence[str] = REQUIRED, name: str = "prices") -> list[Prices]:
    """The tickers in records of one day each, under the names that the columns of a CSV have.

    Args:
        needed: names that each has to have.
        name: of the ticker where no record has one.

    Raises:
        FulmenError: a name is missing or a value bad: the message begins with the place, `rows[3].Close: `.
    """
    columns = cells(records, needed, [each for each in (*REQUIRED, *OPTIONAL) if each not in needed])
    where = InRecords("rows", np.arange(len(records)))
    ticker, names = pd.factorize(
        np.array([str(each) for each in columns.get("Ticker", [name] * len(records))], dtype=object)
    )
    day = np.array([_day(cell, where(i, "Date")) for i, cell in enumerate(columns["Date"])], dtype=np.int64)
    number = {
        each: np.array([_number(cell, where(i, each)) for i, cell in enumerate(columns[each])])
        for each in (*PRICES, "Volume", "Adj Close")
        if each in columns
    }
    refuse_impossible(number, where, {each: each for each in number})
    order, newest_first = oldest_first(ticker, day, where)
    if newest_first:  # records are asked for in their order
        bad = int(np.flatnonzero(ticker == ticker[order[0]])[1])
        raise FulmenError(
            f"{where(bad, 'Date')}: {columns['Date'][bad]} lies before the line above it; each ticker needs one line a "
            f"day, oldest first"
        )
    lines = Lines([str(each) for each in names], ticker[order], day[order], where)
    return series_of(lines, adjusted({each: values[order] for each, values in number.items()}))


def _day(cell: Any, where: str) -> int:
    try:
        return datetime.fromisoformat(str(cell).strip()).toordinal() - EPOCH
    except ValueError:
        raise FulmenError(f"{where}: {cell!r} is no date; write it as 2024-01-31") from None


def _number(cell: Any, where: str) -> float:
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (ValueError, TypeError, OverflowError):
        what = "is empty" if cell is None or not str(cell).strip() else f"{str(cell)[:60]!r} is no number"
        raise FulmenError(f"{where}: {what}; every day needs its own") from None
    if not math.isfinite(value):
        raise FulmenError(f"{where}: {str(cell).strip()} is no finite number; every day needs its own")
    return value
