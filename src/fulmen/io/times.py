"""From the cells of a column to times: hours of readings, days of prices. What two readings fit is asked about."""

import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.clock import clock_of
from fulmen.io.dates import INSTEAD, YEARS, mixed, wall_of
from fulmen.io.missing import Cells, as_series, marks_of, plain_mark
from fulmen.io.numbers import number, read_numbers
from fulmen.io.options import TableOptions
from fulmen.io.taken import Guess
from fulmen.io.where import Where

AS_FOUND = TableOptions()
EVERY = "every row needs its time"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{3}|\.\d{6})?)?(Z|[+-]\d\d:\d\d)?")
ZONE = re.compile(r"(?<=\d) ?(Z|[+-]\d\d:?(?:\d\d)?)", re.IGNORECASE)
SIGNS_OF_ISO = b"0123456789-:T .+Z/"
OFFSET = re.compile(r"[+-]\d\d:\d\d")
ZERO = ("Z", "z", "+00:00", "+0000", "+00")


@dataclass(frozen=True)
class Times:
    """Times of N rows.

    Attributes:
        hours: since 1970-01-01 in UTC where they are `absolute`, else as they were counted, float64 [N].
        guesses: what was decided about them.
        unit: what the numbers of the column are, as `TableOptions.time_unit` has it; "auto" for dates in digits.
    """

    hours: np.ndarray
    absolute: bool
    guesses: list[Guess] = field(default_factory=list)
    unit: str = "hours"


def read_times(
    values: Cells,
    name: str,
    where: Where,
    options: TableOptions = AS_FOUND,
    key: str = "data",
    group: np.ndarray | None = None,
) -> Times:
    """The times of a column: dates with times of day, or numbers whose unit is said, plain to see, or hours.

    Times with an offset become UTC; those without one are taken as UTC.

    Args:
        where: names a cell in a message.
        key: what stands before the name of an option in an override.
        group: the machine of each row [N].

    Raises:
        FulmenError: a cell is no time, or the column has two readings: its unit, or day and month.
    """
    if len(values) == 0:
        return Times(np.empty(0), False)
    values = values if isinstance(values, list) else as_series(values)
    if isinstance(values, pd.Series) and values.dtype.kind in "mM":
        return _typed(values, name, where)
    if isinstance(values, list) and all(type(value) is str and ISO.fullmatch(value) for value in values):
        with suppress(ValueError):  # there is no 31st of April
            hours = np.array([_hours(datetime.fromisoformat(value)) for value in values])
            return Times(hours, True, _told_zone(values, name, where))
    if holds_numbers(values):
        read, guesses = read_numbers({name: values}, where, options, key, missing=False, hint=EVERY)
        clock = clock_of(read[name], name, where, options.time_unit, key, group)
        unit = "auto" if clock.unit == "digits" else clock.unit
        return Times(clock.hours(read[name]), clock.absolute, [*guesses, *clock.guesses], unit)
    texts = texts_of(values)
    cells = values if isinstance(values, pd.Series) and values.dtype == "str" else texts
    time = pd.Series(pd.to_datetime(cells, errors="coerce", utc=True, format="ISO8601"))
    if not time.isna().any() and _looks_iso(texts):
        with suppress(pd.errors.OutOfBoundsDatetime):  # a year such as 9999
            return Times(_since_1970(time), True, _told_zone(texts, name, where))
    refuse_missing(values, name, where, options)
    wall = wall_of(
        [text.strip() for text in texts], name, where, options, key, f"{INSTEAD}, or as a number of hours in every row"
    )
    if wall.offset_ns is None:
        return Times(_since_1970(pd.to_datetime(pd.Series(wall.ns), utc=True)), True, wall.guesses)
    time = pd.to_datetime(pd.Series(wall.ns - wall.offset_ns), utc=True)
    return Times(_since_1970(time), True, wall.guesses + [_in_utc(name)] * bool(wall.offset_ns.any()))


