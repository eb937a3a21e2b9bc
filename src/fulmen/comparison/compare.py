"""`fulmen compare A B ...`: two models or more on the same test items, the first of them the reference."""

import math
import os
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from fulmen.comparison import figures
from fulmen.comparison.found import Comparison
from fulmen.comparison.main_score import Main, main_of
from fulmen.comparison.paired import Difference, Items, align, compared, given, minority, scores
from fulmen.comparison.tries import HEADING, ignored_by_all, tries_of, write_tries
from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.report.behind import Behind, behind
from fulmen.report.confusion import confusion, per_class_f1
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf
from fulmen.report.html import write
from fulmen.report.known import mean, place
from fulmen.report.leaks import REMOVED, caution, cautioned, cure_of, distinct, leaks_in
from fulmen.report.markdown import as_text
from fulmen.report.next_step import keep, train_again
from fulmen.report.summary import print_table
from fulmen.report.test_predictions import read_items
from fulmen.report.words import spoken
from fulmen.runs.damage import read_typed
from fulmen.runs.looks import look, looks
from fulmen.runs.run_folder import Run

ALPHA = 0.05
ALONE = "One run of each: how much another seed would change is not known."
TESTED = "test items"  # of a class
SCORES = "the scores that are compared here"
STEADY = 10  # validation losses that tell how steady a training is at its end
NOTES = (
    "Differences are against the first model, on the same test items. Intervals (95 %) and p come of one bootstrap "
    "over items and runs together, both for the number of models compared with the first (Bonferroni): p is below 0.05 "
    "where, and only where, the interval leaves out 0.",
    "p is of the main score of the workload (ROC-AUC, balanced accuracy, skill, R² (log)), where all models have it of "
    "their items; else of the accuracy of classifiers, each class counting alike where they are of unequal size, and "
    "of the loss of all others. Loss and other scores are means over the test items, each of which counts the same.",
    "best validation loss: the lowest of the training, mean over the runs; it was chosen, which flatters it.",
    "stability: sd of the last 10 validation losses. gap: training losses are those of the epoch, with augmentation, "
    "dropout and re-balancing in them; differences between models say more than its sign.",
    "minority: classes with less than half the training samples of the largest.",
)


def compare(runs: Mapping[str, Run], folder: Path | None = None) -> Comparison:
    """Compare finished runs; tables on the console, tables and figures in `folder`.

    Args:
        runs: label -> run; a run over several seeds counts with all of them.
        folder: by default outputs/comparisons/<stamp>.

    Raises:
        FulmenError: fewer than two runs, one that was not tested, or runs that do not share test items.
    """
    if len(runs) < 2:
        raise FulmenError("a comparison takes two runs or more: fulmen compare RUN RUN ...")
    folder = folder or Path("outputs", "comparisons", f"{datetime.now():%Y-%m-%d_%H-%M-%S}")
    models, left_out = align({label: read_items(run.folder) for label, run in runs.items()})
    first = next(iter(models.values()))
    found, main_score = differences(models), main_of(runs.values(), models.values())
    tables = {"Models": overview(runs, models, main_score), "Differences": difference_rows(found, main_score.name)}
    if first.probability is not None:
        tables["F1 per class"] = f1_table(models)
    lost = [f"{run.folder}/{clause}." for run in runs.values() for clause in run.lost]
    curves = {label: [child.metrics for child in map(Run, run.runs) if child.has_curves] for label, run in runs.items()}
    caption, shown = "Learning curves", {label: each for label, each in curves.items() if each}
    drawn = {caption: figures.learning_curves(folder / "learning_curves.svg", shown)} if shown else {}
    lead = figures.differences(folder / "differences.svg", found, main_score.name)
    if first.probability is not None:
        counts = {label: _counts(items).sum(0) for label, items in models.items()}
        drawn["Confusion matrices, share of the true class"] = figures.confusions(folder / "confusion.svg", counts)
    word = behind([run.known for run in runs.values()]).counted
    of = Behind(len(first.counts), items={"test": first.counts}, counted=word)
    ignored = ignored_by_all(child for run in runs.values() for child in run.runs)
    verdicts = [conclusion(pair, each, main_score, of.runs, ignored) for pair, each in found.items()]
    for title, rows in tables.items():
        if hidden := print_table(title, rows, as_named=runs):
            print(f"  not shown for want of width: {', '.join(map(spoken, hidden))}; comparison.md has all columns")
    main = TableOf("Models", tables["Models"], {"": Column("model")}, behind=of)
    rest = [TableOf("Differences", tables["Differences"], {"": Column("pair")}, behind=of)]
    if first.probability is not None:
        rest.append(TableOf("F1 per class", tables["F1 per class"], behind=replace(of, column=TESTED)))
    why, command = next_of(runs, models, main_score)
    seen = looked_at_by(next(iter(runs.values())))
    leaks = distinct(
        leak for run in runs.values() for each in (run, *map(Run, run.runs)) for leak in leaks_in(each.known)
    )
    told = caution(leaks, SCORES)
    answer, sure = cautioned(
        leaks, as_text(summed_up(found, main_score)),
        as_text(" ".join(filter(None, [left_out, ALONE if of.runs == 1 else "", *lost, seen]))), SCORES,
    )  # fmt: skip
    of_all, counted = tries_of({label: [run.folder] for label, run in runs.items()})
    report = Report(
        title=" / ".join(runs),
        question=f"Do they differ from {as_text(next(iter(runs)))} on the test items that all share, and by how much?",
        answer=answer,
        how_sure=sure,
        lead=Figure(f"Difference of {main_score.word} from {next(iter(runs))}, with its interval", lead.name),
        main=main,
        next_command=command,
        next_why=why,
        sections=[
            Section("What was found", [as_text(verdict) for verdict in verdicts], listed=True),
            *([Section(HEADING, [as_text(said) for said in counted])] if counted else []),
            *(Section(each.title, tables=[each]) for each in rest),
            Section("Figures", figures=[Figure(caption, path.name) for caption, path in drawn.items()]),
            Section("How to read this", NOTES, listed=True),
        ],
        links={label: os.path.relpath(run.folder / "report.html", folder) for label, run in runs.items()},
    )
    path = write(report, folder, "comparison.md")
    write_tries([of_all] if of_all else [], folder)
    said = f"report: {path.with_name('report.html')}, the same in {path.name}"
    notes = filter(None, [left_out, *lost, seen, *verdicts, *counted, told])
    print("\n".join([str(of), *notes, said]))
    return Comparison(folder, summed_up(found, main_score), verdicts, tables["Models"], lost, counted)


