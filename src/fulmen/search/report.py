"""What a study found: leaderboard, importances, figures, report.md, TensorBoard's HPARAMS tab."""

import csv
import shutil
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from fulmen.report.html import write_page
from fulmen.report.summary import Rows, markdown_figure, markdown_table, print_table
from fulmen.search import figures, trial_states
from fulmen.search.champion import Champion
from fulmen.search.live_display import state
from fulmen.search.samplers import STARTUP_TRIALS
from fulmen.search.study import Study
from fulmen.utils.files import atomic_write

ENOUGH = 8  # complete trials before an importance means anything


def leaderboard(study: Study) -> Rows:
    """One row a finished trial: complete ones, best first, then the pruned, then the failed."""
    last = [t for kind in (TrialState.PRUNED, TrialState.FAIL) for t in study.finished if t.state == kind]
    return [row(study, trial, place) for place, trial in enumerate([*study.ranked(), *last], 1)]


def row(study: Study, trial: FrozenTrial, place: int) -> dict[str, Any]:
    """A trial for a table: its values, its cost, its point."""
    run = trial.user_attrs.get("run", {})
    complete = trial.state == TrialState.COMPLETE
    return {
        "place": place if complete else None,
        "trial": trial.number,
        **dict(zip(study.objectives, trial.values or [None] * len(study.objectives), strict=True)),
        "state": state(trial),
        "epochs": run.get("epochs"),
        "seconds": run.get("seconds"),
        **{parameter.path: trial.params.get(parameter.path) for parameter in study.parameters},
    }


def importances(study: Study) -> dict[str, float]:
    """How much each parameter has to do with the first objective, by PED-ANOVA; {} while that means nothing."""
    complete = [t for t in study.trials if t.state == TrialState.COMPLETE]
    if len(complete) < ENOUGH:
        return {}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        warnings.filterwarnings("ignore", "PedAnovaImportanceEvaluator computes")  # which way is better is said below
        try:
            return get_param_importances(
                study.optuna,
                evaluator=PedAnovaImportanceEvaluator(),
                target=lambda trial: trial.values[0] * (1 if study.modes[0] == "min" else -1),
            )
        except (RuntimeError, ValueError):  # a parameter that took only one value, equal values everywhere
            return {}


def write_report(study: Study, champion: Champion | None) -> Path:
    """Write leaderboard.csv, figures, the HPARAMS tab, report.md and report.html into the study's folder."""
    rows, shares = leaderboard(study), importances(study)
    with atomic_write(study.folder / "leaderboard.csv") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    write_hparams(study)
    objective, mode = next(iter(study.objectives.items()))
    drawn = draw(study, shares, objective, mode)
    parts = [f"# {study.plan.name}", summary(study), f"Overrides: `{' '.join(study.plan.overrides)}`."]
    if champion:
        parts += ["## The champion", champion.verdict]
        if champion.metric:
            parts.append(markdown_table(champion.rows))
        if champion.failed:
            parts.append("\n".join(f"- seed {seed} failed: {why}" for seed, why in champion.failed.items()))
        folders = ", ".join(f"`{folder.relative_to(study.folder)}`" for folder in champion.folders)
        seeds = f"{n} seeds" if (n := len(champion.folders)) > 1 else "one seed"
        again = f"trained again with {seeds} and only then tested" if folders else "not trained again"
        parts.append(f"Trial {champion.trial.number}, {again}{': ' * bool(folders)}{folders}.")
    if complete := [row for row in rows if row["place"]]:
        parts += ["## The best five", markdown_table(complete[:5])]
    if shares:
        parts += ["## What mattered", markdown_table([{"parameter": k, "importance": v} for k, v in shares.items()])]
    if failed := [t for t in study.finished if t.state == TrialState.FAIL]:
        lines = [f"- trial {t.number}: {t.user_attrs.get('error', 'its process died')}" for t in failed[:10]]
        lines += [f"- and {len(failed) - 10} more"] * (len(failed) > 10)
        parts += ["## What failed", "\n".join(lines)]
    if drawn:
        parts.append("## Figures")
        parts += [markdown_figure(caption, f"figures/{name}.png") for name, caption in drawn.items()]
    parts += ["## Where the rest is", where(study)]
    path = study.folder / "report.md"
    with atomic_write(path) as file:
        file.write("\n\n".join(parts) + "\n")
    write_page(path, {"search": study.folder / "search.json", "leaderboard": study.folder / "leaderboard.csv"})
    return path


