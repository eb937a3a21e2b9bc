"""The runs of a multirun come out in order, told apart by what was typed."""

import json
import subprocess
import sys

import pytest

import fulmen
from fulmen.comparison.ended import Ended
from fulmen.comparison.multirun import Ranking, tasks
from fulmen.comparison.multirun_table import baselines, heading, labels, notes_on, rank, table
from fulmen.comparison.statistics import holm
from fulmen.config.schema import project_root

pytestmark = pytest.mark.usefixtures("warm_start")


def result(score, p=0.5, status="completed"):
    metrics = {"best/val/loss": score, "test/loss": 1.0, "test/skill": 0.1, "test/dm_p": p}
    return {"status": status, "metrics": metrics, "cost": {"parameters": 10, "fit_seconds": 1.0}}


def test_the_best_three_get_medals_and_the_failed_come_last():
    results = [result(3.0), result(1.0), result(0.5, status="diverged"), result(2.0), result(4.0), {}]
    rows = rank("abcdef", results, "val/loss")
    assert [row["run"] for row in rows] == ["b", "d", "a", "e", "c", "f"]
    assert [row[""] for row in rows] == ["1 gold", "2 silver", "3 bronze", "4", "diverged", "failed"]


def test_a_monitor_to_maximise_ranks_the_largest_first():
    assert [row["run"] for row in rank("ab", [result(1.0), result(2.0)], "val/loss", "max")] == ["b", "a"]


def test_baselines_stand_below_where_all_runs_saw_the_same_data():
    ours = [result(1.0) | {"baselines": {"persistence": {"skill": 0.0}}}, result(2.0)]
    rows = baselines(ours, list(rank("ab", ours, "val/loss")[0]))
    assert [(row["run"], row["test/skill"], row["best val/loss"]) for row in rows] == [("persistence", 0.0, None)]
    others = [*ours, result(3.0) | {"baselines": {"persistence": {"skill": 0.1}}}]
    assert baselines(others, list(rank("abc", others, "val/loss")[0])) == []


def test_p_values_count_the_looks():
    """Holm: the smallest of three times 3, the next times 2, never falling."""
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([0.9, 0.8]) == [1.0, 1.0]
    rows = rank("ab", [result(1.0, p=0.04), result(2.0, p=0.5)], "val/loss")
    assert [row["test/dm_p"] for row in rows] == pytest.approx([0.08, 0.5])


def test_runs_are_named_by_what_differs():
    assert labels([["experiment=x", "network=a"], ["experiment=x", "network=b"]]) == ["network=a", "network=b"]
    assert labels([["seed=1", "network=a"], ["seed=2", "network=b"]]) == ["seed=1 network=a", "seed=2 network=b"]


def ended(experiment, score, data="d1", monitor="val/loss", **more):
    overrides = [f"experiment={experiment}", *(f"{key}={value}" for key, value in more.items())]
    return Ended(experiment, overrides, monitor, "min", {} if score is ... else result(score), data)


def test_each_task_has_a_table_of_its_own():
    runs = [
        ended("a", 2.0, "d1", lr=1),
        ended("b", 1.0, "d2", lr=1),
        ended("a", 1.0, "d1", lr=2),
        ended("b", 3.0, "d2", lr=2),
    ]
    first, second = tasks(runs)
    assert [heading(first), heading(second)] == [
        "2 runs of a, best validation loss first",
        "2 runs of b, best validation loss first",
    ]
    assert [(row[""], row["run"]) for row in table(first)] == [("1 gold", "lr=2"), ("2 silver", "lr=1")]
    (alone,) = tasks([ended("a", 2.0)])
    assert heading(alone) == "1 run of a: nothing to rank it against"
    assert [(row[""], row["run"]) for row in table(alone)] == [("1", "a")], "no medal for the only one"