def holds_numbers(values: Cells) -> bool:
    """Whether a column is one of numbers, as its first cell is."""
    first = values[0] if isinstance(values, list) else values.iloc[0]
    if isinstance(first, str):
        return number(first, "point") is not None or number(first, "comma") is not None
    return isinstance(first, int | float | np.number) and not (
        isinstance(values, pd.Series) and values.dtype == object and first != first
    )


def texts_of(values: Cells) -> list[str]:
    """The cells of a column as texts."""
    cells = values.tolist() if isinstance(values, pd.Series) else values
    return cells if isinstance(values, pd.Series) and values.dtype == "str" else list(map(str, cells))


def refuse_missing(values: Cells, name: str, where: Where, options: TableOptions, needed: str = EVERY) -> None:
    """Raise for the first cell in which nothing stands."""
    marks = marks_of(options.missing_values)
    for position, value in enumerate(values.tolist() if isinstance(values, pd.Series) else values):
        if value is None or value is pd.NaT or value is pd.NA or value != value or plain_mark(value) in marks:
            raise FulmenError(f"{where(position, name)}: the value is missing; {needed}")


def _typed(values: pd.Series, name: str, where: Where) -> Times:
    gap = np.flatnonzero(values.isna())
    if len(gap):
        raise FulmenError(f"{where(int(gap[0]), name)}: the value is missing; {EVERY}")
    if values.dtype.kind == "m":
        return Times(values.dt.total_seconds().to_numpy() / 3600, False)
    zone = values.dt.tz
    told = [] if zone is None or str(zone) in ("UTC", "Etc/UTC", "+00:00") else [Guess(f"{name}: from {zone} to UTC")]
    try:
        return Times(_since_1970(pd.to_datetime(values, utc=True)), True, told)
    except pd.errors.OutOfBoundsDatetime:
        year = values.dt.year
        bad = int(((year < YEARS[0]) | (year > YEARS[1])).to_numpy().argmax())
        raise FulmenError(f"{where(bad, name)}: the year {year.iloc[bad]} cannot be meant") from None


def _since_1970(time: pd.Series) -> np.ndarray:
    return (time - pd.Timestamp(0, tz="UTC")).dt.total_seconds().to_numpy() / 3600


def _hours(time: datetime) -> float:
    return ((time if time.tzinfo else time.replace(tzinfo=UTC)) - EPOCH).total_seconds() / 3600


def _looks_iso(texts: list[str]) -> bool:
    """Whether texts that pandas reads as ISO times are neither `now` nor a bare year."""
    return not "".join(texts).encode().translate(None, SIGNS_OF_ISO) and min(map(len, texts)) > 6


def _told_zone(texts: list[str], name: str, where: Where) -> list[Guess]:
    """What becomes of the offsets of ISO times; all have one or none has."""
    joined = "".join(texts)
    if not ("+" in joined or "Z" in joined) and joined.count("-") == 2 * len(texts) and "/" not in joined:
        return []
    ends = {text[-6:] for text in texts}
    if all(map(OFFSET.fullmatch, ends)) and all(int(end[1:3]) < 15 for end in ends):
        return [_in_utc(name)] * (ends != {"+00:00"})
    zones = [ZONE.search(text, 11) for text in texts]  # a date is 10 long
    with_one = next((position for position, zone in enumerate(zones) if zone), None)
    without = next((position for position, zone in enumerate(zones) if not zone), None)
    if with_one is not None and without is not None:
        raise mixed(texts[with_one], with_one, texts[without], without, name, where)
    for position, zone in enumerate(zones):
        if zone and zone[1][1:] and int(zone[1][1:3]) > 14:
            raise FulmenError(f"{where(position, name)}: {texts[position]!r}: no zone is {zone[1]} from UTC")
    shifted = any(zone[1] not in ZERO for zone in zones if zone)
    return [_in_utc(name)] if shifted else []


def _in_utc(name: str) -> Guess:
    return Guess(f"{name}: times with an offset, taken in UTC")
