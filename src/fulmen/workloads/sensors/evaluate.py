"""The evaluation of a classifier on its test split: beside the baselines, and beside the ceiling where it is known."""

import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from fulmen.report.document import Rows
from fulmen.report.evidence import NOTE
from fulmen.report.summary import Summary
from fulmen.report.words import counted
from fulmen.workloads.sensors import baselines, drift, figures, importance, leakage
from fulmen.workloads.sensors.baselines import Part
from fulmen.workloads.sensors.items import items_of
from fulmen.workloads.sensors.metrics import CONSTANT, TITLES, choose_threshold, scores
from fulmen.workloads.sensors.table_data import TableData
from fulmen.workloads.sensors.verdict import verdict

NOTES = [
    "ROC-AUC: chance is 0.5. PR-AUC: area under precision over recall (average precision); chance is the share of "
    "events. Brier: mean squared error of the probability. ECE: mean gap between said and seen frequency, ten bins of "
    "equal size.",
    "F1, precision, recall and accuracy are of decisions at a threshold chosen on the validation split, never on the "
    "test split.",
    "Drift: population stability index (PSI, ten bins of the training rows; above 0.25 is a warning) and largest gap "
    "of the distribution functions (KS), of the test split and of the last third of the training time.",
    "Baselines: scikit-learn's defaults, trained on the same rows, thresholds chosen on the same validation split; "
    "class shares: the constant predictor, how frequent the classes are in training.",
    NOTE,
    "Log loss is that of the probability that is predicted. Where a network has several members (TabM), that is their "
    "mean; the loss that is trained on and logged, the test loss among it, is the mean of what each member scores "
    "alone, and no smaller.",
]
SHOWN = 10  # columns in the table of drift
PERMUTED = (
    "The labels are permuted (data.permute_labels=true), so there is nothing to foretell: whatever is better than "
    "chance leaks, and nothing of this is advice."
)
TRUE_LABELS = "This trains on the true labels:", "data.permute_labels=false"
MACHINES = "Machines by their latest row"
NEED = (
    "Machines: maintenance is needed where the probability is at or above the threshold {threshold:.3g}; row is that "
    "of the table. Of machines in the training split the network has seen the answers; it is surer of them than it "
    "should be."
)
IMPORTANCE = (
    "What the columns are worth: loss of area when a column is shuffled over the test rows, its windows with it, mean "
    "and sd of five shuffles. Columns that say the same share their worth: each alone may look worthless."
)
CEILING = (
    "Ceiling: the exact posterior from a single row of a machine never seen (the plant is simulated). Models of single "
    "rows cannot rank better but by luck; windows over the past can."
)


def summarize(
    p: np.ndarray,
    predict: Callable[[Part], np.ndarray],
    threshold: float,
    module: Any,
    data: TableData,
    folder: Path | None,
) -> Summary:
    """Metrics, tables and figures of the test split.

    Args:
        p: probabilities [N, L] of the test split.
        predict: a part -> the network's probabilities [N, L].
        threshold: of the second of two labels.
        folder: where figures go; None draws none.
    """
    train, validation, test = (data.splits[name] for name in ("train", "validation", "test"))
    target = test["target"].numpy()
    classes = p.shape[1]
    predicted, thresholds = {"network": p}, {"network": threshold}
    for name in baselines.BASELINES:
        baseline = baselines.fit(name, train, module.network.inputs.levels, classes)
        predicted[name] = baseline(test)
        thresholds[name] = choose_threshold(
            validation["target"].numpy(), baseline(validation)[:, 1], module.by, module.cost_ratio
        )
    predicted[CONSTANT] = baselines.class_shares(train, len(target), classes)
    thresholds[CONSTANT] = choose_threshold(
        validation["target"].numpy(), baselines.class_shares(train, len(validation["target"]), classes)[:, 1],
        module.by, module.cost_ratio,
    )  # fmt: skip
    if data.bayes is not None:
        predicted["ceiling"] = np.stack([1 - data.bayes, data.bayes], 1)
        thresholds["ceiling"] = 1 / (1 + module.cost_ratio) if module.by == "cost" else 0.5
    score = {name: scores(target, each, thresholds[name]) for name, each in predicted.items()}
    rows = [{"": name, **titled(each, target.mean() if classes == 2 else None)} for name, each in score.items()]
    place = [data.numeric.index(name) for name in data.sensors]
    before, now = (part["x"][:, place].numpy() for part in (train, test))
    drifted = drift.table(data.sensors, before, now, data.hours["train"])
    alarms = drift.alarms(drifted)
    for warning in alarms:
        warnings.warn(warning, stacklevel=2)
    warned = list(data.warnings) + too_good(p, data, score["network"]) + alarms
    notes = [*NOTES, *_of_ceiling(target, data)]
    main = score.pop("network") | ({"threshold": threshold} if classes == 2 else {})
    hours = data.hours.get("test") if data.features.columns.time else None
    found = verdict(predicted, target, module.margin, _machines_of(data), hours)
    if data.permute_labels:
        found = replace(found, sentence=f"{PERMUTED} {found.sentence}")
    of = f"{_counts(target, data)}; trained on {len(train['target'])} rows"
    title = f"{found.sentence.removesuffix('.')} (test split, {of})"
    curves = {name: each for name, each in predicted.items() if name != CONSTANT}
    drawn = figures.draw(curves, target, data.labels, thresholds, folder) if folder else {}
    items = items_of(test, p, predicted[CONSTANT][0])
    tables, shown = {title: rows}, []
    if classes == 2:
        if not data.permute_labels and (machines := _machines(predict, data, threshold)):
            tables[MACHINES] = machines
            shown.append(MACHINES)
            notes.append(NEED.format(threshold=threshold))
        tables |= _importance(predict, data, folder, drawn)
        notes.append(IMPORTANCE)
    tables["Drift"] = sorted(drifted, key=lambda row: -row["PSI of the test split"])[:SHOWN]
    return Summary(
        main, score, tables, drawn, notes, items=items, shown=shown,
        question="How well does the network foretell the event for rows that it has not seen, beside baselines?",
        answer=found.sentence, verdict=found, leading=["ROC-AUC", "PR-AUC", "(chance)", "F1"], counted="rows",
        counts={MACHINES: "", "Drift": ""}, warnings=warned, next_step=TRUE_LABELS if data.permute_labels else ("", ""),
    )  # fmt: skip


