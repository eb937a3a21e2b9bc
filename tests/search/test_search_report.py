"""What a search says to do next follows from how its champion did."""

import shlex
from dataclasses import replace

import pytest

from fulmen.config.schema import choices, project_root
from fulmen.registry.versions import Version
from fulmen.search.champion import Champion
from fulmen.search.comparing import conclusion, seeds_won
from fulmen.search.plans import plans
from fulmen.search.report import about_champion, next_of_champion

FEW = "search.space.model.x={choices:[1,2,3]}"  # of the toy, in the place of its range

SPACES = {path.stem for path in (project_root() / "conf" / "search" / "space").glob("*/*.yaml")}


def crowned(one, won, seeds=2):
    folders = [one.folder / "champion" / f"trial_0000_seed_{seed}" for seed in range(seeds)]
    number = one.optuna.ask().number
    return Champion(one.optuna.trials[number], folders, "rmse", [{"": "champion"}], "The conclusion.", won)


@pytest.mark.parametrize(
    ("asked", "won", "kept", "holds"),
    [
        ("search.trials=4", 0, 1, "search.trials=8"),
        ("search.trials=4", 1, 1, "search.champion_seeds=4"),
        ("search.trials=4", 2, 1, "fulmen models show s:1"),
        ("search.trials=4", None, 1, "fulmen models show s:1"),
        ("search.trials=4", 2, 0, "fulmen models save"),
    ],
)
def test_the_next_step_follows_from_how_the_champion_did(asked, won, kept, holds, study, tmp_path):
    one = study("search=random", asked)
    why, command = next_of_champion(one, crowned(one, won), [Version("s", 1, tmp_path)] * kept)
    assert why.endswith(":")
    assert holds in command


def test_a_command_that_changes_one_setting_of_a_search_is_that_search_otherwise(study):
    one = study("search=random", "search.trials=4", "search.pruner=none")
    _, command = next_of_champion(one, crowned(one, 0), [])
    (again,) = plans(shlex.split(command)[2:])
    assert again.search == replace(one.search, trials=8)
    assert (again.name, again.overrides) == (one.plan.name, one.plan.overrides)


def test_a_space_of_which_every_point_was_tried_is_not_searched_any_longer(study):
    one = study("search=grid", "search.trials=all", "search/space=null", FEW)
    _, command = next_of_champion(one, crowned(one, 0), [])
    assert command.startswith("fulmen diagnose ")


def test_the_conclusion_stands_in_a_report_once(study):
    one = study("search=random", "search.trials=4")
    (section,) = about_champion(one, crowned(one, 0))
    assert section.text == ["Trial 0, trained again with 2 seeds and only then tested."]


@pytest.mark.parametrize(("own", "won", "said"), [((1.0, 1.0), 2, "beats every"), ((3.0, 1.0), 1, "not certain"),
                                                   ((3.0, 3.0), 0, "No candidate")])  # fmt: skip
def test_the_count_of_seeds_and_the_sentence_agree(own, won, said):
    results = [{"metrics": {"test/rmse": each}, "baselines": {"naive": {"rmse": 2.0}}} for each in own]
    assert seeds_won(results, "rmse", "min") == won
    assert said in conclusion(results, "rmse", "min")
    assert seeds_won(results, "rmse", None) is None


@pytest.mark.parametrize("experiment", [each for each in choices("experiment") if each in SPACES])
def test_a_search_can_be_planned_of_every_experiment(experiment):
    """Its space may be that of another experiment, which has to be found from wherever it is named."""
    (plan,) = plans([f"experiment={experiment}", "search=random"])
    assert plan.overrides[0] == f"experiment={experiment}"
