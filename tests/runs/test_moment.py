"""What is read of a run is of one moment, whatever a training writes meanwhile."""

import json
import os
import time

import pytest

from fulmen.errors import FulmenError
from fulmen.runs import moment
from fulmen.runs.moment import curves_of, files_of, read_moment, table_of, unchanged
from fulmen.runs.run_folder import load_run
from tests.result_folders import loadable


@pytest.fixture
def folder(tmp_path):
    return loadable(tmp_path)


def written(path, text):
    """As a training writes: another file in its place, with a time of its own."""
    path.with_suffix(".new").write_text(text)
    os.utime(path.with_suffix(".new"), ns=(time.time_ns(), time.time_ns()))
    path.with_suffix(".new").replace(path)


def test_what_changes_while_it_is_read_is_read_again(folder, monkeypatch):
    """Between the old result and the curves another epoch is written, once."""
    pending = [True]
    read = moment.read_result

    def interrupted(where):
        found = read(where)
        if pending and pending.pop():
            written(
                folder / "result.json", json.dumps(json.loads((folder / "result.json").read_text()) | {"epochs": 9})
            )
            written(folder / "metrics.csv", "epoch,val/loss\n0,0.8\n8,0.1\n")
        return found

    monkeypatch.setattr(moment, "read_result", interrupted)
    found = unchanged(files_of(folder, {}), lambda: read_moment(folder))
    assert (found.result["epochs"], "8,0.1" in found.curves[""]) == (9, True)


def test_a_loaded_run_stays_what_it_was(folder):
    run = load_run(folder)
    (folder / "result.json").write_text(json.dumps(json.loads((folder / "result.json").read_text()) | {"epochs": 9}))
    (folder / "metrics.csv").write_text("epoch,val/loss\n0,0.8\n8,0.1\n")
    assert (run.result["epochs"], len(run.metrics), list(run.metrics["epoch"])) == (3, 2, [0, 1])
    again = load_run(folder)
    assert (again.result["epochs"], list(again.metrics["epoch"])) == (9, [0, 8])


def test_epochs_of_curves_count_from_1(folder):
    assert list(load_run(folder).curves().index) == [1, 2]
    assert load_run(folder).curves().index.name == "epoch"


def test_the_metrics_of_folds_are_those_of_all_their_runs(folder):
    names = ["seed_1/fold_0", "seed_1/fold_1"]
    for number, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        (folder / name / "metrics.csv").write_text(f"epoch,val/loss\n0,{number}.5\n")
    (folder / "metrics.csv").unlink()
    (folder / "result.json").write_text(json.dumps({"experiment": "sensors", "status": "completed", "runs": names}))
    run = load_run(folder)
    assert run.metrics.to_dict("list") == {"run": names, "epoch": [0, 0], "val/loss": [0.5, 1.5]}
    assert run.curves().loc[(names[1], 1), "val/loss"] == 1.5


@pytest.mark.parametrize(
    ("text", "said"), [(None, "has no metrics.csv"), ('epoch,a\n"', "is damaged"), ("", "is damaged")]
)
def test_curves_that_are_gone_or_damaged_are_told_in_a_line(folder, text, said):
    (folder / "metrics.csv").unlink() if text is None else (folder / "metrics.csv").write_text(text)
    with pytest.raises(FulmenError, match=said):
        table_of(read_moment(folder), folder)


def test_a_table_without_epochs_is_shown_as_it_is(folder):
    (folder / "metrics.csv").write_text("val/loss\n0.5\n")
    assert list(curves_of(load_run(folder).metrics)["val/loss"]) == [0.5]
