"""The evaluation of an image classifier on its test split: per class, beside the baselines, with a verdict in words."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fulmen.report.document import Rows
from fulmen.report.evidence import NOTE
from fulmen.report.summary import Summary
from fulmen.report.words import counted
from fulmen.workloads.images import baselines, figures, metrics
from fulmen.workloads.images.losses import log_prior
from fulmen.workloads.images.verdict import CONSTANT, verdict

COLUMNS = {
    "balanced_accuracy": "balanced accuracy",
    "minority_f1": "minority F1",
    "majority_f1": "majority F1",
    "worst_recall": "worst class",
    "macro_f1": "macro F1",
    "accuracy": "accuracy",
    "auroc": "AUROC",
    "ece": "ECE",
    "log_loss": "log loss",
    "macro_precision": "macro precision",
    "weighted_f1": "weighted F1",
    "many_recall": "recall (many)",
    "medium_recall": "recall (medium)",
    "few_recall": "recall (few)",
}
NOTES = [
    "balanced accuracy: mean recall of the classes. Minority: classes with less than half the training images of the "
    "largest; worst class: the lowest recall. Micro-averaged precision, recall and F1 are the accuracy.",
    "many, medium, few: classes with at least 1/2, at least 1/5 or less of the training images of the largest.",
    "AUROC: one class against the rest, mean over classes. ECE: expected calibration error, 15 bins.",
    "majority class: how frequent classes are in training; linear: logistic regression on 8 x 8 pixels, as it is and "
    "weighted so that all classes count the same.",
    NOTE,
    "val/loss: cross-entropy of the predictions on the validation split, every class counting the same.",
]
USED, BALANCED = "(used)", "balanced accuracy"
WORTH = 0.03  # points of balanced accuracy from which on logit adjustment is advised
AFTER = (0.0, 0.5, 1.0, 1.5)


def summarize(
    log_probability: Tensor, tau: float, data: Any, folder: Path | None, margin: float = 0.03
) -> Summary:  # fmt: skip
    """Metrics, tables, figures and items of the test split.

    Args:
        log_probability: predicted [N, C], logits adjusted by `tau`.
        folder: where figures go; None draws none.
        margin: how far above chance a balanced accuracy is a signal.
    """
    train, test = data.splits["train"], data.splits["test"]
    label, counts = test["label"], data.counts.numpy()
    prior = log_prior(data.counts)
    probability = log_probability.exp()
    forecasts = {"network": probability, CONSTANT: baselines.majority(data.counts, len(label))}
    forecasts |= baselines.linear(train, test)
    found = {name: metrics.scores(p, label, counts) for name, p in forecasts.items()}
    rows = [{"": name, **_row(each)} for name, each in found.items()]
    main = found.pop("network")
    columns = ", ".join(f"{n}: {c}" for n, c in zip(data.names, counts.tolist(), strict=True))
    notes = [f"Training images per class: {columns}.", *NOTES, *_balances(data)]
    absent = metrics.absent_classes(label, data.names)
    too_good = "leakage: original_protocol: epochs were chosen on this very test split; the numbers are too good"
    shown = verdict(forecasts, label, margin)
    classes = _per_class(probability, label, counts, data.names)
    said = " ".join(filter(None, [shown.sentence, unseen(classes)]))
    adjusted = _after(log_probability + tau * prior, label, counts, prior, tau)
    tables = {
        f"{said.removesuffix('.')} (test split, {len(label):,} images)": rows,
        "Per class": classes,
        "Logit adjustment after training: logits - tau log(share of the class)": adjusted,
    }
    drawn = figures.draw(probability, label, counts, data.names, folder) if folder else {}
    items = {
        "item": test["item"].numpy(),
        "loss": -log_probability[torch.arange(len(label)), label].numpy(),
        "target": label.numpy(),
        "probability": probability.numpy(),
        "train_count": counts,
    }
    return Summary(
        main, found, tables, drawn, notes, items,
        question="How well does the network tell classes of images apart, rare ones included, beside baselines?",
        answer=said, verdict=shown, next_step=adjustment(adjusted),
        leading=["balanced accuracy", "minority F1", "worst class", "ECE"],
        counted="images", counts={"Per class": "test images"},
        warnings=[too_good] * data.original_protocol + absent,
    )  # fmt: skip


def unseen(classes: Rows) -> str:
    """`In 3 of 10 classes no image is recognised.` of rows with the recall of each class; "" where there is none."""
    there = [row for row in classes if row["test images"]]
    none = sum(row["recall"] == 0 for row in there)
    return f"In {none} of {counted(len(there), 'class', 'classes')} no image is recognised." if none else ""


def adjustment(rows: Rows) -> tuple[str, str]:
    """Why a training with logit adjustment would be better, and its override, where the rows of `_after` say so.

    The strength is asked to be chosen on the validation split: those of the table are scores of the test split.
    """
    used = next(row for row in rows if USED in row["tau"])
    gain = max(row[BALANCED] for row in rows) - used[BALANCED]
    if not used["tau"].startswith("0 ") or gain < WORTH:
        return "", ""
    said = f"Logit adjustment alone gains up to {100 * gain:.1f} points of balanced accuracy on this test split. "
    return f"{said}This chooses its strength on the validation split:", "model.logit_adjustment=validation"


def _balances(data: Any) -> list[str]:
    """A sentence where validation and test split hold the classes in other shares: then some scores do not compare."""
    val, test = (data.splits[name]["label"].bincount(minlength=data.classes).numpy() for name in ("validation", "test"))
    shares = [each / max(1, each.sum()) for each in (val, test)]
    if abs(shares[0] - shares[1]).max() < 0.02:
        return []
    return [
        f"The validation split is as unequal as the training split ({_ratio(val)}), the test split is not "
        f"({_ratio(test)}): accuracy, precision and F1 depend on the shares of the classes, so `val/accuracy` and "
        f"`val/minority_f1` do not compare with those of the test split. Balanced accuracy and recall do."
    ]


def _ratio(counts: np.ndarray) -> str:
    """`5 to 50 images a class`"""
    low, high = int(counts.min()), int(counts.max())
    return f"{low:,} images of each class" if low == high else f"{low:,} to {high:,} images a class"


def _row(each: metrics.Scores) -> dict[str, float]:
    return {title: each[name] for name, title in COLUMNS.items() if name in each}


def _per_class(probability: Tensor, label: Tensor, counts: np.ndarray, names: list[str]) -> Rows:
    matrix = metrics.confusion(label.numpy(), probability.argmax(1).numpy(), len(names))
    each = metrics.per_class(matrix)
    return [
        {"class": name, "training images": int(counts[c]), "test images": int(matrix[c].sum()),
         **{title: float(values[c]) for title, values in each.items()}}
        for c, name in enumerate(names)
    ]  # fmt: skip


def _after(logits: Tensor, label: Tensor, counts: np.ndarray, prior: Tensor, tau: float) -> Rows:
    """What other values of tau would have made of the same network; none of them was chosen by these numbers."""
    rows = []
    for each in sorted({*AFTER, round(tau, 4)}):
        p = (logits - each * prior).softmax(1)
        mark = f" {USED}" if abs(each - tau) < 1e-6 else ""
        rows.append({"tau": f"{each:g}{mark}", **_row(metrics.scores(p, label, counts))})
    return rows
