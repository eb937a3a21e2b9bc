"""`fulmen runs` filters, sorts and shows by columns, hyperparameters, metrics, tags and text."""

import json

import pytest
from result_folders import run_folder, search_folder

from fulmen.cli import main
from fulmen.errors import FulmenError
from fulmen.runs.filters import Filter
from fulmen.runs.index import Index
from fulmen.runs.labels import label
from fulmen.runs.list_verb import narrowed
from fulmen.runs.run_facts import main_metrics, overrides_of
from fulmen.runs.settings import settings_of, single_settings
from fulmen.utils.files import write_json


@pytest.fixture
def outputs(tmp_path):
    """Three runs with rates of their own, one of them failed, one tagged."""
    run_folder(tmp_path, "sensors/low", lr=0.001, typed="model.optimizer.lr=0.001\nloss=focal")
    high = run_folder(tmp_path, "sensors/high", lr=0.1, metrics={"test/loss": 0.4, "test/auc": 0.95, "val/late": 7.0})
    label(high, add=["paper"], note="for figure 3")
    run_folder(tmp_path, "sensors/bad", lr=0.01, status="failed", message="no file")
    return tmp_path


@pytest.fixture
def said(outputs, capsys):
    def run(*words):
        code = main(["runs", *words, "--outputs", str(outputs)])
        printed = capsys.readouterr()
        return printed.out + printed.err, code

    return run


@pytest.fixture
def listed(said):
    def run(*words):
        return [entry["path"].rpartition("/")[2] for entry in json.loads(said(*words, "--json")[0])]

    return run


@pytest.mark.parametrize(
    ("conditions", "names"),
    [
        (["status=failed"], ["bad"]),
        (["status!=failed"], ["high", "low"]),
        (["status=failed,killed", "lr<1"], ["bad"]),
        (["lr>0.005"], ["bad", "high"]),
        (["lr = 1e-1"], ["high"]),
        (["optimizer.lr<=0.001"], ["low"]),
        (["model.optimizer.lr>=0.1"], ["high"]),
        (["test/auc>0.92"], ["high"]),
        (["auc>0.92"], ["high"]),
        (["late=7"], ["high"]),
        (["late!=7"], ["bad", "low"]),
        (["tag=paper"], ["high"]),
        (["tags!=paper"], ["bad", "low"]),
        (["note~FIGURE"], ["high"]),
        (["loss=focal"], ["low"]),
        (["network=M*"], ["bad", "high", "low"]),
        (["created>2026", "created<2026-11-29"], ["bad", "high", "low"]),
        (["figure"], ["high"]),
        (["no file"], ["bad"]),
        (["epochs=3", "seconds<2", "paper"], ["high"]),
    ],
)
def test_runs_are_filtered_by_columns_hyperparameters_metrics_tags_and_text(listed, conditions, names):
    assert listed("--filter", *conditions, "--sort", "name") == names


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--filter", "statu=failed"],
            "filter: no column, metric or hyperparameter is called statu; did you mean stat",
        ),
        (["--filter", "lrr>0.1"], "did you mean lr?"),
        (["--sort", "widht"], "sort: no column, metric or hyperparameter is called widht; did you mean width?"),
        (
            ["--columns", "test/aux"],
            "columns: no column, metric or hyperparameter is called test/aux; did you mean test/",
        ),
        (["--filter", "epochs>many"], "filter: epochs>many: many is no number"),
        (["--filter", "tag>a"], "filter: tag>a: tag has no order"),
        (["--filter", "lr<<0.01"], "filter: lr<<0.01: << is no sign; there is = != < <= > >= and ~"),
        (["--filter", "lr>"], "filter: lr>: a value has to stand behind >"),
        (["--filter", "status=failed,complet"], "status: there is no complet; did you mean completed?"),
        (["--status", "complet"], "status: there is no complet; did you mean completed?"),
        (["--filter", "=failed"], "filter: =failed: a name has to stand before the sign"),
    ],
)
def test_what_cannot_be_asked_is_one_line_with_the_nearest_there_is(said, words, message):
    text, code = said(*words)
    assert (code, text.count("\n")) == (2, 1)
    assert message in text


