"""What a study found, for people: report.md and report.html with figures, the leaderboard, the HPARAMS tab."""

from collections.abc import Sequence
from pathlib import Path

from optuna.trial import TrialState

from fulmen.report.html import write_page
from fulmen.report.summary import Rows, markdown_figure, markdown_table, print_table
from fulmen.search import figures, trial_states
from fulmen.search.champion import Champion
from fulmen.search.hparams import write_hparams
from fulmen.search.leaderboard import FILE, importances, leaderboard, write_leaderboard
from fulmen.search.samplers import STARTUP_TRIALS
from fulmen.search.study import Study
from fulmen.utils.files import atomic_write

SHOWN_FAILURES = 10


def write_report(study: Study, champion: Champion | None) -> Path:
    """Write leaderboard.csv, figures, the HPARAMS tab, report.md and report.html into the study's folder."""
    rows, shares = leaderboard(study), importances(study)
    write_leaderboard(study, rows)
    write_hparams(study)
    sections = [
        f"# {study.plan.name}",
        summary(study),
        f"Overrides: `{' '.join(study.plan.overrides)}`.",
        *(about_champion(study, champion) if champion else []),
        *about_trials(study, rows, shares),
        *about_figures(draw(study, shares)),
        "## Where the rest is",
        where(study),
    ]
    path = study.folder / "report.md"
    with atomic_write(path) as file:
        file.write("\n\n".join(sections) + "\n")
    write_page(path, {"search": study.folder / "search.json", "leaderboard": study.folder / FILE})
    return path


def about_champion(study: Study, champion: Champion) -> list[str]:
    """What the best trial, trained again, is worth beside the baselines."""
    found = ["## The champion", champion.conclusion]
    if champion.metric:
        found.append(markdown_table(champion.rows))
    if champion.failed:
        found.append("\n".join(f"- seed {seed} failed: {why}" for seed, why in champion.failed.items()))
    if not champion.folders:
        return [*found, f"Trial {champion.trial.number}, not trained again."]
    seeds = f"{n} seeds" if (n := len(champion.folders)) > 1 else "one seed"
    folders = ", ".join(f"`{folder.relative_to(study.folder)}`" for folder in champion.folders)
    return [*found, f"Trial {champion.trial.number}, trained again with {seeds} and only then tested: {folders}."]


def about_trials(study: Study, rows: Rows, shares: dict[str, float]) -> list[str]:
    """The best trials, what mattered, what failed."""
    found: list[str] = []
    if complete := [row for row in rows if row["place"]]:
        found += ["## The best five", markdown_table(complete[:5])]
    if shares:
        found += ["## What mattered", markdown_table([{"parameter": k, "importance": v} for k, v in shares.items()])]
    if failed := [t for t in study.finished if t.state == TrialState.FAIL]:
        shown = failed[:SHOWN_FAILURES]
        lines = [f"- trial {t.number}: {t.user_attrs.get('error', 'its process died')}" for t in shown]
        lines += [f"- and {len(failed) - len(shown)} more"] * (len(failed) > len(shown))
        found += ["## What failed", "\n".join(lines)]
    return found


def about_figures(drawn: dict[str, str]) -> list[str]:
    """The figures, each with its caption."""
    shown = [markdown_figure(caption, f"figures/{name}.png") for name, caption in drawn.items()]
    return ["## Figures", *shown] if shown else []


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
    elif study.total < study.design.asked:
        text += (
            f" The space has no more than {len(study.design.few)} different points: {study.design.asked} were asked."
        )
    if lost:
        text += f" {lost} more lost their process and were tried again."
    if best := next(iter(study.ranked()), None):
        named = zip(study.objectives, best.values, strict=True)
        text += f" Best: trial {best.number}, {', '.join(f'{name} {value:.4g}' for name, value in named)}."
    return text


def draw(study: Study, shares: dict[str, float]) -> dict[str, str]:
    """Write the figures; {file name: caption}."""
    objective, mode = next(iter(study.objectives.items()))
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
