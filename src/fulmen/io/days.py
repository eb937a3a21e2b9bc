"""From the cells of a column to days: prices have one line a day, dated where they were made."""

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.clock import DIGITS, EXCEL, Clock, are_dates, since_1970, within
from fulmen.io.dates import wall_of
from fulmen.io.hints import override, overrides
from fulmen.io.missing import Cells, as_series
from fulmen.io.numbers import read_numbers
from fulmen.io.options import TableOptions
from fulmen.io.stamps import DAY_NS, SECOND_NS
from fulmen.io.taken import Guess
from fulmen.io.times import AS_FOUND, holds_numbers, refuse_missing, texts_of
from fulmen.io.where import Where

EARLIEST = 3_000  # days since 1970, 1978
UNIX_DAYS = 30_000  # below, days since 1970 and days of Excel are years that prices have
EVERY = "every row needs its date"
INSTEAD = "write it as 2024-01-31"


@dataclass(frozen=True)
class Days:
    """Dates of N rows.

    Attributes:
        day: days since 1970-01-01, int64 [N].
        guesses: what was decided about them.
    """

    day: np.ndarray
    guesses: list[Guess] = field(default_factory=list)


def read_days(
    values: Cells,
    name: str,
    where: Where,
    options: TableOptions = AS_FOUND,
    key: str = "data",
    group: np.ndarray | None = None,
) -> Days:
    """The dates of a column, in the zone in which they are written: `2015-02-24 00:00:00-05:00` is the 24th.

    Args:
        where: names a cell in a message.
        key: what stands before the name of an option in an override.
        group: the ticker of each row [N].

    Raises:
        FulmenError: a cell is no date, the column has two readings, or there are several times of one day.
    """
    guesses: list[Guess] = []
    if len(values) == 0:
        return Days(np.empty(0, dtype=np.int64))
    values = values if isinstance(values, list) else as_series(values)
    if isinstance(values, pd.Series) and values.dtype.kind == "M":
        refuse_missing(values, name, where, options, EVERY)
        ns = _ns(values.dt.tz_localize(None))
    elif holds_numbers(values):
        ns, guesses = _of_numbers(values, name, where, options, key)
    else:
        texts = [text.strip() for text in texts_of(values)]
        found = _iso(texts)
        if found is None:
            refuse_missing(values, name, where, options, EVERY)
            wall = wall_of(texts, name, where, options, key, INSTEAD, "date")
            found, guesses = wall.ns, wall.guesses
        ns = found
    day, clock = np.divmod(ns, DAY_NS)
    guesses = guesses + _told_clock(day, clock, values, name, where, group)
    return Days(day, guesses)


def _ns(time: pd.Series) -> np.ndarray:
    return time.astype("datetime64[ns]").to_numpy().astype(np.int64)


def _iso(texts: list[str]) -> np.ndarray | None:
    """Nanoseconds since 1970 of local time, None if one is not ISO."""
    with suppress(ValueError, OverflowError):  # of a year such as 9999
        return np.array([_local_ns(datetime.fromisoformat(text)) for text in texts], dtype=np.int64)
    return None


def _local_ns(time: datetime) -> int:
    seconds = time.hour * 3600 + time.minute * 60 + time.second
    return (time.toordinal() - 719_163) * DAY_NS + seconds * SECOND_NS + time.microsecond * 1000


def _of_numbers(
    values: Cells, name: str, where: Where, options: TableOptions, key: str
) -> tuple[np.ndarray, list[Guess]]:
    read, guesses = read_numbers({name: values}, where, options, key, missing=False, hint=EVERY)
    number = read[name]
    unit, said = str(options.time_unit), options.time_unit != "auto"
    if not said:
        unit = _unit_of(number, name, where, key)
        if not unit:
            raise FulmenError(f"{where(0, name)}: '{as_series(values).iloc[0]}' is no date; {INSTEAD}")
        if unit != "digits":
            what = "days of Excel" if unit == "excel_days" else f"{unit} since 1970"
            guesses.append(Guess(f"{name}: {what}", override(f"{key}.time_unit", unit)))
    seconds = np.rint(Clock(unit, True).hours(number) * 3600)
    return seconds.astype(np.int64) * SECOND_NS, guesses


def _unit_of(number: np.ndarray, name: str, where: Where, key: str) -> str:
    """The unit of dates that are numbers, `digits` for 20240131, "" if they are no dates."""
    if number[0] >= DIGITS and are_dates(number, name, where):
        return "digits"
    if since := since_1970(number, name, where):
        return since
    if within(number, (UNIX_DAYS, EXCEL[1])):
        return "excel_days"
    if within(number, (EARLIEST, UNIX_DAYS)) and len(number) > 1:
        choice = overrides(key, "time_unit", ["excel_days", "days"])
        raise FulmenError(f"{where(0, name)}: {number[0]:g} may be a day of Excel or since 1970; say which: {choice}")
    return ""


def _told_clock(
    day: np.ndarray, clock: np.ndarray, values: Cells, name: str, where: Where, group: np.ndarray | None
) -> list[Guess]:
    """What is said of times of day, which are left out; one line a day has one."""
    if not clock.any():
        return []
    code = np.zeros(len(day), dtype=np.int64) if group is None else np.unique(group, return_inverse=True)[1]
    if (clock != clock[0]).any():
        order = np.lexsort((np.arange(len(day)), clock, day, code))
        again = (np.diff(day[order]) == 0) & (np.diff(code[order]) == 0) & (np.diff(clock[order]) > 0)
        if again.any():
            first, second = order[int(again.argmax())], order[int(again.argmax()) + 1]
            cells = as_series(values)
            raise FulmenError(
                f"{where(int(second), name)}: {cells.iloc[second]} is a second time of the day of "
                f"{cells.iloc[first]}; prices are daily, one line a day"
            )
    weekday = np.bincount((day + 3) % 7, minlength=7)  # 1970-01-01 was a Thursday
    if weekday[6] and not weekday[4] and len(day) > 4:
        raise FulmenError(
            f"{where(int(((day + 3) % 7 == 6).argmax()), name)}: the times fall on Sundays and never on a Friday, so "
            f"that their dates are those of another zone; write the dates alone"
        )
    return [Guess(f"{name}: times of day are left out")]
