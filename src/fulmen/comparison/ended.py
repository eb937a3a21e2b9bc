"""The runs of a multirun that have ended, and settings that were run with several seeds as a mean over these."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fulmen.config.mistakes import key_of
from fulmen.report.known import deviation, has_mean, is_known, mean, place

SEED = "seed"


@dataclass(frozen=True)
class Ended:
    """A run of a multirun that has ended, however it did: what it was, and what its folder says.

    Attributes:
        data: fingerprint, where it came so far.
        folder: of the run; None where it is a mean over several.
        scores: seed -> the score that decides, where this is a mean over seeds.
    """

    experiment: str
    overrides: list[str]
    monitor: str
    mode: str = "min"
    result: Mapping[str, Any] = field(default_factory=dict)
    data: str | None = None
    folder: Path | None = None
    scores: Mapping[str, float] = field(default_factory=dict)


def best_score(run: Ended) -> float | None:
    """What a run is ranked by; None where it has none."""
    value = run.result.get("metrics", {}).get(f"best/{run.monitor}")
    return float(value) if is_known(value) else None


def has_score(run: Ended) -> bool:
    return run.result.get("status") == "completed" and best_score(run) is not None


def saw_other_data(runs: Iterable[Ended]) -> bool:
    return len({run.data for run in runs if run.data}) > 1


def over_seeds(runs: Sequence[Ended]) -> list[Ended]:
    """Each setting as a mean over the seeds that all settings have a score with; [] unless there are two of each.

    Seeds may draw data of their own, so that scores of different seeds do not rank settings, but their means do.
    """
    settings: dict[tuple[str, ...], dict[str, Ended]] = {}
    for run in runs:
        rest = tuple(override for override in run.overrides if key_of(override) != SEED)
        seed = next((override.partition("=")[2] for override in run.overrides if key_of(override) == SEED), "")
        settings.setdefault(rest, {}).setdefault(seed, run)
    scored = [{seed for seed, run in each.items() if has_score(run)} for each in settings.values()]
    shared = sorted(set.intersection(*scored)) if scored else []
    if len(settings) < 2 or len(shared) < 2:
        return []
    return [_mean([each[seed] for seed in shared], list(rest), shared) for rest, each in settings.items()]


def _mean(runs: Sequence[Ended], overrides: list[str], seeds: Sequence[str]) -> Ended:
    """The runs of one setting as one."""
    results, first = [run.result for run in runs], runs[0]
    baselines = [result.get("baselines") or {} for result in results]
    cost = [result.get("cost", {}) for result in results]
    whole = {
        "status": "completed",
        "metrics": _means([result["metrics"] for result in results]),
        "baselines": {name: _means([each.get(name, {}) for each in baselines]) for name in baselines[0]},
        "cost": {**cost[0], "fit_seconds": mean([one.get("fit_seconds") for one in cost])},
        "sizes": _means([result.get("sizes") or {} for result in results]),
        "counted": first.result.get("counted", ""),
    }  # fmt: skip
    scores = {seed: best_score(run) or 0.0 for seed, run in zip(seeds, runs, strict=True)}
    data = "+".join(str(run.data) for run in runs) if all(run.data for run in runs) else None
    return Ended(first.experiment, overrides, first.monitor, first.mode, whole, data, scores=scores)


def _means(scores: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """Of each number that all have and that has a mean."""
    found = {name: mean([one.get(name) for one in scores]) for name in scores[0] if has_mean(name)}
    return {name: value for name, value in found.items() if is_known(value)}


def sd(run: Ended) -> float:
    """Over the seeds, of the score that decides."""
    return deviation(list(run.scores.values()))


def seeds_ahead(first: Ended, second: Ended) -> int:
    """With how many seeds the first setting is better than the second."""
    larger = first.mode == "max"
    return sum(place(own, larger) < place(second.scores[seed], larger) for seed, own in first.scores.items())
