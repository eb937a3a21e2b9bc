"""The best trial, trained again and tested at last, beside what costs nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from optuna.trial import FrozenTrial

from fulmen.config import check_overrides
from fulmen.evaluation.known import best, deviation, is_known, mean, place
from fulmen.mistakes import as_text
from fulmen.result import read_result
from fulmen.sweep.study import Study
from fulmen.sweep.training import QUIET, has_entry, log_to

CHAMPION = "champion"  # beside the names of the baselines
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
    winner = next(iter(study.ranked()), None)
    if winner is None or study.search.champion_seeds == 0:
        return None
    first = int(study.base["seed"])
    folders, results = [], []
    for seed in range(first, first + study.search.champion_seeds):
        folder = study.folder / "champion" / f"trial_{winner.number:04d}_seed_{seed}"
        if read_result(folder).get("status") != "completed" or not read_result(folder)["baselines"]:
            _train(study, winner, seed, folder)
        folders.append(folder)
        results.append(read_result(folder))
    metric, mode = deciding(study, results)
    return Champion(winner, folders, metric, compared(results, metric), verdict(results, metric, mode))


def deciding(study: Study, results: list[dict[str, Any]]) -> tuple[str | None, str]:
    """The metric that the champion and the baselines are compared by, and whether less or more of it is better.

    It is `search.compare` if given; else what the trials were chosen by, if both have it; else the first they share.
    """
    monitored = study.base["monitor"].partition("/")[2]
    shared = shared_metrics(results)
    telling = [name for name in shared if tells(results, name)] or shared
    metric = study.search.compare or (monitored if monitored in telling else next(iter(telling), None))
    better = "max" if metric and larger_is_better(metric) else "min"
    mode = study.base["mode"] if metric == monitored else better
    return metric, study.search.compare_mode or mode


def tells(results: list[dict[str, Any]], metric: str) -> bool:
    """Whether the champion and at least one baseline have a value of `metric` in every seed."""
    rivals = (mean(_scores(results, name, metric)) for name in rivals_of(results))
    return is_known(mean(_scores(results, CHAMPION, metric))) and any(map(is_known, rivals))


def rivals_of(results: list[dict[str, Any]]) -> list[str]:
    """The baselines that can be beaten: nothing beats the ceiling."""
    return [name for name in results[0]["baselines"] if name != "ceiling"]


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
    no_mean = {name for name in names[0] if name.endswith("_p")}  # a mean of p-values says nothing
    return [name for name in names[0] if name not in no_mean and all(name in others for others in names)]


def compared(results: list[dict[str, Any]], metric: str | None) -> list[dict[str, Any]]:
    """Champion and baselines: mean and deviation over the seeds of every metric they share, the deciding one first."""
    shared = shared_metrics(results)
    shown = [metric, *(name for name in shared if name != metric)][:5] if metric in shared else []
    rows = []
    for name in [CHAMPION, *(results[0]["baselines"] if shown else [])]:
        row: dict[str, Any] = {"": name}
        for column in shown:
            row[column] = _spread(_scores(results, name, column))
        rows.append(row)
    return rows


def verdict(results: list[dict[str, Any]], metric: str | None, mode: str) -> str:
    """Whether the champion beats the best baseline, seed by seed, in one sentence."""
    if metric is None:
        return "This experiment has no baselines: the champion is the best of the trials, which says little."
    if metric not in (shared := shared_metrics(results)):
        return (
            f"search.compare={metric} decides nothing: champion and baselines share {', '.join(shared) or 'nothing'}."
        )
    larger = mode == "max"
    rival = best({name: mean(_scores(results, name, metric)) for name in rivals_of(results)}, larger)
    if rival is None:
        return f"No baseline has a value of {metric} in every seed: nothing can be said of the champion beside them."
    own, theirs = _scores(results, CHAMPION, metric), _scores(results, rival, metric)
    wins = sum(place(a, larger) < place(b, larger) for a, b in zip(own, theirs, strict=True))
    numbers = f"{metric} {_spread(own)} against {_spread(theirs)} of {rival!r}, better in {wins} of {len(own)} seeds"
    if wins == len(own):
        return f"The champion beats every baseline on the test part: {numbers}."
    if wins:
        return f"It is not certain that the champion beats the baselines on the test part: {numbers}."
    return f"No candidate beats the best baseline on the test part: {numbers}. The search found nothing to use instead."


def _scores(results: list[dict[str, Any]], name: str, metric: str) -> list[float | None]:
    """What the champion or a baseline has in each seed; None where it has no value."""
    if name == CHAMPION:
        return [result["metrics"][f"test/{metric}"] for result in results]
    return [result["baselines"][name][metric] for result in results]


def _spread(values: list[float | None]) -> str:
    """`1.2 ± 0.1`; where some are missing, of how many it is."""
    known = [value for value in values if is_known(value)]
    if not known:
        return "no value"
    spread = f" ± {deviation(known):.2g}" if len(known) > 1 else ""
    return f"{mean(known):.4g}{spread}" + (f" (in {len(known)} of {len(values)})" if len(known) < len(values) else "")


def _train(study: Study, winner: FrozenTrial, seed: int, folder: Path) -> None:
    from fulmen.run import run

    quiet = [override for override in QUIET[:2] if has_entry(study, override.partition("=")[0])]
    own = study.overrides(winner, "test=true", f"seed={seed}", *quiet)
    print(f"champion: trial {winner.number} with seed {seed}", flush=True)
    begun = (folder / "checkpoints" / "last.ckpt").is_file()
    typed = [f"resume={as_text(str(folder))}"] if begun else [*own, f"output_dir={as_text(str(folder))}"]
    with log_to(folder):
        run(check_overrides(typed), typed if begun else own)
