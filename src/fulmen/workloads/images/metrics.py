"""Scores of a classifier; all that counts right and wrong follows from one confusion matrix."""

from collections.abc import Sequence

import numpy as np
from sklearn.metrics import roc_auc_score
from torch import Tensor
from torchmetrics.functional.classification import multiclass_calibration_error

from fulmen.report.confusion import confusion, per_class_f1

Scores = dict[str, float]

KINDS = ("majority_f1", "minority_f1", "many_recall", "medium_recall", "few_recall", "worst_recall")
MEANS = [f"{mean}_{kind}" for mean in ("macro", "weighted") for kind in ("precision", "recall", "f1")]
DIRECTIONS = {
    **dict.fromkeys(("accuracy", "balanced_accuracy", "auroc", *KINDS, *MEANS), "max"),
    **dict.fromkeys(("ece", "log_loss"), "min"),
}


def per_class(matrix: np.ndarray) -> dict[str, np.ndarray]:
    """precision, recall and f1 [C]; 0 where nothing was predicted, NaN recall and f1 of a class without items."""
    right, there, predicted = np.diag(matrix).astype(float), matrix.sum(1), matrix.sum(0)
    with np.errstate(invalid="ignore", divide="ignore"):
        recall = right / there
        precision = np.where(predicted > 0, right / predicted, 0.0)
    f1 = np.where(there > 0, per_class_f1(matrix), np.nan)
    return {"precision": precision, "recall": recall, "f1": f1}


def sizes(counts: np.ndarray) -> dict[str, np.ndarray]:
    """Which classes [C] are many, medium or few by their training images: at least 1/2, 1/5 of the largest, or less."""
    share = counts / counts.max()
    return {"many": share >= 0.5, "medium": (share < 0.5) & (share >= 0.2), "few": share < 0.2}


def from_confusion(matrix: np.ndarray, counts: np.ndarray) -> Scores:
    """Scores of a confusion matrix; `counts` [C] are the training images that make a class a minority or not.

    Means over classes are of those that have items. A minority class has less than half the training images of the
    largest.
    """
    each, there = per_class(matrix), matrix.sum(1)
    share = there / max(1, there.sum())
    groups = {"majority": sizes(counts)["many"], "minority": ~sizes(counts)["many"]}
    scores = {"accuracy": float(np.trace(matrix) / max(1, matrix.sum())), "balanced_accuracy": _mean(each["recall"])}
    scores |= {f"{name}_f1": _mean(each["f1"][chosen]) for name, chosen in groups.items() if chosen.any()}
    scores["worst_recall"] = float(np.nanmin(each["recall"]))
    for name, values in each.items():
        scores[f"macro_{name}"] = _mean(values[there > 0])
        scores[f"weighted_{name}"] = float(np.nansum(values * share))
    scores |= {f"{name}_recall": _mean(each["recall"][own]) for name, own in sizes(counts).items() if own.any()}
    return scores


def scores(probability: Tensor, label: Tensor, counts: np.ndarray) -> Scores:
    """All scores of probabilities [N, C] for labels [N]: `from_confusion`, AUROC, calibration, log loss."""
    p, y = probability.double().numpy(), label.numpy()
    matrix = confusion(y, p.argmax(1), p.shape[1])
    everything = from_confusion(matrix, counts)
    everything["auroc"] = auroc(p, y)
    everything["ece"] = float(multiclass_calibration_error(probability, label, p.shape[1], n_bins=15))
    return everything | {"log_loss": float(-np.log(p[np.arange(len(y)), y].clip(1e-12)).mean())}


def auroc(p: np.ndarray, y: np.ndarray) -> float:
    """Area under the ROC curve, one class against the rest, mean over the classes that are there."""
    there = np.unique(y)
    return float(np.mean([roc_auc_score(y == c, p[:, c]) for c in there])) if len(there) > 1 else float("nan")


def absent_classes(label: Tensor, names: Sequence[str], split: str = "test") -> list[str]:
    """A warning that names the classes without an image among the labels [N] of a split; [] if there is none."""
    there = set(label.tolist())
    absent = [name for c, name in enumerate(names) if c not in there]
    if not absent:
        return []
    return [
        f"no image of {', '.join(absent[:10])}{', ...' * (len(absent) > 10)} "
        f"in the {split} split: means over classes (balanced accuracy, AUROC, macro F1 and the like) are of the "
        f"{len(names) - len(absent)} of {len(names)} classes that are there"
    ]


def _mean(values: np.ndarray) -> float:
    return float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
