"""What the columns of a file of prices are called, by whom, and which of them are needed."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.names import likely, matched, plain
from fulmen.io.tables import RawTable
from fulmen.io.taken import Guess, listed
from fulmen.workloads.stocks.fitting import (
    dates_in,
    falls,
    moves_like_a_price,
    numbers_in,
    of_one_day,
    prices_by_values,
)
from fulmen.workloads.stocks.reading import Reading
from fulmen.workloads.stocks.synonyms import SYNONYMS

PRICES = ("Open", "High", "Low", "Close")
REQUIRED = ("Date", *PRICES, "Volume")
OPTIONAL = ("Adj Close", "Ticker")
ALL = (*REQUIRED, *OPTIONAL)
ALWAYS = ("Date", "Close")  # whatever the features are
CALLED_TICKER = frozenset(map(plain, SYNONYMS["Ticker"]))
NO_ROLE = ("opentime", "closetime", "openint", "openinterest")  # they only begin like one
KNOWN = ("Dividends", "Stock Splits", "Capital Gains", "Change %", "Change", "OpenInt", "PER")  # of no use here


def roles_of(table: RawTable, reading: Reading, key: str = "data") -> tuple[dict[str, str], list[Guess]]:
    """`ALL` name -> column of the file, for all that are there, and what was not plain to see.

    Raises:
        FulmenError: a column is not there, or one is asked about.
    """
    there = [str(name) for name in table.frame.columns]
    remembered = {role: name for role, name in reading.remembered.items() if name is None or name in there}
    columns, guesses = _with_date(table, there, by_role(remembered) | by_role(reading.table.columns))
    free = [name for name in there if not _names_one(table.frame, name, columns)]
    synonyms = {name: [*known, *_with_more(name, free)] for name, known in SYNONYMS.items()}
    for role, name in _by_values(table, free, columns, synonyms, reading).items():
        synonyms[role] = [*synonyms[role], name]
    typed = {name: name if name in there else name.replace(" ", "_") for name in ALL}  # a blank wants quotes of its own
    said_of = {typed.get(name, name): column for name, column in columns.items()}
    called = {typed[name]: each for name, each in synonyms.items()}
    optional = [typed[name] for name in ALL if name not in ALWAYS]
    try:
        found, said = matched(list(typed.values()), free, said_of, called, optional, key, table.source)
        found = {name: found[typed[name]] for name in ALL if typed[name] in found}
    except FulmenError as error:
        raise FulmenError(f"{error}{_further(table, free, columns, synonyms, reading, key)}") from None
    if lost := [name for name in REQUIRED if reading.needs(name) and name not in found]:
        way = f"go on without: {reading.without(lost)}" if reading.free else "the model was trained with it"
        raise FulmenError(f"{table.source}: no column {listed(lost)}; there is {listed(there, 20)}; {way}")
    _refuse_doubles(table.source, found, there, columns, key)
    if len(said) > 2:
        alike = {typed[name].lower(): found[name] for name in ALL if name in found and name not in columns}
        said = [Guess("names are taken but for case and signs", override(f"{key}.columns", alike))]
    return found, [*guesses, *said]


def _refuse_doubles(
    source: str, found: Mapping[str, str], there: Sequence[str], said: Mapping[str, Any], key: str
) -> None:
    """Pass if no other column is called the same but for case and signs, unless one was said."""
    for role, name in found.items():
        double = next((each for each in there if each != name and plain(each) == plain(name)), None)
        if double and role not in said and double not in found.values():
            mine, other = (
                override(f"{key}.columns", {role.lower().replace(" ", "_"): each}) for each in (name, double)
            )
            raise FulmenError(f"{source}: {name} and {double} could each be {role}; say which: {mine} or {other}")


def by_role(columns: Mapping[str, str | None]) -> dict[str, str | None]:
    """What was said about columns, with `adj_close` as `Adj Close`."""
    roles = {plain(role): role for role in ALL}
    return {roles.get(plain(str(role)), str(role)): name for role, name in columns.items()}


def _with_date(
    table: RawTable, there: Sequence[str], said: Mapping[str, str | None]
) -> tuple[dict[str, str | None], list[Guess]]:
    """`said`, and a column Datetime, or the first one if it has no name, as Date where there is no other."""
    columns = dict(said)
    if "Date" in columns or "date" in map(plain, there):
        return columns, []
    named = [name for name in there if plain(name) == "datetime"]
    if len(named) == 1:
        return {**columns, "Date": named[0]}, [
            Guess(f"{named[0]} is Date", override("data.columns", {"date": named[0]}))
        ]
    if there and (there[0] == "" or there[0].startswith("Unnamed")) and list(there).count(there[0]) == 1:
        cells = table.frame.iloc[:, 0]
        parsed = pd.to_datetime(cells, errors="coerce", format="ISO8601", utc=True)
        if not pd.api.types.is_numeric_dtype(cells) and parsed.notna().all() and cells.astype(str).str.len().min() > 7:
            return {**columns, "Date": there[0]}, [Guess("the first column, which has no name, is Date")]
    return columns, []


def _names_one(frame: pd.DataFrame, name: str, columns: Mapping[str, str | None]) -> bool:
    """Whether a column may be called Ticker elsewhere and holds one text throughout: it tells nothing apart."""
    if "Ticker" in columns or plain(name) not in CALLED_TICKER:
        return False
    cells = frame[name]
    return isinstance(cells, pd.Series) and len(cells) > 1 and cells.nunique(dropna=False) == 1


def _with_more(role: str, there: Sequence[str]) -> list[str]:
    """Names that begin or end with a role, such as `Volume USD`, `Close (USD)` and `AAPL Close`."""
    if role in ("Date", "Ticker"):
        return []
    found = [name for name in there if plain(name) not in NO_ROLE]
    if role == "Adj Close":
        return [name for name in found if plain(name).startswith("adj")]
    part = plain(role)
    ends = [name for name in found if plain(name).endswith(part) and not plain(name).startswith(("prev", "pre", "adj"))]
    return [name for name in found if plain(name).startswith(part)] + ends


def _by_values(
    table: RawTable,
    there: Sequence[str],
    said: Mapping[str, str | None],
    synonyms: Mapping[str, Sequence[str]],
    reading: Reading,
) -> dict[str, str]:
    """What columns under names that nobody knows can be, where no name tells Date, Close, High or Low."""
    known = dict(said)
    for role in (name for name in ALL if name not in known):
        free = [name for name in there if name not in known.values()]
        if name := role if role in free else likely(role, free, synonyms[role]):
            known[role] = name
    free = [name for name in there if name not in known.values()]
    found = {}
    if "Date" not in known and len(dates := dates_in(table.frame, free)) == 1:
        found["Date"] = dates[0]
    if any(role not in known for role in ("Close", "High", "Low")):
        roles = {role: name for role, name in known.items() if role in REQUIRED and name is not None}
        wanted = {*free, *(name for role, name in roles.items() if role != "Date")}
        numbers = numbers_in(table.frame, [name for name in there if name in wanted], reading.table)
        date = roles.get("Date", found.get("Date"))
        newest_first = date is not None and falls([str(cell) for cell in table.frame[date]])
        told = prices_by_values(numbers, {role: name for role, name in roles.items() if name in numbers}, newest_first)
        found |= {role: name for role, name in told.items() if role in ("High", "Low") or "Close" not in known}
    return {role: name for role, name in found.items() if role not in known}


def _further(
    table: RawTable,
    there: Sequence[str],
    columns: Mapping[str, Any],
    synonyms: Mapping[str, Sequence[str]],
    reading: Reading,
    key: str,
) -> str:
    """What else has to be typed, where a column that is needed is not there under any name."""
    lost = [name for name in REQUIRED if reading.needs(name) and name not in columns]
    lost = [name for name in lost if not likely(name, there, synonyms[name])]
    found = ""
    if "Close" in lost:
        prices = _can_be_prices(table, there, columns, synonyms, reading)
        prices = prices or [name for name in there if plain(name) == "adjclose"][:1]
        asked = [f"if {name} is the price: {override(f'{key}.columns', {'close': name})}" for name in prices]
        found = f"; {', '.join(asked)}" if asked else ""
    lost = [name for name in lost if name not in ALWAYS]
    return found + (f", with {reading.without(lost)}, as there is no {listed(lost)}" if lost and reading.free else "")


def _can_be_prices(
    table: RawTable,
    there: Sequence[str],
    columns: Mapping[str, str | None],
    synonyms: Mapping[str, Sequence[str]],
    reading: Reading,
) -> list[str]:
    """Columns that are not called anything else, and whose values can be prices of one day after the other."""
    known = {plain(each) for role, names in synonyms.items() if role != "Close" for each in (role, *names)}
    rest = [name for name in there if plain(name) not in known and name not in columns.values()]
    numbers = numbers_in(table.frame, rest, reading.table)
    if "Ticker" in columns or likely("Ticker", there, synonyms["Ticker"]):
        return list(numbers)[:1]  # lines after each other are of different tickers
    smooth = [name for name, values in numbers.items() if moves_like_a_price(values)]
    return smooth if len(of_one_day({name: numbers[name] for name in smooth})) == len(smooth) == 2 else smooth[:1]