def test_a_name_that_two_settings_end_with_has_to_be_written_in_full(said, listed, outputs):
    config = outputs / "runs/sensors/low/config.yaml"
    config.write_text(config.read_text() + "callbacks:\n  swa:\n    lr: 0.5\n")
    assert "lr can be model.optimizer.lr or callbacks.swa.lr; write it in full" in said("--filter", "lr>0.01")[0]
    assert listed("--filter", "swa.lr=0.5") == ["low"]


def test_runs_are_sorted_by_a_hyperparameter_and_by_metrics_that_are_not_shown(listed):
    assert listed("--sort=-lr") == ["high", "bad", "low"]
    assert listed("--sort", "late")[0] == "high"
    assert listed("--sort=-stamp") == ["low", "high", "bad"]


def test_the_list_shows_what_was_typed_and_tags(said):
    text, _ = said()
    assert "lr=0.001 loss=focal" in text
    assert "paper" in text
    assert "experiment=sensors" not in text


def test_what_was_typed_begins_with_what_differs_and_columns_are_headed_by_words(tmp_path, capsys):
    few = "data.compounds=40\ndata.validation_compounds=10\ndata.test_compounds=10\ntrainer.max_epochs=2"
    for number, (seed, width) in enumerate([(1, 8), (1, 16), (2, 8), (2, 16)]):
        typed = f"{few}\nseed={seed}\nmodel.network.width={width}"
        run_folder(tmp_path / "grid", f"sensors/{number}", typed=typed)
    main(["runs", "--outputs", str(tmp_path / "grid")])
    text = capsys.readouterr().out
    for told in ("seed=1 width=8", "seed=1 width=16", "seed=2 width=8", "seed=2 width=16"):
        assert told in text
    assert text.split("\n")[2].split()[:4] == ["run", "status", "overrides", "test"]
    assert "training (s)" in text
    assert "test/loss" not in text


def test_columns_can_be_chosen_and_come_with_json_too(said):
    text, _ = said("--columns", "lr,test/auc", "note")
    head = next(line for line in text.splitlines() if "lr" in line)
    assert head.split() == ["run", "lr", "test/auc", "note"]
    assert "for figure 3" in text
    found = {each["path"][-4:]: each["lr"] for each in json.loads(said("--columns", "lr", "--json")[0])}
    assert found == {"/low": 0.001, "high": 0.1, "/bad": 0.01}


def test_a_word_that_a_shell_has_cut_is_told(said):
    assert said("--filter", "lr")[0].count("\n") > 3  # overrides name it
    text, code = said("--filter", "width")
    assert (code, text) == (0, "nothing is like that; width is sought as a text: quote 'lr>0.01'\n")


def test_archived_runs_are_found_where_the_filter_asks(listed, said, outputs):
    label(outputs / "runs/sensors/low", archived=True)
    assert listed("--filter", "archived=true") == ["low"]
    assert "1 archived" in said("--filter", "lr<0.005")[0]


def test_searches_say_what_was_typed(said, outputs):
    search_folder(outputs)
    assert "network=mlp" in said("--kind", "search")[0]


def test_a_learning_rate_is_no_main_metric():
    logged = {"lr-Adam": 0.1, "train/loss": 1.0, "val/auc": 0.9, "val/loss": 0.4, "best/val/loss": 0.3}
    assert list(main_metrics(logged, "val/loss")) == ["val/loss", "val/auc"]
    assert list(main_metrics({**logged, "test/auc": 0.8}, "val/loss")) == ["test/auc"]
    assert list(main_metrics({"lr-Adam": 0.1, "train/loss": 1.0})) == ["train/loss"]


def test_overrides_are_the_last_of_each_key():
    typed = ["experiment=sensors", "a=1", "+b=2", "", "resume=runs/x", "a=3"]
    assert overrides_of(typed) == ["a=3", "+b=2"]


DAMAGE = ["{", "[]", "null", '"text"', "\xff\xfe", "{}", '{"metrics": {"test/auc": "much"}}', "a: [1", "- 1\n- 2",
          '{"starts": 5}', '{"starts": [7]}', '{"status": 7}', '{"cost": {"fit_seconds": "long"}, "epochs": [1]}',
          '{"verdicts": [1], "better": {"auc": 3}, "baselines": {"a": 4}}', '{"tags": 5, "archived": "yes"}',
          '{"runs": [1, {}]}', "0" * 10000, "[" * 10000]  # fmt: skip
