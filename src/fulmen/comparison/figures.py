"""Figures of models side by side."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import wrap

import numpy as np
from matplotlib.ticker import MaxNLocator
from pandas import DataFrame

from fulmen.comparison.paired import Difference
from fulmen.report.figures import COOL, INK, MODEL, MUTED, WIDTH, draw_confusion, figure
from fulmen.report.words import spoken

COLORS = (INK, MODEL, *COOL)
LINES = 4  # of a label
SCORES = ("val/balanced_accuracy", "val/accuracy", "val/r2_log", "val/auc")  # the first that all have is drawn


def learning_curves(path: Path, histories: Mapping[str, Sequence[DataFrame]]) -> Path:
    """Losses, a score, the gap between the losses and the rate of change, over the epochs; thin lines single runs.

    Args:
        histories: label -> `metrics.csv` of each run.
    """
    everything = [one for each in histories.values() for one in each]
    score = next((name for name in SCORES if all(name in one for one in everything)), None)
    reference = _mean(next(iter(histories.values())), "val/loss")
    with figure(path, 4, 1, (WIDTH, 9), sharex=True) as (loss, second, gap, rate):
        for color, (label, each) in zip(_cycled(len(histories)), histories.items(), strict=True):
            mean = _mean(each, "val/loss")
            training = _mean(each, "train/loss")
            loss.plot(mean.index, mean, color=color, label=label)
            loss.plot(training.index, training, color=color, linestyle=":", linewidth=1)
            apart = (mean - training).dropna()  # an epoch that was stopped before its validation has but one of them
            gap.plot(apart.index, apart, color=color)
            rate.plot(mean.index[1:], np.diff(mean), color=color, marker="." if len(mean) < 40 else "")
            for one in each if len(each) > 1 else ():
                loss.plot(one["epoch"] + 1, one["val/loss"], color=color, linewidth=0.5, alpha=0.4)
            values = _mean(each, score) if score else (mean / reference).dropna()
            second.plot(values.index, values, color=color)
        loss.set_title("loss: validation, dotted training")
        lines, labels = loss.get_legend_handles_labels()
        loss.figure.legend(lines, [_wrapped(label, 56) for label in labels], loc="outside upper left")
        second.set_title(spoken(score) if score else "validation loss / that of the first")
        gap.set_title("gap: validation - training loss")
        rate.set_title("change of the validation loss per epoch")
        for ax in (gap, rate):
            ax.axhline(0, color=MUTED, linewidth=0.7)
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        rate.set_xlabel("epoch")
    return path


def differences(path: Path, found: Mapping[str, Mapping[str, Difference]], name: str) -> Path:
    """The difference of one score of each model from the first, with its interval; what leaves out 0 in another colour.

    Args:
        found: pair -> score -> difference.
    """
    labels = [_wrapped(pair.rpartition(" - ")[0], 22) for pair in found]
    with figure(path, size=(WIDTH, 1.0 + sum(max(0.4, 0.18 * (1 + each.count("\n"))) for each in labels))) as ax:
        for at, each in enumerate(scores[name] for scores in found.values()):
            color = MODEL if each.p < 0.05 else COOL[0]
            ax.plot([each.low, each.high], [at, at], color=color, linewidth=1.6)
            ax.plot(each.value, at, "o", color=color, markersize=6)
        ax.axvline(0, color=MUTED, linewidth=0.9, linestyle=":")
        ax.set_yticks(range(len(found)), labels)
        ax.xaxis.set_major_locator(MaxNLocator(4, steps=[1, 2, 5, 10]))
        ax.set_ylim(len(found) - 0.5, -0.5)
        ax.grid(False, axis="y")
        ax.set_xlabel(f"difference of {spoken(name)} from the first")
    return path


def confusions(path: Path, counts: Mapping[str, np.ndarray]) -> Path:
    """Confusion matrices [C, C] side by side, each row divided by its sum."""
    side = max(3.6, 1.4 + 0.37 * len(next(iter(counts.values()))))
    with figure(path, len(counts), 1, (max(WIDTH, side), side * len(counts)), squeeze=False) as axes:
        for ax, (label, matrix) in zip(axes[:, 0], counts.items(), strict=True):
            draw_confusion(ax, matrix, list(map(str, range(len(matrix)))))
            ax.set_title(_wrapped(label, 40))
    return path


def _wrapped(label: str, width: int) -> str:
    """A label in lines of so many letters, the last of at most `LINES` cut with an ellipsis."""
    lines = wrap(label, width)
    return "\n".join(lines if len(lines) <= LINES else [*lines[: LINES - 1], f"{lines[LINES - 1][: width - 2]} …"])


def _mean(histories: Sequence[DataFrame], name: str):
    """Mean over the runs of a column by epoch, from 1."""
    together = [one.set_index(one["epoch"] + 1)[name].dropna() for one in histories if name in one]
    return DataFrame(dict(enumerate(together))).mean(axis=1)


def _cycled(count: int) -> list[str]:
    return [COLORS[i % len(COLORS)] for i in range(count)]
