"""Trials of several processes each: all ranks train the same configuration and stop after the same epoch."""

import json

import pytest
import yaml
from optuna.trial import TrialState

from fulmen.search.trial_config import of_trial

pytestmark = pytest.mark.usefixtures("warm_start")


@pytest.mark.slow
@pytest.mark.ddp
def test_two_processes_train_one_configuration_and_are_pruned_as_one_would_be(search, whole_search, tmp_path):
    said = ["search=random", "search.trials=5", "search.pruner=hyperband", "trainer.max_epochs=3"]
    one = search(*said)
    apart = ["trainer=ddp_cpu", "search.isolate=true", f"search.folder={tmp_path / 'apart'}"]
    two = whole_search(*said, *apart, f"model.witness={tmp_path / 'ranks.txt'}")
    assert TrialState.PRUNED in [trial.state for trial in one.trials]
    for a, b in zip(one.trials, two.trials, strict=True):
        assert (a.state, a.params) == (b.state, b.params)
        assert a.intermediate_values == pytest.approx(b.intermediate_values)
        assert (
            json.loads((two.trial_folder(b.number) / "result.json").read_text())["epochs"]
            == (json.loads((one.trial_folder(a.number) / "result.json").read_text())["epochs"])
        )
    seen = [tuple(line.split()) for line in (tmp_path / "ranks.txt").read_text().splitlines()]
    for trial in two.trials:
        own = [xy for rank, *xy in seen if xy == [str(trial.params["model.x"]), str(trial.params["model.y"])]]
        ranks = {rank for rank, *xy in seen if xy in own}
        assert ranks == {"0", "1"}
    assert len(seen) == 2 * len(two.trials) == 2 * len(list(two.folder.glob("trial_*")))


@pytest.mark.slow
@pytest.mark.ddp
def test_a_search_in_one_process_starts_the_ranks_of_its_trials_and_no_second_search(search, tmp_path):
    witness = f"model.witness={tmp_path / 'ranks.txt'}"
    found = search("search=random", "search.trials=2", "trainer=ddp_cpu", "trainer.max_epochs=1", witness)
    assert [trial.state for trial in found.trials] == [TrialState.COMPLETE] * 2
    seen = [line.split() for line in (tmp_path / "ranks.txt").read_text().splitlines()]
    trained = [[str(trial.params["model.x"]), str(trial.params["model.y"])] for trial in found.trials]
    assert sorted(seen) == sorted([rank, *point] for rank in "01" for point in trained)


def test_trials_side_by_side_have_one_thread_each_unless_told_otherwise(study):
    def threads(*more):
        one = study("search=random", "search.trials=1", *more)
        return [o for o in of_trial(one, one.claim()).overrides() if o.startswith("threads=")]

    assert threads("search.name=a") == []
    assert threads("search.name=b", "search.workers=2") == ["threads=1"]
    assert threads("search.name=c", "search.workers=2", "threads=3") == ["threads=3"]


def test_every_run_of_a_search_is_a_run_folder_like_any_other(search):
    study = search("search=random", "search.trials=1")
    folder = study.trial_folder(0)
    assert {"config.yaml", "result.json", "metrics.csv", "log.txt"} <= {path.name for path in folder.iterdir()}
    config = yaml.safe_load((folder / "config.yaml").read_text())
    assert config["model"]["x"] == study.trials[0].params["model.x"]
    assert (folder / "overrides.txt").read_text().startswith("hydra.searchpath=")
