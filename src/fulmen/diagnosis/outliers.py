"""Single checks of a loss that stand far from all around them: what is set aside before a trend is looked at.

A bad batch, an evaluation that was cut short: the loss leaps at one check, or at two in a row, and returns. A mean
carries such a check along for as long as it smooths; it says nothing of where the loss goes.
"""

from dataclasses import dataclass, replace
from itertools import chain
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from fulmen.diagnosis.curves import Curves
from fulmen.diagnosis.smoothing import Flags, Series

LEAST = 8  # checks, before one of them can stand apart from the others
AROUND = 5  # checks before and after that a check is compared with
FAR = 8.0  # robust standard deviations from what is before and from what is after
VISIBLE = 0.05  # of the loss around it, or of the range of what is around where losses are not positive
FEW, SHARE = 2, 0.01  # more leaps than that, and than that share of the checks, are noise
LONGEST = 2  # checks in a row
LEAP = 2.0  # times the step before it, and coming back the step after it: a loss that goes on in its way does not leap
NAMED = 3  # leaps that are told one by one
NORMAL = 0.6745  # median of |z| for a standard normal z


@dataclass(frozen=True)
class Outlier:
    """A check, or two in a row, that the loss leaped at.

    Attributes:
        begin: index of the first.
        end: index of the check after the last.
        around: what the loss is before and after.
    """

    begin: int
    end: int
    around: float


def outliers(x: Series) -> list[Outlier]:
    """The leaps of a loss, up or down, that returned; [] where there are so many that they are its noise."""
    if len(x) < LEAST or not _returns(x, steady := _steady(x)):
        return []
    middle, spread = _medians(x)
    near = np.maximum(spread / NORMAL, steady)
    least = VISIBLE * (np.abs(middle) if x.min() > 0 else np.full(len(middle), np.ptp(middle)))
    found: list[Outlier] = []
    for length in range(LONGEST, 0, -1):
        begins = np.arange(1, len(x) - length)
        after = begins + length + AROUND  # where the window begins that follows
        bound = np.maximum(FAR * np.maximum(near[begins], near[after]), np.maximum(least[begins], least[after]))
        leaps = np.stack([x[begins + i] for i in range(length)])
        beside = np.stack([middle[begins], middle[after], x[begins - 1], x[begins + length]])
        above = leaps.min(axis=0) - beside.max(axis=0) > bound
        below = beside.min(axis=0) - leaps.max(axis=0) > bound
        for begin in begins[(above | below) & _leapt(x, length)].tolist():
            if not any(begin < each.end and each.begin < begin + length for each in found):
                around = 0.5 * float(middle[begin] + middle[begin + length + AROUND])
                found.append(Outlier(begin, begin + length, around))
    return sorted(found, key=lambda each: each.begin) if len(found) <= max(FEW, SHARE * len(x)) else []


def _leapt(x: Series, length: int) -> Flags:
    """Whether `length` checks from each check but the first on are left and come back from by steps that stand out."""
    steps = np.abs(np.diff(x))
    step = np.concatenate([[0.0], steps, [0.0]])  # step i leads to check i; none leads to the first
    begins = np.arange(1, len(x) - length)
    ends = begins + length
    return (step[begins] > LEAP * step[begins - 1]) & (step[ends] > LEAP * step[ends + 1])


def last_leap(x: Series) -> Outlier | None:
    """The last check, where it stands as far above those before it: whether the loss returns is not known yet."""
    before = x[-1 - AROUND : -1]
    if len(x) < LEAST or x[-1] <= before.max():
        return None
    around = float(np.median(before))
    spread = max(float(np.median(np.abs(before - around))) / NORMAL, _steady(x[:-1]))
    least = VISIBLE * (abs(around) if x.min() > 0 else float(np.ptp(x[:-1])))
    return Outlier(len(x) - 1, len(x), around) if x[-1] - before.max() > max(FAR * spread, least) else None


