"""Times that are numbers: which unit they have, by their range, their steps and the name of their column."""

import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from fulmen.errors import FulmenError
from fulmen.io.hints import override, overrides
from fulmen.io.stamps import days_of
from fulmen.io.taken import Guess
from fulmen.io.where import Where

HOURS = {  # in one of each unit
    "hours": 1.0, "minutes": 1 / 60, "seconds": 1 / 3600, "milliseconds": 1 / 3.6e6, "microseconds": 1 / 3.6e9,
    "nanoseconds": 1 / 3.6e12, "days": 24.0, "excel_days": 24.0,
}  # fmt: skip
PER_HOUR = {"minutes": 60.0, "seconds": 3600.0, "milliseconds": 3.6e6, "microseconds": 3.6e9, "nanoseconds": 3.6e12}
SINCE_1970 = {  # from 1973 to 2049; seconds since 1904, and those of Windows in ten millionths, lie outside
    "seconds": (1e8, 2.5e9), "milliseconds": (1e11, 2.5e12), "microseconds": (1e14, 2.5e15),
    "nanoseconds": (7e17, 2.5e18),
}  # fmt: skip
DIGITS = 19_000_101  # and more: days such as 20240131
EXCEL = (20_000, 80_000)  # days, 1954 to 2119
LONGEST = 200_000  # hours, 22 years
EXCEL_1970 = 25_569  # 1970-01-01 in Excel
UNIT_NAMES = {
    "hours": "h|hr|hrs|hour|hours", "minutes": "min|mins|minute|minutes", "seconds": "s|sec|secs|second|seconds",
    "milliseconds": "ms|msec|millis|milliseconds", "microseconds": "us|µs|usec|micros|microseconds",
    "nanoseconds": "ns|nsec|nanos|nanoseconds", "days": "day|days",
}  # fmt: skip
IN_NAME = {unit: re.compile(rf"(?:.*[\s_(\[/.-])?(?:{names})[)\]]?", re.I) for unit, names in UNIT_NAMES.items()}


@dataclass(frozen=True)
class Clock:
    """What numbers count.

    Attributes:
        unit: a unit of `HOURS`, or `digits` where 20240131 is a day and 202401311400 a minute of it.
        absolute: whether they count from 1970-01-01, or from 1899-12-30 (`excel_days`).
        guesses: how a person is told, if it was found out.
    """

    unit: str
    absolute: bool
    guesses: tuple[Guess, ...] = ()

    def hours(self, values: np.ndarray) -> np.ndarray:
        """Hours, since 1970-01-01 where they are absolute [N]."""
        if self.unit == "digits":
            return of_digits(values)
        if self.unit == "excel_days":
            return _of_excel(values)
        return values / PER_HOUR[self.unit] if self.unit in PER_HOUR else values * HOURS[self.unit]


def clock_of(
    values: np.ndarray, name: str, where: Where, said: str, key: str, group: np.ndarray | None = None
) -> Clock:
    """The clock of the finite numbers in a column.

    Args:
        values: [N].
        name: of the column; `time_s` and `time [ms]` say a unit.
        where: names a cell in a message.
        said: a unit, or `auto`.
        group: the machine of each row [N]; steps are those between rows of one machine.

    Raises:
        FulmenError: two units fit, or some cells count in one since 1970 and others in another.
    """
    if said != "auto":
        return Clock(said, said == "excel_days" or _fits(values, said))
    if values[0] >= DIGITS and are_dates(values, name, where):
        return Clock("digits", True, (Guess(f"{name}: {values[0]:.0f} is a date"),))
    place = where(0, name)
    named = unit_in(name)
    if since := since_1970(values, name, where):
        if named and named != since:
            what = f"stand in {name}, but are {since} since 1970"
            raise FulmenError(_asked(what, place, key, [named, since]))
        return Clock(since, True, _told(f"{name}: {since} since 1970", since, key))
    if named and not (named == "days" and within(values, EXCEL)):
        return Clock(named, False, _told(f"{name}: {named}, by its name", named, key))
    return _by_steps(values, name, place, key, group)


@lru_cache(maxsize=1000)
def unit_in(name: str) -> str | None:
    """`seconds` of `time_s`, `t [s]` and `elapsedSeconds`; None if a name says none."""
    words = re.sub("(?<=[a-z])(?=[A-Z])", "_", name)
    return next((unit for unit, form in IN_NAME.items() if form.fullmatch(words)), None)


