"""A run folder that has lost a file is shown as far as the others go, with a line on what is missing."""

import json
import shutil

import numpy as np
import pytest
import torch

import fulmen
from fulmen.cli import main
from fulmen.comparison.named import compare
from fulmen.errors import FulmenError
from fulmen.report.test_predictions import write_items
from fulmen.runs.damage import damages, parts_of
from fulmen.runs.index import Index
from fulmen.runs.run_folder import load_run
from tests.result_folders import RESULT, loadable, run_folder

STAMP = "2026-11-28_12-00-00-000000"
DAMAGES = {
    "config.yaml": (None, "config.yaml is gone"),
    "result.json": ("{", "result.json is damaged"),
    "metrics.csv": (b"\xff\xfe\x81", "metrics.csv is damaged (it is no text)"),
    "environment.json": ("null", "environment.json is damaged"),
    "overrides.txt": (b"\xff\xfe", "overrides.txt is damaged (it is no text): what was typed"),
}


def damage(folder, name):
    """Make a file of a run what `DAMAGES` says; what is then said of it."""
    content, said = DAMAGES[name]
    if content is None:
        (folder / name).unlink()
    else:
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return said


def with_weights(folder):
    """A run that has kept the weights it began with."""
    (folder / "checkpoints").mkdir()
    torch.save({"state_dict": load_run(folder)._built("model").state_dict()}, folder / "checkpoints" / "best.ckpt")
    return folder


@pytest.mark.parametrize("name", DAMAGES)
def test_a_lost_file_is_told_wherever_the_run_is_listed(tmp_path, capsys, name):
    folder = run_folder(tmp_path, typed="data.days=9")
    assert damages(folder) == []
    said = damage(folder, name)
    entry = Index(tmp_path).entry(f"runs/sensors/{STAMP}")
    assert said in entry.message
    assert entry.overrides == ([] if name == "overrides.txt" else ["data.days=9"])
    assert entry.metrics == (
        {} if name == "result.json" else {k: v for k, v in RESULT["metrics"].items() if "test" in k}
    )
    assert said in fulmen.runs(outputs=tmp_path)["message"].iloc[0]
    for words in (["runs"], ["runs", "show", f"sensors/{STAMP}"]):
        main([*words, "--outputs", str(tmp_path)])
        assert said in capsys.readouterr().out


@pytest.mark.parametrize("name", DAMAGES)
def test_a_run_that_has_lost_a_file_shows_the_others(tmp_path, name):
    folder = loadable(tmp_path)
    (folder / "report.md").write_text("# sensors\n\n**It is better than a coin.**\n")
    said = damage(folder, name)
    run = load_run(folder)
    shown = run._repr_html_()
    assert said in shown
    assert "not begun" not in shown
    assert "It is better than a coin." in shown
    assert (">0.9</td>" in shown) == (name != "result.json")
    assert ('alt="learning curve"' in shown) == (name != "metrics.csv")
    assert repr(run).startswith(
        f"Run({folder}, {'damaged' if name == 'result.json' else 'completed, 3 epochs, auc 0.9'}"
    )


def test_what_needs_the_lost_file_says_so(tmp_path):
    folder = loadable(tmp_path)
    damage(folder, "config.yaml")
    damage(folder, "metrics.csv")
    run = load_run(folder)
    with pytest.raises(FulmenError, match=r"holds no config\.yaml"):
        run.model  # noqa: B018
    with pytest.raises(FulmenError, match=r"metrics\.csv is damaged"):
        run.curves()
    with pytest.raises(FulmenError, match=r"holds no config\.yaml"):
        load_run(tmp_path)  # no run at all


def test_the_model_of_a_run_without_its_result_can_be_used_and_kept(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    folder = with_weights(loadable(tmp_path / "outputs"))
    damage(folder, "result.json")
    assert not load_run(folder).model.training
    assert main(["models", "save", f"sensors/{STAMP}", "--name", "kept"]) == 0
    said = capsys.readouterr()
    assert "saved kept:1" in said.out
    assert "result.json is damaged" in said.err
    (folder / "config.yaml").unlink()
    assert main(["models", "save", f"sensors/{STAMP}", "--name", "kept"]) == 2
    assert f"{STAMP} holds no config.yaml" in capsys.readouterr().err, "and not the name of another run"


def test_healthy_folds_of_a_damaged_run_of_folds_keep_their_rows(tmp_path):
    names = ["seed_1/fold_0", "seed_1/fold_1", "seed_1/fold_10"]
    folder = run_folder(tmp_path, f"sensors/{STAMP}", runs=names)
    for name in names:
        run_folder(tmp_path, f"sensors/{STAMP}/{name}")
    assert parts_of(folder, {}) == names
    for lose in (lambda path: path.write_text(""), lambda path: path.unlink()):
        lose(folder / "result.json")
        table = fulmen.runs(outputs=tmp_path)
        assert list(table["kind"]) == ["mean", "fold", "fold", "fold"]
        assert list(table["status"]) == ["damaged", "completed", "completed", "completed"]


@pytest.mark.parametrize("name", DAMAGES)
def test_runs_that_have_lost_a_file_are_compared(tmp_path, capsys, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    first = loadable(tmp_path / "outputs")
    second, rng = first.with_name("second"), np.random.default_rng(0)
    shutil.copytree(first, second)
    for number, folder in enumerate((first, second)):
        write_items(folder, {"item": np.arange(40), "loss": rng.random(40) + number})
    said = damage(second, name)
    found = compare(f"sensors/{STAMP}", str(second))
    assert f"{second}/{said}" in found._repr_html_()
    printed = capsys.readouterr().out
    assert f"{second}/{said}" in printed
    assert "the first of the two is worse (loss +" in printed


@pytest.mark.parametrize("named", ["sensors/{}", "runs/sensors/{}", "outputs/runs/sensors/{}"])
def test_a_run_is_loaded_by_every_name_that_a_list_gives_it(tmp_path, monkeypatch, named):
    monkeypatch.chdir(tmp_path)
    loadable(tmp_path / "outputs")
    assert load_run(named.format(STAMP)).result == json.loads(json.dumps(RESULT))
    assert load_run(fulmen.runs().index[0]).result["epochs"] == 3
    assert load_run(fulmen.runs(outputs="outputs").index[0], outputs=tmp_path / "outputs").result["epochs"] == 3
