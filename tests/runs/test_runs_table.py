"""`fulmen.runs`: every run below an outputs folder as a table of what was typed and what came of it."""

import json
import re

import pandas
import pytest

import fulmen
from fulmen.errors import FulmenError
from fulmen.runs.parts import write_parts
from tests.result_folders import RESULT, ranking_folder, run_folder, search_folder

FIRST, SECOND = "sensors/2026-11-28_12-00-00-000000", "sensors/2026-11-28_13-00-00-000000"


def below(outputs, place, typed="", **result):
    """A run anywhere below an outputs folder."""
    made = run_folder(outputs, "made", typed=typed, **result)
    (outputs / place).parent.mkdir(parents=True, exist_ok=True)
    made.rename(outputs / place)


@pytest.fixture
def outputs(tmp_path):
    run_folder(tmp_path, FIRST, lr=0.1, typed="model.optimizer.lr=0.1\ncallbacks.progress=null\noutput_dir=there")
    run_folder(tmp_path, SECOND, lr=0.01, typed="+data.days=9")
    return tmp_path


def test_a_row_holds_what_was_typed_and_what_came_of_it(outputs):
    table = fulmen.runs(outputs=outputs)
    assert list(table.index) == [f"runs/{FIRST}", f"runs/{SECOND}"]
    first = table.loc[f"runs/{FIRST}"]
    assert first["overrides"] == "experiment=sensors model.optimizer.lr=0.1", "neither where, nor how it is watched"
    assert (first["test/auc"], first["status"], first["kind"], first["network"]) == (0.9, "completed", "run", "MLP")
    assert list(table["model.optimizer.lr"]) == [0.1, 0.01], "also where it was not typed"
    assert table.loc[f"runs/{SECOND}", "data.days"] == "9"
    assert "val/auc" not in table
    assert pandas.api.types.is_datetime64_any_dtype(table["created"])


def test_a_run_of_folds_has_a_row_and_so_has_each_fold(outputs):
    names = ["seed_1/fold_0", "seed_1/fold_1"]
    run_folder(outputs, "sensors/2026-11-28_14-00-00-000000", runs=names)
    for name in names:
        run_folder(outputs, f"sensors/2026-11-28_14-00-00-000000/{name}")
    table = fulmen.runs(outputs=outputs)
    assert list(table["kind"]) == ["run", "run", "mean", "fold", "fold"]
    assert set(fulmen.runs(outputs=outputs, kind="fold")["part_of"]) == {"runs/sensors/2026-11-28_14-00-00-000000"}


def test_trials_and_champions_are_rows_of_their_search(outputs):
    search_folder(outputs)
    below(outputs, "sweeps/sensors-tpe/trial_0001", typed="model.network.width=8", metrics={"best/val/auc": 0.7})
    below(outputs, "sweeps/sensors-tpe/champion/trial_0001_seed_42")
    table = fulmen.runs(outputs=outputs, kind=("trial", "champion"))
    assert list(table["kind"]) == ["trial", "champion"]
    assert set(table["part_of"]) == {"sweeps/sensors-tpe"}
    assert table["best/val/auc"].iloc[0] == 0.7
    assert table["model.network.width"].iloc[0] == 8


def test_filters_choose_by_experiment_status_and_kind(outputs):
    third = "stocks/2026-11-28_15-00-00-000000"
    run_folder(outputs, third, experiment="stocks", status="failed", message="no: {folder}")
    ranking_folder(outputs)
    assert list(fulmen.runs("st*", outputs)["experiment"]) == ["stocks"]
    assert list(fulmen.runs(outputs=outputs, status="failed")["message"]) == [f"no: {outputs / 'runs' / third}"]
    assert len(fulmen.runs("nothing", outputs)) == 0
    assert len(fulmen.runs(outputs=outputs)) == 3, "a ranking is no run"


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"status": "complet"}, "status: there is no complet; did you mean completed?"),
        ({"kind": ("run", "fold_")}, "kind: there is no fold_; did you mean fold?"),
    ],
)
def test_a_status_or_kind_that_there_is_not_is_refused(outputs, asked, said):
    with pytest.raises(FulmenError, match=re.escape(said)):
        fulmen.runs(outputs=outputs, **asked)


def test_runs_of_a_multirun_name_it_wherever_their_outputs_lie(tmp_path):
    folder = tmp_path / "before" / "sweeps" / "sensors_2026-11-28_12-30-00"
    run_folder(tmp_path / "before", FIRST)
    write_parts(folder, [run_folder(tmp_path / "before", SECOND)])
    (folder / "ranking.md").write_text("# 2 runs of sensors\n")
    (tmp_path / "before").rename(tmp_path / "after")
    assert list(fulmen.runs(outputs=tmp_path / "after")["part_of"]) == ["", "sweeps/sensors_2026-11-28_12-30-00"]


def test_a_damaged_run_among_good_ones_has_a_row_that_says_so(outputs):
    (outputs / "runs" / FIRST / "result.json").write_text("{")
    (outputs / "runs" / SECOND / "config.yaml").write_text(": :")
    table = fulmen.runs(outputs=outputs)
    damaged, whole = table.loc[f"runs/{FIRST}"], table.loc[f"runs/{SECOND}"]
    assert (damaged["status"], whole["status"]) == ("damaged", "completed")
    assert "result.json is damaged" in damaged["message"]
    assert whole["test/auc"] == RESULT["metrics"]["test/auc"]
    (outputs / "runs" / SECOND / "result.json").write_text(json.dumps(RESULT | {"metrics": {"test/auc": "high"}}))
    assert fulmen.runs(outputs=outputs)["test/auc"].isna().all()


def test_a_folder_that_is_not_there_is_told(tmp_path):
    with pytest.raises(FulmenError, match="there is no folder"):
        fulmen.runs(outputs=tmp_path / "none")
    assert len(fulmen.runs(outputs=tmp_path)) == 0


def test_the_name_is_still_that_of_a_room():
    from fulmen.runs import table

    assert fulmen.runs is __import__("sys").modules["fulmen.runs"]
    assert table.runs.__doc__