def _by_steps(values: np.ndarray, name: str, place: str, key: str, group: np.ndarray | None) -> Clock:
    if re.fullmatch("years?|yr|jahre?", name, re.IGNORECASE):
        raise FulmenError(f"{place}: a year alone is no time; write dates such as 2024-01-31")
    if within(values, EXCEL):
        if _parts_of_a_day(values) and not _near_whole(values * 1000, 1e-3):  # no short decimals
            return Clock("excel_days", True, _told(f"{name}: days of Excel", "excel_days", key))
        raise FulmenError(_asked("may be hours, or days as Excel counts them", place, key, ["hours", "excel_days"]))
    if np.abs(values).max() >= LONGEST:
        units = ["seconds", "hours", "minutes", "milliseconds", "microseconds", "nanoseconds"]
        raise FulmenError(_asked("are large for hours", place, key, units))
    step = _usual_step(values, group)
    if step >= 60 and not (step % 24 == 0 and step % 60):
        raise FulmenError(_asked(f"go up by {step:g}", place, key, ["seconds", "hours", "minutes", "milliseconds"]))
    return Clock("hours", False, _told(f"{name}: hours, as numbers without a unit are", "hours", key))


def _parts_of_a_day(days: np.ndarray) -> int | None:
    """24, 1440 or 86400 if days, whose decimals were rounded, are whole hours, minutes or seconds; None if not."""
    if _near_whole(days * 24, 2e-3):
        return 24
    if _near_whole(days * 1440, 0.01):
        return 1440
    return 86_400 if len(np.unique(days)) >= 5 and _near_whole(days * 86_400, 0.05) else None


def _of_excel(values: np.ndarray) -> np.ndarray:
    """Hours since 1970-01-01, on the hour, minute or second that was rounded."""
    parts = _parts_of_a_day(values)
    return (np.rint(values * parts) / (parts / 24) if parts else values * 24) - EXCEL_1970 * 24


def _near_whole(values: np.ndarray, distance: float) -> bool:
    return bool((np.abs(values - np.rint(values)) <= distance).all())


def _usual_step(values: np.ndarray, group: np.ndarray | None) -> float:
    """The median of the steps from each time to the next of the same group; 0 if there is one time."""
    if len(values) == 1:
        return 0.0
    if group is None:
        steps = np.diff(np.unique(values))
    else:
        code = np.unique(group, return_inverse=True)[1]
        order = np.lexsort((values, code))
        steps = np.diff(values[order])[np.diff(code[order]) == 0]
        steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 0.0


def of_digits(values: np.ndarray) -> np.ndarray:
    """Hours since 1970 of numbers such as 20240131, 202401311400 or 20240131140000; NaN for others."""
    found = np.full(len(values), np.nan)
    for scale in (1, 10_000, 1_000_000):
        fits = (values >= DIGITS * scale) & (values < 21_010_101 * scale) & (values == np.rint(values))
        if not fits.any():
            continue
        day, clock = np.divmod(np.where(fits, values, 0).astype(np.int64), scale)
        second = clock % 100 if scale == 1_000_000 else 0
        clock = clock // 100 if scale == 1_000_000 else clock
        hour, minute = np.divmod(clock, 100)
        kinds, code = np.unique(day, return_inverse=True)
        dates = [days_of(kind // 10_000, kind // 100 % 100, kind % 100) for kind in kinds.tolist()]
        days = np.array(dates, dtype=np.float64)  # None becomes NaN
        good = fits & (hour < 24) & (minute < 60) & (second < 60)
        found = np.where(good, days[code] * 24 + (hour * 3600 + minute * 60 + second) / 3600, found)
    return found


def are_dates(values: np.ndarray, name: str, where: Where) -> bool:
    """Whether numbers are dates such as 20240131; one among them that is none is named."""
    good = np.isfinite(of_digits(values))
    if good.mean() > 0.5 and not good.all():
        bad = int((~good).argmax())
        raise FulmenError(f"{where(bad, name)}: {values[bad]:.0f} is no date; there is no such day")
    return bool(good.all())


def since_1970(values: np.ndarray, name: str, where: Where) -> str | None:
    """The unit in which all numbers count from 1970; None if they do not."""
    units = {unit: (values >= low) & (values < high) for unit, (low, high) in SINCE_1970.items()}
    there = {unit: fits for unit, fits in units.items() if fits.any()}
    if len(there) > 1 and np.any(list(there.values()), axis=0).all():
        (one, first), (other, second) = list(there.items())[:2]
        places = where(int(first.argmax()), name), where(int(second.argmax()), name)
        raise FulmenError(f"{places[1]}: {other} since 1970, but {one} in {places[0]}; write all times one way")
    return next((unit for unit, fits in there.items() if fits.all()), None)


def _fits(values: np.ndarray, unit: str) -> bool:
    return unit in SINCE_1970 and within(values, SINCE_1970[unit])


def within(values: np.ndarray, bounds: tuple[float, float]) -> bool:
    return bool(((values >= bounds[0]) & (values < bounds[1])).all())


@lru_cache(maxsize=1000)
def _told(what: str, unit: str, key: str) -> tuple[Guess, ...]:
    return (Guess(what, override(f"{key}.time_unit", unit)),)


def _asked(what: str, place: str, key: str, units: list[str]) -> str:
    return f"{place}: the times {what}; say their unit: {overrides(key, 'time_unit', units)}"
