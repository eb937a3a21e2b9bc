"""Figures every workload shares, and how they all look."""

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

# The colours of Okabe & Ito (2008), which the colour-blind tell apart.
INK, MUTED = "#1d2a35", "#586773"
TRUTH, MODEL = INK, "#d55e00"  # the reference in ink, the model in orange, baselines in other tones
COOL = ("#0072b2", "#009e73", "#cc79a7", "#56b4e9")  # the two blues far apart
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))  # told apart without colours too
COUNTED = 10  # classes up to which a confusion matrix shows numbers of samples too
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
    """A confusion matrix [C, C] in percent of each true class, with how many samples these are where that fits."""
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
            place: dict[str, Any] = {"ha": "center", "color": color}
            ax.text(predicted, true, f"{value:.0f}", va="center" if len(names) > COUNTED else "bottom", **place)
            if len(names) <= COUNTED:
                ax.text(predicted, true, f"{counts[true, predicted]:.0f}", va="top", **place)
