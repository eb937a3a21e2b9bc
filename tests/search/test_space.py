"""A search space says what it means, or what is wrong with it."""

import pytest
import yaml

from fulmen.config.schema import project_root
from fulmen.errors import FulmenError
from fulmen.search.notation import read_space
from fulmen.search.space import as_overrides, corners, grid, settle


def test_a_space_is_written_like_the_config_it_varies_or_with_dotted_paths():
    entry = {"low": 1e-4, "high": 1e-2, "log": True}
    nested = read_space({"model": {"optimizer": {"lr": entry}}, "network": {"choices": ["gru", "lstm"]}})
    dotted = read_space({"model.optimizer.lr": entry, "network": {"choices": ["gru", "lstm"]}})
    assert nested == dotted
    assert [parameter.path for parameter in nested] == ["model.optimizer.lr", "network"]


def test_the_published_grid_has_3360_different_points():
    tree = yaml.safe_load((project_root() / "conf/search/space/stocks/published.yaml").read_text())
    points = grid(read_space(tree))
    assert len({tuple(point.items()) for point in points}) == len(points) == 3360


def test_a_grid_holds_each_point_of_a_conditional_space_once():
    space = read_space({
        "a": {"low": 0.0, "high": 0.3, "step": 0.1},
        "b": {"low": 1, "high": 3, "when": {"c": "yes"}},
        "c": {"choices": ["yes", "no"]},
    })  # fmt: skip
    points = grid(space)
    assert len(points) == 4 * (3 + 1)
    assert [point for point in points if ("b" in point) != (point["c"] == "yes")] == []
    assert sorted({round(point["a"], 9) for point in points}) == [0.0, 0.1, 0.2, 0.3]


def test_conditions_on_the_base_config_are_settled_before_the_search():
    space = read_space({"x": {"low": 0, "high": 1, "when": {"network": ["gru"]}}, "y": {"choices": [1, 2]}})
    assert [p.path for p in settle(space, {"network": "gru"})] == ["x", "y"]
    assert [p.path for p in settle(space, {"network": "cnn"})] == ["y"]
    with pytest.raises(FulmenError, match=r"search\.space\.x\.when: there is no network; did you mean netwrok\?"):
        settle(space, {"netwrok": "gru"})


def test_corners_show_every_choice_and_both_ends():
    space = read_space({"a": {"low": 1, "high": 9}, "b": {"choices": ["u", "v", "w"]}})
    assert list(corners(space)) == [{"a": 1, "b": "u"}, {"a": 9, "b": "u"}, {"a": 1, "b": "v"}, {"a": 1, "b": "w"}]


def test_points_become_overrides_a_person_could_type():
    point = {"model.lr": 1e-05, "network": "gru", "a": None, "b": True, "c": "two words"}
    assert as_overrides(point) == ["model.lr=1e-05", "network=gru", "a=null", "b=true", "c='two words'"]


WRONG = [
    ({}, "search.space is empty"),
    ({"a": None}, "search.space is empty"),
    ({"a": 3}, r"search\.space\.a: write \{low, high\} or \{choices\} here, got 3"),
    (
        {"a": {"lo": 1, "hi": 2}},
        r"2 mistakes[\s\S]*there is no lo; did you mean low\?[\s\S]*no hi; did you mean high\?",
    ),
    ({"a": {"low": 1}}, "a: high must be a number, got nothing"),
    ({"a": {"low": 2, "high": 1}}, "a: low must be less than high, got low 2 and high 1"),
    ({"a": {"low": 0, "high": 1, "log": True}}, "a: a logarithmic range must begin above 0"),
    ({"a": {"low": 1, "high": 9, "log": True, "step": 2}}, "log and step contradict"),
    ({"a": {"low": 1, "high": 9, "step": 20}}, "step must be a number above 0 and no more than"),
    ({"a": {"low": "x", "high": 9}}, "low must be a number, got x"),
    ({"a": {"choices": []}}, "at least one value"),
    ({"a": {"choices": [1, 1]}}, "stands twice"),
    ({"a": {"choices": [{"b": 1}]}}, "plain values"),
    ({"a": {"choices": [[1, 2], [1, 2]]}}, "stands twice"),
    ({"a": {"low": 0, "high": 1, "when": 3}}, "when must say of which values"),
    ({"a": {"choices": [1, 2], "low": 0}}, "choices and low contradict"),
    ({"a": {"low": 0, "high": 1, "when": {"b": 3}}, "b": {"choices": [1, 2]}}, "b never is 3; its choices are 1, 2"),
    ({"a": {"choices": [1], "when": {"b": 1}}, "b": {"choices": [1], "when": {"a": 1}}}, "go in a circle"),
]


@pytest.mark.parametrize(("tree", "said"), WRONG, ids=[str(tree) for tree, _ in WRONG])
def test_a_space_that_cannot_be_meant_is_refused_by_name(tree, said):
    with pytest.raises(FulmenError, match=said):
        read_space(tree)


def test_a_grid_over_a_continuous_range_names_the_way_out():
    with pytest.raises(FulmenError, match=r"search\.space\.a: a grid needs choices or a step"):
        grid(read_space({"a": {"low": 0.0, "high": 1.0}}))
    with pytest.raises(FulmenError, match="more than 1,000,000 points"):
        grid(read_space({name: {"low": 1, "high": 100} for name in "abcd"}))
