"""A trial is handed its values as data and its reporter as an object; nothing is parsed, looked up or shared."""

import pytest

from fulmen.config.mistakes import ConfigError
from fulmen.search import pruning
from fulmen.search.trial_config import TrialConfig


@pytest.mark.parametrize("value", ["it's {a: 1}, [b]", "back\\slash'", "1e-3", "null", " x=y "])
def test_a_value_is_data_and_never_parsed(study, tmp_path, value):
    shared = study("search.trials=1").plan.overrides
    config = TrialConfig(shared, {"model.witness": value, "model.x": 0.1 + 0.2}).check(tmp_path / "run")
    assert config.model.witness == value
    assert config.model.x == 0.1 + 0.2
    assert config.output_dir == str(tmp_path / "run")


def test_a_wrong_value_is_refused_as_if_it_had_been_typed(study, tmp_path):
    shared = study("search.trials=1").plan.overrides
    with pytest.raises(ConfigError, match=r"did you mean width\?[\s\S]*this works: .*model\.width=2"):
        TrialConfig(shared, {"model.widht": 2}).check(tmp_path)


def test_a_trial_of_this_process_reports_without_looking_for_its_study(search, monkeypatch):
    monkeypatch.setattr(pruning, "find_reporter", None)
    study = search("search=random", "search.trials=2", "search.pruner=median")
    assert [list(trial.intermediate_values) for trial in study.trials] == [[1, 2, 3]] * 2


def test_pruning_leaves_the_pruner_of_the_study_as_the_samplers_saw_it(search):
    study = search("search=random", "search.trials=3", "search.pruner=hyperband")
    assert any("completed_rung_0" in trial.system_attrs for trial in study.trials), "somebody was asked"
    assert not study.optuna.pruner._pruners, "samplers would look at one bracket alone from now on"
