"""What the test split allows one to say of a PBPK network beside the best baseline, in words."""

from collections.abc import Mapping

import numpy as np
from scipy import stats
from torch import Tensor

from fulmen.report.known import best, is_known
from fulmen.report.words import counted, spoken
from fulmen.workloads.pbpk.metrics import DIRECTIONS

LEVEL = 0.95
FURTHER = ("gmfe", "within_10_percent", "auc_gmfe")  # main measures beside R2 (log)

Scores = Mapping[str, float]


def verdict(
    main: Scores, scores: Mapping[str, Scores], errors: Mapping[str, Tensor], spread: Tensor, compound: Tensor
) -> str:
    """The network beside the best baseline: R2 (log), its interval, and the main measures that say otherwise.

    Args:
        main: of the network.
        scores: of each baseline.
        errors: mean squared error of each subject on the log scale, of "network" and each baseline: [S].
        spread: the same of the mean of all: [S]; R2 (log) is 1 - sum(errors) / sum(spread).
        compound: of each subject [S]; subjects of one resemble each other.
    """
    if not is_known(main["r2_log"]):
        return "The network predicts no finite concentrations."
    off = f"It is off by a factor of {main['gmfe']:.3g} on average." if is_known(main["gmfe"]) else ""
    said = f"The network explains {100 * main['r2_log']:.2f} % of the variance of the log concentrations"
    first = best({name: each["r2_log"] for name, each in scores.items()}, larger=True)
    if first is None:
        return f"{said}. {off}".strip()
    gain, low, high, over = gain_of(errors["network"], errors[first], spread, compound)
    sure = f"{100 * LEVEL:.0f} % interval {low:+.2f} to {high:+.2f}, paired over {over}"
    known = is_known(low) and is_known(high)
    word = "which chance alone may explain" if known and low <= 0 <= high else "more" if gain > 0 else "less"
    said += f", the best baseline ({first}) {100 * scores[first]['r2_log']:.2f} %: {gain:+.2f} points"
    said += f" ({sure}), {word}." if known else f"; no interval from {over}."
    return " ".join(filter(None, [said, *otherwise(main, scores, gain), off]))


def gain_of(network: Tensor, baseline: Tensor, spread: Tensor, compound: Tensor) -> tuple[float, float, float, str]:
    """How much more of the variance the network explains, in points, the ends of its interval, and over what.

    By the t distribution over the subjects, or over the compounds where these have several; NaN for less than two.
    """
    _, place = np.unique(compound.numpy(), return_inverse=True)
    count = place.max() + 1
    each = np.bincount(place, (baseline - network).double().numpy()) * count / float(spread.double().sum())
    over = counted(int(count), "subject" if count == len(place) else "compound")
    if count < 2:
        return 100 * float(each.mean()), float("nan"), float("nan"), over
    half = stats.t.ppf(0.5 + LEVEL / 2, count - 1) * each.std(ddof=1) / np.sqrt(count)
    gain, half = 100 * float(each.mean()), 100 * float(half)
    return gain, gain - half, gain + half, over


def otherwise(main: Scores, scores: Mapping[str, Scores], gain: float) -> list[str]:
    """A sentence on the main measures by which the network does not stand as it does by R2 (log)."""
    found = []
    for name in FURTHER:
        larger = DIRECTIONS[name] == "max"
        rival = best({who: each[name] for who, each in scores.items()}, larger)
        if rival is None or not is_known(main[name]):
            continue
        theirs = scores[rival][name]
        ahead = main[name] > theirs if larger else main[name] < theirs
        if main[name] != theirs and ahead != (gain > 0):
            found.append(f"{spoken(name)} is {main[name]:.4g} against {theirs:.4g} ({rival})")
    where = "ahead" if gain <= 0 else "behind"
    return [f"By other measures it is {where}: {', '.join(found)}."] if found else []
