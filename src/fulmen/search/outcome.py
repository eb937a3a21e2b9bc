"""What came of a trial, as its study takes it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fulmen.config.mistakes import did_you_mean
from fulmen.runs.result import Result

OF_THE_RUN = ("parameters", "fit_seconds")  # what an objective may be beside a metric


@dataclass(frozen=True)
class Outcome:
    """What came of a trial.

    Attributes:
        values: of the objectives; None if it failed.
        error: why it failed; None and no values: its process died or was asked to stop.
        facts: epochs, seconds and the like, for the leaderboard.
    """

    values: list[float] | None = None
    pruned: bool = False
    error: str | None = None
    interrupted: bool = False
    facts: Mapping[str, float] = field(default_factory=dict)


def outcome_of(result: Result, objectives: Iterable[str], monitor: str) -> Outcome:
    """What a finished run is worth to its study: the best monitored value, other metrics as they ended."""
    cost, metrics = result.cost, result.metrics
    if "fit_seconds" not in cost:
        return Outcome(error=f"{result.folder} holds no result")
    facts = {
        "epochs": result.epochs,
        "seconds": round(cost["fit_seconds"], 3),
        "parameters": cost["parameters"],
    }
    if result.status == "pruned":
        return Outcome(pruned=True, facts=facts)
    known = {**cost, **metrics}
    known.pop(monitor, None)  # that of the last epoch
    if f"best/{monitor}" in metrics:
        known[monitor] = metrics[f"best/{monitor}"]
    values = []
    for name in objectives:
        if name not in known:
            names = sorted(metric for metric in {*metrics, *OF_THE_RUN} if "best/" not in metric)
            return Outcome(error=f"the model logs no {name}{did_you_mean(name, names)}", facts=facts)
        values.append(float("nan") if known[name] is None else float(known[name]))
    return Outcome(values, facts=facts)
