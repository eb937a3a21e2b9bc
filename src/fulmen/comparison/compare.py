"""`fulmen compare A B ...`: two models or more on the same test items, the first of them the reference."""

import math
import os
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from fulmen.comparison import figures
from fulmen.comparison.found import Comparison
from fulmen.comparison.paired import Difference, Items, align, compared, given, minority, scores
from fulmen.comparison.tries import HEADING, tries_of, write_tries
from fulmen.errors import FulmenError
from fulmen.report.behind import Behind, behind
from fulmen.report.confusion import confusion, per_class_f1
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf
from fulmen.report.html import write
from fulmen.report.known import mean, place
from fulmen.report.markdown import as_text
from fulmen.report.next_step import keep, train_again
from fulmen.report.summary import print_table
from fulmen.report.test_predictions import read_items
from fulmen.runs.damage import read_typed
from fulmen.runs.run_folder import Run

ALPHA = 0.05
BALANCED = "balanced accuracy"
ALONE = "One run of each: how much another seed would change is not known."
TESTED = "test items"  # of a class
STEADY = 10  # validation losses that tell how steady a training is at its end
NOTES = (
    "Differences are against the first model, on the same test items. Intervals (95 %) and p come of one bootstrap "
    "over items and runs together, both for the number of models compared with the first (Bonferroni): p is below 0.05 "
    "where, and only where, the interval leaves out 0.",
    "p is of the accuracy of classifiers, of the balanced accuracy where classes are of unequal size, and of the loss "
    "of all others. Loss and other scores are means over the test items, each of which counts the same.",
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
    found = differences(models)
    tables = {"Models": overview(runs, models), "Differences": difference_rows(found, deciding(first))}
    if first.probability is not None:
        tables["F1 per class"] = f1_table(models)
    lost = [f"{run.folder}/{clause}." for run in runs.values() for clause in run.lost]
    curves = {label: [child.metrics for child in map(Run, run.runs) if child.has_curves] for label, run in runs.items()}
    caption, shown = "Learning curves", {label: each for label, each in curves.items() if each}
    drawn = {caption: figures.learning_curves(folder / "learning_curves.svg", shown)} if shown else {}
    lead = figures.differences(folder / "differences.svg", found, deciding(first))
    if first.probability is not None:
        counts = {label: _counts(items).sum(0) for label, items in models.items()}
        drawn["Confusion matrices, share of the true class"] = figures.confusions(folder / "confusion.svg", counts)
    word = behind([run.known for run in runs.values()]).counted
    of = Behind(len(first.counts), items={"test": first.counts}, counted=word)
    verdicts = [conclusion(pair, each, deciding(first), of.runs) for pair, each in found.items()]
    for title, rows in tables.items():
        print_table(title, rows)
    main = TableOf("Models", tables["Models"], {"": Column("model")}, behind=of)
    rest = [TableOf("Differences", tables["Differences"], {"": Column("pair")}, behind=of)]
    if first.probability is not None:
        rest.append(TableOf("F1 per class", tables["F1 per class"], behind=replace(of, column=TESTED)))
    why, command = next_of(runs, models)
    of_all, counted = tries_of({label: [run.folder] for label, run in runs.items()})
    report = Report(
        title=" / ".join(runs),
        question=f"Do they differ from {as_text(next(iter(runs)))} on the test items that all share, and by how much?",
        answer=as_text(summed_up(found, deciding(first))),
        how_sure=as_text(" ".join(filter(None, [left_out, ALONE if of.runs == 1 else "", *lost]))),
        lead=Figure(f"Difference of {deciding(first)} from {next(iter(runs))}, with its interval", lead.name),
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
    print("\n".join([str(of), *filter(None, [left_out]), *lost, *verdicts, *counted, said]))
    return Comparison(folder, summed_up(found, deciding(first)), verdicts, tables["Models"], lost, counted)


def next_of(runs: Mapping[str, Run], models: Mapping[str, Items]) -> tuple[str, str]:
    """Why, and what to type next: more seeds of the best model, or to keep it."""
    first = next(iter(models.values()))
    name, larger = deciding(first), first.probability is not None
    best = min(models, key=lambda label: place(float(scores(models[label])[name]), larger))
    run = runs[best]
    experiment = str(run.known.get("experiment") or run.folder.parent.name)
    if len(first.counts) == 1:
        said = read_typed(run.folder)[0]
        return f"One seed says little. This trains {as_text(best)} with three:", train_again(
            experiment, said, "seeds=3"
        )
    return f"This keeps the model of the first run of {as_text(best)}:", keep(run.runs[0], experiment)


def stability(losses: Any) -> float:
    """Standard deviation of the last ten validation losses; NaN where there are fewer."""
    return float(losses.tail(STEADY).std()) if len(losses) >= STEADY else math.nan


def overview(runs: Mapping[str, Run], models: Mapping[str, Items]) -> Rows:
    """What each model reached and what it cost."""
    rows = []
    for label, run in runs.items():
        items, children = models[label], [Run(child) for child in run.runs]
        reached = {name: float(value) for name, value in scores(items).items()}
        name = deciding(items)
        row: dict[str, Any] = {"": label, name: reached[name], **reached}
        if items.probability is not None:
            row["ECE"] = mean([calibration_error(p, given(items.target)) for p in given(items.probability)])
        histories = [history for child in children if child.has_curves and "val/loss" in (history := child.metrics)]
        if histories:
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


def deciding(items: Items) -> str:
    """The score that one model is said to be better by; of classes of unequal size each class counts alike."""
    if items.probability is None:
        return "loss"
    small = minority(items)
    return BALANCED if small is not None and small.any() else "accuracy"


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


def conclusion(pair: str, found: Mapping[str, Difference], name: str, runs: int) -> str:
    """What a comparison of two models says, in words."""
    each = found[name]
    alone = f" {ALONE}" if runs == 1 else ""
    numbers = f"{name} {_of(each)}, p = {each.p:.2g}"
    if each.p >= ALPHA:
        return f"{pair}: no difference shown ({numbers}).{alone}"
    return f"{pair}: they differ, {numbers}.{alone}"


def summed_up(found: Mapping[str, Mapping[str, Difference]], name: str) -> str:
    """What a comparison says, in one sentence; of several models, which differ from the first."""
    if len(found) == 1:
        (pair, scores_of), each = next(iter(found.items())), next(iter(found.values()))[name]
        label, _, reference = pair.rpartition(" - ")
        better = (each.value > 0) == (name != "loss")
        word = "is not shown to differ from" if each.p >= ALPHA else f"is {'better' if better else 'worse'} than"
        return f"{label} {word} {reference}: {name} {_of(scores_of[name])}, p = {each.p:.2g}."
    apart = [pair.rpartition(" - ")[0] for pair, each in found.items() if each[name].p < ALPHA]
    if not apart:
        return f"No model is shown to differ from the first in {name}."
    return f"In {name}, {', '.join(apart)} differ{'s' * (len(apart) == 1)} from the first; no other is shown to."


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
            row[f"{label}, difference"] = float(f1[label][c] - f1[reference][c])
        rows.append(row)
    return rows


def _counts(items: Items) -> np.ndarray:
    """Confusion matrices of the runs, rows the true classes: [S, C, C]."""
    classes = given(items.probability).shape[-1]
    return np.stack([confusion(given(items.target), each, classes) for each in items.predicted])
