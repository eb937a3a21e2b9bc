"""Figures every workload shares, and how they all look."""

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import LogFormatterSciNotation, MaxNLocator, NullFormatter

from fulmen.report.confusion import shares
from fulmen.report.known import place

INK, MUTED = "#22303c", "#8795a1"
TRUTH, MODEL = "#22303c", "#d1495b"  # the reference in ink, the model in red, baselines in cool tones
COOL = ("#30638e", "#5fa8a0", "#b8a13a", "#7d6b91")

STYLE: dict[Any, Any] = {
    "figure.dpi": 130,
    "figure.constrained_layout.use": True,
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#e6eaee",
    "grid.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def figure(path: Path, rows: int = 1, columns: int = 1, size: tuple[float, float] = (7, 4), **kwargs) -> Iterator:
    """Axes in the house style; the figure is written to `path` when the block ends.

    Drawn without pyplot, whose backend and open figures belong to the caller: a notebook keeps its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=size)
        FigureCanvasAgg(drawn)
        yield drawn.subplots(rows, columns, **kwargs)
        drawn.savefig(path)


def draw_confusion(ax: Axes, counts: np.ndarray, names: Sequence[str]) -> None:
    """A confusion matrix [C, C] in percent of each true class, with numbers where they fit."""
    share = 100 * shares(counts)
    ax.imshow(share, cmap="Blues", vmin=0, vmax=100)
    slanted: dict[str, Any] = {"rotation": 45, "ha": "right"} if max(map(len, names)) > 2 else {}
    ax.set_xticks(range(len(names)), names, **slanted)
    ax.set_yticks(range(len(names)), names)
    ax.set(xlabel="predicted", ylabel="true")
    ax.grid(False)
    for (true, predicted), value in np.ndenumerate(share):
        if len(names) <= 20 and value >= 0.5:
            color = "white" if value > 55 else INK
            ax.text(predicted, true, f"{value:.0f}", ha="center", va="center", color=color, fontsize=7)


def training_curve(folder: Path, monitor: str = "val/loss", mode: str = "min") -> Path | None:
    """Training loss, monitored metric and learning rate over the epochs of `metrics.csv`; None before the second."""
    source = folder / "metrics.csv"
    if not source.exists():
        return None
    with source.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if len(rows) < 2:
        return None

    def series(name: str) -> tuple[list[int], list[float]]:
        pairs = [(int(row["epoch"]) + 1, float(row[name])) for row in rows if row.get(name)]
        return [epoch for epoch, _ in pairs], [value for _, value in pairs]

    path = folder / "figures" / "training_curve.png"
    with figure(path, 2, 1, (7, 4.6), sharex=True, height_ratios=(3, 1)) as (loss, rate):
        for name, color in (("train/loss", COOL[0]), (monitor, MODEL)):
            epochs, values = series(name)
            loss.plot(epochs, values, color=color, label=name, marker="." if len(values) < 40 else "")
        best = min(zip(*series(monitor), strict=True), key=lambda pair: place(pair[1], mode == "max"), default=None)
        if best:
            loss.axvline(best[0], color=MUTED, linewidth=0.8, linestyle=":")
            loss.set_title(f"best: epoch {best[0]}, {monitor} {best[1]:.4g}", color=MUTED)
        shown = [value for name in ("train/loss", monitor) for value in series(name)[1]]
        if shown and min(shown) > 0 and max(shown) > 5 * min(shown):
            loss.set_yscale("log")
        loss.set_ylabel("loss")
        loss.legend(loc="best")
        for name in sorted({key for row in rows for key in row if key.startswith("lr")}):
            rate.step(*series(name), color=INK, where="post", label=name)
        rate.set_yscale("log")
        rate.yaxis.set_major_formatter(LogFormatterSciNotation())
        rate.yaxis.set_minor_formatter(NullFormatter())
        rate.margins(y=0.3)
        rate.set_ylabel("learning rate")
        rate.set_xlabel("epoch")
        rate.xaxis.set_major_locator(MaxNLocator(integer=True))
    return path