FILES = ["result.json", "config.yaml", "environment.json", "overrides.txt", "labels.json", "job.json", "attempt.json"]


@pytest.mark.parametrize("file", FILES)
def test_a_damaged_run_is_listed_and_hides_no_other(tmp_path, file, capsys):
    for number, content in enumerate(DAMAGE):
        run_folder(tmp_path, f"sensors/{number:02}")
        (tmp_path / f"runs/sensors/{number:02}/{file}").write_bytes(content.encode("latin-1"))
    run_folder(tmp_path, "sensors/good", lr=0.5)
    assert main(["runs", "--outputs", str(tmp_path), "--filter", "lr>0.4"]) == 0
    assert "sensors/good" in capsys.readouterr().out
    found = {entry.name: entry.status for entry in Index(tmp_path).entries()}
    assert found["sensors/good"] == "completed"
    assert len(found) == len(DAMAGE) + 1
    if file == "result.json":
        assert {found[f"sensors/{number:02}"] for number in (0, 1, 5, 6)} == {"damaged"}


def test_damaged_searches_and_rankings_hide_no_run(tmp_path):
    run_folder(tmp_path, "sensors/good")
    for number, content in enumerate(DAMAGE):
        for place, file in (("sweeps", "search.json"), ("sweeps", "progress.json"), ("rankings", "ranking.json")):
            folder = (
                search_folder(tmp_path, f"s{file}{number}") if place == "sweeps" else tmp_path / f"rankings/{number}"
            )
            folder.mkdir(parents=True, exist_ok=True)
            (folder / file).write_bytes(content.encode("latin-1"))
    assert len(Index(tmp_path).entries()) == 3 * len(DAMAGE) + 1


def test_folders_of_old_runs_are_listed(tmp_path):
    """Before overrides, verdicts and directions were kept."""
    folder = tmp_path / "runs/stocks/2024-01-01_00-00-00"
    write_json(folder / "result.json", {"status": "completed", "metrics": {"test/skill": 0.1}, "epochs": 2})
    (entry,) = Index(tmp_path).entries()
    assert (entry.status, entry.overrides, entry.metrics) == ("completed", [], {"test/skill": 0.1})


def test_the_quick_reading_of_settings_agrees_with_yaml(tmp_path):
    text = (
        'a: 1\nb:\n  c: 0.1\n  d: [1, 2]\n  e: "2"\n  f: null\n  g: 1e-05\n  h:\n  - 1\n  - x: 2\ni: true\nj: a b: c\n'
    )
    (tmp_path / "config.yaml").write_text(text)
    quick, whole = single_settings(tmp_path), None
    assert quick == {"a": 1, "b.c": 0.1, "b.e": "2", "b.f": None, "b.g": 1e-05, "i": True, "j": "a b: c"}
    (tmp_path / "config.yaml").write_text(text.replace("j: a b: c\n", ""))
    whole = settings_of(tmp_path)
    assert {key: value for key, value in quick.items() if key not in ("j", "b.g")}.items() <= whole.items()


def test_a_value_that_is_not_known_is_only_unlike_others():
    assert not Filter.read("lr<1").fits(None)
    assert Filter.read("lr!=1").fits(None)
    assert not Filter.read("devices<5").fits("auto")
    with pytest.raises(FulmenError, match="is no number"):
        Filter.read("lr<x").fits(0.1)


def test_overrides_leave_room_for_the_other_columns():
    row = {"run": "a" * 30, "status": "completed", "overrides": "x" * 60, "test/loss": 0.5}
    (wide,), (narrow,), (least,) = (narrowed([row], width) for width in (200, 100, 20))
    assert wide == row
    assert len(narrow["overrides"]) == 100 - 2 - 33 - 12 - 12 - 3
    assert len(least["overrides"]) == 16
    assert narrowed([{"run": "a", "lr": 0.1}], 10) == [{"run": "a", "lr": 0.1}]