def looked_at_by(run: Run) -> str:
    """How often the test split of a run has been looked at, in a sentence; "" where nobody else has."""
    first = run.runs[0]
    return str(looks(first, look(first)))


def next_of(runs: Mapping[str, Run], models: Mapping[str, Items], main: Main) -> tuple[str, str]:
    """Why, and what to type next: more seeds of the best model, or to keep it."""
    first = next(iter(models.values()))
    best = min(models, key=lambda label: place(float(scores(models[label])[main.name]), main.larger))
    run = runs[best]
    experiment = str(run.known.get("experiment") or run.folder.parent.name)
    if cure := cure_of(leaks_in(run.known)):
        return REMOVED, train_again(experiment, read_typed(run.folder)[0], *cure)
    if run.known.get("members"):  # nothing was typed that trains it
        return f"This keeps {as_text(best)} as a model:", keep(run.folder, experiment)
    if len(first.counts) == 1:
        said = read_typed(run.folder)[0]
        return f"One seed says little. This trains {as_text(best)} with three:", train_again(
            experiment, said, "seeds=3"
        )
    return f"This keeps the model of the first run of {as_text(best)}:", keep(run.runs[0], experiment)


def stability(losses: Any) -> float:
    """Standard deviation of the last ten validation losses; NaN where there are fewer."""
    return float(losses.tail(STEADY).std()) if len(losses) >= STEADY else math.nan


def overview(runs: Mapping[str, Run], models: Mapping[str, Items], main: Main) -> Rows:
    """What each model reached and what it cost."""
    rows = []
    for label, run in runs.items():
        items, children = models[label], [Run(child) for child in run.runs]
        reached = {name: float(value) for name, value in scores(items).items()}
        row: dict[str, Any] = {"": label, main.name: reached[main.name], **reached}
        if items.probability is not None:
            row["ECE"] = mean([calibration_error(p, given(items.target)) for p in given(items.probability)])
        histories = [history for child in children if child.has_curves and "val/loss" in (history := child.metrics)]
        if histories:
            row["best val/loss"] = mean([float(history["val/loss"].min()) for history in histories])
            row["stability"] = mean([stability(history["val/loss"].dropna()) for history in histories])
            row["epochs to best"] = mean([best_epoch(child) for child in children])
        row["training s"] = run.known.get("cost", {}).get("fit_seconds")
        row["parameters"] = run.known.get("cost", {}).get("parameters")
        rows.append(row)
    return rows


def best_epoch(run: Run) -> float:
    """The epoch, from 1, that the best checkpoint is of; NaN where the monitored metric has no value, or is unknown."""
    if not (run.has_config and run.has_curves and run.config.monitor in run.metrics):
        return math.nan
    column = run.metrics[run.config.monitor].dropna()
    if column.empty:
        return math.nan
    return float((column.idxmin() if run.config.mode == "min" else column.idxmax()) + 1)


