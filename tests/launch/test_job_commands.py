"""The command of each kind of job is taken by the verb it is for, with the job's folder."""

import pytest

from fulmen.cli import parser
from fulmen.config.check import check_overrides
from fulmen.config.compose import expand
from fulmen.config.stored import refuse_if_used
from fulmen.launch.queue import Queue
from fulmen.runs.multirun import check_runs
from fulmen.search.plans import plans


@pytest.fixture(params=["outputs", "elsewhere"])
def queue(tmp_path, monkeypatch, request):
    monkeypatch.chdir(tmp_path)
    return Queue(request.param)


def test_a_training_goes_into_its_folder_which_is_free_though_the_job_lies_there(queue):
    entry = queue.submit("train", "synthetic_mlp", ["trainer.max_epochs=2"])
    (entry.folder / "job.log").touch()
    refuse_if_used(entry.folder)
    verb, *typed = entry.job.command
    assert verb == "train"
    assert check_overrides(typed).output_dir == str(entry.folder)


def test_a_multirun_leaves_its_table_in_its_folder(queue):
    entry = queue.submit("multirun", "synthetic_mlp", ["seed=1,2"])
    verb, option, *typed = entry.job.command
    assert (verb, option) == ("train", "-m")
    runs = check_runs(expand(typed), typed)
    assert len(runs) == 2
    assert {cfg.hydra.callbacks.ranking.folder for cfg in runs.values()} == {str(entry.folder)}
    assert {cfg.hydra.sweep.dir for cfg in runs.values()} == {f"{queue.outputs}/runs"}


def test_a_search_is_called_as_its_folder_is(queue):
    space = ["search/space=null", "search.space={model.optimizer.lr:{low:1e-3,high:1e-2}}"]
    entry = queue.submit("sweep", "sensors", ["search=random", "search.trials=2", *space])
    (plan,) = plans(list(entry.job.command[1:]))
    assert (plan.folder, plan.name) == (entry.folder, entry.folder.name)


def test_a_ranking_and_a_comparison_go_into_their_folders(queue):
    rank = queue.submit("rank", "sensors", ["network=logistic,mlp"], {"folds": 3, "metric": "log_loss", "save_top": 1})
    asked = parser().parse_args(list(rank.job.command))
    assert (asked.out, asked.folds, asked.metric, asked.save_top) == (rank.folder, 3, "log_loss", 1)
    assert (asked.outputs, asked.overrides) == (str(queue.outputs), ["network=logistic,mlp"])
    (queue.outputs / "runs" / "a" / "b").mkdir(parents=True)
    compare = queue.submit("compare", "", ["seeds=2"], {"runs": ["runs/a/b", "a/b", "images_plain loss=focal"]})
    there = str(queue.outputs / "runs" / "a" / "b")
    assert compare.job.command[1:4] == (there, there, "images_plain loss=focal")
    asked = parser().parse_args(list(compare.job.command))
    assert (asked.out, asked.outputs) == (compare.folder, str(queue.outputs))
    assert asked.overrides == [there, there, "images_plain loss=focal", "seeds=2"]
