"""A result as the output of a notebook's cell: one piece of HTML that needs nothing but itself."""

import base64
import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
from jinja2 import Environment
from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fulmen.report.document import Rows
from fulmen.report.figures import COOL, MODEL, STYLE
from fulmen.report.words import spoken

TEMPLATE = Path(__file__).with_name("cell.html")
TYPES = {".png": "image/png", ".svg": "image/svg+xml"}
FEW = 40  # epochs, each of which is a dot
FEW = 40  # epochs, each of which is a dot
SPREAD = 5  # between the largest and the smallest loss, from which on the axis is logarithmic


def whole(
    title: str, facts: Sequence[str], verdicts: Sequence[str], rows: Rows, curve: str | None,
    figures: Mapping[str, Path], missing: Sequence[str], folder: str,
) -> str:  # fmt: skip
    """All of a result: a run, a search, a ranking.

    Args:
        curve: as `curve` draws it.
        figures: name -> file; they are folded away.
        missing: sentences on what is not there.
    """
    template = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True).from_string(TEMPLATE.read_text())
    shown = {name: Markup(image) for name, path in figures.items() if (image := _image(name, path))}
    return template.render(
        title=title, facts=facts, verdicts=verdicts, rows=rows, curve=Markup(curve or ""), figures=shown,
        missing=missing, folder=folder,
    )  # fmt: skip


def pictures(figures: Mapping[str, Path]) -> str:
    """Figures below each other, each with its name."""
    template = (
        "{% for name, image in figures.items() %}"
        "<figure>{{ image }}<figcaption>{{ name }}</figcaption></figure>"
        "{% endfor %}"
    )
    shown = {name: Markup(_image(name, path) or "<em>it is gone</em>") for name, path in figures.items()}
    return Environment(autoescape=True).from_string(template).render(figures=shown)


def curve(tables: Mapping[str, str], monitor: str) -> str:
    """Training loss and the watched metric over the epochs, as an image.

    Args:
        tables: name of a run -> its `metrics.csv`; several runs are drawn as thin lines.

    Raises:
        ValueError, KeyError: a table is damaged.
    """
    with matplotlib.rc_context(STYLE):
        drawn = Figure(figsize=(6, 2.6), facecolor="white")
        FigureCanvasSVG(drawn)
        axes = drawn.subplots()
        for text in tables.values():
            _draw(axes, text, {"train/loss": COOL[0], monitor: MODEL}, 1.6 if len(tables) == 1 else 0.8)
        shown = np.concatenate([np.asarray(line.get_ydata(), float) for line in axes.lines] or [np.empty(0)])
        if len(shown) and shown.min() > 0 and shown.max() > SPREAD * shown.min():
            axes.set_yscale("log")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.legend(loc="best") if axes.lines else None
        file = io.BytesIO()
        drawn.savefig(file, format="svg", metadata={"Date": None, "Creator": None})
    return _embedded("learning curve", file.getvalue(), TYPES[".svg"])


def _draw(axes: Axes, text: str, colors: Mapping[str, str], width: float) -> None:
    """The named columns of a `metrics.csv` as lines; those of the first run have their names beside them."""
    rows = list(csv.DictReader(io.StringIO(text)))
    for name, color in colors.items():
        points = [(int(row["epoch"]) + 1, float(row[name])) for row in rows if row.get(name)]
        if points:
            label = spoken(name) if len(axes.lines) < len(colors) else None
            marker = "." if len(points) < FEW else ""
            axes.plot(*zip(*points, strict=True), color=color, label=label, linewidth=width, marker=marker)


def _image(name: str, path: Path) -> str | None:
    """An image inside the page itself; None where the file is gone."""
    try:
        return _embedded(name, path.read_bytes(), TYPES[path.suffix])
    except OSError:
        return None


def _embedded(name: str, content: bytes, kind: str) -> str:
    image = Markup('<img alt="{}" style="max-width: 100%" src="data:{};base64,{}">')
    return str(image.format(name, kind, base64.b64encode(content).decode()))
