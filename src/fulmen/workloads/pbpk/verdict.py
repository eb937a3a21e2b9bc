"""What the test split shows of a PBPK network: whether it tells subjects apart, and its R2 (log)."""

from collections.abc import Mapping

import numpy as np
from torch import Tensor

from fulmen.report.estimates import Estimate, agreement, gain
from fulmen.report.evidence import Evidence, Measure, judge, not_finite, too_few
from fulmen.report.known import best, is_known
from fulmen.report.shown import Shown
from fulmen.report.words import spoken
from fulmen.workloads.pbpk.metrics import DIRECTIONS

CONSTANT = "mean curve"
FURTHER = ("gmfe", "within_10_percent", "auc_gmfe")  # main measures beside R2 (log)
MEASURE = "correlation with what differs between subjects"

Scores = Mapping[str, float]


def verdict(
    logs: Mapping[str, Tensor], errors: Mapping[str, Tensor], spread: Tensor, compound: Tensor, margin: float
) -> Shown:
    """The network beside chance, the constant and the other baselines.

    Subjects of one compound resemble each other: then compounds are what is counted.

    Args:
        logs: log concentrations [S, ...], "true" and of "network", `CONSTANT` and the other baselines.
        errors: mean squared error of each subject on the log scale, of the same but "true": [S].
        spread: the same of the mean of all: [S]; R2 (log) is 1 - sum(errors) / sum(spread).
        compound: of each subject [S].
        margin: share of what differs between subjects from which on it is a signal.
    """
    if not bool(errors["network"].isfinite().all()):
        return not_finite("concentrations")
    compounds = len(compound.unique())
    several = compounds < len(compound)
    unit = compound.numpy() if several else None
    name = "compound" if several else "subject"
    reason = too_few(compounds, name, several)
    total = float(spread.double().mean())
    if not total > 0:
        reason = "all curves are the same"
    finite = {who: each for who, each in errors.items() if bool(each.isfinite().all())}
    scores = {who: _agreement(logs, who, unit) for who in finite if who != CONSTANT}
    gaps = {who: gain(_scaled(errors["network"], total), _scaled(each, total), unit)
            for who, each in finite.items() if who != "network"}  # fmt: skip
    measure = Measure(MEASURE, 0.0, float(np.sqrt(margin)), said=f"R² {100 * margin:.3g} %")
    rules = [who for who in gaps if who != CONSTANT]
    return judge(
        Evidence(
            measure, scores["network"], compounds, name, {who: scores[who] for who in rules},
            {who: gaps[who] for who in rules}, "R² (log)", gaps[CONSTANT], f"the {CONSTANT}",
        ),
        reason,
    )  # fmt: skip


def answer(shown: Shown, main: Scores, scores: Mapping[str, Scores]) -> str:
    """What came out, with R2 (log), the main measures that say otherwise and the error.

    Args:
        main: of the network.
        scores: of each baseline.
    """
    if not is_known(main["r2_log"]):
        return shown.sentence
    off = f"It is off by a factor of {main['gmfe']:.3g} on average." if is_known(main["gmfe"]) else ""
    said = f"The network explains {100 * main['r2_log']:.2f} % of the variance of the log concentrations"
    first = best({name: each["r2_log"] for name, each in scores.items()}, larger=True)
    if first is None:
        return f"{shown.sentence} {said}. {off}".strip()
    theirs = scores[first]["r2_log"]
    said += f", the best baseline ({first}) {100 * theirs:.2f} %."
    return " ".join(filter(None, [shown.sentence, said, *otherwise(main, scores, main["r2_log"] - theirs), off]))


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


def _agreement(logs: Mapping[str, Tensor], who: str, unit: np.ndarray | None) -> Estimate:
    true, forecast = (logs[name].flatten(1).double().numpy() for name in ("true", who))
    return agreement(true, forecast, unit)


def _scaled(errors: Tensor, total: float) -> np.ndarray:
    return errors.double().numpy() / (total or 1.0)
