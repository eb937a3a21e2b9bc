"""What is said of a state: since when, how grave it is, and the numbers that fill its words."""

import math
from typing import Any, NamedTuple

import numpy as np

from fulmen.diagnosis.curves import Curves
from fulmen.diagnosis.measured import FIRST, Measured, size
from fulmen.diagnosis.rules import SURE, falls_short, fell, fits, unsettled
from fulmen.diagnosis.smoothing import Flags
from fulmen.diagnosis.texts import Severity

NEAR = 0.25  # of a rise: means that are so near to it are not told besides
PARTED = 0.05  # of the training loss as a share of validation loss: less is no sign that they part
STANDS_OUT = 0.02  # of the best validation loss: a check that is lower by more is named
SHOWN = 0.03  # of the best validation loss: a rise that anybody sees in the log
RISES = 0.02  # of the best validation loss: what lies below is no rise
EXTRA = {  # by whether the training loss was taken as the validation loss was
    True: "",
    False: "; dropout, augmentation, mixed images, smooth labels or further terms in the training loss do that as well "
    "as a leak",
}


class Said(NamedTuple):
    """What a verdict is made of: its name, the epoch it holds from, its severity (None: that of its text), numbers."""

    code: str
    evidence: dict[str, Any]
    since: int | None = None
    severity: Severity | None = None


def no_fault(m: Measured, curves: Curves, comparable: bool = False) -> Said:
    """Where no rule has found anything: still on the way, well fitted, or nothing to be said.

    The log of a run of our own shows a rise that its noise may have made: it is named, and the fit not called good.
    """
    if comparable and m.rise[-1] > SHOWN:
        return said("past_its_best", m.rise > SHOWN, m, curves)
    falls = unsettled(m)  # too little, or too short a time, to promise much; and yet no end
    if falls[-1]:
        return said("still_improving", falls, m, curves)
    now = {"train": curves.train[-1], "val": curves.val[-1]}
    if fell(m) and not falls_short(m):
        seen = (
            "both losses fell"
            if curves.val[-1] < curves.val[0] - 0.01 * m.v_scale[-1] / m.unit
            else "training loss fell"
        )
        return Said("good_fit", {"how": f"{seen}, validation loss has settled", **now})
    if fits(m):
        return Said("good_fit", {"how": f"both losses rest far below {_versus(m)}", **now})
    return Said("undecided", {"train_start": curves.first, "val_start": curves.val[0], **now})


def _versus(m: Measured) -> str:
    """What a loss is compared with."""
    return f"the {m.base:.3g} of {m.base_of}"


