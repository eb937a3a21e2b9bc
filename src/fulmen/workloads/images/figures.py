"""The figures of an image run: confusion matrix, F1 per class over its training images, calibration."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from torch import Tensor

from fulmen.report.figures import COOL, INK, MODEL, MUTED, WIDTH, draw_confusion, figure
from fulmen.workloads.images.metrics import confusion, per_class, sizes


def draw(probability: Tensor, label: Tensor, counts: np.ndarray, names: Sequence[str], folder: Path) -> dict[str, str]:
    """Write the figures and return {caption: file name}; probabilities [N, C] of labels [N]."""
    matrix = confusion(label.numpy(), probability.argmax(1).numpy(), len(names))
    confusions(folder / "confusion.svg", matrix, names)
    classes(folder / "classes.svg", per_class(matrix), counts, names)
    shown = {
        "Confusion matrix of the test split: percent of each true class, and images": "confusion.svg",
        "Recall, precision and F1 of each class beside its training images; minority classes in orange": "classes.svg",
    }
    if calibration(folder / "calibration.svg", probability, label):
        shown["Calibration: how often the prediction is right against how sure it is (15 bins)"] = "calibration.svg"
    return shown


def confusions(path: Path, matrix: np.ndarray, names: Sequence[str]) -> None:
    side = max(3.2, 1.4 + 0.37 * len(names))
    with figure(path, 1, 1, (side, side)) as ax:
        draw_confusion(ax, matrix, names)


def classes(path: Path, each: dict[str, np.ndarray], counts: np.ndarray, names: Sequence[str]) -> None:
    many, place = sizes(counts)["many"], np.arange(len(names))
    with figure(path, 2, 1, (WIDTH, 4), sharex=True, height_ratios=(3, 1)) as (score, images):
        for name, own, color in (("F1", many, COOL[0]), ("F1, minority", ~many, MODEL)):
            score.bar(place[own], each["f1"][own], color=color, width=0.7, label=name)
        for name, marker in (("recall", "^"), ("precision", "v")):
            score.plot(place, each[name], marker, color=INK, markersize=5, label=name)
        score.set_ylim(0, 1.02)
        score.set_ylabel("test split")
        score.legend(
            loc="lower left", bbox_to_anchor=(0, 1), ncols=4, columnspacing=0.8, handletextpad=0.3, borderaxespad=0.2
        )
        images.bar(place, counts, color=np.where(many, COOL[0], MODEL), width=0.7)
        images.set_ylabel("training\nimages")
        images.set_xticks(place, names, rotation=30 if max(map(len, names)) > 2 else 0)


def calibration(path: Path, probability: Tensor, label: Tensor, bins: int = 15, fewest: int = 10) -> bool:
    """A share of fewer than `fewest` images says nothing: their bins stand in the histogram only.

    Returns:
        Whether there was a line to draw: a single point says nothing of calibration.
    """
    sure, predicted = (x.numpy() for x in probability.max(1))
    right = predicted == label.numpy()
    own = np.minimum((sure * bins).astype(int), bins - 1)
    n = np.bincount(own, minlength=bins)
    there = n >= min(fewest, n.max())
    if there.sum() < 2:
        return False
    mean_sure = np.bincount(own, sure, bins)[there] / n[there]
    mean_right = np.bincount(own, right, bins)[there] / n[there]
    with figure(path, 2, 1, (4.6, 4.6), sharex=True, height_ratios=(3, 1)) as (line, histogram):
        line.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
        line.plot(mean_sure, mean_right, "o-", color=MODEL, markersize=4)
        line.set_ylabel("share right")
        line.set_ylim(0, 1.02)
        histogram.bar((np.arange(bins) + 0.5) / bins, n, width=0.9 / bins, color=COOL[0])
        histogram.set_yscale("log")
        histogram.set_ylabel("images")
        histogram.set_xlabel("probability of the predicted class")
    return True