class Aside(NamedTuple):
    """What is set aside of two curves.

    Attributes:
        leaps: training or validation -> its leaps that returned.
        last: the leap of the validation loss at the last check, which is told and not judged.
    """

    leaps: dict[str, list[Outlier]]
    last: Outlier | None

    def epochs(self, curves: Curves) -> list[int]:
        """Of all checks that are set aside."""
        both = [*chain.from_iterable(self.leaps.values()), *filter(None, [self.last])]
        return sorted({int(epoch) for each in both for epoch in curves.epochs[each.begin : each.end]})

    def words(self, curves: Curves) -> str:
        """A clause that names them; "" where there are none."""
        both = {"training": curves.train, "validation": curves.val}
        clauses = [_clause(name, both[name], each, curves.epochs) for name in self.leaps for each in self.leaps[name]]
        words = ""
        if clauses:
            more = f" and {len(clauses) - NAMED} more" if len(clauses) > NAMED else ""
            words = f"; set aside as {'outliers' if clauses[1:] else 'an outlier'}: {', '.join(clauses[:NAMED])}{more}"
        if self.last:
            alone = f"{curves.val[-1]:.3g} after {self.last.around:.3g}"
            words += f"; the last validation loss stands alone, {alone}: another check would show whether it stays"
        return words


def without_outliers(curves: Curves) -> tuple[Curves, Aside]:
    """The curves with what is around their leaps in place of these, and what is set aside."""
    leaps = {"training": outliers(curves.train), "validation": outliers(curves.val)}
    train, val = set_aside(curves.train, leaps["training"]), set_aside(curves.val, leaps["validation"])
    last = None if curves.missing else last_leap(val)
    aside = Aside({name: found for name, found in leaps.items() if name != curves.missing}, last)
    return replace(curves, train=train, val=set_aside(val, [last] if last else [])), aside


def _clause(name: str, x: Series, leap: Outlier, epochs: np.ndarray) -> str:
    values = " and ".join(f"{value:.3g}" for value in x[leap.begin : leap.end])
    where = "epochs " if leap.end - leap.begin > 1 else "epoch "
    where += " and ".join(str(epoch) for epoch in epochs[leap.begin : leap.end])
    return f"{name} loss {values} in {where}, {leap.around:.3g} around it"


def set_aside(x: Series, leaps: list[Outlier]) -> Series:
    """`x` with what is around them in place of its leaps."""
    if not leaps:
        return x
    x = x.copy()
    for each in leaps:
        x[each.begin : each.end] = each.around
    return x


def _medians(x: Series) -> tuple[Series, Series]:
    """Of `AROUND` checks in a row, their median and the median of what they are off it: [checks + AROUND + 1].

    Window i ends before check i; before the first and after the last check these go on. Where all of them fall, they
    are off it by their trend; there it is what they are off that, by second differences.
    """
    windows = sliding_window_view(np.concatenate([[x[0]] * AROUND, x, [x[-1]] * AROUND]), AROUND)
    middle = np.sort(windows, axis=1)[:, AROUND // 2]
    spread = np.sort(np.abs(windows - middle[:, None]), axis=1)[:, AROUND // 2]
    steps = np.diff(windows, axis=1)
    falls = (steps < 0).all(axis=1)
    bends = np.sort(np.abs(np.diff(steps[falls], axis=1)), axis=1)[:, (AROUND - 2) // 2]
    spread[falls] = np.minimum(spread[falls], bends / 6**0.5)
    return middle, spread


def _steady(x: Series) -> float:
    """Robust standard deviation of what jumps from check to check, all checks taken together."""
    return float(np.sort(np.abs(x[2:] - 2 * x[1:-1] + x[:-2]))[(len(x) - 2) // 2]) / (NORMAL * 6**0.5)


def _returns(x: Series, steady: float) -> bool:
    """Whether a large step is undone by the step after, or the one after that: there is something to look at."""
    steps = np.diff(x)
    large = np.where(np.abs(steps) > FAR * steady, np.sign(steps), 0)
    return bool((large[1:] * large[:-1] < 0).any() or (large[2:] * large[:-2] < 0).any())
