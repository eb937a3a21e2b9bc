"""Who has looked at a test split: counted from run folders, and from a record where these are gone."""

import json
import shutil
from multiprocessing import get_context

import numpy as np
import pytest

import fulmen
from fulmen.diagnosis.ignored import Ignored
from fulmen.report.test_predictions import write_items
from fulmen.runs.looks import MANY, RECORD, look, looked_at, looks, rankings_of, record
from fulmen.runs.result import Result

QUICK = ["trainer.max_epochs=1", "callbacks.summary=null", "callbacks.progress=null", "model.figures=False"]


def a_run(outputs, name, width=8, seed=1, items=40, data="d41d8cd9", old=False):
    """The folder of a run that was tested, and its result."""
    folder = outputs / "runs" / "toy" / name
    folder.mkdir(parents=True)
    (folder / "config.yaml").write_text(
        f"output_dir: {folder}\nseed: {seed}\nmodel: {{width: {width}, path: {folder}/x}}\ndata: {{seed: {seed}}}\n"
    )
    (folder / "environment.json").write_text(json.dumps({"data_fingerprint": data, "starts": []}))
    write_items(folder, {"item": np.arange(items), "loss": np.random.default_rng(width).normal(1, 0.1, items)})
    result = Result("toy", folder, "completed", steps=1, metrics={"test/loss": 1.0})
    if not old:
        result.looks = look(folder)
        record(folder, result.looks)
    result.write()
    return folder, result


def test_seeds_are_one_config_and_another_split_is_none_of_ours(tmp_path):
    a_run(tmp_path, "a", seed=1)
    a_run(tmp_path, "b", seed=2)
    a_run(tmp_path, "c", width=16)
    a_run(tmp_path, "d", width=32, items=41)
    a_run(tmp_path, "e", width=64, data="other")
    folder, result = a_run(tmp_path, "f", width=16, seed=5)
    found = looks(folder, result.looks)
    assert (found.count, found.configs, len(found.gone)) == (4, 2, 0)
    assert str(found).startswith("This test split has been looked at by 4 runs with 2 different configs; the best")
    alone, result = a_run(tmp_path, "g", items=50)
    assert str(looks(alone, result.looks)) == ""


def test_runs_of_before_are_counted_and_deleted_ones_are_not_forgotten(tmp_path):
    old, _ = a_run(tmp_path, "a", width=4, old=True)
    gone, _ = a_run(tmp_path, "b", width=16)
    folder, result = a_run(tmp_path, "c")
    assert looks(folder, result.looks).configs == 3
    shutil.rmtree(old)  # it never stood in the record
    shutil.rmtree(gone)
    found = looks(folder, result.looks)
    assert (found.count, found.configs, len(found.gone)) == (2, 2, 1)
    assert "(1 of these runs is deleted since)" in str(found)
    (tmp_path / RECORD).unlink()
    assert looks(folder, result.looks).count == 1, "the folders are the truth, with the record and without it"


def test_an_ensemble_and_whatever_else_is_still_there_is_not_deleted(tmp_path):
    a_run(tmp_path, "many/seed_1")
    a_run(tmp_path, "many/ensemble", width=16)
    a_run(tmp_path, "many/elsewhere", width=32)
    folder, result = a_run(tmp_path, "b", width=64)
    found = looks(folder, result.looks)
    assert (len(found.runs), len(found.gone)) == (4, 0)
    (tmp_path / RECORD).unlink()
    assert "runs/toy/many/ensemble" in looks(folder, result.looks).runs


def test_a_line_that_was_cut_off_is_left_out(tmp_path):
    folder, result = a_run(tmp_path, "a")
    gone, _ = a_run(tmp_path, "b", width=16)
    shutil.rmtree(gone)
    whole = (tmp_path / RECORD).read_text()
    (tmp_path / RECORD).write_text(f"{whole[:30]}\n{whole}{whole[: len(whole) // 2 + 40]}")
    assert looks(folder, result.looks).count == 2


def _record(folder, number):
    for k in range(50):
        record(folder / f"{number}-{k}", {"split": "s" * 30, "config": "c" * 20})


def test_processes_that_write_at_once_lose_no_line(tmp_path):
    folder = tmp_path / "runs" / "toy"
    folder.mkdir(parents=True)
    workers = [get_context("fork").Process(target=_record, args=(folder, number)) for number in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    lines = [json.loads(line)["run"] for line in (tmp_path / RECORD).read_text().splitlines()]
    assert len(set(lines)) == len(lines) == 200


def test_a_split_that_many_configs_have_seen_is_a_finding_that_can_be_ignored(tmp_path, capsys):
    for width in range(MANY):
        a_run(tmp_path, f"run {width}", width=width)
    _, result = a_run(tmp_path, "last", width=100)
    told = looked_at(result, Ignored())["test_split"]
    assert (told["configs"], told["finding"]) == (MANY + 1, "FUL-V08 test seen often")
    assert 0 < told["optimism"] < 0.1, "losses of sd 0.1 over 40 items"
    assert "FUL-V08 test seen often: This test split has been looked at by 11 runs" in capsys.readouterr().out
    told = looked_at(result, Ignored.of(["FUL-V08"]))["test_split"]
    assert "finding" not in told
    assert [each["id"] for each in result.ignored] == ["FUL-V08"]
    assert capsys.readouterr().out == ""


def test_rankings_of_the_same_data_are_looks_too(tmp_path):
    for name, data in (("a", "d41d8cd9"), ("b", "other")):
        (tmp_path / "rankings" / name).mkdir(parents=True)
        known = {"data": [data], "scores": {"mlp": {}, "forest": {}}}
        (tmp_path / "rankings" / name / "ranking.json").write_text(json.dumps(known))
    (tmp_path / "rankings" / "damaged").mkdir()
    (tmp_path / "rankings" / "damaged" / "ranking.json").write_text('{"data": ["d41d8cd9"]')
    assert rankings_of(tmp_path / "rankings", ["d41d8cd9"]) == [2]
    folder, result = a_run(tmp_path, "run")
    assert "and its data by 1 ranking of 2 models; the best" in str(looks(folder, result.looks))


def test_a_run_without_a_fingerprint_or_outside_the_outputs_counts_nothing(tmp_path):
    folder, _ = a_run(tmp_path, "a", data=None)
    assert look(folder) == {}
    own, _ = a_run(tmp_path / "own", "b")
    shutil.move(own, tmp_path / "b")
    assert looked_at(Result("toy", tmp_path / "b", steps=1), Ignored()) == {}


def test_the_report_of_a_run_tells_how_often_its_test_split_was_looked_at(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    small = [*QUICK, "data.machines=8", "data.days=15", "network=logistic"]
    first = fulmen.train("experiment=sensors", *small)
    again = fulmen.train("experiment=sensors", *small, "model.optimizer.lr=0.1")
    assert "looked at" not in (first.folder / "report.md").read_text()
    assert "looked at by 2 runs with 2 different configs" in (again.folder / "report.md").read_text()
    assert look(first.folder)["split"] == look(again.folder)["split"]


@pytest.mark.parametrize("written", ["", "[]", "null\n3\n"])
def test_a_record_of_something_else_says_nothing(written, tmp_path):
    folder, result = a_run(tmp_path, "a")
    (tmp_path / RECORD).write_text(written)
    assert looks(folder, result.looks).count == 1
