"""A ranking written down: report.html and ranking.md for people, ranking.json for programs."""

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from omegaconf import DictConfig

from fulmen.comparison.choosing import Choice, in_words
from fulmen.comparison.entrants import Entrants
from fulmen.comparison.gains import ALPHA
from fulmen.comparison.main_score import margin_of
from fulmen.comparison.places import AT_RANDOM, IN_TIME, level_with_first, places
from fulmen.comparison.standing import Standing, standing
from fulmen.comparison.tries import HEADING, tries_of
from fulmen.config.stored import as_stored
from fulmen.diagnosis.findings import FINDINGS
from fulmen.diagnosis.ignored import Ignored
from fulmen.registry.rows import baseline_node
from fulmen.report.behind import Behind
from fulmen.report.contest import Contest
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf
from fulmen.report.html import write as write_report
from fulmen.report.leaks import caution, cautioned, has_error, heading, leak_sections
from fulmen.report.markdown import as_text
from fulmen.report.next_step import keep, rank_again
from fulmen.report.summary import print_table
from fulmen.report.words import counted, spoken
from fulmen.runs.looks import rankings_of
from fulmen.runs.result import write_environment
from fulmen.utils.files import atomic_write, write_json

FIGURE = "ranking.svg"
SHARED = "shared.yaml"  # the config of the first variant: the others differ from it in what `chosen_by` says
SHOWN = 5  # places in the table on the console
CPU = "CPU s: of training on all folds, per seed."
SHOWN_AHEAD = ("better_than_baselines", "better_than_constant")  # findings on a leader that is worth keeping


