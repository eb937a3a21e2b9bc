"""Daily prices from CSV files, checked line by line, or from Yahoo by way of them."""

import csv
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from fulmen.config.mistakes import nearest
from fulmen.data.predicting import Record, cells
from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write
from fulmen.workloads.stocks.simulator import Prices

PRICES = ("Open", "High", "Low", "Close")
REQUIRED = ("Date", *PRICES, "Volume")
OPTIONAL = ("Adj Close", "Ticker")
EPOCH = datetime(1970, 1, 1).toordinal()

Day = tuple[str, str, Mapping[str, Any]]  # where it stands, what comes between that and a column, and its cells


def read_csv(path: str | Path) -> list[Prices]:
    """The tickers in a CSV with Date, Open, High, Low, Close, Volume and, if they are there, Adj Close and Ticker.

    Without a Ticker column the file holds one, named like the file. With Adj Close all prices are adjusted for splits
    and dividends, by the day's ratio to Close.

    Raises:
        FulmenError: no such file, a column missing, or a bad value: the message names file, line and column.
    """
    path = Path(path)
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            return _read(csv.reader(file), path)
    except FileNotFoundError:
        raise FulmenError(f"csv: there is no file {path}") from None
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise FulmenError(f"csv: {path} cannot be read: {error}") from error


def download(ticker: str, start: str, end: str, folder: str | Path) -> Path:
    """A CSV of the daily prices of `ticker` from `start` until before `end` (ISO), fetched once.

    Raises:
        FulmenError: yfinance is not installed, or Yahoo has no such prices.
    """
    path = Path(folder) / f"{ticker}_{start}_{end}" / f"{ticker}.csv"
    if path.exists():
        return path
    try:
        import yfinance
    except ModuleNotFoundError:
        raise FulmenError("download: needs yfinance; install it with: pip install yfinance") from None
    table = yfinance.Ticker(ticker).history(start=start, end=end, auto_adjust=False)
    if len(table) == 0:
        raise FulmenError(f"download: Yahoo has no daily prices of {ticker} from {start} to {end}")
    with atomic_write(path) as file:
        table.to_csv(file, index_label="Date")
    return path


def read_records(records: Sequence[Record], name: str = "prices") -> list[Prices]:
    """The tickers in records of one day each, under the names that the columns of a CSV have.

    Args:
        name: of the ticker where no record has one.

    Raises:
        FulmenError: a name is missing or a value bad: the message begins with the place, `rows[3].Close: `.
    """
    columns = cells(records, REQUIRED, OPTIONAL)
    days = (dict(zip(columns, day, strict=True)) for day in zip(*columns.values(), strict=True))
    return _series(((f"rows[{number}]", ".", each) for number, each in enumerate(days)), name)


def _read(reader, path: Path) -> list[Prices]:
    columns = [name.strip() for name in next(reader, [])]
    for name in REQUIRED:
        if name not in columns:
            there = [column for column in columns if column not in REQUIRED]
            other = next((mark for mark in ";\t|" if len(columns) == 1 and mark in columns[0]), None)
            near = nearest(name, there)
            hint = f"; it has {near}: if that is it, call it {name}" if near else f"; it has {', '.join(columns[:20])}"
            hint = f"; columns are separated by commas, here by {other!r}" if other else hint
            raise FulmenError(f"{path}, line 1: no column {name}{hint}")
    series = _series(_lines(reader, columns, path), path.stem)
    if not series:
        raise FulmenError(f"{path}: there is no line below the header")
    return series


def _lines(reader, columns: Sequence[str], path: Path) -> Iterator[Day]:
    for row in reader:
        if not row:
            continue
        where = f"{path}, line {reader.line_num}"
        if len(row) != len(columns):
            raise FulmenError(f"{where}: {len(row)} values for the {len(columns)} columns of line 1")
        yield where, ", ", dict(zip(columns, row, strict=True))


def _series(days: Iterable[Day], name: str) -> list[Prices]:
    """Days of any number of tickers, those of each oldest first."""
    series: dict[str, list[list[float]]] = {}
    for where, mark, line in days:
        known = series.setdefault(str(line.get("Ticker", name)), [])
        values = _values(line, f"{where}{mark}")
        if known and values[0] <= known[-1][0]:
            problem = "repeats the day before it" if values[0] == known[-1][0] else "lies before the line above it"
            raise FulmenError(
                f"{where}{mark}Date: {line['Date']} {problem}; each ticker needs one line a day, oldest first"
            )
        known.append(values)
    return [_prices(ticker, np.array(days)) for ticker, days in series.items()]


def _values(line: Mapping[str, Any], where: str) -> list[float]:
    """[day, open, high, low, close, volume] of one line, adjusted."""
    try:
        day = datetime.fromisoformat(str(line["Date"]).strip()).toordinal() - EPOCH
    except ValueError:
        raise FulmenError(f"{where}Date: {line['Date']!r} is no date; write it as 2024-01-31") from None
    number = {name: _number(line[name], f"{where}{name}") for name in (*PRICES, "Volume")}
    if "Adj Close" in line:
        number["Adj Close"] = _number(line["Adj Close"], f"{where}Adj Close")
    for name, value in number.items():
        if value < 0 or (value == 0 and name != "Volume"):
            bound = "0 or more" if name == "Volume" else "above 0"
            raise FulmenError(f"{where}{name}: {value:g}; it must be {bound}")
    if number["High"] < number["Low"]:
        raise FulmenError(f"{where}High: {number['High']:g} is below Low, {number['Low']:g}; are the two swapped?")
    factor = number.get("Adj Close", number["Close"]) / number["Close"]
    return [day, *(number[name] * factor for name in PRICES), number["Volume"]]


def _number(cell: Any, where: str) -> float:
    try:
        value = math.nan if isinstance(cell, bool) else float(cell)
    except (ValueError, TypeError, OverflowError):
        what = "is empty" if cell is None or not str(cell).strip() else f"{str(cell)[:60]!r} is no number"
        raise FulmenError(f"{where}: {what}; fill the gap or drop the line") from None
    if not math.isfinite(value):
        raise FulmenError(f"{where}: {str(cell).strip()} is no finite number; fill the gap or drop the line")
    return value


def _prices(ticker: str, rows: np.ndarray) -> Prices:
    day, *columns = rows.T
    return Prices(ticker, day.astype(np.int64), *columns)
