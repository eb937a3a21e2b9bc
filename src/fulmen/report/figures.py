"""Figures every workload shares, and how they all look."""

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

from fulmen.report.confusion import shares
from fulmen.report.known import place
from fulmen.report.words import spoken

# The colours of Okabe & Ito (2008), which the colour-blind tell apart.
INK, MUTED = "#1d2a35", "#586773"
TRUTH, MODEL = INK, "#d55e00"  # the reference in ink, the model in orange, baselines in other tones
COOL = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9")  # the two blues far apart
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))  # told apart without colours too
WIDTH = 4.8  # inches: on a phone, letters of 9 points are 9 pixels high

STYLE: dict[Any, Any] = {
    "figure.dpi": 130,
    "figure.constrained_layout.use": True,
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans", "Verdana", "Arial", "sans-serif"],  # as wide as each other, where text is text
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.titlelocation": "left",
    "axes.labelcolor": INK,
    "axes.edgecolor": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#e2e7ec",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
    "svg.fonttype": "none",
    "svg.hashsalt": "fulmen",
    "xtick.color": INK,
    "ytick.color": INK,
}


@contextmanager
def figure(path: Path, rows: int = 1, columns: int = 1, size: tuple[float, float] = (WIDTH, 3.2), **kwargs) -> Iterator:
    """Axes in the house style; the figure is written to `path` when the block ends, SVG where it has few marks.

    Drawn without pyplot, whose backend and open figures belong to the caller: a notebook keeps its own.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with matplotlib.rc_context(STYLE | {"figure.constrained_layout.use": False}):
        drawn = Figure(figsize=size)
        FigureCanvasAgg(drawn)
        yield drawn.subplots(rows, columns, **kwargs)
        for ax in drawn.axes:
            _plain_decades(ax)
        ConstrainedLayoutEngine().execute(drawn)  # by itself: savefig draws the whole figure once more for it
        drawn.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)


def _plain_decades(ax: Axes) -> None:
    """Numbers on logarithmic axes without exponents, which would be the smallest letters of a figure."""
    for axis, (low, high) in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
        if axis.get_scale() == "log":
            decades = abs(math.log10(high / low))
            by_decades = LogLocator(subs=(1, 2, 5) if decades < 2 else (1,), numticks=7)
            axis.set_major_locator(
                MaxNLocator(3) if decades < 0.5 else by_decades
            )  # of half a decade it makes too many
            axis.set_major_formatter(lambda value, _: f"{value:g}")
            axis.set_minor_formatter(NullFormatter())


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
            ax.text(predicted, true, f"{value:.0f}", ha="center", va="center", color=color)


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

    path = folder / "figures" / "training_curve.svg"
    with figure(path, 2, 1, (WIDTH, 3.8), sharex=True, height_ratios=(3, 1)) as (loss, rate):
        for name, color in (("train/loss", COOL[0]), (monitor, MODEL)):
            epochs, values = series(name)
            loss.plot(epochs, values, color=color, label=spoken(name), marker="." if len(values) < 40 else "")
        best = min(zip(*series(monitor), strict=True), key=lambda pair: place(pair[1], mode == "max"), default=None)
        if best:
            loss.axvline(best[0], color=MUTED, linewidth=0.8, linestyle=":")
            loss.set_title(f"best: epoch {best[0]}, {spoken(monitor)} {best[1]:.4g}", color=MUTED)
        shown = [value for name in ("train/loss", monitor) for value in series(name)[1]]
        if shown and min(shown) > 0 and max(shown) > 5 * min(shown):
            loss.set_yscale("log")
        loss.set_ylabel("loss" if monitor.endswith("loss") else "loss, score")
        loss.legend(loc="best")
        for name in sorted({key for row in rows for key in row if key.startswith("lr")}):
            rate.step(*series(name), color=INK, where="post", label=name)
        rate.set_yscale("log")
        rate.margins(y=0.3)
        rate.set_ylabel("learning\nrate")
        rate.set_xlabel("epoch")
        rate.xaxis.set_major_locator(MaxNLocator(integer=True))
    return path
