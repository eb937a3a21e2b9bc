"""The index says what the folders say, whatever was done to them and to it."""

import shutil
import sqlite3
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from random import Random

import pytest
from result_folders import locked, queued, ranking_folder, run_folder, search_folder

from fulmen.runs import index as index_module
from fulmen.runs.index import Index
from fulmen.runs.labels import label
from fulmen.utils.files import write_json

RUN = "runs/sensors/2026-11-28_12-00-00-000000"


@pytest.fixture(autouse=True)
def _settled_at_once(monkeypatch):
    """Files of tests are young: else nothing of them would be kept."""
    monkeypatch.setattr(index_module, "FRESH", -1)


def paths(outputs):
    return {entry.path for entry in Index(outputs).entries()}


def reread(monkeypatch):
    """The folders that are read from now on."""
    read = []
    original = index_module.read_entry
    monkeypatch.setattr(index_module, "read_entry", lambda *a: (read.append(a[1]), original(*a))[1])
    return read


def test_a_run_is_described_by_its_folder(tmp_path):
    label(run_folder(tmp_path, typed="network=mlp"), archived=True, add=["good"], note="why")
    found = Index(tmp_path).entry(RUN)
    assert (found.kind, found.experiment, found.network, found.status) == ("run", "sensors", "mlp", "completed")
    assert (found.created, found.ended) == ("2026-11-28T10:00:00+00:00", "2026-11-28T10:00:02+00:00")
    assert (found.epochs, found.seconds, found.data) == (3, 1.5, "f1")
    assert found.metrics == {"test/loss": 0.5, "test/auc": 0.9, "test/f1": 0.8}
    assert found.baseline == {
        "name": "logistic", "by": "test/loss", "metrics": {"test/loss": 0.6, "test/auc": 0.7, "test/f1": None},
    }  # fmt: skip
    assert found.verdict == "val rises from epoch 2 on"
    assert (found.archived, found.tags, found.note) == (True, ["good"], "why")


def test_the_best_baseline_is_found_by_what_the_result_says_is_better(tmp_path):
    run_folder(tmp_path, metrics={"test/skill": 0.2}, baselines={"a": {"skill": 0.1}, "b": {"skill": 0.3}})
    assert Index(tmp_path).entry(RUN).baseline is None
    shutil.rmtree(tmp_path / RUN)
    rivals = {"a": {"skill": 0.1}, "b": {"skill": 0.3}, "ceiling": {"skill": 0.9}}
    run_folder(tmp_path, metrics={"test/skill": 0.2}, baselines=rivals, better={"skill": "max"})
    assert Index(tmp_path).entry(RUN).baseline == {"name": "b", "by": "test/skill", "metrics": {"test/skill": 0.3}}


def test_the_class_names_a_network_that_nobody_typed(tmp_path):
    run_folder(tmp_path)
    assert Index(tmp_path).entry(RUN).network == "MLP"


def test_a_dead_run_is_killed_and_one_at_work_runs(tmp_path):
    one, two = (run_folder(tmp_path, f"sensors/{name}", status="running") for name in ("one", "two"))
    locked(one)
    locked(two, pid=2**22 - 1)
    assert {entry.name: entry.status for entry in Index(tmp_path).entries()} == {
        "sensors/one": "running",
        "sensors/two": "killed",
    }
    (one / "run.lock").unlink()
    assert Index(tmp_path).entry("runs/sensors/one").status == "killed"


def test_a_message_names_the_folder_where_it_now_lies(tmp_path):
    folder = run_folder(tmp_path / "a", status="running")
    (folder / "checkpoints").mkdir()
    (folder / "checkpoints" / "last.ckpt").touch()
    Index(tmp_path / "a").entries()
    (tmp_path / "a").rename(tmp_path / "b")
    found = Index(tmp_path / "b").entry(RUN)
    assert found.said("here").endswith("resume=here")


def test_jobs_are_listed_before_they_have_begun(tmp_path):
    queued(tmp_path, RUN)
    queued(tmp_path, "sweeps/one", "sweep")
    assert {e.path: (e.kind, e.status, e.experiment) for e in Index(tmp_path).entries()} == {
        RUN: ("run", "queued", "sensors"),
        "sweeps/one": ("search", "queued", "sensors"),
    }


