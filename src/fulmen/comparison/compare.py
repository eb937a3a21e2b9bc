"""`fulmen compare A B ...`: two models or more on the same test items, the first of them the reference."""

import math
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchmetrics.functional.classification import multiclass_calibration_error

from fulmen.comparison import figures
from fulmen.comparison.paired import (
    Items,
    align,
    bootstrap,
    given,
    mcnemar,
    minority,
    scores,
    signed_rank,
)
from fulmen.comparison.statistics import holm
from fulmen.errors import FulmenError
from fulmen.report.confusion import confusion, per_class_f1
from fulmen.report.document import Rows, number
from fulmen.report.known import mean
from fulmen.report.markdown import markdown_table
from fulmen.report.summary import print_table
from fulmen.report.test_predictions import read_items
from fulmen.runs.run_folder import Run
from fulmen.utils.files import atomic_write

ALPHA = 0.05
STEADY = 10  # validation losses that tell how steady a training is at its end
NOTES = (
    "Differences are against the first model, on the same test items; their 95 % intervals are bootstrapped over items "
    "and runs together. An interval that holds 0 shows no difference.",
    "p: McNemar's exact test of the averaged predictions for classifiers, the signed-rank test of the losses for all "
    "others, adjusted for the number of models compared with the first (Holm).",
    "stability: sd of the last 10 validation losses. gap: training losses are those of the epoch, with augmentation, "
    "dropout and re-balancing in them; differences between models say more than its sign.",
    "minority: classes with less than half the training samples of the "
    "largest. An improvement over an F1 of 0 is left empty.",
)


def compare(runs: Mapping[str, Run], folder: Path | None = None) -> Path:
    """Compare finished runs; tables on the console, tables and figures in `folder`. Returns the report's path.

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
    tables = {"Models": overview(runs, models), "Differences": differences(models)}
    if first.probability is not None:
        tables["F1 per class"] = f1_table(models)
    curves = {label: [Run(child).metrics for child in run.runs] for label, run in runs.items()}
    drawn = {"Learning curves": figures.learning_curves(folder / "learning_curves.png", curves)}
    if first.probability is not None:
        counts = {label: _counts(items).sum(0) for label, items in models.items()}
        drawn["Confusion matrices, share of the true class"] = figures.confusions(folder / "confusion.png", counts)
    seen = f"{len(first.item)} test items, {len(first.loss)} run{'s' * (len(first.loss) > 1)} of each model."
    verdicts = [conclusion(row, len(first.loss)) for row in tables["Differences"]]
    parts = [f"# {' / '.join(runs)}", " ".join(filter(None, [seen, left_out])), "\n".join(f"- {v}" for v in verdicts)]
    for title, rows in tables.items():
        print_table(title, rows)
        parts += [f"## {title}", markdown_table(rows)]
    parts += ["## How to read this", "\n".join(f"- {note}" for note in NOTES)]
    parts += [f"## {caption}\n\n![{caption}]({path.name})" for caption, path in drawn.items()]
    parts += ["## The runs", "\n".join(f"- {label}: `{run.folder}`" for label, run in runs.items())]
    path = folder / "comparison.md"
    with atomic_write(path) as file:
        file.write("\n\n".join(parts) + "\n")
    print("\n".join([seen, *filter(None, [left_out]), *verdicts, f"report: {path}"]))
    return path


def stability(losses: Any) -> float:
    """Standard deviation of the last ten validation losses; NaN where there are fewer."""
    return float(losses.tail(STEADY).std()) if len(losses) >= STEADY else math.nan


def overview(runs: Mapping[str, Run], models: Mapping[str, Items]) -> Rows:
    """What each model reached and what it cost."""
    rows = []
    for label, run in runs.items():
        items, children = models[label], [Run(child) for child in run.runs]
        row: dict[str, Any] = {"": label, **{name: float(value) for name, value in scores(items).items()}}
        if items.probability is not None:
            row["ECE"] = mean([calibration_error(p, given(items.target)) for p in given(items.probability)])
        histories = [history for child in children if "val/loss" in (history := child.metrics)]
        if histories:
            row["stability"] = mean([stability(history["val/loss"].dropna()) for history in histories])
            row["epochs to best"] = mean([best_epoch(child) for child in children])
        row["training s"] = run.result.get("cost", {}).get("fit_seconds")
        row["parameters"] = run.result.get("cost", {}).get("parameters")
        rows.append(row)
    return rows


def best_epoch(run: Run) -> float:
    """The epoch, from 1, that the best checkpoint is of; NaN if the monitored metric never had a value."""
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


def differences(models: Mapping[str, Items]) -> Rows:
    """Each later model against the first: differences with intervals, and one adjusted p-value."""
    (reference, first), *others = models.items()
    test = signed_rank if first.probability is None else mcnemar
    p, theirs = holm([test(first, items) for _, items in others]), scores(first)
    rows = []
    for (label, items), adjusted in zip(others, p, strict=True):
        ours, intervals = scores(items), bootstrap(first, items)
        row: dict[str, Any] = {"": f"{label} - {reference}", "p": adjusted}
        for name, (low, high) in intervals.items():
            row[name] = f"{ours[name] - theirs[name]:+.3g} [{low:+.3g}, {high:+.3g}]"
        rows.append(row)
    return rows


def conclusion(row: Mapping[str, Any], runs: int) -> str:
    """A row of `differences` in words."""
    found = f"p = {number(row['p'])}, adjusted"
    alone = " One run of each: how much another seed would change is not known." if runs == 1 else ""
    if row["p"] >= ALPHA:
        return f"{row['']}: no difference shown ({found}).{alone}"
    what = "accuracy" if "accuracy" in row else "loss"
    return f"{row['']}: they differ, {what} {row[what]} ({found}).{alone}"


def f1_table(models: Mapping[str, Items]) -> Rows:
    """F1 of each class: without (the first model), with each other, and its relative improvement in percent."""
    (reference, first), *others = models.items()
    small = minority(first)
    f1 = {label: per_class_f1(_counts(items)).mean(0) for label, items in models.items()}
    rows = []
    for c in range(given(first.probability).shape[-1]):
        row: dict[str, Any] = {"class": f"{c}{' (minority)' if small is not None and small[c] else ''}"}
        if first.train_count is not None:
            row["training samples"] = round(float(first.train_count[c]))
        row[reference] = float(f1[reference][c])
        for label, _ in others:
            row[label] = float(f1[label][c])
            base = f1[reference][c]
            row[f"{label}, improvement %"] = float(100 * (f1[label][c] / base - 1)) if base else None
        rows.append(row)
    return rows


def _counts(items: Items) -> np.ndarray:
    """Confusion matrices of the runs, rows the true classes: [S, C, C]."""
    classes = given(items.probability).shape[-1]
    return np.stack([confusion(given(items.target), each, classes) for each in items.predicted])
