"""`fulmen runs` lists, labels, shows, compares and deletes; `fulmen clean` removes what is of little use."""

import json
import os
import time

import pytest
from result_folders import locked, queued, run_folder, search_folder

from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.launch.record import held
from fulmen.registry import origins as registry_origins
from fulmen.runs import deleting
from fulmen.runs.deleting import InUse, delete
from fulmen.runs.labels import read_labels
from fulmen.runs.ownership import owned


@pytest.fixture
def outputs(tmp_path):
    """Two runs that have ended, one that failed, one that was killed."""
    for name, result in {
        "one": {},
        "two": {"epochs": 9},
        "bad": {"status": "failed", "message": "no file\nmore"},
    }.items():
        run_folder(tmp_path, f"sensors/{name}", lr={"one": 0.1, "two": 0.2}.get(name, 0.3), **result)
    locked(run_folder(tmp_path, "sensors/dead", status="running"), pid=2**22 - 1)
    return tmp_path


@pytest.fixture
def said(outputs, capsys):
    """What a command prints, and its exit code."""

    def run(*words):
        code = main([*words, "--outputs", str(outputs)])
        printed = capsys.readouterr()
        return printed.out + printed.err, code

    return run


def names(text):
    return [entry["path"].rpartition("/")[2] for entry in json.loads(text)]


def test_the_list_can_be_filtered_and_sorted(said):
    said("runs", "tag", "good", "sensors/one", "sensors/two")
    assert names(said("runs", "--json", "--sort=-epochs")[0])[0] == "two"
    assert names(said("runs", "--json", "--sort", "test/auc", "--tag", "good")[0]) == ["one", "two"]
    assert sorted(names(said("runs", "sens*", "--json", "--status", "failed,killed")[0])) == ["bad", "dead"]
    assert said("runs", "--tag", "absent") == ("nothing is like that\n", 0)
    assert said("runs", "--sort", "wrong")[1] == 2


def test_archived_runs_are_listed_where_they_are_asked_for(said):
    said("runs", "archive", "sensors/one")
    assert "1 archived: fulmen runs --archived" in said("runs")[0]
    assert names(said("runs", "--archived", "--json")[0]) == ["one"]
    said("runs", "unarchive", "sensors/one")
    assert "sensors/one" in said("runs")[0]


def test_other_results_are_listed_by_their_kind(said, outputs):
    search_folder(outputs)
    assert "sensors-tpe" not in said("runs")[0]
    assert "sweeps/sensors-tpe" in said("runs", "--kind", "search")[0]


def test_runs_are_labelled_by_what_the_list_calls_them_or_by_their_folder(said, outputs):
    said("runs", "note", "for figure 3", "sensors/one", str(outputs / "runs/sensors/two"))
    said("runs", "tag", "paper", "sensors/one")
    assert read_labels(outputs / "runs/sensors/one").tags == ("paper",)
    assert read_labels(outputs / "runs/sensors/two").note == "for figure 3"
    said("runs", "untag", "paper", "sensors/one")
    assert read_labels(outputs / "runs/sensors/one").tags == ()


def test_an_experiment_may_be_called_like_a_verb(said, outputs):
    run_folder(outputs, "delete/one")
    assert "delete/one" in said("runs", "delete")[0]
    assert (outputs / "runs/delete/one").exists()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["show"], "fulmen runs show: which run?"),
        (["tag", "sensors/one"], "fulmen runs tag: which run? fulmen runs tag TAG RUN"),
        (["sho", "sensors/one"], "no verb sho; did you mean show?"),
        (["show", "sensors/onne"], "did you mean sensors/one?"),
        (["compare", "sensors/one"], "takes two runs or more"),
        (["tag", "two words", "sensors/one"], "tag 'two words'"),
    ],
)
def test_what_cannot_be_done_is_said_in_a_line(said, words, message):
    text, code = said("runs", *words)
    assert (code, text.count("\n")) == (2, 1)
    assert message in text


def test_a_run_is_shown_with_all_that_is_known(said):
    text = said("runs", "show", "sensors/bad")[0]
    assert "message     no file\n" in text
    assert json.loads(said("runs", "show", "sensors/one", "--json")[0])["metrics"]["test/auc"] == 0.9


def test_runs_stand_side_by_side_with_the_settings_that_differ(said):
    found = json.loads(said("runs", "compare", "sensors/one", "sensors/two", "--json")[0])
    assert found["settings"] == {"model.optimizer.lr": [0.1, 0.2]}
    assert found["metrics"]["test/auc"] == [0.9, 0.9]
    assert found["metrics"]["test/auc (baseline)"] == [0.7, 0.7]
    assert found["facts"]["epochs"] == [3, 9]
    assert "Settings that differ" in said("runs", "compare", "sensors/one", "sensors/two")[0]


def test_learning_rates_are_no_scores_of_runs_side_by_side(said, outputs):
    path = outputs / "runs/sensors/one/result.json"
    result = json.loads(path.read_text())
    result["metrics"] |= {"lr-AdamW": 0.001, "lr-AdamW/pg1": 0.001, "lr": 0.1, "val/lrap": 0.5}
    path.write_text(json.dumps(result))
    found = json.loads(said("runs", "compare", "sensors/one", "sensors/two", "--json")[0])["metrics"]
    assert [name for name in found if "lr" in name] == ["val/lrap"]


