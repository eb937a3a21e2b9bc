"""What a study found, for people: report.md and report.html with figures, the leaderboard."""

import shutil
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from optuna.trial import TrialState

from fulmen.config.mistakes import command, key_of
from fulmen.diagnosis.ignored import Ignored
from fulmen.errors import FulmenError
from fulmen.registry.versions import Version
from fulmen.report.behind import Behind, behind
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf, number
from fulmen.report.html import write
from fulmen.report.known import is_known, mean
from fulmen.report.leaks import SCANNED, cautioned, distinct, leak_sections, leaks_in
from fulmen.report.luck import said_of as said_of_luck
from fulmen.report.many_tries import FEWEST_MODELS, said_of
from fulmen.report.markdown import as_text
from fulmen.report.next_step import diagnose, fulmen, keep
from fulmen.report.test_predictions import OF_VALIDATION, read_items
from fulmen.report.words import counted, sentence, spoken
from fulmen.runs.reading import read_result
from fulmen.search import figures, trial_states
from fulmen.search.champion import Champion
from fulmen.search.leaderboard import FILE, importances, leaderboard, write_leaderboard
from fulmen.search.samplers import STARTUP_TRIALS
from fulmen.search.settings import PROGRAM
from fulmen.search.study import Study

SHOWN_FAILURES = 10
CHOSEN = "Trials are compared on the validation split, with one seed each: the best of many is partly luck."


def write_report(study: Study, champion: Champion | None, kept: Sequence[Version] = ()) -> Path:
    """Write leaderboard.csv, figures, report.md and report.html into the study's folder.

    Args:
        kept: as models, the champion first.
    """
    rows, shares = leaderboard(study), importances(study)
    write_leaderboard(study, rows)
    shutil.rmtree(study.folder / "tensorboard", ignore_errors=True)  # of earlier releases: HPARAMS had nothing else
    return write(report_of(study, champion, rows, shares, kept), study.folder)


def report_of(
    study: Study, champion: Champion | None, rows: Rows, shares: dict[str, float], kept: Sequence[Version] = ()
) -> Report:
    """The report of a study.

    Args:
        rows: of its leaderboard.
        shares: importance of each parameter, {} while that means nothing.
        kept: as models, the champion first.
    """
    drawn = [Figure(caption, f"figures/{name}.svg") for name, caption in draw(study, shares).items()]
    why, typed = next_of(study, champion, kept)
    folders = champion.folders if champion else []
    names = ", ".join(as_text(parameter.path.rpartition(".")[2]) for parameter in study.parameters)
    leaks, scanned = leaks_of(study, folders)
    said = as_text(champion.conclusion) if champion else best_of(study) or "No trial is complete yet."
    values = [trial.values[0] for trial in study.ranked() if trial.values]
    sure = f"{CHOSEN} {said_of_luck(values, study.modes[0] == 'max', 'trials')}".strip()
    sure += " The champion was tested on what no trial had seen." if folders else ""
    said, sure = cautioned(leaks, said, sure, "the scores of trials and champion")
    return Report(
        title=study.plan.name,
        question=f"Which values of {names} are best by {spoken(next(iter(study.objectives)))}?",
        answer=said,
        how_sure=sure,
        facts=f"{summary(study)} Overrides: `{' '.join(study.plan.command())}`.",
        lead=drawn[0] if drawn else None,
        main=best_trials(study, rows),
        next_command=typed,
        next_why=why,
        sections=[*leak_sections(leaks, scanned), *about_champion(study, champion), *all_counted(study),
                  *about_trials(study, shares, drawn[1:]),
                  Section("Where the rest is", where(study), folded=True, listed=True)],
        attached={"Search": study.folder / "search.json", "Leaderboard": study.folder / FILE},
        links={folder.name.replace("_", " "): f"{folder.relative_to(study.folder).as_posix()}/report.html"
               for folder in folders},
    )  # fmt: skip


def best_trials(study: Study, rows: Rows) -> TableOf | None:
    """The first places, with what was tried there."""
    complete = [row for row in rows if row["place"]]
    if not complete:
        return None
    columns = {"place": Column("place"), "trial": Column("trial")}
    columns |= {name: Column(spoken(name)) for name in study.objectives}
    columns |= {each.path: Column(each.path.rpartition(".")[2]) for each in study.parameters}
    of = behind([result_of(study.trial_folder(row["trial"])) for row in complete[:5]], ["val"])
    title = f"The best of {counted(len(study.finished), 'trial')}, one seed each"
    return TableOf(title, complete[:5], columns, behind=of)


