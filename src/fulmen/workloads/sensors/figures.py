"""The figures of a classifier: what it finds at which price, and whether its probabilities mean what they say."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from fulmen.report.confusion import confusion
from fulmen.report.figures import COOL, DASHES, MODEL, MUTED, TRUTH, WIDTH, draw_confusion, figure


def draw(
    predicted: Mapping[str, np.ndarray], target: np.ndarray, labels: Sequence, thresholds: Mapping[str, float],
    folder: Path,
) -> dict[str, str]:  # fmt: skip
    """Write the figures and return {caption: file name}; probabilities [N, L] by model, label numbers [N]."""
    if len(labels) > 2:
        confusions(folder / "confusion.svg", predicted["network"], target, labels)
        return {"Where the network sends the rows of each class, in percent": "confusion.svg"}
    p = {name: each[:, 1] for name, each in predicted.items()}
    curves(folder / "curves.svg", p, target, thresholds)
    shown = {
        "Precision over recall, and hits over false alarms; the dot is the chosen threshold": "curves.svg",
    }
    if calibration(folder / "calibration.svg", p, target):
        shown["Seen over said frequency of the event, ten bins of equal size"] = "calibration.svg"
    return shown


def curves(path: Path, p: Mapping[str, np.ndarray], target: np.ndarray, thresholds: Mapping[str, float]) -> None:
    with figure(path, 2, 1, (WIDTH, 7)) as (left, right):
        for name, color, style in _styles(p):
            precision, recall, _ = precision_recall_curve(target, p[name])
            left.plot(recall, precision, linestyle=style, color=color, linewidth=1.2, label=name)
            alarms, hits, _ = roc_curve(target, p[name])
            right.plot(alarms, hits, linestyle=style, color=color, linewidth=1.2, label=name)
        decided = p["network"] >= thresholds["network"]
        hits, alarms = decided[target == 1].mean(), decided[target == 0].mean()
        if decided.any():
            left.scatter(hits, target[decided].mean(), color=MODEL, s=26, zorder=3)
        right.scatter(alarms, hits, color=MODEL, s=26, zorder=3)
        left.axhline(target.mean(), color=MUTED, linewidth=0.8, linestyle=":")
        right.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
        left.set(xlabel="recall", ylabel="precision", xlim=(0, 1), ylim=(0, 1.02))
        right.set(xlabel="false alarms, share of the quiet rows", ylabel="hits (recall)", xlim=(0, 1), ylim=(0, 1.02))
        left.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2)


def calibration(path: Path, p: Mapping[str, np.ndarray], target: np.ndarray, bins: int = 10) -> bool:
    """Whether there was a line to draw: a single point says nothing of calibration."""
    if np.ptp(p["network"]) == 0 or len(target) < 2 * bins:
        return False
    with figure(path, 1, 1, (WIDTH, 4.2)) as ax:
        for name, color, style in _styles(p):
            parts = [part for part in np.array_split(np.argsort(p[name], kind="stable"), bins) if len(part)]
            said, seen = [p[name][part].mean() for part in parts], [target[part].mean() for part in parts]
            ax.plot(said, seen, linestyle=style, color=color, marker=".", linewidth=1.2, label=name)
        ax.plot([0, 1], [0, 1], color=MUTED, linewidth=0.8, linestyle=":")
        top = min(1.0, 1.05 * max(line.get_xydata().max() for line in ax.get_lines()[:-1]))
        ax.set(xlabel="predicted probability", ylabel="observed frequency", xlim=(0, top), ylim=(0, top))
        ax.legend(loc="lower left", bbox_to_anchor=(-0.1, 1), ncols=2)
    return True


def confusions(path: Path, p: np.ndarray, target: np.ndarray, labels: Sequence) -> None:
    with figure(path, 1, 1, (WIDTH, 4.4)) as ax:
        draw_confusion(ax, confusion(target, p.argmax(1), len(labels)), list(map(str, labels)))


def _styles(p: Mapping[str, np.ndarray]) -> list[tuple[str, str, Any]]:
    """Name, colour and line style: the network last, on top."""
    others = [name for name in p if name not in ("network", "ceiling")]
    styles = [(name, COOL[i % len(COOL)], DASHES[i % len(DASHES)]) for i, name in enumerate(others)]
    if "ceiling" in p:
        styles.append(("ceiling", TRUTH, (0, (2, 3))))
    return [*styles, ("network", MODEL, "-")]