def write(
    folder: Path, entrants: Entrants, contest: Contest, metric: str, metrics: Mapping[str, bool],
    choice: Choice | None = None,
) -> None:  # fmt: skip
    """Write ranking.md, report.html, ranking.json and ranking.svg into `folder` and print the first places.

    Args:
        metric: to rank by.
        metrics: that can be ranked by -> whether larger is better.
        choice: what choosing the best of them is worth.
    """
    rows = places(contest, metric, metrics[metric])
    margin = margin_of(entrants.base.model, metric)
    shown = standing(contest, metric, metrics[metric], spoken(metric), list(entrants.chosen_by), margin)
    told = reported(shown, entrants.base)
    folds = len(next(iter(contest.scores.values()))[metric])
    title = f"{entrants.experiment}: {len(rows)} models on the same {folds} folds, best {spoken(metric)} first"
    ceiling, chance = contest.ceiling.get(metric), contest.chance.get(metric)
    best = f"The best that is possible: {spoken(metric)} {ceiling:.4f}." if ceiling else ""
    best += f"{' ' * bool(best)}Chance: {spoken(metric)} {chance:.4f}." if chance is not None else ""
    notes = [IN_TIME if contest.in_time else AT_RANDOM, CPU, *contest.notes]
    draw(folder / FIGURE, rows, metric, ceiling, chance)
    of = Behind(folds, "fold", {"test": [contest.test_rows]}, contest.counted)
    tables = [TableOf(f"{what} over the folds", _over_folds(rows, contest, how), {"": Column("model")}, behind=of)
              for what, how in (("Mean", np.mean), ("Standard deviation", _deviation))]  # fmt: skip
    sure = f"Every model was trained and tested on the same {folds} folds."
    if contest.seeds > 1:
        sure += f" The score of a network on a fold is the mean of {contest.seeds} seeds."
    of_all, counted = tries_of({name: [run] for name, run in contest.runs.items()})
    chosen = in_words(choice, contest, metric, metrics[metric], spoken(metric)) if choice else ""
    before = said_before(folder.parent, contest.data)
    why, command = next_of(folder, entrants, rows, folds, contest.seeds, shown.findings[0] in SHOWN_AHEAD)
    leaks = list(contest.leaks or ())
    sure = " ".join(filter(None, [sure, best, before, f"Findings: {coded(told, leaks)}." if told else ""]))
    answer, sure = cautioned(leaks, as_text(shown.sentence), sure, "these scores")
    report = Report(
        title=title,
        question=f"Which model is best on {entrants.experiment} by {spoken(metric)}, baselines included?",
        answer=answer,
        how_sure=sure,
        facts=f"Overrides: `{' '.join([*entrants.overrides, *options(folds, contest.seeds)])}`.",
        lead=Figure(f"{spoken(metric)}, mean over the folds and 95 % interval", FIGURE),
        main=main_table(rows, metric, of),
        next_command=command,
        next_why=why,
        sections=[
            *leak_sections(leaks, contest.leaks is not None),
            *([Section(HEADING, [as_text(said) for said in counted])] if counted else []),
            *([Section("What choosing the best is worth", [as_text(chosen)])] if chosen else []),
            Section("All metrics", tables=tables),
            Section("How to read this", notes, listed=True),
        ],
        attached={
            "Configuration that all share": folder / SHARED,
            "Environment": folder / "environment.json",
            "All numbers": folder / "ranking.json",
        },
        links={name: os.path.relpath(run / "report.html", folder) for name, run in contest.runs.items()},
    )
    with atomic_write(folder / SHARED) as file:
        file.write(as_stored(entrants.base))
    write_environment(folder, entrants.base)
    write_json(folder / "ranking.json", {
        "experiment": entrants.experiment, "overrides": entrants.overrides, "metric": metric, "verdict": shown.sentence,
        "findings": [FINDINGS[name]._asdict() for name in told], "level": shown.among,
        "constant": contest.constant, "data": list(contest.data), "shared": entrants.shared,
        "rows": [_of_row(row["model"], entrants) for row in rows],
        "ceiling": contest.ceiling, "chance": contest.chance, "cpu_seconds": contest.seconds,
        "train_rows": contest.train_rows, "test_rows": contest.test_rows, "in_time": contest.in_time,
        "scores": {name: {key: np.asarray(values).tolist() for key, values in each.items()}
                   for name, each in contest.scores.items()},
        **({"tries": of_all.as_dict()} if of_all else {}),
        **({"leaks": leaks} if leaks else {}),
        **({"choice": choice.as_dict()} if choice else {}),
    })  # fmt: skip
    write_report(report, folder, "ranking.md")
    print("".join(f"{said}\n" for said in [caution(leaks, "these scores")] if said), end="")
    first = first_places(rows, list(entrants.chosen_by))
    print_table(title, first)
    if len(rows) > len(first):
        print(f"  and {len(rows) - len(first)} more in ranking.md")
    where = f"ranking: {folder / 'report.html'}, the same in ranking.md"
    codes = f"findings: {coded(told, leaks)}" if told else ""
    print("\n".join(filter(None, [shown.sentence, chosen, best, before, *counted, codes, where])))


def said_before(rankings: Path, data: Sequence[str]) -> str:
    """How often the folds of these data have been looked at already, in a sentence; "" where nobody has.

    Args:
        rankings: the folder of all of them.
        data: fingerprints.
    """
    held = rankings_of(rankings, data)
    if not held:
        return ""
    again = f"These data were ranked {counted(len(held), 'time')} before, {counted(sum(held), 'model')} in all"
    return f"{again}: the best of so many is optimistic."


def options(folds: int, seeds: int) -> list[str]:
    """What was typed besides overrides."""
    return [f"--folds={folds}", *([f"--seeds={seeds}"] if seeds > 1 else [])]


def first_places(rows: Rows, asked: Sequence[str]) -> Rows:
    """The rows for the console: the first, and the models that were asked for; all where one alone would be hidden."""
    first = [row for place, row in enumerate(rows) if place < SHOWN or row["model"] in asked]
    return rows if len(rows) <= len(first) + 1 else first


def main_table(rows: Rows, metric: str, of: Behind) -> TableOf:
    """The places; p stands there only where there is one. The ends of an interval are shown together."""
    columns = {"model": Column("model"), "": Column("place"), metric: Column(spoken(metric)), "from": Column("from")}
    columns |= {"to (95 %)": Column("to (95 %)"), "p": Column("p")}
    return TableOf("The places", rows, columns, behind=of)


