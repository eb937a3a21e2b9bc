"""A column of dates in words and numbers: one order of day and month for all of it, and no impossible day."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.hints import override, overrides
from fulmen.io.options import TableOptions
from fulmen.io.stamps import DAY_NS, Stamp, days_of, stamp_of
from fulmen.io.taken import Guess
from fulmen.io.where import Where

YEARS = (1678, 2261)  # that nanoseconds in 64 bits can tell
FIRST_SHORT = 1970  # year that two digits can mean
ZONE_NAME = re.compile(r".*\d\s*([A-Z]{2,5})")
CLOCK_ALONE = re.compile(r"\d{1,2}:\d\d(:\d\d([.,]\d+)?)?\s*([ap]m)?", re.IGNORECASE)
INSTEAD = "write it as 2024-01-31T14:00"


@dataclass(frozen=True)
class Wall:
    """What clocks and calendars on the wall show.

    Attributes:
        ns: since 1970-01-01, in local time, int64 [N].
        offset_ns: of local time from UTC, int64 [N]; None where no cell has one.
        guesses: what was decided.
    """

    ns: np.ndarray
    offset_ns: np.ndarray | None
    guesses: list[Guess] = field(default_factory=list)


def wall_of(
    texts: Sequence[str],
    name: str,
    where: Where,
    options: TableOptions,
    key: str,
    instead: str = INSTEAD,
    what: str = "time",
) -> Wall:
    """The dates of a column, with the times of day that stand behind them.

    Raises:
        FulmenError: a cell is no date, impossible, or has two readings; some cells have an offset and others have none.
    """
    first: dict[str, int] = {}
    code = [first.setdefault(text, len(first)) for text in texts]
    places = _first_places(code, len(first))
    stamps = []
    for text, place in zip(first, places, strict=True):
        stamp = stamp_of(text)
        if stamp is None:
            raise FulmenError(f"{where(place, name)}: {text[:60]!r} is no {what}{_why(text)}; {instead}")
        stamps.append(stamp)
    cells = list(zip(first, places, stamps, strict=True))
    day_first, guesses = _order(cells, name, where, options.dates, key)
    if any(stamp.short for stamp in stamps):
        guesses.append(Guess(f"{name}: years of two digits are {FIRST_SHORT} to {FIRST_SHORT + 99}"))
    days = np.array([_day(*cell, day_first, name, where) for cell in cells], dtype=np.int64)
    offsets = _offsets(cells, name, where)
    ns = days * DAY_NS + np.array([stamp.time_ns for stamp in stamps], dtype=np.int64)
    return Wall(ns[code], None if offsets is None else offsets[code], guesses)


Cell = tuple[str, int, Stamp]  # a text, the position of the first cell that has it, and what it says


def _first_places(code: Sequence[int], distinct: int) -> list[int]:
    places = np.full(distinct, len(code))
    np.minimum.at(places, code, np.arange(len(code)))
    return places.tolist()


def _why(text: str) -> str:
    if not text:
        return ""
    if CLOCK_ALONE.fullmatch(text):
        return ", a time of day without its date"
    zone = ZONE_NAME.fullmatch(text)
    if zone and stamp_of(text[: zone.start(1)]):
        return f": {zone[1]} is no zone that is known here, an offset such as +01:00 is"
    return ""


def _order(cells: Sequence[Cell], name: str, where: Where, said: str, key: str) -> tuple[bool, list[Guess]]:
    """Whether the day stands before the month in dates of numbers; True also where nothing hangs on it."""
    loose = [cell for cell in cells if cell[2].open]
    day_proof = next((cell for cell in loose if cell[2].month > 12), None)
    month_proof = next((cell for cell in loose if cell[2].day > 12), None)
    unsure = next((cell for cell in loose if cell[2].month != cell[2].day), None)
    if said == "auto" and loose and all(_year_may_be_first(stamp) for _, _, stamp in loose):
        text, place, stamp = day_proof or loose[0]
        ways = ["day_first"] if day_proof else ["day_first", "month_first"]
        raise FulmenError(
            f"{where(place, name)}: {text!r} may be of {_year(stamp)} or of {_year(stamp._replace(year=stamp.month))}; "
            f"if the year stands last, {overrides(key, 'dates', ways)}, else write it with four digits"
        )
    if unsure is None:
        return True, []
    against = {"day_first": month_proof, "month_first": day_proof}.get(said)
    if against:
        text, place, stamp = against
        other = "month_first" if said == "day_first" else "day_first"
        alone = (day_proof if said == "day_first" else month_proof) is None
        cure = f"; {override(f'{key}.dates', other)} reads it" if alone else ""
        raise FulmenError(
            f"{where(place, name)}: {text!r} has no month {max(stamp.month, stamp.day)}, but {said} puts it there{cure}"
        )
    if said != "auto":
        return said == "day_first", []
    if day_proof and month_proof:
        later, sooner = sorted([day_proof, month_proof], key=lambda cell: -cell[1])
        raise FulmenError(
            f"{where(later[1], name)}: {later[0]!r} has day and month in another order than {sooner[0]!r}, "
            f"{where(sooner[1], name)}; write all dates one way"
        )
    if not (day_proof or month_proof):
        text, place, stamp = unsure
        raise FulmenError(
            f"{where(place, name)}: {text!r} may be day {stamp.month} of month {stamp.day} or day {stamp.day} of month "
            f"{stamp.month}, and no cell says which: {overrides(key, 'dates', ['day_first', 'month_first'])}"
        )
    words = "the day stands before the month" if day_proof else "the month stands before the day"
    choice = override(f"{key}.dates", "day_first" if day_proof else "month_first")
    return bool(day_proof), [Guess(f"{name}: {words}", choice)]


def _year(stamp: Stamp) -> int:
    return stamp.year + (1900 if stamp.year >= FIRST_SHORT % 100 else 2000) if stamp.short else stamp.year


def _year_may_be_first(stamp: Stamp) -> bool:
    """Whether `22/02/25` may be the 25th of 2022."""
    return stamp.short and days_of(_year(stamp._replace(year=stamp.month)), stamp.day, stamp.year) is not None


def _day(text: str, place: int, stamp: Stamp, day_first: bool, name: str, where: Where) -> int:
    month, day = (stamp.day, stamp.month) if stamp.open and day_first else (stamp.month, stamp.day)
    if not YEARS[0] <= _year(stamp) <= YEARS[1]:
        raise FulmenError(f"{where(place, name)}: {text!r}: the year {stamp.year} cannot be meant")
    days = days_of(_year(stamp), month, day)
    if days is None:
        raise FulmenError(f"{where(place, name)}: {text!r} is no date: there is no such day")
    return days


def _offsets(cells: Sequence[Cell], name: str, where: Where) -> np.ndarray | None:
    with_one = [cell for cell in cells if cell[2].offset_ns is not None]
    without = next((cell for cell in cells if cell[2].offset_ns is None), None)
    if not with_one:
        return None
    if without:
        raise mixed(with_one[0][0], with_one[0][1], without[0], without[1], name, where)
    return np.array([stamp.offset_ns for _, _, stamp in cells], dtype=np.int64)


def mixed(text: str, place: int, other: str, other_place: int, name: str, where: Where) -> FulmenError:
    """What is wrong if one cell has an offset and the other none."""
    return FulmenError(
        f"{where(other_place, name)}: {other!r} has no offset from UTC, but {text!r} has one, {where(place, name)}; "
        f"write all times one way"
    )