def result_of(folder: Path) -> dict[str, Any]:
    """Its result.json; {} where that is gone or damaged."""
    with suppress(FulmenError):
        return read_result(folder)
    return {}


def leaks_of(study: Study, folders: Sequence[Path]) -> tuple[list[dict[str, Any]], bool]:
    """The leaks that the best trial and the runs of the champion found in their data, and whether any was looked for.

    Args:
        folders: of the champion's runs.
    """
    best = [study.trial_folder(trial.number) for trial in study.ranked()[:1]]
    results = [result_of(folder) for folder in [*folders, *best]]
    scanned = any(SCANNED in (each.get("cost") or {}) for each in results)
    return distinct(leak for each in results for leak in leaks_in(each)), scanned


def best_of(study: Study) -> str:
    """The best trial in a sentence; "" where none is complete."""
    best = next(iter(study.ranked()), None)
    if best is None:
        return ""
    named = zip(study.objectives, best.values, strict=True)
    return f"Trial {best.number} is the best: {', '.join(f'{spoken(name)} {number(value)}' for name, value in named)}."


def next_of(study: Study, champion: Champion | None, kept: Sequence[Version] = ()) -> tuple[str, str]:
    """Why, and what to type next."""
    typed = study.plan.command()
    if len(study.finished) < study.total:
        return "The search has not come to its end. The same command goes on with it:", command(typed, PROGRAM)
    if not study.ranked():
        failed = next((t for t in study.finished if t.state == TrialState.FAIL), None)
        folder = study.trial_folder(failed.number) if failed else study.folder
        return "No trial came to a score. This says what went wrong in one:", diagnose(folder)
    if champion is None or not champion.folders:
        why = "The best trial was not tested. This trains it again with three seeds and tests it:"
        return why, again(study, "search.champion_seeds=3")
    return next_of_champion(study, champion, kept)


def next_of_champion(study: Study, champion: Champion, kept: Sequence[Version]) -> tuple[str, str]:
    """What follows from how the champion did: more trials, more seeds, or a look at the model that was kept."""
    seeds = len(champion.folders)
    exhausted = bool(study.design.few) and study.total >= len(study.design.few)
    if champion.won == 0 and not exhausted:
        why = "Nothing that was tried beats the best baseline. The same search goes on with twice as many trials:"
        return why, again(study, f"search.trials={2 * study.total}")
    if champion.won == 0:
        return "Every point was tried. This says what is wrong with the champion:", diagnose(champion.folders[0])
    if champion.won is not None and champion.won < seeds:
        why = f"The champion is ahead in {champion.won} of {seeds} seeds only. This trains it with more:"
        return why, again(study, f"search.champion_seeds={2 * seeds}")
    if kept:
        return f"The champion is kept as {kept[0]}. This says what it asks for and answers:", fulmen(
            "models", "show", str(kept[0])
        )
    experiment = str(study.design.config.get("experiment") or study.plan.name)
    return "This keeps the champion's model:", keep(champion.folders[0], experiment)


def again(study: Study, change: str) -> str:
    """The command of the search with one setting changed."""
    rest = [override for override in study.plan.command() if key_of(override) != key_of(change)]
    return command([*rest, change], PROGRAM)


def about_champion(study: Study, champion: Champion | None) -> list[Section]:
    """What the best trial, trained again, is worth beside the baselines."""
    if champion is None:
        return []
    found = [f"Seed {seed} failed: {as_text(why)}." for seed, why in champion.failed.items()]
    if champion.folders:
        seeds = f"{n} seeds" if (n := len(champion.folders)) > 1 else "one seed"
        found.append(f"Trial {champion.trial.number}, trained again with {seeds} and only then tested.")
    else:
        found.append(f"Trial {champion.trial.number}, not trained again.")
    found += regress(study, champion)
    of = behind([result_of(folder) for folder in champion.folders], runs=len(champion.folders), unit="seed")
    tables = [TableOf("The champion", champion.rows, {"": Column("model")}, behind=of)] if champion.metric else []
    return [Section("The champion", found, tables)]


