"""Figures that several workloads share."""

import numpy as np

from fulmen.report.figures import draw_confusion, figure


def test_a_confusion_matrix_is_drawn_in_percent_of_each_true_class(tmp_path):
    with figure(tmp_path / "confusion.png") as ax:
        draw_confusion(ax, np.array([[3, 1, 0], [0, 5, 0], [0, 0, 0]]), ["a", "b", "never"])
        assert [text.get_text() for text in ax.texts] == ["75", "25", "100"]
        assert [text.get_position() for text in ax.texts] == [(0, 0), (1, 0), (1, 1)]
        assert [label.get_text() for label in ax.get_yticklabels()] == ["a", "b", "never"]
