"""What cannot be or looks wrong from one day to the next. Arrays have shape [N], an entry a line of a file.

Lines are in the order of `oldest_first`: ticker by ticker, and of each its oldest day first.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.where import Where

if TYPE_CHECKING:
    import pandas as pd

Frequency = Literal["daily", "weekly", "monthly", "any"]
STEPS = {"daily": (1, 4), "weekly": (5, 10), "monthly": (20, 45)}  # days between lines, the median
GAPS = {"daily": 30, "weekly": 60, "monthly": 120, "any": 10**6}  # days between two lines, at most
LARGE_MOVE = 0.5  # |log return| of a day that is told
LARGEST_JUMP = 8.0  # how many times the Close before a Close may be
NEIGHBOURS = 120  # days that the lines around one may span
FEW_BACK = 0.1  # share of lines against the order of the others, up to which one may have a mistyped year
UNEVEN = 5  # times as long as short steps that long ones may be
OTHER_YEARS = 300  # days that a line lies off all of them, if its year is mistyped
SPLITS = (2, 3, 4, 5, 6, 7, 8, 10, 15, 20, 25, 30, 40, 50)


@dataclass(frozen=True)
class Limits:
    """What is taken for a step from one day to the next.

    Attributes:
        frequency: how far lines of a ticker lie apart; "any": that is not looked at.
        longest_gap_days: between two lines that count as neighbours; None: 30, 60 for weeks, 120 for months.
        largest_jump: how many times the Close before a Close may be, up or down.

    Raises:
        FulmenError: a value that none of them can have.
    """

    frequency: Frequency = "daily"
    longest_gap_days: int | None = None
    largest_jump: float = LARGEST_JUMP

    def __post_init__(self) -> None:
        if self.frequency not in GAPS:
            raise FulmenError(f"frequency is {self.frequency!r}; it is one of {', '.join(GAPS)}")
        days, jump = self.longest_gap_days, self.largest_jump
        if days is not None and not (isinstance(days, int | float) and days >= 1):
            raise FulmenError(f"longest_gap_days is {days!r}; it must be a number of days, 1 or more")
        if not (isinstance(jump, int | float) and jump > 1):
            raise FulmenError(f"largest_jump is {jump!r}; it must be a number above 1")

    @property
    def gap_days(self) -> int:
        return GAPS[self.frequency] if self.longest_gap_days is None else self.longest_gap_days


@dataclass(frozen=True)
class Lines:
    """Lines in the order of `oldest_first`.

    Attributes:
        names: of the tickers.
        ticker: number of each line's ticker [N].
        day: since 1970-01-01 [N].
        where: names a cell by its position [N].
    """

    names: Sequence[str]
    ticker: np.ndarray
    day: np.ndarray
    where: Where

    @property
    def next(self) -> np.ndarray:
        """Positions of lines that have one of the same ticker before them, at position - 1."""
        return np.flatnonzero(np.diff(self.ticker) == 0) + 1

    def date(self, position: int) -> str:
        return str(np.datetime64(int(self.day[position]), "D"))

    def of(self, position: int) -> str:
        """`AAA ` where there is more than one ticker, else nothing."""
        return f"{self.names[self.ticker[position]]} " if len(self.names) > 1 else ""


def oldest_first(
    ticker: np.ndarray,
    day: np.ndarray,
    where: Where,
    column: str = "Date",
    hint: str = "",
    cells: "Sequence[Any] | pd.Series" = (),
) -> tuple[np.ndarray, bool]:
    """Positions of the lines ticker by ticker, oldest first, and whether the file has them newest first.

    Args:
        column: of the dates.
        hint: what a file in which days come twice may want.
        cells: dates as they stand there, which may go on with the time of day.

    Raises:
        FulmenError: a day of a ticker comes twice, or before the line above it.
    """
    order = np.argsort(ticker, kind="stable")
    same, step = np.diff(ticker[order]) == 0, np.diff(day[order])
    if (step[same] > 0).all():
        return order, False
    by_day = np.lexsort((day, ticker))
    twice = np.flatnonzero((np.diff(ticker[by_day]) == 0) & (np.diff(day[by_day]) == 0))
    if len(twice):
        second, first = min((max(pair), min(pair)) for pair in zip(by_day[twice], by_day[twice + 1], strict=True))
        raise FulmenError(_repeated(int(first), int(second), day, where, column, hint, cells))
    if (step[same] < 0).all():
        return by_day, True
    back = same & (step < 0)
    if min(back.sum(), (same & (step > 0)).sum()) <= FEW_BACK * same.sum():  # else no single line is out of order
        refuse_other_years(order, ticker, day, where, column)
    bad = int(order[1:][back].min())
    raise FulmenError(
        f"{where(bad, column)}: {np.datetime64(int(day[bad]), 'D')} lies before the line above it "
        f"({FINDINGS['unsorted_times']}); each ticker needs one line a day, oldest first: sort the lines by date"
    )


def _repeated(
    first: int, second: int, day: np.ndarray, where: Where, column: str, hint: str, cells: "Sequence[Any] | pd.Series"
) -> str:
    date, line = np.datetime64(int(day[second]), "D"), where.line[first]
    time = [str(each) for each in cells]
    if time and time[first] != time[second]:
        return (
            f"{where(second, column)}: {time[second]} is a second price of that day, after {time[first]} in "
            f"{where.word} {line}; each ticker needs one line a day{hint or ': take the prices of whole days'}"
        )
    return (
        f"{where(second, column)}: {date} repeats the day of {where.word} {line}; each ticker needs one line a "
        f"day{hint}"
    )


def refuse_other_years(
    order: np.ndarray, ticker: np.ndarray, day: np.ndarray, where: Where, column: str = "Date"
) -> None:
    """Pass if no single line lies many years off the lines around it, which lie close to each other.

    Args:
        order: positions of the lines, those of one ticker after each other [N].
        ticker: of each line [N].
        day: since 1970-01-01 [N].

    Raises:
        FulmenError: names the first line, whose year is probably mistyped.
    """
    ticker, day = ticker[order], day[order]
    for i in range(len(day)):
        around = [k for k in (i - 2, i - 1, i + 1, i + 2) if 0 <= k < len(day) and ticker[k] == ticker[i]]
        near = day[around]
        if len(near) > 1 and np.ptp(near) <= NEIGHBOURS and np.abs(near - day[i]).min() >= OTHER_YEARS:
            date, year = np.datetime64(int(day[i]), "D"), str(np.datetime64(int(near[0]), "D"))[:4]
            raise FulmenError(
                f"{where(int(order[i]), column)}: {date} is in another year than the lines around it, which are of "
                f"{year}; correct the year"
            )


def refuse_frequency(lines: Lines, frequency: Frequency) -> list[str]:
    """Doubts about days that are rather every second or third one, by the median of the steps.

    Raises:
        FulmenError: the lines of the tickers do not lie as far apart as `frequency` says.
    """
    steps = np.diff(lines.day)[lines.next - 1]
    if len(steps) < 5 or frequency == "any":
        return []
    median = float(np.median(steps))
    low, high = STEPS[frequency]
    if low <= median <= high:
        rare = frequency == "daily" and median > 1
        return [f"its lines are {median:g} days apart, by the median, and each counts as one day"] if rare else []
    irregular = f" ({FINDINGS['irregular_times']})"
    meant = next((name for name, (least, most) in STEPS.items() if least <= median <= most), "any")
    what = f"at various times{irregular}" if meant == "any" else meant
    raise FulmenError(
        f"{lines.where.source}: its lines are {median:g} days apart, so its prices are {what} and not {frequency} "
        f"ones; {override('data.frequency', meant)} reads them as such, and counts of days are counts of lines then"
    )


def doubts_about_steps(lines: Lines) -> list[str]:
    """Told: lines that lie far closer together in some places than in others, each of which counts as one step."""
    steps = np.diff(lines.day)[lines.next - 1]
    if len(steps) < 20:
        return []
    short, long = np.quantile(steps, (0.1, 0.9))
    if long <= UNEVEN * short:
        return []
    return [
        f"{FINDINGS['irregular_times']}: one line in ten is {short:g} days or less after the one before, one in ten "
        f"{long:g} or more, and each counts as one step"
    ]


def refuse_holes(lines: Lines, limits: Limits) -> None:
    """Pass if no two neighbouring lines of a ticker lie further apart than `limits` lets them.

    Raises:
        FulmenError: names the line after the first hole in the file.
    """
    steps = np.diff(lines.day)[lines.next - 1]
    wide = lines.next[steps > limits.gap_days]
    if len(wide) == 0:
        return
    refuse_other_years(np.arange(len(lines.day)), lines.ticker, lines.day, lines.where)
    place = int(wide[lines.where.line[wide].argmin()])
    days, most = int(lines.day[place] - lines.day[place - 1]), int(steps.max())
    others = f"; {len(wide)} such holes" if len(wide) > 1 else ""
    raise FulmenError(
        f"{lines.where(place, 'Date')}: {lines.of(place)}{lines.date(place)} is {days} days after the line before, "
        f"{lines.date(place - 1)}, and would count as the next day{others} ({FINDINGS['irregular_times']}). Fill the "
        f"hole, begin after it, or let it be: {override('data.longest_gap_days', most)}"
    )


def refuse_jumps(numbers: Mapping[str, np.ndarray], lines: Lines, limits: Limits, adjusted: bool) -> list[str]:
    """Doubts about large moves from one line to the next.

    Args:
        numbers: adjusted by Adj Close if there is one.
        adjusted: whether there is one.

    Raises:
        FulmenError: a Close is more than `limits.largest_jump` times the one before, or a High its Low.
    """
    close = numbers["Close"]
    ratio = close[lines.next] / close[lines.next - 1]
    times = np.maximum(ratio, 1 / ratio)
    far = lines.next[times > limits.largest_jump]
    if len(far):
        place = int(far[lines.where.line[far].argmin()])
        raise FulmenError(_jump(place, close, lines, float(times.max())))
    if {"High", "Low"} <= numbers.keys():
        wide = np.flatnonzero(numbers["High"] > limits.largest_jump * numbers["Low"])
        if len(wide):
            place = int(wide[lines.where.line[wide].argmin()])
            high, low = numbers["High"][place], numbers["Low"][place]
            name = "Low" if close[place] / low > high / close[place] else "High"
            widest = (numbers["High"] / numbers["Low"]).max()
            raise FulmenError(
                f"{lines.where(place, name)}: High, {high:g}, is {high / low:.3g} times Low, {low:g}: a misplaced "
                f"point? Correct it, or let it be: {_letting('largest_jump', widest)}"
            )
    moved = lines.next[times > np.exp(LARGE_MOVE)]
    told = [_move(int(place), close, lines, adjusted) for place in moved[:3]]
    return [*told, f"{len(moved) - 3} more such moves"] if len(moved) > 3 else told


def _jump(place: int, close: np.ndarray, lines: Lines, most: float) -> str:
    now, before = (f"{close[i]:g} on {lines.date(i)}" for i in (place, place - 1))
    return (
        f"{lines.where(place, 'Close')}: {lines.of(place)}{now} is {close[place] / close[place - 1]:.3g} times the "
        f"Close before, {before}: a misplaced point, another unit (pence for pounds), or a split that prices are not "
        f"adjusted for? Correct it, give Adj Close, or let it be: {_letting('largest_jump', most)}"
    )


def _letting(name: str, at_least: float) -> str:
    """The override that lets `at_least` pass, with a round number a little above it."""
    digits = 10 ** np.floor(np.log10(at_least) - 1)
    return override(f"data.{name}", float(f"{np.ceil(1.01 * at_least / digits) * digits:.6g}"))


def _move(place: int, close: np.ndarray, lines: Lines, adjusted: bool) -> str:
    ratio = float(close[place] / close[place - 1])
    split = next((k for k in SPLITS if abs(max(ratio, 1 / ratio) / k - 1) < 0.08), None)
    said = (
        f"{lines.of(place)}Close is {ratio:.3g} times that of the day before in {lines.where.word} "
        f"{lines.where.line[place]} ({lines.date(place)})"
    )
    if split and not adjusted:
        kind = f"{split} for 1" if ratio < 1 else f"1 for {split}"
        return f"{said}: a split of {kind} that prices are not adjusted for? A column Adj Close would adjust them"
    return f"{said}, a return of {np.log(ratio):+.2f}"