def summary(study: Study) -> str:
    """How many trials, how they ended, the best of them, the time spent."""
    trials = study.finished
    count = {kind: sum(t.state == kind for t in trials) for kind in TrialState}
    lost = sum(map(trial_states.is_lost, study.trials))
    spent = sum(t.user_attrs.get("run", {}).get("seconds", 0) for t in trials)
    text = (
        f"{len(trials)} of {study.total} trials by {study.search.sampler} (seed {study.search.seed}): "
        f"{count[TrialState.COMPLETE]} complete, {count[TrialState.PRUNED]} pruned, {count[TrialState.FAIL]} failed; "
        f"{spent:.0f} s of training."
    )
    if study.search.sampler == "tpe" and len(trials) <= STARTUP_TRIALS:
        text += f" The first {STARTUP_TRIALS} points of tpe are drawn at random: it had nothing to learn from yet."
    if points := len(study.design.points):
        text += f" The grid has {points} points; this is {len(trials) / points:.0%} of it."
    if lost:
        text += f" {lost} more lost their process and were tried again."
    if best := next(iter(study.ranked()), None):
        named = zip(study.objectives, best.values, strict=True)
        text += f" Best: trial {best.number}, {', '.join(f'{name} {value:.4g}' for name, value in named)}."
    return text


def draw(study: Study, shares: dict[str, float], objective: str, mode: str) -> dict[str, str]:
    """Write the figures; {file name: caption}."""
    folder, drawn = study.folder / "figures", {}
    complete = [t for t in study.trials if t.state == TrialState.COMPLETE]
    if len(complete) > 1:
        figures.history(folder / "history.png", study.trials, objective, mode)
        figures.parallel(folder / "parallel.png", study.trials, study.parameters, objective, mode)
        drawn = {"history": "Optimisation history", "parallel": "All complete trials; the best tenth in red"}
    if shares:
        figures.importances(folder / "importances.png", shares)
        drawn["importances"] = "Parameter importances"
    return drawn


def write_hparams(study: Study) -> None:
    """One line per trial in TensorBoard's HPARAMS tab, a pruned one with the last value it reported."""
    from torch.utils.tensorboard.summary import hparams, scalar
    from torch.utils.tensorboard.writer import FileWriter

    for trial in study.finished:
        folder = study.folder / "tensorboard" / f"trial_{trial.number:04d}"
        values = trial.values or list(trial.intermediate_values.values())[-1:]
        if folder.exists() or not values:
            continue
        found = {f"search/{name}": value for name, value in zip(study.objectives, values, strict=True)}
        plain = {path: "null" if value is None else value for path, value in trial.params.items()}
        unfinished = folder.with_name(f".{folder.name}")
        shutil.rmtree(unfinished, ignore_errors=True)  # of a process that was killed
        writer = FileWriter(str(unfinished))
        for part in hparams(plain | {"state": trial.state.name.lower()}, found):
            writer.add_summary(part)
        for name, value in found.items():
            writer.add_summary(scalar(name, value))
        writer.close()
        unfinished.rename(folder)


def write_summary(studies: Sequence[Study]) -> Path:
    """The best trial of every study, best first, beside their folders."""
    found = [(study, study.ranked()[0]) for study in studies if study.ranked()]
    sign = 1 if studies[0].modes[0] == "min" else -1
    rows = [
        {"study": study.folder.name, next(iter(study.objectives)): best.values[0], "trial": best.number,
         "finished": len(study.finished), "of": study.total}
        for study, best in sorted(found, key=lambda pair: sign * pair[1].values[0])
    ]  # fmt: skip
    path = studies[0].folder.parent / "report.md"
    none = [study.folder.name for study in studies if not study.ranked()]
    with atomic_write(path) as file:
        file.write(f"# {studies[0].folder.parent.name}\n\n")
        file.write(markdown_table(rows) + "\n" if rows else "No study has a complete trial.\n")
        if none and rows:
            file.write(f"\nWithout a complete trial: {', '.join(none)}.\n")
    if rows:
        print_table("Best of each study", rows)
    return path


def print_leaderboard(study: Study) -> None:
    """The best five on the console."""
    rows = [row(study, trial, place) for place, trial in enumerate(study.ranked()[:5], 1)]
    shown = [{key.rpartition(".")[2] or key: value for key, value in row.items() if key != "state"} for row in rows]
    if shown:
        print_table("The best five", shown)


def where(study: Study) -> str:
    """The guide to the study's folder."""
    lines = [
        "- `leaderboard.csv`: every trial; `trial_<number>/`: its run folder, with what it printed in `log.txt`",
        "- `search.json`: what was asked for; the same command goes on with the search",
        f"- `tensorboard --logdir {study.folder / 'tensorboard'}`: the trials in the HPARAMS tab",
    ]
    if study.search.storage is None:
        lines.append(f"- `optuna-dashboard {study.folder / 'study.journal'}`: the study in a browser")
    return "\n".join(lines)