def all_counted(study: Study) -> list[Section]:
    """Which trials can be the best, whether the best is more than lucky, and how far its score flatters it."""
    items = {f"trial {trial.number}": kept for trial in study.ranked() if (kept := validated(study, trial.number))}
    asked = (study.design.config.get("findings") or {}).get("ignore") or []
    found, said = said_of(items, Ignored.of(asked).names) if len(items) >= FEWEST_MODELS else (None, [])
    if found and found.optimism > 0:
        said = [*said, (
            f"The lowest of {len(found.names)} losses is too low for having been chosen, by about "
            f"{number(found.optimism)}: what the champion scores on the test split is free of that."
        )]  # fmt: skip
    return [Section("When all trials are counted, on the validation split", list(map(as_text, said)))] if said else []


def validated(study: Study, trial: int) -> dict[str, Any]:
    """What a trial says of each item of the validation split; {} where its workload does not say."""
    with suppress(FulmenError):
        return read_items(study.trial_folder(trial), OF_VALIDATION)
    return {}


def regress(study: Study, champion: Champion) -> list[str]:
    """How much of the score that the champion was chosen by has gone with other seeds; [] where that is not known."""
    (objective, mode), *_ = study.objectives.items()
    own = f"_seed_{study.design.config['seed']}"  # that of all trials: trained again with it, one is the same
    others = [result_of(folder) for folder in champion.folders if not folder.name.endswith(own)]
    again = mean([one.get("metrics", {}).get(f"best/{objective}") for one in others])
    chosen = champion.trial.values[0] if champion.trial.values else None
    if not is_known(chosen) or not is_known(again):
        return []
    lost = (chosen - again) if mode == "max" else (again - chosen)
    word = f"{number(lost, 2)} of it was the luck of its seed" if lost > 0 else "it was no luck of its seed"
    return [
        f"{sentence(spoken(objective))} of the trial was {number(chosen)} when it was chosen and is {number(again)} "
        f"with {counted(len(others), 'other seed')}: {word}. What was fitted to the validation split by choosing, the "
        "test split alone shows."
    ]


def about_trials(study: Study, shares: dict[str, float], drawn: Sequence[Figure]) -> list[Section]:
    """What mattered, what failed."""
    found: list[Section] = []
    if shares or drawn:
        rows = [{"parameter": name, "importance": share} for name, share in shares.items()]
        of = Behind(sum(t.state == TrialState.COMPLETE for t in study.trials), "trial")
        found.append(Section("What mattered", tables=[TableOf("", rows, behind=of)] if rows else [], figures=drawn))
    if failed := [t for t in study.finished if t.state == TrialState.FAIL]:
        shown = failed[:SHOWN_FAILURES]
        lines = [f"trial {t.number}: {as_text(t.user_attrs.get('error', 'its process died'))}" for t in shown]
        lines += [f"and {len(failed) - len(shown)} more"] * (len(failed) > len(shown))
        found.append(Section("What failed", lines, listed=True))
    return found


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
        text += f" Not counted: {counted(lost, 'trial')} cut off by a stop or by the death of a process."
    if best := best_of(study):
        text += f" {best}"
    return text


def draw(study: Study, shares: dict[str, float]) -> dict[str, str]:
    """Write the figures; {file name: caption}."""
    objective, mode = next(iter(study.objectives.items()))
    folder, drawn = study.folder / "figures", {}
    complete = [t for t in study.trials if t.state == TrialState.COMPLETE]
    if len(complete) > 1:
        figures.history(folder / "history.svg", study.trials, objective, mode)
        figures.parallel(folder / "parallel.svg", study.trials, study.parameters, objective, mode)
        drawn = {"history": "How the search went", "parallel": "All complete trials; the best tenth in orange"}
    if shares:
        figures.importances(folder / "importances.svg", shares)
        drawn["importances"] = "How much each parameter has to do with the score"
    return drawn


def where(study: Study) -> list[str]:
    """The guide to the study's folder."""
    lines = [
        "`leaderboard.csv`: every trial; `trial_<number>/`: its run folder, with what it printed in `log.txt`",
        "`search.json`: what was asked for; the same command goes on with the search",
        f"`tensorboard --logdir {study.folder}`: the curves of the trials, and all of them in the tab HPARAMS",
    ]
    if study.search.storage is None:
        lines.append(f"`optuna-dashboard {study.folder / 'study.journal'}`: the study in a browser")
    return lines
