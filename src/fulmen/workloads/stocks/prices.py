"""Daily prices from tables: read, checked, adjusted, oldest first."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.days import read_days
from fulmen.io.header import MOST_NAMES
from fulmen.io.hints import override
from fulmen.io.names import plain
from fulmen.io.numbers import read_numbers
from fulmen.io.options import DateOrder, TableOptions
from fulmen.io.tables import RawTable, read_table
from fulmen.io.taken import Guess, Taken, listed
from fulmen.io.where import Where
from fulmen.workloads.stocks import checks
from fulmen.workloads.stocks.names import ALL, PRICES, roles_of
from fulmen.workloads.stocks.reading import Reading
from fulmen.workloads.stocks.simulator import Prices
from fulmen.workloads.stocks.steps import (
    Limits,
    Lines,
    doubts_about_steps,
    oldest_first,
    refuse_frequency,
    refuse_holes,
    refuse_jumps,
)
from fulmen.workloads.stocks.tickers import hint_of_ticker, refuse_unnamed_tickers, tickers_of
from fulmen.workloads.stocks.unnamed import likely_names
from fulmen.workloads.stocks.wide import CORNERS, one_below_the_other

if TYPE_CHECKING:
    import pandas as pd

WORDS = {"daily": "day", "weekly": "week", "monthly": "month", "any": "line"}


def read_prices(path: str | Path, reading: Reading | None = None, key: str = "data") -> tuple[list[Prices], Taken]:
    """The tickers in a table of daily prices, and what was taken from it.

    Without a column Ticker the file holds one, named like the file. With Adj Close all prices are adjusted for splits
    and dividends, by the day's ratio to Close. What a file lacks and no feature needs is NaN.

    Args:
        key: what stands before the names of options in the overrides of messages.

    Raises:
        FulmenError: no such file, a column missing or asked about, or a bad value: one line with file, line and column.
    """
    reading = reading or Reading()
    table = one_below_the_other(_table(path, reading.table, key))
    columns, named = roles_of(table, reading, key)
    refuse_unnamed_tickers(table, columns, reading.table.columns, key)
    number, read = _numbers(table, columns, reading, key)
    table, number, dropped = _traded(table, number)
    where = _where(table)
    checks.refuse_impossible(number, where, columns)
    names, ticker, bare = tickers_of(table, columns, where)
    dates = table.frame[columns["Date"]]
    days = read_days(dates, columns["Date"], where, reading.table, key, ticker)
    doubts = [*_incomplete(number, where, columns, reading), *checks.refuse_outside_range(number, where, columns)]
    hint = hint_of_ticker(table, columns, key)
    try:
        order, newest_first = oldest_first(ticker, days.day, where, columns["Date"], hint, dates)
    except FulmenError:
        _refuse_other_order(ticker, dates, columns["Date"], where, reading.table, key)
        raise
    lines = Lines(names, ticker[order], days.day[order], Where(table.source, where.line[order], where.word))
    ordered = {name: values[order] for name, values in number.items()}
    doubts += _doubts(ordered, lines, reading.limits)
    series = series_of(lines, adjusted(ordered))
    turned = [Guess("newest day first, turned round")] if newest_first else []
    return series, Taken(
        table.source,
        _said_rows(series, lines, reading.limits),
        _said_roles(columns, number),
        [*table.guesses, *named, *bare, *days.guesses, *read, *turned],
        [*table.dropped, *dropped, *_not_used(table, columns)],
        doubts,
    )


def _refuse_other_order(
    ticker: np.ndarray, dates: "pd.Series", column: str, where: Where, options: TableOptions, key: str
) -> None:
    """Pass unless days out of order are in order with day and month the other way round than was said.

    Raises:
        FulmenError: they are; with the override.
    """
    if options.dates == "auto":
        return
    other: DateOrder = "month_first" if options.dates == "day_first" else "day_first"
    try:
        days = read_days(dates, column, where, replace(options, dates=other), key, ticker).day
        oldest_first(ticker, days, where)
    except FulmenError:
        return
    said, instead = (override(f"{key}.dates", order) for order in (options.dates, other))
    raise FulmenError(f"{where.source}: with {said} the days are not in order; with {instead} they are")


def _doubts(number: Mapping[str, np.ndarray], lines: Lines, limits: Limits) -> list[str]:
    """What looks wrong in lines one after the other.

    Raises:
        FulmenError: what cannot be.
    """
    found = refuse_frequency(lines, limits.frequency)
    refuse_holes(lines, limits)
    found += doubts_about_steps(lines)
    found += refuse_jumps(adjusted(number), lines, limits, "Adj Close" in number)
    if "Volume" in number:
        found += checks.doubts_about_volume(number["Volume"])
    if "Adj Close" in number:
        found += checks.doubts_about_adjusting(number["Adj Close"] / number["Close"], lines.ticker)
    return found


def _table(path: str | Path, options: TableOptions, key: str) -> RawTable:
    """The table, with the line of tickers if there is one above that of the fields.

    Raises:
        FulmenError: see `read_table`; where a line of names is missing, the likely ones are offered.
    """
    try:
        table = read_table(path, options, ALL, key)
    except FulmenError as error:
        raise FulmenError(_with_likely_names(str(error), path, options, key)) from None
    names = list(map(plain, table.frame.columns))
    if options.header == "auto" and (len(set(names)) < len(names) or (names[0] in CORNERS and "date" not in names)):
        with suppress(FulmenError):
            other = read_table(path, options, (), key)
            return other if other.more_header else table
    return table


def _with_likely_names(message: str, path: str | Path, options: TableOptions, key: str) -> str:
    """A message that asks for the names of all columns, with those that values tell in place of c1, c2, ..."""
    for width in range(2, MOST_NAMES + 1):
        unnamed = [f"c{i}" for i in range(1, width + 1)]
        if (asked := override(f"{key}.header", unnamed)) in message:
            frame = read_table(path, replace(options, header=unnamed), (), key).frame
            proposed = [override(f"{key}.header", names) for names in likely_names(frame, options)]
            which = "whichever is their order" if len(proposed) > 1 else "if that is their order"
            return message.replace(asked, f"{' or '.join(proposed)}, {which}") if proposed else message
    return message


def _where(table: RawTable) -> Where:
    return Where(table.source, table.line, "line" if table.delimiter else "row")


def _numbers(
    table: RawTable, columns: Mapping[str, str], reading: Reading, key: str
) -> tuple[dict[str, np.ndarray], list[Guess]]:
    """Open to Adj Close by their own names, as far as they are there, float64 [N], NaN where one is missing."""
    where = _where(table)
    wanted = [name for name in (*PRICES, "Volume", "Adj Close") if name in columns]
    cells = {columns[name]: table.frame[columns[name]] for name in wanted}
    read, guesses = read_numbers(cells, where, reading.table, key, delimiter=table.delimiter)
    first = {name: cells[columns[name]].iloc[0] for name in wanted if name in PRICES}
    checks.refuse_other_units(first, where, columns)
    return {name: read[columns[name]] for name in wanted}, guesses


def _traded(table: RawTable, number: dict[str, np.ndarray]) -> tuple[RawTable, dict[str, np.ndarray], list[str]]:
    """Without lines that hold no price: nothing was traded that day."""
    empty = np.logical_and.reduce([np.isnan(number[name]) for name in PRICES if name in number])
    if not empty.any() or empty.all():
        return table, number, []
    kept, count = ~empty, int(empty.sum())
    said = f"{count} line{'s' if count > 1 else ''} without any price, the first is {table.line[int(empty.argmax())]}"
    table = replace(table, frame=table.frame[kept].reset_index(drop=True), line=table.line[kept])
    return table, {name: values[kept] for name, values in number.items()}, [said]


def _incomplete(
    number: Mapping[str, np.ndarray], where: Where, columns: Mapping[str, str], reading: Reading
) -> list[str]:
    """Doubts about gaps in columns that no feature needs.

    Raises:
        FulmenError: a gap in one that is needed, or in prices that adjust the others.
    """
    doubts, gaps = [], []
    for name, values in number.items():
        missing = np.flatnonzero(np.isnan(values))
        if len(missing) and (reading.needs(name) or name == "Adj Close"):
            gaps.append((int(missing[0]), name))
        elif len(missing):
            doubts.append(f"{name} is missing in {len(missing)} lines; no feature is made of it")
    if not gaps:
        return doubts
    place, name = min(gaps)
    instead = f", or go without {name}: {reading.without([name])}" if name in ("Open", "High", "Low", "Volume") else ""
    if name == "Adj Close":
        instead = f", or go without adjusting: {override('data.columns', {'adj_close': None})}"
    what = "of that day in (0 if nothing was traded)" if name == "Volume" else "of that day in"
    raise FulmenError(
        f"{where(place, columns[name])}: is empty; fill the {name} {what}{instead if reading.free else ''}"
    )


def adjusted(number: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Prices times the day's ratio of Adj Close to Close; Volume as it is."""
    factor = number.get("Adj Close", number["Close"]) / number["Close"]
    prices = {name: number[name] * factor for name in PRICES if name in number}
    return prices | {"Volume": number["Volume"]} if "Volume" in number else prices


