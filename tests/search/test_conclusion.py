"""The champion is trained, reported and kept once, whoever else is at it, whoever is stopped or killed on the way."""

import multiprocessing
import signal
import time

import pytest
from filelock import FileLock

from fulmen.errors import FulmenError, Interrupted
from fulmen.search import controller
from fulmen.search.controller import run_searches
from fulmen.search.plans import plans

pytestmark = pytest.mark.usefixtures("warm_start")

TWO = ["search=random", "search.trials=2", "search.pruner=none"]
CHAMPION = "champion/trial_{:04d}_seed_42"


def run(command):
    """What another process does."""
    run_searches(plans(command))


@pytest.mark.slow
@pytest.mark.parametrize("killed", [False, True], ids=["both live", "the first is killed"])
def test_of_two_sweeps_of_one_name_one_trains_the_champion(typed, search, tmp_path, killed):
    witness = tmp_path / "fits.txt"
    asked = [*TWO, "search.champion_seeds=1", "model.seconds=0.2", f"model.witness={witness}"]
    study = search(*asked)
    forks = multiprocessing.get_context("forkserver")
    forks.set_forkserver_preload(["fulmen.search.controller", "lightning.pytorch"])
    first, second = (forks.Process(target=run, args=(typed(*asked),)) for _ in range(2))
    first.start()
    while len(witness.read_text().splitlines()) < 3:
        time.sleep(0.02)
    second.start()
    time.sleep(0.5)
    if killed:
        first.kill()
    for process in (first, second):
        process.join(60)
    assert (first.exitcode, second.exitcode) == (-signal.SIGKILL if killed else 0, 0)
    assert len(witness.read_text().splitlines()) == 2 + 1 + killed
    assert "trained again with one seed" in (study.folder / "report.md").read_text()


def test_who_is_stopped_waits_for_nobody(study, monkeypatch):
    one = study("search=random", "search.trials=1")
    monkeypatch.setattr(controller, "write_report", None)
    with FileLock(one.folder / ".conclusion.lock"):
        assert controller.conclude(one, whole=False, alone=True) is None


def test_a_champion_that_is_interrupted_goes_on_by_the_same_command(whole_search, monkeypatch, capsys):
    whole_search(*TWO)
    monkeypatch.setenv("TOY_SIGNAL", str(int(signal.SIGINT)))
    with pytest.raises(Interrupted, match="the same command goes on") as stopped:
        whole_search(*TWO, "search.champion_seeds=1")
    monkeypatch.delenv("TOY_SIGNAL")  # a search leaves the environment as it was
    assert stopped.value.exit_code == 128 + signal.SIGINT
    capsys.readouterr()
    study = whole_search(*TWO, "search.champion_seeds=1")
    said = capsys.readouterr().out
    assert "with seed 42, going on" in said
    assert said.splitlines()[-1] == f"report: {study.folder / 'report.html'}, the same in report.md"
    straight = whole_search(*TWO, "search.champion_seeds=1", "search.name=straight")
    best = CHAMPION.format(study.ranked()[0].number)
    rows = [(one.folder / best / "metrics.csv").read_text() for one in (study, straight)]
    assert rows[0] == rows[1]
    assert "trained again with one seed" in (study.folder / "report.md").read_text()


def test_a_search_that_is_interrupted_reports_what_it_has(whole_search, monkeypatch, tmp_path):
    whole_search("search=random", "search.trials=1", "search.pruner=none")
    monkeypatch.setenv("TOY_SIGNAL", str(int(signal.SIGTERM)))
    with pytest.raises(Interrupted, match="the same command goes on") as stopped:
        whole_search(*TWO)
    monkeypatch.delenv("TOY_SIGNAL")  # a search leaves the environment as it was
    assert stopped.value.exit_code == 128 + signal.SIGTERM
    assert "1 of 2 trials" in (tmp_path / "s" / "report.md").read_text()
    study = whole_search(*TWO)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE", "FAIL", "COMPLETE"]
    assert study.trials[1].params == study.trials[2].params


def test_a_champion_that_fails_leaves_a_report_that_says_so_and_is_tried_again(whole_search, monkeypatch, tmp_path):
    whole_search(*TWO)
    monkeypatch.setenv("TOY_BREAKS", "yes")
    with pytest.raises(FulmenError, match="could not be trained again: RuntimeError: the model is broken"):
        whole_search(*TWO, "search.champion_seeds=2")
    report = tmp_path / "s" / "report.md"
    assert "Seed 43 failed: RuntimeError: the model is broken" in report.read_text()
    monkeypatch.delenv("TOY_BREAKS")
    whole_search(*TWO, "search.champion_seeds=2")
    assert "trained again with 2 seeds" in report.read_text()


def test_a_search_gone_on_with_drops_the_list_of_columns_that_earlier_releases_made(whole_search):
    command = ["search=random", "search.trials=1"]
    study = whole_search(*command)
    (study.folder / "tensorboard" / "trial_0000").mkdir(parents=True)
    whole_search(*command)
    assert not (study.folder / "tensorboard").exists()


def checkpoints(study):
    return {trial.number for trial in study.trials if (study.trial_folder(trial.number) / "checkpoints").exists()}


def test_only_the_best_trials_keep_their_checkpoints_and_all_keep_the_rest(search):
    study = search("search=random", "search.trials=6", "search.pruner=none", "search.keep_checkpoints=2")
    assert checkpoints(study) == {trial.number for trial in study.ranked()[:2]}
    for trial in study.trials:
        left = {path.name for path in study.trial_folder(trial.number).iterdir()}
        assert {"config.yaml", "metrics.csv", "result.json", "log.txt"} <= left


@pytest.mark.parametrize(
    ("more", "left"),
    [
        (["search.keep_checkpoints=all"], 3),
        (["search.keep_checkpoints=0"], 0),
        (["search.keep_checkpoints=0", "search.save_top=1"], 1),
        (["search.keep_checkpoints=0", "search.objectives={val/loss:min,parameters:min}"], 3),
    ],
)
def test_how_many_keep_their_checkpoints(search, more, left):
    study = search("search=random", "search.trials=3", "search.pruner=none", *more)
    assert len(checkpoints(study)) == left


def test_pruned_trials_keep_none(search):
    study = search("search=random", "search.trials=12", "search.pruner=median", "trainer.max_epochs=4")
    assert checkpoints(study) == {trial.number for trial in study.ranked()[:5]}


def test_a_study_of_an_earlier_version_keeps_what_it_has(search, monkeypatch):
    from optuna import Study

    remember = Study.set_user_attr
    monkeypatch.setattr(Study, "set_user_attr", lambda *a: a[1] == "drops_checkpoints" or remember(*a))
    assert len(checkpoints(search(*TWO, "search.keep_checkpoints=0"))) == 2
