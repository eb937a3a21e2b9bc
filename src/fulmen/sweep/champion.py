"""The best trial, trained again and tested at last, beside what costs nothing."""

from dataclasses import dataclass
from pathlib import Path
from statistics import mean, stdev
from typing import Any

from optuna.trial import FrozenTrial

from fulmen.config import check_overrides
from fulmen.errors import FulmenError
from fulmen.mistakes import as_text
from fulmen.result import read_result
from fulmen.sweep.study import Study
from fulmen.sweep.training import QUIET, has_entry, log_to

LOWER_IS_BETTER = {"gmfe", "rmse", "mae", "mse", "mase", "loss", "error", "brier", "ece", "width", "p"}
HIGHER_IS_BETTER = (
    "r2", "accuracy", "auc", "auroc", "auprc", "f1", "within", "skill", "correlation", "recall", "precision",
    "coverage", "direction",
)  # fmt: skip


@dataclass(frozen=True)
class Champion:
    """What the best trial is worth on the test part.

    Attributes:
        trial: the trial it repeats.
        folders: of its runs, one a seed.
        metric: that decides, as the baselines name it; None where there are no baselines.
        rows: metric by run and baseline, for a table.
        verdict: one honest sentence.
    """

    trial: FrozenTrial
    folders: list[Path]
    metric: str | None
    rows: list[dict[str, Any]]
    verdict: str


def crown(study: Study) -> Champion | None:
    """Train the best trial on new seeds, test it, compare; runs that are there already are not repeated.

    None if no seed is asked for or no trial is complete.
    """
    best = next(iter(study.ranked()), None)
    if best is None or study.search.champion_seeds == 0:
        return None
    first = int(study.base["seed"])
    folders, results = [], []
    for seed in range(first, first + study.search.champion_seeds):
        folder = study.folder / "champion" / f"trial_{best.number:04d}_seed_{seed}"
        if read_result(folder).get("status") != "completed" or not read_result(folder)["baselines"]:
            _train(study, best, seed, folder)
        folders.append(folder)
        results.append(read_result(folder))
    metric, mode = deciding(study, results)
    return Champion(best, folders, metric, compared(results, metric), verdict(results, metric, mode))


def deciding(study: Study, results: list[dict[str, Any]]) -> tuple[str | None, str]:
    """The metric that the champion and the baselines are compared by, and whether less or more of it is better.

    Raises:
        FulmenError: `search.compare` names none that they share.
    """
    shared = shared_metrics(results)
    asked, monitored = study.search.compare, study.base["monitor"].partition("/")[2]
    if asked and shared and asked not in shared:
        raise FulmenError(f"search.compare={asked}: champion and baselines share {', '.join(shared)}")
    metric = asked or (monitored if monitored in shared else next(iter(shared), None))
    better = "max" if metric and larger_is_better(metric) else "min"
    mode = study.base["mode"] if metric == monitored else better
    return metric, study.search.compare_mode or mode


def larger_is_better(metric: str) -> bool:
    """Going by the words in its name: `roc_auc` and `within_10_percent`, but not `auc_gmfe`."""
    words = set(metric.lower().replace("/", "_").split("_"))
    return not words & LOWER_IS_BETTER and any(word in metric.lower() for word in HIGHER_IS_BETTER)


def shared_metrics(results: list[dict[str, Any]]) -> list[str]:
    """The test metrics that every run and every baseline of it has."""
    names: list[list[str]] = []
    for result in results:
        own = [name.removeprefix("test/") for name in result["metrics"] if name.startswith("test/")]
        names += [own, *(list(scores) for scores in result["baselines"].values())]
        if not result["baselines"]:
            return []
    return [name for name in names[0] if all(name in others for others in names)]


def compared(results: list[dict[str, Any]], metric: str | None) -> list[dict[str, Any]]:
    """Champion and baselines: mean and deviation over the seeds of every metric they share, the deciding one first."""
    shared = shared_metrics(results)
    shown = [metric, *(name for name in shared if name != metric)][:5] if metric else []
    rows = []
    for name in ["champion", *(results[0]["baselines"] if shown else [])]:
        row: dict[str, Any] = {"": name}
        for column in shown:
            row[column] = _spread([_score(result, name, column) for result in results])
        rows.append(row)
    return rows


def verdict(results: list[dict[str, Any]], metric: str | None, mode: str) -> str:
    """Whether the champion beats the best baseline, seed by seed, in one sentence."""
    if metric is None:
        return "This experiment has no baselines: the champion is the best of the trials, which says little."
    sign = 1 if mode == "min" else -1
    rivals = [name for name in results[0]["baselines"] if name != "ceiling"]  # nothing can beat that
    averages = {name: mean(_score(result, name, metric) for result in results) for name in rivals}
    rival = min(averages, key=lambda name: sign * averages[name])
    own = [_score(result, "champion", metric) for result in results]
    theirs = [_score(result, rival, metric) for result in results]
    wins = sum(sign * a < sign * b for a, b in zip(own, theirs, strict=True))
    numbers = f"{metric} {_spread(own)} against {_spread(theirs)} of {rival!r}, better in {wins} of {len(own)} seeds"
    if sign * mean(own) < sign * averages[rival] and wins == len(own):
        return f"The champion beats every baseline on the test part: {numbers}."
    if wins:
        return f"It is not certain that the champion beats the baselines on the test part: {numbers}."
    return f"No candidate beats the best baseline on the test part: {numbers}. The search found nothing to use instead."


def _score(result: dict[str, Any], name: str, metric: str) -> float:
    scores = result["baselines"][name] if name != "champion" else result["metrics"]
    value = scores[metric if name != "champion" else f"test/{metric}"]
    return float("nan") if value is None else float(value)


def _spread(values: list[float]) -> str:
    return f"{mean(values):.4g}" + (f" ± {stdev(values):.2g}" if len(values) > 1 else "")


def _train(study: Study, best: FrozenTrial, seed: int, folder: Path) -> None:
    from fulmen.run import run

    quiet = [override for override in QUIET[:2] if has_entry(study, override.partition("=")[0])]
    own = study.overrides(best, "test=true", f"seed={seed}", *quiet)
    print(f"champion: trial {best.number} with seed {seed}", flush=True)
    with log_to(folder):
        run(check_overrides([*own, f"output_dir={as_text(str(folder))}"]), own)
