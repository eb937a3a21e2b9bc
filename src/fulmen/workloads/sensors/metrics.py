"""How good probabilities are, and the decisions made of them."""

import math
from typing import Literal

import numpy as np
from sklearn import metrics

LARGER_IS_BETTER = {"roc_auc": True, "pr_auc": True, "f1": True, "precision": True, "recall": True, "accuracy": True,
                    "brier": False, "log_loss": False, "ece": False}  # fmt: skip
BOUNDS = {name: (0.0, math.inf if name == "log_loss" else 1.0) for name in LARGER_IS_BETTER}
AREAS = ("roc_auc", "pr_auc", "f1", "precision", "recall")  # scores of a class: its own rows are what they rest on
CONSTANT = "class shares"  # the baseline that gives every row how frequent the classes are in training
DIRECTIONS = {name: "max" if larger else "min" for name, larger in LARGER_IS_BETTER.items()}
TITLES = {"roc_auc": "ROC-AUC", "pr_auc": "PR-AUC", "f1": "F1", "precision": "precision", "recall": "recall",
          "accuracy": "accuracy", "brier": "Brier", "log_loss": "log loss", "ece": "ECE"}  # fmt: skip


def scores(target: np.ndarray, probability: np.ndarray, threshold: float = 0.5) -> dict[str, float]:
    """Every metric of `LARGER_IS_BETTER`; of more than two classes, areas, precision, recall and F1 are class means.

    Args:
        target: label numbers [N].
        probability: of each label [N, L].
        threshold: of the second of two labels, for the decisions.
    """
    p = np.clip(probability.astype(np.float64), 1e-7, 1 - 1e-7)
    p /= p.sum(1, keepdims=True)
    labels = np.arange(p.shape[1])
    hot = (target[:, None] == labels).astype(float)
    if p.shape[1] == 2:
        decision, average, areas, truth = (p[:, 1] >= threshold).astype(int), "binary", p[:, 1], target
    else:
        decision, average, areas, truth = p.argmax(1), "macro", p, hot
    precision, recall, f1, _ = metrics.precision_recall_fscore_support(
        target, decision, average=average, zero_division=0.0
    )
    return {
        "roc_auc": float(metrics.roc_auc_score(truth, areas)),
        "pr_auc": float(metrics.average_precision_score(truth, areas)),
        "f1": float(f1),
        "precision": float(precision),
        "recall": float(recall),
        "accuracy": float((decision == target).mean()),
        "brier": float(((p - hot) ** 2).sum(1).mean() / (2 if p.shape[1] == 2 else 1)),
        "log_loss": float(-np.log(p[np.arange(len(p)), target]).mean()),
        "ece": calibration_error(target, p),
    }


def calibration_error(target: np.ndarray, probability: np.ndarray, bins: int = 10) -> float:
    """Mean gap between said and seen frequency over bins of equal size, of the event or of the likeliest label."""
    if probability.shape[1] == 2:
        said, seen = probability[:, 1], target == 1
    else:
        said, seen = probability.max(1), probability.argmax(1) == target
    parts = np.array_split(np.argsort(said, kind="stable"), bins)
    return float(sum(abs(said[part].sum() - seen[part].sum()) for part in parts) / len(said))


def area_by_chance(target: np.ndarray) -> float:
    """The sd of the mean ROC-AUC of scores that have nothing to do with the labels [N] of independent rows.

    Of one class (Mann & Whitney 1947, without ties, which have less); of several no more than their mean.
    """
    events = np.unique(target, return_counts=True)[1].astype(float)
    with np.errstate(divide="ignore"):
        return float(np.mean(np.sqrt((len(target) + 1) / (12 * events * (len(target) - events)))))


def choose_threshold(
    target: np.ndarray, probability: np.ndarray, by: Literal["f1", "cost"] = "f1", cost_ratio: float = 1.0
) -> float:
    """The threshold that decides best on these rows, which must not be the ones it is judged by.

    Args:
        target: 0 or 1 [N].
        probability: of 1 [N].
        by: "f1": the largest F1. "cost": the least cost, if a missed event costs `cost_ratio` false alarms.

    Returns:
        Half-way between two probabilities; without a row of each class what calibrated probabilities call for.
    """
    calibrated = 1 / (1 + cost_ratio) if by == "cost" else 0.5
    if len(target) == 0 or target.min() == target.max():
        return calibrated
    order = np.argsort(-probability, kind="stable")
    p, hits = probability[order], target[order].cumsum()
    alarms = np.arange(1, len(p) + 1)
    gain = 2 * hits / (alarms + hits[-1]) if by == "f1" else cost_ratio * hits - (alarms - hits)
    last = np.append(p[1:] != p[:-1], True)  # rows with equal probability are decided alike
    best = int(np.flatnonzero(last)[gain[last].argmax()])
    below = p[best + 1] if best + 1 < len(p) else 0.0
    return float((p[best] + below) / 2)