def test_a_run_is_deleted_once_that_is_confirmed(said, outputs):
    assert "nothing is done yet" in said("runs", "delete", "sensors/one")[0]
    assert (outputs / "runs/sensors/one").exists()
    said("runs", "delete", "sensors/one", "--yes")
    assert not (outputs / "runs/sensors/one").exists()
    assert list((outputs / ".fulmen").glob("deleted/*")) == []


def test_a_run_that_a_model_came_from_is_kept_unless_that_is_meant(said, outputs, monkeypatch):
    folder = outputs / "runs/sensors/one"
    monkeypatch.setattr(registry_origins, "origins", lambda: {folder.resolve(): ["pump:3"]})
    text, code = said("runs", "delete", "sensors/one", "--yes")
    assert (code, "pump:3 came from it" in text, folder.exists()) == (2, True, True)
    said("runs", "delete", "sensors/one", "--yes", "--force")
    assert not folder.exists()


def test_nothing_goes_that_somebody_is_at_work_on(outputs):
    with owned(outputs / "runs/sensors/one/seed_1"), pytest.raises(InUse, match="belongs to process"):
        delete(outputs, "runs/sensors/one", {})
    queued(outputs, "runs/sensors/two")
    with pytest.raises(InUse, match="job j1 waits to run there; cancel it first"):
        delete(outputs, "runs/sensors/two", {})


def test_a_job_that_has_just_begun_to_run_keeps_its_folder(outputs, monkeypatch):
    folder = queued(outputs, "runs/sensors/two", wanted="cancel")
    monkeypatch.setattr(deleting, "refuse_at_work", lambda *_: None)  # it looked a moment too early
    with held(folder), pytest.raises(InUse, match="has just begun to run"):
        delete(outputs, "runs/sensors/two", {})
    delete(outputs, "runs/sensors/two", {})
    assert not folder.exists()


def test_a_search_with_a_champion_is_kept_unless_that_is_meant(outputs):
    champion = search_folder(outputs) / "champion"
    champion.mkdir()
    run_folder(outputs, "x/y").rename(champion / "trial_0001_seed_42")
    with pytest.raises(InUse, match="the champion of the search lies in it"):
        delete(outputs, "sweeps/sensors-tpe", {})


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """A cache of prepared data, beside things that are none of it."""
    place = tmp_path / "cache"
    for name in ("sensors-0123456789abcdef0123", ".stocks-0123456789abcdef0123.4711", "downloads", "signatures"):
        (place / name).mkdir(parents=True)
        (place / name / "x.npy").write_bytes(b"x" * 5000)
    monkeypatch.setenv("FULMEN_CACHE", str(place))
    return place


def test_clean_lists_by_age_and_size_and_removes_nothing_unasked(said, cache, outputs):
    text, code = said("clean")
    assert code == 0
    assert "sensors/bad" in text
    assert "failed: no file" in text
    assert "sensors/dead" in text
    assert "sensors/one" not in text
    assert "nothing is done yet, --yes removes them" in text
    assert len(list((outputs / "runs/sensors").iterdir())) == 4


def test_clean_removes_what_is_confirmed_and_leaves_the_rest(said, cache, outputs):
    (outputs / "runs/sensors/begun").mkdir()
    with owned(outputs / "runs/sensors/dead"):
        assert "removed 4 of 4" in said("clean", "--yes")[0]
    assert sorted(path.name for path in (outputs / "runs/sensors").iterdir()) == ["dead", "one", "two"]
    assert sorted(path.name for path in cache.iterdir() if path.is_dir()) == ["downloads", "signatures"]


def test_clean_takes_kinds_and_an_age(said, cache, outputs):
    old = time.time() - 40 * 86400
    for path in (outputs / "runs/sensors/dead/result.json", outputs / "runs/sensors/dead"):
        os.utime(path, (old, old))
    assert [each["kind"] for each in json.loads(said("clean", "--older", "30d", "--json")[0])] == ["killed"]
    assert "removed 1 of 1" in said("clean", "--kind", "failed", "--yes")[0]
    assert (outputs / "runs/sensors/dead").exists()
    assert said("clean", "--kind", "wrong")[1] == said("clean", "--older", "long")[1] == 2


def test_clean_says_which_failed_runs_models_came_from(said, cache, outputs, monkeypatch):
    folder = outputs / "runs/sensors/bad"
    monkeypatch.setattr(registry_origins, "origins", lambda: {folder.resolve(): ["pump:3"]})
    text = said("clean", "--kind", "failed", "--yes")[0]
    assert f"left alone: {folder}: pump:3 came from it" in text
    assert folder.exists()


def test_an_unknown_folder_cannot_be_deleted(outputs):
    with pytest.raises(FulmenError, match="there is no folder"):
        delete(outputs, "runs/sensors/absent", {})


def test_an_ensemble_within_a_run_is_shown_by_its_path_and_not_deleted_by_it(said, outputs):
    run_folder(outputs, "sensors/one/ensemble")
    text, code = said("runs", "show", "sensors/one/ensemble")
    assert code == 0
    assert "one/ensemble" in text
    assert "is no run" in said("runs", "delete", "sensors/one/ensemble")[0]
    assert "is no run" in said("runs", "show", "sensors/one/../../../elsewhere")[0]
