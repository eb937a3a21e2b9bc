"""What is said of a state: since when, how grave it is, and the numbers that fill its words."""

import math
from typing import Any, NamedTuple

import numpy as np

from fulmen.diagnosis.curves import Curves
from fulmen.diagnosis.measured import Measured
from fulmen.diagnosis.rules import SURE, falls_short, fell, fits, unsettled
from fulmen.diagnosis.smoothing import Flags
from fulmen.diagnosis.texts import Severity

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
        return Said("good_fit", {"how": "both losses fell, validation loss has settled", **now})
    if fits(m):
        return Said("good_fit", {"how": f"both losses rest far below {_versus(m)}", **now})
    return Said("undecided", {"train_start": curves.train[0], "val_start": curves.val[0], **now})


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
    quarter = max(1, len(m.v) // 4)
    falls = m.t[-1] < m.t_then[-1]
    times = m.v[-1] / m.t[-1] if m.t[-1] else math.inf
    hidden = m.v[-1] - m.v_best[-1] <= SURE * m.v_noise[-1] * math.sqrt(2 / m.width[-1])
    versus = f"{m.base_of} has {m.base:.3g}"
    if code == "no_learning" and m.gain[-1] > 0.02:
        versus = f"it has stayed where it began, {m.gain[-1]:.0%} below {_versus(m)}"
    evidence: dict[str, dict[str, Any]] = {
        "diverged": {"train": curves.train[-1], "train_best": m.t_best[-1], "base": m.base, "versus": versus},
        "no_learning": {"train": curves.train[-1], "gain": m.gain[-1], "base": m.base, "versus": versus,
                        "frozen": frozen},
        "overfitting": {"rise": m.rise[-1], "best": curves.val[best], "val": curves.val[-1], "train": curves.train[-1],
                        "trend": "falls" if falls else "does not rise as much",
                        "parted": f" to {1 / times:.0%} of it; the rise alone could be noise" if hidden else ""},
        "past_its_best": {"rise": m.rise[-1], "best": curves.val[best], "val": curves.val[-1]},
        "underfitting": {"train": curves.train[-1], "val": curves.val[-1], "gain": m.gain[-1],
                         "versus": f"{abs(m.gain[-1]):.0%} {'above' if m.gain[-1] < 0 else 'below'} {_versus(m)}",
                         "frozen": frozen},
        "noisy_validation": {"noise": m.jumps[-1] / m.unit,
                             "share": m.jumps[-1] / max(m.base - m.v_best[-1], 0.4 * abs(m.base), 1e-12)},
        "validation_too_good": {"how": f"validation loss is {times:.0%} of the training loss" + EXTRA[comparable],
                                "val": curves.val[-1], "train": curves.train[-1]},
        "generalization_gap": {"times": times, "how": _way(m)},
        "still_improving": {"recent": (m.v[-1 - quarter] - m.v[-1]) / m.v_scale[-1 - quarter]},
        "plateau": {"best": curves.val[best]},
    }  # fmt: skip
    return evidence[code]


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
