"""Dates and times of day as people and programs write them: `31.01.2024 14:00`, `Jan 31, 2024 2:00 PM`, ISO.

A text is read wholly or not at all. The order of day and month is left open where the text does not say it.
"""

import re
from functools import lru_cache
from typing import NamedTuple

DAY_NS, HOUR_NS, MINUTE_NS, SECOND_NS = 86_400_000_000_000, 3_600_000_000_000, 60_000_000_000, 1_000_000_000
LONGEST = 120  # letters of a date with its time and zone
FARTHEST = 14 * HOUR_NS  # of local time from UTC
MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january januar jän jänner", "feb february februar", "mar march mär märz mrz", "apr april", "may mai",
            "jun june juni", "jul july juli", "aug august", "sep sept september", "oct october okt oktober",
            "nov november", "dec december dez dezember",
        ],
        start=1,
    )
    for name in names.split()
}  # fmt: skip
_MONTH = "|".join(sorted(MONTHS, key=len, reverse=True))
_TIME = (
    r"(?P<hour>\d{1,2}):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:[.,](?P<fraction>\d{1,9}))?)?"
    r"\s*(?P<half>[ap]\.?m\.?)?|(?P<hour_only>\d{1,2})\s*(?P<half_only>[ap]\.?m\.?)"
)
_ZONE = r"(?:(?P<utc>z|utc|gmt)|(?:utc|gmt)?(?P<offset>[+-]\d\d(?::?\d\d)?)(?:\s*(?:\([^)]*\)|\[[\w/]+\]|utc))?)"
_DATES = [
    r"(?P<y>\d{4})(?P<s>[-/.])(?P<m>\d{1,2})(?P=s)(?P<d>\d{1,2})",
    r"(?P<a>\d{1,2})(?P<s>[-/.])\s?(?P<b>\d{1,2})(?P=s)\s?(?P<y>\d{4}|\d\d)",
    rf"(?P<d>\d{{1,2}})(?:st|nd|rd|th)?\.?[-/ ]?\s?(?P<month>{_MONTH})\.?,?[-/ ]?\s?(?P<y>\d{{4}}|\d\d)",
    rf"(?P<month>{_MONTH})\.?[-/ ]\s?(?P<d>\d{{1,2}})(?:st|nd|rd|th)?(?:,\s?|[-/ ]\s?)(?P<y>\d{{4}})",
    rf"(?P<y>\d{{4}})[-/ ](?P<month>{_MONTH})[-/ ](?P<d>\d{{1,2}})",
    r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)",
]
_WEEKDAY = r"(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?|sun)(?:day)?\.?,?\s+)?"
_FORMS = [
    re.compile(rf"{_WEEKDAY}{date}(?:(?:,?\s+|t|:(?=\d\d:\d\d:))(?:{_TIME})\s*{_ZONE}?)?", re.IGNORECASE)
    for date in _DATES
] + [
    re.compile(rf"(?:{_TIME}),?\s+{_WEEKDAY}{date}", re.IGNORECASE)  # 14:00 31.01.2024
    for date in _DATES[:4]
] + [
    re.compile(rf"{_WEEKDAY}(?P<month>{_MONTH})\s+(?P<d>\d{{1,2}})\s+(?:{_TIME})\s*{_ZONE}?\s+(?P<y>\d{{4}})", re.I),
    re.compile(  # 20240131T140000
        r"(?P<y>\d{4})(?P<m>\d\d)(?P<d>\d\d)[t _-](?P<hour>\d\d)(?P<minute>\d\d)(?:(?P<second>\d\d)"
        rf"(?:[.,](?P<fraction>\d{{1,9}}))?)?\s*{_ZONE}?",
        re.I,
    ),
]  # fmt: skip


class Stamp(NamedTuple):
    """A date, and what stands behind it.

    Attributes:
        year: of two digits, as `31.01.24` has it, where `short`.
        month: or the first of two numbers, where `open` says that they may stand for day and month or month and day.
        day: or the second of the two.
        time_ns: since midnight.
        offset_ns: of local time from UTC; None where none is written.
    """

    year: int
    month: int
    day: int
    time_ns: int = 0
    offset_ns: int | None = None
    open: bool = False
    short: bool = False


def stamp_of(text: str) -> Stamp | None:
    """What a text says, None if it is no date; a month of 13 or a minute of 60 is none."""
    text = text.strip()
    for form in _FORMS if len(text) <= LONGEST else ():
        found = form.fullmatch(text)
        if found:
            part = found.groupdict()
            time, offset = _time_ns(part), _offset_ns(part)
            if time is None or abs(offset or 0) > FARTHEST:
                return None
            short = len(part["y"]) == 2
            if part.get("a"):
                return Stamp(int(part["y"]), int(part["a"]), int(part["b"]), time, offset, True, short)
            month = MONTHS[part["month"].lower()] if part.get("month") else int(part["m"])
            return Stamp(int(part["y"]), month, int(part["d"]), time, offset, False, short)
    return None


def _time_ns(part: dict[str, str | None]) -> int | None:
    hour, half = part.get("hour") or part.get("hour_only"), part.get("half") or part.get("half_only")
    if not hour:
        return 0
    hours, minute, second = int(hour), int(part.get("minute") or 0), int(part.get("second") or 0)
    fraction = int((part.get("fraction") or "").ljust(9, "0"))
    if half:
        if not 1 <= hours <= 12:
            return None
        hours = hours % 12 + 12 * (half[0] in "pP")
    midnight = hours == 24 and minute == second == fraction == 0  # the end of the day
    if (hours > 23 and not midnight) or minute > 59 or second > 59:
        return None
    return hours * HOUR_NS + minute * MINUTE_NS + second * SECOND_NS + fraction


def _offset_ns(part: dict[str, str | None]) -> int | None:
    offset = part.get("offset")
    if not offset:
        return 0 if part.get("utc") else None
    digits = offset[1:].replace(":", "").ljust(4, "0")
    size = int(digits[:2]) * HOUR_NS + int(digits[2:]) * MINUTE_NS
    return -size if offset[0] == "-" else size


@lru_cache(maxsize=100_000)
def days_of(year: int, month: int, day: int) -> int | None:
    """Days since 1970-01-01, None if there is no such day."""
    from datetime import date

    try:
        return date(year, month, day).toordinal() - 719_163
    except ValueError:
        return None
