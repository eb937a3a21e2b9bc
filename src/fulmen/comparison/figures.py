"""Figures of models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.ticker import MaxNLocator
from pandas import DataFrame

from fulmen.report.figures import COOL, INK, MODEL, MUTED, draw_confusion, figure

COLORS = (INK, MODEL, *COOL)
SCORES = ("val/balanced_accuracy", "val/accuracy", "val/r2_log", "val/auc")  # the first that all have is drawn


def learning_curves(path: Path, histories: Mapping[str, Sequence[DataFrame]]) -> Path:
    """Losses, a score, the gap between the losses and the rate of change, over the epochs; thin lines single runs.

    Args:
        histories: label -> `metrics.csv` of each run.
    """
    everything = [one for each in histories.values() for one in each]
    score = next((name for name in SCORES if all(name in one for one in everything)), None)
    reference = _mean(next(iter(histories.values())), "val/loss")
    with figure(path, 2, 2, (9, 6.2), sharex=True) as ((loss, second), (gap, rate)):
        for color, (label, each) in zip(_cycled(len(histories)), histories.items(), strict=True):
            mean = _mean(each, "val/loss")
            training = _mean(each, "train/loss")
            loss.plot(mean.index, mean, color=color, label=label)
            loss.plot(training.index, training, color=color, linestyle=":", linewidth=1)
            gap.plot(mean.index, mean - training, color=color)
            rate.plot(mean.index[1:], np.diff(mean), color=color, marker="." if len(mean) < 40 else "")
            for one in each if len(each) > 1 else ():
                loss.plot(one["epoch"] + 1, one["val/loss"], color=color, linewidth=0.5, alpha=0.4)
            values = _mean(each, score) if score else (mean / reference).dropna()
            second.plot(values.index, values, color=color)
        loss.set_title("loss: validation, dotted training")
        loss.legend(fontsize=7)
        second.set_title(score or f"validation loss / that of {next(iter(histories))}")
        gap.set_title("gap: validation - training loss")
        rate.set_title("change of the validation loss per epoch")
        for ax in (gap, rate):
            ax.axhline(0, color=MUTED, linewidth=0.7)
            ax.set_xlabel("epoch")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return path


def confusions(path: Path, counts: Mapping[str, np.ndarray]) -> Path:
    """Confusion matrices [C, C] side by side, each row divided by its sum."""
    with figure(path, 1, len(counts), (4.2 * len(counts), 4.1), squeeze=False) as axes:
        for ax, (label, matrix) in zip(axes[0], counts.items(), strict=True):
            draw_confusion(ax, matrix, list(map(str, range(len(matrix)))))
            ax.set_title(label)
        for ax in axes[0][1:]:
            ax.set_ylabel("")
    return path


def _mean(histories: Sequence[DataFrame], name: str):
    """Mean over the runs of a column by epoch, from 1."""
    together = [one.set_index(one["epoch"] + 1)[name].dropna() for one in histories if name in one]
    return DataFrame(dict(enumerate(together))).mean(axis=1)


def _cycled(count: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(count)]