def said(code: str, flags: Flags, m: Measured, curves: Curves, frozen: str = "", comparable: bool = False) -> Said:
    """What there is to say of the state `code`, raised at its last check.

    Args:
        flags: where it is raised.
        frozen: what to add where nothing is learned.
        comparable: whether the training loss was taken as the validation loss was.
    """
    best = _best_check(m, curves)
    start = len(flags) - int(np.argmin(flags[::-1])) if not flags.all() else 0
    half = int(m.ends[len(m.v) // 2])
    at = {"overfitting": best, "past_its_best": best, "plateau": min(best, half)}.get(code, int(m.ends[start]))
    evidence = _evidence(code, m, curves, best, frozen, comparable)
    return Said(code, evidence, int(curves.epochs[at]), _severity(code, m, comparable))


def _best_check(m: Measured, curves: Curves) -> int:
    """The check of the lowest validation loss in the best window, not the one that the window ends with."""
    first, last = max(int(m.best_at[-1] - m.width[-1]), -1), int(m.ends[m.best_at[-1]])
    first = int(m.ends[first]) + 1 if first >= 0 else 0
    return first + int(np.argmin(curves.val[first : last + 1]))


def _evidence(code: str, m: Measured, curves: Curves, best: int, frozen: str, comparable: bool) -> dict[str, Any]:
    """The numbers behind a state."""
    times = m.v[-1] / m.t[-1] if m.t[-1] else None
    train, val, base = float(curves.train[-1]), float(curves.val[-1]), _base(m, curves)
    gain = (base - train) / size(base)
    versus = f"{m.base_of} has {base:.3g}"
    if code == "no_learning" and gain > 0.02 and m.base_of != FIRST:
        versus = f"it has stayed where it began, {gain:.0%} below the {base:.3g} of {m.base_of}"
    level = f"{abs(gain):.0%} {'above' if gain < 0 else 'below'} the {base:.3g} of {m.base_of}"
    if abs(gain) < 0.005 and m.base_of == FIRST:
        level = f"as {base:.3g} in the first epoch"
    far = f"{times:.1f} times the training loss" if times else f"{val:.3g} where training loss is 0"
    evidence: dict[str, dict[str, Any]] = {
        "diverged": {"train": train, "train_best": float(curves.train.min()), "base": base, "versus": versus},
        "no_learning": {"train": train, "gain": gain, "base": base, "versus": versus, "frozen": frozen},
        "overfitting": _risen(m, curves, best, 0.05, ".0%") | {"train": train, "trend": _trend(m)},
        "past_its_best": _risen(m, curves, best, 0.02, ".1%"),
        "underfitting": {"train": train, "val": val, "gain": gain, "versus": level, "frozen": frozen},
        "noisy_validation": _noise(m),
        "validation_too_good": {"how": f"validation loss is {times or 0:.0%} of the training loss" + EXTRA[comparable],
                                "val": val, "train": train},
        "generalization_gap": {"times": times, "far": far, "how": _way(m)},
        "still_improving": _falling(m),
        "plateau": {"best": curves.val[best]},
    }  # fmt: skip
    return evidence[code]


def _noise(m: Measured) -> dict[str, Any]:
    """What validation loss jumps by and as a share of what: the one that was judged.

    A warning is one for the share of the loss itself, a note for that of what was gained.
    """
    if not m.loud[-1]:
        share = m.jumps[-1] / max(m.base - m.v_best[-1], 0.4 * abs(m.base), 1e-200)
        return {"noise": m.jumps[-1] / m.unit, "share": share, "of": "its whole improvement"}
    level = m.v_wide[-1] if m.v_now.min() > 0 else 0.4 * m.v_scale[-1]
    of = "its level" if m.v_now.min() > 0 else "its whole improvement"
    share = m.loudness[-1] * (1.0 if m.v_now.min() > 0 else 0.4)
    return {"noise": m.loudness[-1] * level / m.unit, "share": share, "of": of}


def _base(m: Measured, curves: Curves) -> float:
    """What the training loss is compared with in words: of the first epoch, its own."""
    return curves.first if m.base_of == FIRST else m.base


def _risen(m: Measured, curves: Curves, best: int, least: float, digits: str) -> dict[str, Any]:
    """How far validation loss is over its best: `rise` is of the last value over the lowest; `over` says it in words.

    Where noise sets that apart from the rise of means, by which it was judged, the words have both, or the means alone
    where the last value by itself lies too low. A loss that is not positive has no percentage; its range has.
    """
    val, low = float(curves.val[-1]), float(curves.val[best])
    slow = (m.v_wide[-1] - m.v_wide_best[-1]) / m.v_scale[-1]
    width, smoothed = (m.width, m.rise[-1]) if m.rise[-1] > least or m.rise[-1] > slow else (m.wide, slow)
    rise = (val - low) / (low if low > 0 and curves.val.min() > 0 else m.v_scale[-1] / m.unit)
    means = f"in means of {width[-1] * (m.ends[-1] - m.ends[-2])} checks"
    if curves.val.min() <= 0:
        over = f"at {val:.3g} after {low:.3g} at its best, {smoothed:{digits}} of what was gained before {means}"
    elif rise < least:
        over = f"{smoothed:{digits}} over its best {means}"
    else:
        near = abs(rise - smoothed) <= max(NEAR * rise, 0.01)
        over = f"{rise:{digits}} over its best" + ("" if near else f" ({smoothed:{digits}} {means})")
    return {"rise": rise, "smoothed": smoothed, "over": over + _alone(curves, low), "best": low, "val": val}


def _alone(curves: Curves, low: float) -> str:
    """A clause on a check that lies clearly below the best and is left out, as the checks around it are not as low."""
    lowest = int(np.argmin(curves.val))
    if low - curves.val[lowest] <= STANDS_OUT * abs(low):
        return ""
    return f", {low:.3g} without the {curves.val[lowest]:.3g} that stands alone in epoch {curves.epochs[lowest]},"


def _trend(m: Measured) -> str:
    """What the training loss does while validation loss rises, and what tells the rise from noise."""
    trend = "falls" if m.t[-1] < m.t_then[-1] else "does not rise as much"
    if m.v[-1] - m.v_best[-1] > SURE * m.v_noise[-1] * math.sqrt(2 / m.width[-1]):
        return trend
    if m.nearness_lost[-1] < PARTED:
        return f"{trend}; noise of the last checks is nearly as large as the rise"
    now = m.t[-1] / m.v[-1]
    went = f"training loss went from {now + m.nearness_lost[-1]:.0%} to {now:.0%} of it over half of the run"
    return f"{trend}; the rise alone could be noise, but {went}"


def _falling(m: Measured) -> dict[str, Any]:
    """What validation loss fell by over the last quarter, as a share of what it was; of one below 0, the numbers."""
    now, then = m.v[-1], m.v[-1 - max(1, len(m.v) // 4)]
    if min(now, then) > 0:
        return {"recent": (then - now) / then, "fall": f"{(then - now) / then:.0%}"}
    return {"recent": None, "fall": f"from {then / m.unit:.3g} to {now / m.unit:.3g}"}


def _severity(code: str, m: Measured, comparable: bool) -> Severity | None:
    """Of a state that is a note where it is weak; None: as its text says."""
    weak = {"validation_too_good": not comparable, "noisy_validation": not m.loud[-1]}
    return "note" if weak.get(code) else None


def _way(m: Measured) -> str:
    """Where validation loss goes, as far as its noise shows."""
    above, sd = m.v[-1] - m.v_best[-1], SURE * m.v_noise[-1] * math.sqrt(2 / m.width[-1])
    if above > sd and m.rise[-1] > RISES:
        return f"it is {m.rise[-1]:.0%} over its best"
    if above <= RISES * m.v_scale[-1]:
        return "it is as low as it ever was"
    return f"it may have risen by {m.rise[-1]:.0%}, which its noise hides"