def test_searches_rankings_and_comparisons_have_their_line(tmp_path):
    search_folder(tmp_path)
    search_folder(tmp_path, "each/mlp")
    ranking_folder(tmp_path)
    (tmp_path / "comparisons/c").mkdir(parents=True)
    (tmp_path / "comparisons/c/comparison.md").write_text("# a / b\n\n- b is better.\n")
    (tmp_path / "sweeps/sensors_2026").mkdir()
    (tmp_path / "sweeps/sensors_2026/ranking.md").write_text("# 2 runs of sensors, best val/loss first\n")
    found = {entry.path: entry for entry in Index(tmp_path).entries()}
    search, ranking = found["sweeps/sensors-tpe"], found["rankings/sensors_2026-11-28_12-00-00"]
    assert (search.kind, search.metrics, search.done, search.total) == ("search", {"val/auc": 0.9}, 3, 4)
    assert (search.experiment, search.network, search.status) == ("sensors", "mlp", "completed")
    assert (ranking.network, ranking.metrics, ranking.baseline["name"]) == (
        "mlp",
        {"auc": pytest.approx(0.85)},
        "forest",
    )
    assert (found["comparisons/c"].network, found["comparisons/c"].verdict) == ("a / b", "b is better.")
    assert (found["sweeps/sensors_2026"].kind, found["sweeps/sensors_2026"].experiment) == ("multirun", "sensors")
    assert "sweeps/each/mlp" in found


def test_a_search_runs_while_one_of_its_trials_does(tmp_path):
    folder = search_folder(tmp_path)
    trial = folder / "trial_0003"
    trial.mkdir()
    locked(trial)
    index = Index(tmp_path)
    assert index.entry("sweeps/sensors-tpe").status == "running"
    (trial / "run.lock").unlink()
    assert index.entry("sweeps/sensors-tpe").status == "completed"


def test_folds_and_trials_belong_to_what_they_are_part_of_and_notes_of_others_to_nobody(tmp_path):
    folder = run_folder(tmp_path, runs=["seed_42/fold_0", "seed_42/fold_1"])
    write_json(folder / "seed_42/fold_0/result.json", {"status": "completed"})
    write_json(search_folder(tmp_path) / "trial_0000/result.json", {"status": "completed"})
    (tmp_path / "runs/sensors/my_notes").mkdir()
    (tmp_path / "runs/sensors/my_notes/ideas.txt").touch()
    (tmp_path / "runs/sensors/begun").mkdir()
    found = {entry.path: entry for entry in Index(tmp_path).entries()}
    assert found.keys() == {RUN, "sweeps/sensors-tpe", "runs/sensors/begun"}
    assert (found[RUN].done, found[RUN].total, found["runs/sensors/begun"].status) == (1, 2, "not begun")


def test_only_what_has_changed_is_read_again(tmp_path, monkeypatch):
    for name in ("one", "two"):
        run_folder(tmp_path, f"sensors/{name}")
    Index(tmp_path).entries()
    read = reread(monkeypatch)
    index = Index(tmp_path)
    assert (len(index.entries()), read) == (2, [])
    label(tmp_path / "runs/sensors/two", note="new")
    assert [entry.note for entry in index.entries()] == ["", "new"]
    assert read == ["runs/sensors/two"]


@pytest.mark.parametrize("same_index", [True, False], ids=["while it is open", "while nobody looked"])
def test_it_is_right_after_folders_are_moved_copied_edited_and_deleted(tmp_path, same_index):
    for name in ("one", "two", "three"):
        run_folder(tmp_path, f"sensors/{name}")
    index = Index(tmp_path)
    index.entries()
    runs = tmp_path / "runs/sensors"
    (runs / "one").rename(runs / "moved")
    shutil.copytree(runs / "two", tmp_path / "runs/stocks/copied")
    shutil.rmtree(runs / "two")
    text = (runs / "three/result.json").read_text()
    (runs / "three/result.json").write_text(text.replace('"completed"', '"diverged"'))
    found = index if same_index else Index(tmp_path)
    assert {entry.name: entry.status for entry in found.entries()} == {
        "sensors/moved": "completed", "stocks/copied": "completed", "sensors/three": "diverged",
    }  # fmt: skip
    assert paths(tmp_path) == {entry.path for entry in found.entries()}


