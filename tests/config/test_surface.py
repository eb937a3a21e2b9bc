"""`fulmen schema` and the help of an experiment tell all that can be changed, as the check sees it."""

import json

import pytest

from fulmen.cli import main
from fulmen.config.check import compose
from fulmen.config.compose import to_plain
from fulmen.config.experiment_help import experiment_help
from fulmen.config.mistakes import as_text
from fulmen.config.schema import choices, find_mistakes, leaves
from fulmen.config.surface import surface
from fulmen.entrypoints import help_for

EXPERIMENTS = choices("experiment")


@pytest.fixture(scope="module")
def surfaces():
    return {name: surface([f"experiment={name}"]) for name in EXPERIMENTS}


@pytest.mark.parametrize("experiment", EXPERIMENTS)
def test_every_argument_can_be_typed_with_the_value_it_has(surfaces, experiment):
    found = surfaces[experiment]
    plain = to_plain(compose([f"experiment={experiment}", "output_dir=folder"]))
    arguments = [each for node in found.nodes for each in node.arguments if "." in each.path]
    simple = [each for each in arguments if isinstance(each.value, int | float | bool)]
    typed = [f"{each.path}={as_text(each.value)}" for each in simple if ".stages." not in each.path]
    changed = to_plain(compose([f"experiment={experiment}", "output_dir=folder", *typed]))
    assert len(typed) > 20
    assert find_mistakes(changed) == []
    assert {path for path, _ in leaves(plain)} <= {path for path, _ in leaves(changed)}


def test_every_argument_of_our_own_says_what_it_is(surfaces):
    silent = set()
    for node in (node for found in surfaces.values() for node in found.nodes if node.target.startswith("fulmen.")):
        silent |= {f"{node.target}: {each.path}" for each in node.arguments if not each.about}
    assert silent == set()
    assert {each.path for found in surfaces.values() for each in found.top if not each.about} == set()


def test_the_groups_are_those_of_the_workload_and_say_what_is_chosen(surfaces):
    groups = {group.name: group for group in surfaces["stocks"].groups}
    assert groups["network"].chosen == "28_cnn_lstm"
    assert len(groups["network"].choices) == 30
    assert list(groups["data"].choices) == ["stocks"]
    assert "loss" not in groups
    assert {"ai4i", "sensors"} <= {*next(g for g in surfaces["sensors"].groups if g.name == "data").choices}


def test_the_schema_is_json_and_names_experiments(capsys):
    assert main(["schema", "stocks"]) == 0
    schema = json.loads(capsys.readouterr().out)
    (node,) = (each for each in schema["experiments"]["stocks"]["nodes"] if each["path"] == "data")
    days = next(each for each in node["arguments"] if each["path"] == "data.days")
    assert days == {"path": "data.days", "type": "a whole number", "choices": [], "default": 2500, "required": False,
                    "value": 2500, "about": "of the simulated market."}  # fmt: skip
    assert main(["schema", "stoks"]) == 2
    assert "did you mean stocks?" in capsys.readouterr().err


def test_the_help_of_an_experiment_shows_every_argument_by_node(surfaces):
    text = help_for(["experiment=pbpk_gnn", "network=mlp"])
    assert text == experiment_help(["experiment=pbpk_gnn", "network=mlp"])
    shown = surface(["experiment=pbpk_gnn", "network=mlp"])
    assert [each.path for node in shown.nodes for each in node.arguments if f"  {each.path}=" not in text] == []
    assert "\nmodel.network: fulmen.workloads.pbpk.networks.MLP" in text
    assert max(map(len, text.splitlines())) <= 130
