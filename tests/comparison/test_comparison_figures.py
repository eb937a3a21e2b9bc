"""Figures and tables of a comparison can be read whatever its models are called."""

import re
import warnings

import numpy as np
from pandas import DataFrame

from fulmen.comparison import figures
from fulmen.comparison.compare import f1_table
from fulmen.comparison.paired import Difference, Items
from fulmen.report.summary import print_table

LONG = "network=a_network_of_long_names, model.optimizer.lr=0.001, data.csv=/a/path/of/a/file/that/lies/deep.csv"


def test_long_names_and_narrow_ranges_leave_room_for_the_figure_without_a_warning(tmp_path):
    history = DataFrame({"epoch": range(4), "train/loss": [4.0, 3, 2, 1], "val/loss": [4.0, 3, 2, 1]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        gaps = {f"{LONG} - first": {"loss": Difference(-0.1, -0.175, 0.0001, 0.05)}}
        figures.differences(tmp_path / "d.svg", gaps, "loss")
        figures.confusions(tmp_path / "c.svg", {LONG: np.eye(2)})
        figures.learning_curves(tmp_path / "l.svg", {LONG: [history], "b": [history]})
    ticks = re.findall(r">(−?0\.\d+)</text>", (tmp_path / "d.svg").read_text())
    assert 2 <= len(ticks) <= 5, "of 9 or so the numbers lie on each other"
    drawn = (tmp_path / "l.svg").read_text()
    assert drawn.index("network=a_network") > drawn.index("change of the validation loss"), "a legend of the figure"
    assert all(len(each) < 60 for each in re.findall(r">([^<]*network[^<]*)</text>", drawn))


def test_f1_stands_beside_that_of_each_model_before_any_difference():
    whole = {"target": np.array([0, 1, 1, 0]), "probability": np.eye(2)[[0, 1, 0, 1]][None], "counts": (4,)}
    items = Items(np.arange(4), np.zeros((1, 4)), **whole)
    names = list(f1_table({"a": items, "b": items, "c": items})[0])
    assert names[-5:] == ["a", "b", "c", "b, difference", "c, difference"]


def test_a_value_stands_below_its_own_column_where_a_row_lacks_others(capsys):
    print_table("t", [{"": "a", "x": 1, "y": 2}, {"": "b", "y": 3}])
    last = [line.split() for line in capsys.readouterr().out.splitlines() if line.split()[:1] == ["b"]]
    assert last == [["b", "3"]]
    print_table("t", [{"": "a", "x": 1, "y": 2}, {"y": 3, "": "b"}])
    assert ["b", "3"] in [line.split() for line in capsys.readouterr().out.splitlines()]