def changed_by_hand(random, folder, new, step):
    """Something that people and programs do to the folder of a run."""
    result = folder / "result.json"
    random.choice([
        lambda: folder.rename(new),
        lambda: shutil.copytree(folder, new),
        lambda: shutil.rmtree(folder),
        lambda: label(folder, note=str(step)),
        lambda: locked(folder, pid=random.choice([None, 2**22 - 1])),
        lambda: write_json(result, {"status": random.choice(["running", "failed"]), "epochs": step}),
        lambda: result.write_text(random.choice(['{"status": "completed"}', "{", "[]"])),
        lambda: result.unlink(missing_ok=True),
    ])()  # fmt: skip


@pytest.mark.slow
def test_it_says_what_a_new_one_says_after_whatever_was_done(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "FRESH", 10**7)  # the file system tells changes apart that are 10 ms apart
    random, outputs = Random(1), tmp_path / "outputs"
    index = Index(outputs)
    for step in range(50):
        folders = [outputs / entry.path for entry in index.entries()]
        new = outputs / "runs" / f"experiment_{random.randrange(3)}" / f"{step}"
        if not folders or random.random() < 0.3:
            run_folder(outputs, new.relative_to(outputs / "runs"))
        else:
            new.parent.mkdir(parents=True, exist_ok=True)
            changed_by_hand(random, random.choice(folders), new, step)
        time.sleep(0.012)
        index.entries()  # all of it is final now
        afresh = Index(outputs, file=tmp_path / f"{step}.sqlite").entries()
        assert index.entries() == Index(outputs).entries() == afresh


@pytest.mark.parametrize("damage", ["no database", "cut short", "older", "newer columns", "a folder"])
def test_an_index_that_cannot_be_used_is_made_anew_or_done_without(tmp_path, damage):
    run_folder(tmp_path)
    index = Index(tmp_path)
    index.entries()
    if damage == "no database":
        index.file.write_bytes(b"not a database, but long enough to be taken for something else" * 20)
    elif damage == "cut short":
        index.file.write_bytes(index.file.read_bytes()[:5000])
    elif damage == "a folder":
        index.file.unlink()
        index.file.mkdir()
    else:
        with sqlite3.connect(index.file) as database:
            database.execute("drop table entries")
            database.execute(
                "create table entries (path text primary key)" if damage == "older" else "create table x (y)"
            )
            database.execute(f"pragma user_version = {7 if damage == 'older' else 1}")
    assert paths(tmp_path) == {RUN}
    run_folder(tmp_path, "sensors/new")
    assert paths(tmp_path) == {RUN, "runs/sensors/new"}


def test_an_index_that_another_process_keeps_locked_is_done_without(tmp_path, monkeypatch):
    monkeypatch.setattr(index_module, "BUSY", 0.1)
    run_folder(tmp_path)
    index = Index(tmp_path)
    index.entries()
    other = sqlite3.connect(index.file, isolation_level=None)
    other.execute("begin exclusive")
    run_folder(tmp_path, "sensors/new")
    assert paths(tmp_path) == {RUN, "runs/sensors/new"}
    other.close()


def test_nothing_is_written_where_there_is_nothing(tmp_path):
    assert Index(tmp_path / "absent").entries() == []
    assert not (tmp_path / "absent").exists()


def test_threads_and_indexes_use_one_file_at_once(tmp_path):
    for number in range(30):
        run_folder(tmp_path, f"sensors/{number:02d}")
    shared = Index(tmp_path)

    def ask(number):
        label(tmp_path / f"runs/sensors/{number:02d}", note=str(number))
        return len((shared if number % 2 else Index(tmp_path)).entries())

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(ask, range(30))) == {30}
    assert [entry.note for entry in Index(tmp_path).entries()] == [str(number) for number in range(30)]


@pytest.mark.slow
def test_two_thousand_runs_are_listed_in_a_third_of_a_second_and_rebuilt_in_ten(tmp_path):
    for number in range(2000):
        run_folder(tmp_path, f"experiment_{number % 7}/{number:06d}")

    def seconds():
        began = time.perf_counter()
        assert len(Index(tmp_path).entries()) == 2000
        return time.perf_counter() - began

    assert seconds() < 10
    assert min(seconds() for _ in range(5)) < 0.3  # others use the machine too


def test_the_index_needs_no_heavy_import():
    program = "import sys, fulmen.runs.verbs; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not {"torch", "lightning", "numpy", "pandas", "optuna", "omegaconf"} & set(done.stdout.split())