def series_of(lines: Lines, number: Mapping[str, np.ndarray]) -> list[Prices]:
    """The tickers of lines; what none of them has is NaN."""
    borders = np.flatnonzero(np.diff(lines.ticker)) + 1
    nothing = np.full(len(lines.day), np.nan)
    columns = {name.lower(): np.split(number.get(name, nothing), borders) for name in (*PRICES, "Volume")}
    days = np.split(lines.day.astype(np.int64), borders)
    return [
        Prices(lines.names[i], day, **{name: parts[i] for name, parts in columns.items()}) for i, day in enumerate(days)
    ]


def _said_rows(series: Sequence[Prices], lines: Lines, limits: Limits) -> str:
    word, rows = WORDS[limits.frequency], len(lines.day)
    first, last = (np.datetime64(int(day), "D") for day in (lines.day.min(), lines.day.max()))
    whose = series[0].ticker if len(series) == 1 else f"{len(series)} tickers ({listed([s.ticker for s in series], 4)})"
    weekend = np.isin((lines.day + 3) % 7, (5, 6)).mean() > 0.2  # day 0 was a Thursday
    kind = {"daily": "calendar day" if weekend else "trading day"}.get(limits.frequency, word)
    return f"{rows:,} {word}s of {whose}, {first} to {last}, one line a {kind}"


def _said_roles(columns: Mapping[str, str], number: Mapping[str, np.ndarray]) -> dict[str, str]:
    roles = {"date": columns["Date"], "prices": ", ".join(columns[name] for name in PRICES if name in columns)}
    roles |= {"volume": columns["Volume"]} if "Volume" in columns else {}
    if "Adj Close" in number:
        times = number["Adj Close"] / number["Close"]
        roles["adjusted by"] = f"{columns['Adj Close']} (prices times {times.min():.3g} to {times.max():.3g})"
    return roles | ({"ticker": columns["Ticker"]} if "Ticker" in columns else {})


def _not_used(table: RawTable, columns: Mapping[str, str]) -> list[str]:
    rest = [str(name) or "one without a name" for name in table.frame.columns if name not in columns.values()]
    return [f"columns that are not used: {listed(rest)}"] if rest else []
