"""Figures that several workloads share."""

import colorsys
import itertools

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure

from fulmen.report.figures import draw_confusion, figure
from fulmen.report.spread import draw
from fulmen.report.training_curve import training_curve
from fulmen.workloads.sensors.figures import _styles


def test_a_confusion_matrix_is_drawn_in_percent_of_each_true_class_and_in_numbers(tmp_path):
    with figure(tmp_path / "confusion.png") as ax:
        draw_confusion(ax, np.array([[3, 1, 0], [0, 5, 0], [0, 0, 0]]), ["a", "b", "never"])
        assert [text.get_text() for text in ax.texts] == ["75", "3", "25", "1", "100", "5"]
        assert [text.get_position() for text in ax.texts] == [(0, 0), (0, 0), (1, 0), (1, 0), (1, 1), (1, 1)]
        assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "never"]


def test_lines_that_are_drawn_together_differ_in_colour_and_in_dashes():
    """Also where two of the three are the first: logistic regression and random forest were both blue."""
    styles = _styles(dict.fromkeys(("network", "logistic regression", "random forest", "gradient boosting", "ceiling")))
    assert len({color for _, color, _ in styles}) == len({str(dash) for _, _, dash in styles[:-1]}) + 1 == len(styles)
    hue = [colorsys.rgb_to_hls(*to_rgb(color))[0] for _, color, _ in styles[:3]]
    assert min(abs(a - b) for a, b in itertools.combinations(hue, 2)) > 0.1


def test_a_long_name_of_a_score_stays_inside_the_figure_and_ticks_apart(tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    scores = {"network": [0.00041, 0.0034], "historical mean of training": [-0.01503, 0.006835]}
    draw(tmp_path / "spread.svg", scores, "skill", "run")
    FigureCanvasAgg(drawn[0]).draw()
    (ax,) = drawn[0].axes
    name = ax.xaxis.label.get_window_extent()
    assert (name.x0 >= 0, name.x1 <= drawn[0].bbox.x1, name.y0 >= 0) == (True, True, True)
    ticks = [label.get_window_extent() for label in ax.get_xticklabels() if label.get_text()]
    assert [one.x1 < two.x0 for one, two in itertools.pairwise(ticks)] == [True] * (len(ticks) - 1)


@pytest.mark.parametrize("last", [0.0059, 0.004, 0.002, 0.0001, 0.006], ids=str)
def test_learning_rates_are_written_apart_whatever_they_span(last, tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    rows = [f"{epoch},{rate},{2 / (epoch + 1)},{3 / (epoch + 1)}" for epoch, rate in enumerate((0.006, 0.006, last))]
    (tmp_path / "metrics.csv").write_text("\n".join(["epoch,lr-Adam,train/loss,val/loss", *rows]))
    training_curve(tmp_path)
    FigureCanvasAgg(drawn[0]).draw()
    rate = drawn[0].axes[-1]
    low, high = rate.get_ylim()
    ticks = [label for label in rate.get_yticklabels() if label.get_text() and low <= label.get_position()[1] <= high]
    boxes = sorted((label.get_window_extent() for label in ticks), key=lambda box: box.y0)
    assert boxes
    assert [one.y1 <= two.y0 for one, two in itertools.pairwise(boxes)] == [True] * (len(boxes) - 1)


COLUMNS = {
    "losses alone": ("train/loss,val/loss", ["loss", "gap", "change of\nval. loss", "learning\nrate"]),
    "accuracies": ("train/loss,val/loss,train/accuracy,val/accuracy",
                   ["loss", "score", "gap", "change of\nval. loss", "learning\nrate"]),
    "scores of a probe": ("train/loss,val/loss,scores/train_f1,scores/f1",
                          ["loss", "score", "gap", "change of\nval. loss", "learning\nrate"]),
    "no validation loss": ("train/loss,val/accuracy", ["loss", "learning\nrate"]),
}  # fmt: skip


@pytest.mark.parametrize(("names", "panels"), COLUMNS.values(), ids=COLUMNS)
def test_a_training_is_drawn_in_panels_of_what_it_has_logged(names, panels, tmp_path, monkeypatch):
    drawn: list[Figure] = []
    monkeypatch.setattr(Figure, "savefig", lambda self, *_, **__: drawn.append(self))
    count = names.count(",") + 1
    rows = [",".join(map(str, [epoch, 0.01, *(i / (epoch + 1) for i in range(1, count + 1))])) for epoch in range(3)]
    (tmp_path / "metrics.csv").write_text("\n".join([f"epoch,lr-Adam,{names}", *rows]))
    training_curve(tmp_path)
    assert [ax.get_ylabel() for ax in drawn[0].axes] == panels
    if "gap" in panels:
        gap, change = (drawn[0].axes[panels.index(name)].lines[1].get_ydata() for name in panels[-3:-1])
        assert gap == pytest.approx([1, 1 / 2, 1 / 3])
        assert change == pytest.approx([2 / 2 - 2, 2 / 3 - 2 / 2])
        training_curve(tmp_path, comparable=False)
        assert "gap" not in [ax.get_ylabel() for ax in drawn[1].axes]