def test_experiments_on_the_same_data_with_the_same_score_are_one_task():
    runs = [ended("plain", 2.0), ended("strong", 1.0)]
    (together,) = tasks(runs)
    assert heading(together) == "2 runs of plain and strong, best validation loss first"
    assert [row["run"] for row in table(together)] == ["experiment=strong", "experiment=plain"]
    assert len(tasks([ended("plain", 2.0), ended("strong", 1.0, monitor="val/f1")])) == 2


def test_runs_without_a_score_get_no_medals_and_the_heading_says_so():
    quick = [ended("a", None, lr=1), ended("a", None, lr=2)]
    assert heading(quick) == "2 runs of a, without a score (best validation loss): not ranked"
    assert [row[""] for row in table(quick)] == ["no score", "no score"]


def test_runs_of_different_data_get_no_medals_and_a_note():
    runs = [ended("a", 2.0, "d1", lr=1), ended("a", 1.0, "d2", lr=2)]
    (task,) = tasks(runs)
    assert [row[""] for row in table(task)] == ["1", "2"]
    assert "different data" in notes_on(task)[-1]


def test_seeds_get_mean_and_deviation_and_never_a_medal():
    runs = [ended("a", score, f"d{score}", seed=seed) for seed, score in enumerate((3.0, 1.0, 2.0))]
    rows = table(runs)
    assert [(row[""], row["run"]) for row in rows[:3]] == [("", "seed=1"), ("", "seed=2"), ("", "seed=0")]
    assert [(row["run"], row["best val/loss"]) for row in rows[3:]] == [("mean", 2.0), ("sd", 1.0)]
    assert not [row for row in rows if "gold" in row[""]]


def test_p_is_explained_where_it_stands_alone():
    with_p, without = ended("a", 1.0, lr=1), ended("a", 2.0, lr=2)
    assert len(notes_on([with_p, without])) == 1
    for run in (with_p, without):
        del run.result["metrics"]["test/dm_p"]
    assert notes_on([with_p, without]) == []


def test_the_tables_are_written_with_what_ran(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    ranking = Ranking()
    ranking.runs = [
        ended("a", 2.0, "d1", lr=1),
        ended("a", 1.0, "d1", lr=2),
        ended("b", 1.0, "d2"),
        ended("c", ..., None),
    ]
    ranking.show()
    (written,) = tmp_path.glob("outputs/sweeps/multirun_*/ranking.md")
    text = written.read_text()
    assert text.startswith("# 4 rows of a and b and c: each task has a table of its own")
    assert "# 2 runs of a, best validation loss first" in text
    assert "# 1 run of c, without a score (best validation loss): not ranked" in text
    assert text.count("gold") == 1
    assert sorted(path.name for path in written.parent.glob("*.svg")) == ["ranking.svg", "ranking_2.svg"]
    assert "ranking: " in capsys.readouterr().out


@pytest.mark.slow
def test_a_multirun_ends_with_one_table_even_if_a_run_fails(tmp_path):
    done = subprocess.run(
        [sys.executable, str(project_root() / "train.py"), "-m", "experiment=stocks_fast", "data.days=500",
         "network=01_lstm_classic,28_cnn_lstm", "model.optimizer.lr=1e-3,1e30", "trainer.accelerator=cpu"],
        capture_output=True, text=True, cwd=tmp_path, timeout=120,
    )  # fmt: skip
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "error: diverged" in done.stderr
    assert done.stdout.count("best validation loss first") == 1
    (table,) = (tmp_path / "outputs" / "sweeps").glob("*/ranking.md")
    for word in ("01_lstm_classic", "28_cnn_lstm", "gold", "diverged"):
        assert word in table.read_text()
    assert (table.parent / "ranking.svg").exists()
    rows = fulmen.runs(outputs=tmp_path / "outputs")
    assert list(rows["part_of"]) == [f"sweeps/{table.parent.name}"] * 4
    progress = json.loads((table.parent / "progress.json").read_text())
    assert (progress["unit"], progress["done"], progress["total"], bool(progress["ended"])) == ("runs", 4, 4, True)
    assert progress["best"]["metric"] == "val/loss"