def titled(score: dict[str, float], prevalence: float | None) -> dict[str, float]:
    """Metrics under their titles, the share of events, which is the PR-AUC of chance, beside the PR-AUC."""
    row = {}
    for metric, value in score.items():
        row[TITLES[metric]] = value
        if metric == "pr_auc" and prevalence is not None:
            row["(chance)"] = float(prevalence)
    return row


def _machines(predict: Callable[[Part], np.ndarray], data: TableData, threshold: float) -> Rows:
    """Rows of `importance.in_need`, if the table has machines."""
    if not data.features.columns.group:
        return []
    return importance.in_need(lambda part: predict(part)[:, 1], data, threshold)


def _importance(
    predict: Callable[[Part], np.ndarray], data: TableData, folder: Path | None, drawn: dict[str, str]
) -> dict[str, Rows]:
    """The table, and its figure beside the others."""
    places, categorical = importance.sources(data.features), list(data.features.columns.categorical)
    rows = importance.importance(lambda part: predict(part)[:, 1], data.splits["test"], places, categorical)
    if folder:
        importance.draw_importance(folder / "importance.svg", rows)
        drawn["Loss of PR-AUC on the test split when a column is shuffled over the rows"] = "importance.svg"
    return {"What the columns are worth": rows}


def too_good(p: np.ndarray, data: TableData, score: dict[str, float]) -> list[str]:
    """Warnings, given as such too, where a score is above what can be known."""
    ceiling, margin = dict(data.known_ceiling), {}
    if data.bayes is not None and not data.features.windows:
        target = data.splits["test"]["target"].numpy()
        ceiling["roc_auc"] = scores(target, np.stack([1 - data.bayes, data.bayes], 1))["roc_auc"]
        margin["roc_auc"] = leakage.auc_margin(target, p[:, 1], data.bayes, _machines_of(data))
    found = leakage.above_ceiling(score, ceiling, margin)
    for warning in found:
        warnings.warn(warning, stacklevel=2)
    return found


def _of_ceiling(target: np.ndarray, data: TableData) -> list[str]:
    """The note on the ceiling, where there is one, and on how well it is known."""
    if data.bayes is None:
        return []
    known = leakage.enough(target, _machines_of(data))
    return [CEILING if known else f"{CEILING} Of so few events and machines its own score is mostly chance."]


def _machines_of(data: TableData) -> np.ndarray | None:
    """The machine of each row of the test split [N]; None where the table has no machines."""
    return data.splits["test"]["group"].numpy() if data.features.columns.group else None


def _counts(target: np.ndarray, data: TableData) -> str:
    """How many rows, events and machines the test split has, and how it was split off."""
    machine = _machines_of(data)
    found = counted(len(target), "row") + (f" with {counted(int(target.sum()), 'event')}" * (len(data.labels) == 2))
    of = f" of {counted(len(np.unique(machine)), 'machine')}" if machine is not None else ""
    late = ", later than all others"
    if data.later:
        late = f", later than those before them, while {counted(data.later, 'row')} after them are not used"
    how = {"group": " never seen", "time": late, "random": ", drawn at random"}
    return f"{found}{of}{how[data.splitting.kind]}"