def calibration_error(probability: np.ndarray, target: np.ndarray) -> float:
    """Expected calibration error over 15 bins of equal width (Guo et al. 2017)."""
    return float(
        multiclass_calibration_error(
            torch.from_numpy(probability).float(), torch.from_numpy(target).long(), probability.shape[-1], n_bins=15
        )
    )


def differences(models: Mapping[str, Items]) -> dict[str, dict[str, Difference]]:
    """Each later model against the first: pair -> score -> difference."""
    (reference, first), *others = models.items()
    return {f"{label} - {reference}": compared(first, items, len(others)) for label, items in others}


def difference_rows(found: Mapping[str, Mapping[str, Difference]], name: str) -> Rows:
    """A row for each pair: the differences with their intervals, the p of the score that decides first."""
    rows = []
    for pair, scores_of in found.items():
        row: dict[str, Any] = {"": pair, "p": float(f"{scores_of[name].p:.2g}")}
        for score in sorted(scores_of, key=lambda each: each != name):
            row[score] = f"{_of(scores_of[score])}"
        rows.append(row)
    return rows


def _of(each: Difference) -> str:
    return f"{each.value:+.3g} [{each.low:+.3g}, {each.high:+.3g}]"


def conclusion(pair: str, found: Mapping[str, Difference], main: Main, runs: int, ignored: Collection[str] = ()) -> str:
    """What a comparison of two models says, in words.

    Args:
        ignored: names of findings that are not reported.
    """
    each = found[main.name]
    alone = f" {ALONE}" if runs == 1 else ""
    return f"{pair}: {_shown(each, main, ignored)} ({main.word} {_of(each)}, p = {each.p:.2g}).{alone}"


def _shown(each: Difference, main: Main, ignored: Collection[str]) -> str:
    """That they differ, that they do not by the margin or more, or that it is undecided."""
    if each.p < ALPHA:
        return f"the first of the two is {'better' if main.gain(each.value) > 0 else 'worse'}"
    if not math.isfinite(main.margin):
        return "no difference shown"
    margin = f"{main.margin:g} or more"
    if max(abs(each.low), abs(each.high)) < main.margin:
        said, name = f"no difference: one of {margin} is ruled out", "no_difference"
    else:
        said, name = f"no difference shown, and one of {margin} is not ruled out", "undecided_result"
    return said if name in ignored else f"{said}, {FINDINGS[name]}"


def summed_up(found: Mapping[str, Mapping[str, Difference]], main: Main) -> str:
    """What a comparison says, in one sentence; of several models, which differ from the first."""
    if len(found) == 1:
        (pair, scores_of), each = next(iter(found.items())), next(iter(found.values()))[main.name]
        label, _, reference = pair.rpartition(" - ")
        better = main.gain(each.value) > 0
        word = "is not shown to differ from" if each.p >= ALPHA else f"is {'better' if better else 'worse'} than"
        return f"{label} {word} {reference}: {main.word} {_of(scores_of[main.name])}, p = {each.p:.2g}."
    of = {pair.rpartition(" - ")[0]: each[main.name] for pair, each in found.items()}
    ways = {
        "better": [label for label, each in of.items() if each.p < ALPHA and main.gain(each.value) > 0],
        "worse": [label for label, each in of.items() if each.p < ALPHA and main.gain(each.value) <= 0],
    }
    said = [f"{', '.join(labels)} {'is' if len(labels) == 1 else 'are'} {way} than the first"
            for way, labels in ways.items() if labels]  # fmt: skip
    if not said:
        return f"No model is shown to differ from the first in {main.word}."
    rest = "" if sum(map(len, ways.values())) == len(of) else "; no other is shown to differ"
    return f"In {main.word}, {' and '.join(said)}{rest}."


def f1_table(models: Mapping[str, Items]) -> Rows:
    """F1 of each class: of the first model, of each other, and how far that is from the first."""
    (reference, first), *others = models.items()
    small = minority(first)
    f1 = {label: per_class_f1(_counts(items)).mean(0) for label, items in models.items()}
    rows = []
    for c in range(given(first.probability).shape[-1]):
        row: dict[str, Any] = {"class": f"{c}{' (minority)' if small is not None and small[c] else ''}"}
        row[TESTED] = int((given(first.target) == c).sum())
        if first.train_count is not None:
            row["training samples"] = round(float(first.train_count[c]))
        row[reference] = float(f1[reference][c])
        for label, _ in others:
            row[label] = float(f1[label][c])
        for label, _ in others:
            row[f"{label}, difference"] = float(f1[label][c] - f1[reference][c])
        rows.append(row)
    return rows


def _counts(items: Items) -> np.ndarray:
    """Confusion matrices of the runs, rows the true classes: [S, C, C]."""
    classes = given(items.probability).shape[-1]
    return np.stack([confusion(given(items.target), each, classes) for each in items.predicted])