def reported(shown: Standing, cfg: DictConfig) -> list[str]:
    """Names of what was found, without what the config asks to ignore."""
    ignored = Ignored.of((cfg.get("findings") or {}).get("ignore") or []).names
    return [name for name in shown.findings if name not in ignored]


def coded(found: Sequence[str], leaks: Sequence[Mapping[str, Any]] = ()) -> str:
    """What was found, by its codes; after the leaks, where these make it unbelievable."""
    said = ", ".join(str(FINDINGS[name]) for name in found)
    grave = dict.fromkeys(heading(each) for each in leaks if has_error([each]))
    return f"{', '.join(grave)}; by scores that cannot be believed: {said}" if grave else said


def next_of(
    folder: Path, entrants: Entrants, rows: Rows, folds: int, seeds: int, ahead: bool = True
) -> tuple[str, str]:
    """Why, and what to type next: keep the first that can be kept, unless nothing says that it is the best.

    Args:
        ahead: whether the first is shown to be better than the constant predictor.
    """
    level = len(level_with_first(rows))
    if not ahead or (level and level == len(rows) - 1):
        more = "twice as many seeds" if seeds > 1 else "three seeds of each network"
        of = "any other" if ahead else "a prediction that is always the same"
        why = f"These folds do not tell the first from {of}. This judges them with {more}:"
        return why, rank_again(entrants.experiment, entrants.overrides, folds, 2 * seeds if seeds > 1 else 3)
    for number, row in enumerate(rows, 1):
        if not _of_row(row["model"], entrants)["rule"]:
            why = f"This trains row {number} ({as_text(row['model'])}) as a run and keeps its model:"
            return why, keep(folder, entrants.experiment, "--row", str(number))
    return "", ""


def _of_row(model: str, entrants: Entrants) -> dict[str, Any]:
    """What `fulmen models save` has to know of a row; of a baseline that is a rule nothing can be kept."""
    baseline = model not in entrants.chosen_by
    rule = baseline and baseline_node(entrants.base, model) is None
    return {"model": model, "baseline": baseline, "rule": rule, "override": entrants.chosen_by.get(model)}


def draw(path: Path, rows: Rows, metric: str, ceiling: float | None, chance: float | None = None) -> None:
    """Dots with intervals, the best at the top: the axis need not begin at zero."""
    from matplotlib.ticker import MaxNLocator

    from fulmen.report.figures import COOL, INK, MODEL, WIDTH, figure

    with figure(path, size=(WIDTH, 1.3 + 0.3 * len(rows))) as ax:
        for i, row in enumerate(rows):
            color, apart = COOL[0] if i else MODEL, i > 0 and row["p"] < ALPHA
            ax.plot([row["from"], row["to (95 %)"]], [i, i], color=color, linewidth=1.4)
            ax.plot(row[metric], i, "o", color=color, markersize=6, markerfacecolor="white" if apart else color)
        if ceiling is not None:
            ax.axvline(ceiling, color=INK, linestyle="--", linewidth=0.9)
        if chance is not None:
            ax.axvline(chance, color=INK, linestyle=":", linewidth=0.9)
        ax.set_yticks(range(len(rows)), [row["model"] for row in rows])
        ax.margins(y=0.12)
        ax.invert_yaxis()
        ax.grid(False, axis="y")
        possible = "" if ceiling is None else "\ndashed: the best that is possible"
        ax.set_title(
            f"orange: the first; filled: not shown to differ from it\nhollow: differs; lines: 95 % intervals{possible}"
        )
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.set_xlabel(
            f"{spoken(metric)}, mean over the folds"
            + (f"\n(dotted, chance: {chance:.3g})" if chance is not None else "")
        )


def _over_folds(rows: Rows, contest: Contest, of: Callable[[np.ndarray], float]) -> Rows:
    """A row for each model, in the order of `rows`: a statistic of each metric over the folds."""
    models = [row["model"] for row in rows]
    return [{"": name, **{key: float(of(values)) for key, values in contest.scores[name].items()}} for name in models]


def _deviation(values: np.ndarray) -> float:
    return float(np.std(values, ddof=1))
