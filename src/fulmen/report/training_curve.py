"""A training in panels over its epochs: losses, scores, how far apart the losses are, how validation loss changes."""

import csv
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from fulmen.report.figures import COOL, INK, MODEL, MUTED, WIDTH, figure
from fulmen.report.known import place
from fulmen.report.words import spoken

TRAIN, VAL = "train/loss", "val/loss"
SCORES = ("accuracy", "balanced_accuracy", "f1", "macro_f1", "r2")  # the first that both splits have is drawn
HEIGHTS = {"loss": 3, "score": 2, "gap": 1.3, "change": 1.3, "rate": 1}
Series = tuple[list[int], list[float]]  # epochs from 1, values


def training_curve(folder: Path, monitor: str = VAL, mode: str = "min", comparable: bool = True) -> Path | None:
    """Draw `figures/training_curve.svg` from `metrics.csv` in a run folder; None before the second epoch.

    Losses and learning rates always; a score that training and validation both have; and where both losses are known,
    the gap (validation less training loss) and the change of the validation loss since the epoch before.

    Args:
        comparable: training and validation loss are the same quantity, so that there is a gap to draw.
    """
    source = folder / "metrics.csv"
    if not source.exists():
        return None
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < 2:
        return None
    losses = [(name, series(rows, name)) for name in (TRAIN, monitor)]
    score = _score(rows)
    both = dict(zip(*series(rows, TRAIN), strict=True)), dict(zip(*series(rows, VAL), strict=True))
    at = [epoch for epoch in both[1] if epoch in both[0]]
    wanted = [
        "loss",
        *["score"] * bool(score),
        *["gap"] * (len(at) > 1 and comparable),
        *["change"] * (len(at) > 1),
        "rate",
    ]
    path, heights = folder / "figures" / "training_curve.svg", [HEIGHTS[name] for name in wanted]
    with figure(path, len(wanted), 1, (WIDTH, 1 + 0.7 * sum(heights)), sharex=True, height_ratios=heights) as drawn:
        axes = dict(zip(wanted, drawn, strict=True))
        _lines(axes["loss"], losses, "loss" if monitor.endswith("loss") else "loss, score")
        _mark_best(axes["loss"], losses[1][1], monitor, mode)
        if score:
            _lines(axes["score"], score, "score")
        val = [both[1][epoch] for epoch in at]
        if "gap" in axes:
            gap = [each - both[0][epoch] for epoch, each in zip(at, val, strict=True)]
            _around_zero(axes["gap"], (at, gap), "gap")
        if "change" in axes:
            change = [later - before for before, later in pairwise(val)]
            _around_zero(axes["change"], (at[1:], change), "change of\nval. loss")
        _rates(axes["rate"], rows)
    return path


def series(rows: Sequence[dict[str, str]], name: str) -> Series:
    """A column of `metrics.csv`, without its gaps."""
    pairs = [(int(row["epoch"]) + 1, float(row[name])) for row in rows if row.get(name)]
    return [epoch for epoch, _ in pairs], [value for _, value in pairs]


def _score(rows: Sequence[dict[str, str]]) -> list[tuple[str, Series]]:
    """The first score that is known of training and validation, of both."""
    for name in SCORES:
        for pair in ((f"train/{name}", f"val/{name}"), (f"scores/train_{name}", f"scores/{name}")):
            found = [(column, series(rows, column)) for column in pair]
            if all(values for _, (_, values) in found):
                return [(f"{split}/{name}", each) for split, (_, each) in zip(("train", "val"), found, strict=True)]
    return []


def _lines(ax: Axes, curves: Sequence[tuple[str, Series]], label: str) -> None:
    for (name, (epochs, values)), color in zip(curves, (COOL[0], MODEL), strict=True):
        ax.plot(epochs, values, color=color, label=spoken(name), marker="." if len(values) < 40 else "")
    shown = [value for _, (_, values) in curves for value in values]
    if label != "score" and shown and min(shown) > 0 and max(shown) > 5 * min(shown):
        ax.set_yscale("log")
    ax.set_ylabel(label)
    ax.legend(loc="best")


def _mark_best(ax: Axes, monitored: Series, monitor: str, mode: str) -> None:
    best = min(zip(*monitored, strict=True), key=lambda pair: place(pair[1], mode == "max"), default=None)
    if best:
        ax.axvline(best[0], color=MUTED, linewidth=0.8, linestyle=":")
        ax.set_title(f"best: epoch {best[0]}, {spoken(monitor)} {best[1]:.4g}", color=MUTED)


def _around_zero(ax: Axes, values: Series, label: str) -> None:
    ax.axhline(0, color=MUTED, linewidth=0.8, linestyle=":")
    ax.plot(*values, color=MODEL, marker="." if len(values[0]) < 40 else "")
    ax.yaxis.set_major_locator(MaxNLocator(3))
    ax.set_ylabel(label)


def _rates(ax: Axes, rows: Sequence[dict[str, str]]) -> None:
    for name in sorted({key for row in rows for key in row if key.startswith("lr")}):
        ax.step(*series(rows, name), color=INK, where="post", label=name)
    ax.set_yscale("log")
    ax.margins(y=0.3)
    ax.set_ylabel("learning\nrate")
    ax.set_xlabel("epoch")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
