"""Confusion matrices, and the scores that follow from one."""

import numpy as np


def confusion(target: np.ndarray, predicted: np.ndarray, classes: int, weight: np.ndarray | None = None) -> np.ndarray:
    """[C, C], rows the true classes; items counted `weight` [N] times."""
    return np.bincount(target * classes + predicted, weight, classes * classes).reshape(classes, classes)


def shares(counts: np.ndarray) -> np.ndarray:
    """Each count over that of its true class, 0 where a class has no items: [C, C] -> [C, C]."""
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)


def per_class_f1(counts: np.ndarray) -> np.ndarray:
    """F1 of each class, 0 where it neither occurs nor is predicted: [..., C, C] -> [..., C]."""
    hits = np.diagonal(counts, axis1=-2, axis2=-1)
    both = counts.sum(-1) + counts.sum(-2)
    return np.divide(2 * hits, both, out=np.zeros_like(hits, dtype=float), where=both > 0)


def classification_scores(counts: np.ndarray, minority: np.ndarray | None = None) -> dict[str, np.ndarray]:
    """Accuracy, balanced accuracy and mean F1s of confusion matrices [..., C, C]; means are over classes that occur.

    Args:
        minority: [C] whether a class is one; None leaves out their F1 and that of the others.
    """
    hits, occurs = np.diagonal(counts, axis1=-2, axis2=-1), counts.sum(-1)
    recall = np.divide(hits, occurs, out=np.full(hits.shape, np.nan), where=occurs > 0)
    f1 = np.where(occurs > 0, per_class_f1(counts), np.nan)
    scores = {
        "accuracy": hits.sum(-1) / counts.sum((-2, -1)),
        "balanced accuracy": np.nanmean(recall, -1),
        "macro F1": np.nanmean(f1, -1),
    }
    if minority is not None and minority.any() and not minority.all():
        scores |= {"minority F1": _mean(f1[..., minority]), "majority F1": _mean(f1[..., ~minority])}
    return scores


def _mean(values: np.ndarray) -> np.ndarray:
    """Over the last axis, of what is not NaN; NaN where all is."""
    there = np.isfinite(values)
    count = there.sum(-1)
    sums = np.where(there, values, 0).sum(-1)
    return np.divide(sums, count, out=np.full(sums.shape, np.nan), where=count > 0)
