"""`fulmen new` writes a whole project or nothing, and names what would work where it cannot."""

import importlib
import importlib.util
import json

import pytest
import torch
import yaml

from fulmen.cli import main
from fulmen.config.check import check_overrides
from fulmen.config.places import workloads
from fulmen.scaffold.new import camel_case, new_project

FILES = {
    ".gitignore", "Makefile", "README.md", "pyproject.toml", "train.py", "sweep.py", "brook.ipynb",
    "conf/experiment/brook.yaml", "conf/search/space/brook.yaml", "tests/test_brook.py",
    "brook/__init__.py", "brook/data.py", "brook/module.py",
}  # fmt: skip


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_project_is_small_and_holds_all_that_it_takes(folder, capsys):
    assert main(["new", "brook"]) == 0
    assert "next: cd brook && make train" in capsys.readouterr().out
    files = {path.relative_to(folder / "brook").as_posix(): path for path in (folder / "brook").rglob("*")
             if path.is_file()}  # fmt: skip
    assert set(files) == FILES
    lines = {name: len(path.read_text().splitlines()) for name, path in files.items()}
    assert sum(lines.values()) <= 235
    assert sum(number for name, number in lines.items() if name.endswith((".py", ".yaml"))) <= 165
    assert max(len(line) for path in files.values() for line in path.read_text().splitlines()) <= 140
    for name, path in files.items():
        if name.endswith(".py"):
            compile(path.read_text(), name, "exec")
    assert json.loads(files["brook.ipynb"].read_text())["nbformat"] == 4


@pytest.mark.parametrize("workload", [None, *workloads()])
def test_the_config_of_a_project_is_free_of_mistakes(workload, folder, monkeypatch):
    name = f"brook_{workload}"
    new_project(folder / name, workload)
    monkeypatch.chdir(folder / name)
    monkeypatch.syspath_prepend(str(folder / name))
    cfg = check_overrides([f"experiment={name}"])
    assert cfg.data["_target_"] == f"{name}.data.{camel_case(name)}Data"
    assert cfg.model["_target_"] == f"{name}.module.{camel_case(name)}Model"
    assert yaml.safe_load((folder / name / "conf/search/space" / f"{name}.yaml").read_text())


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        (["there"], "there exists already; choose another name, nothing was written"),
        (["my-lab"], "'my-lab' names no Python package (letters, digits and _, a letter first); fulmen new my_lab"),
        (["2lab"], "fulmen new my_2lab works"),
        ([""], "a project needs a name: fulmen new mylab works"),
        (["été"], "fulmen new ete works"),
        (["§"], "fulmen new mylab works"),
        (["class"], "class is a word of Python and names no package; fulmen new my_class works"),
        (["torch"], "a package torch would hide the module torch that is there already; fulmen new my_torch works"),
        (["test"], "would hide the module test"),
        (["fulmen"], "would hide the module fulmen"),
        (["tests"], "tests is a file or folder of every project; fulmen new my_tests works"),
        (["stocks"], "stocks is what fulmen calls something of its own; fulmen new my_stocks works"),
        (["brook", "--workload", "sensor"], "there is no workload sensor; did you mean sensors?"),
        (["brook", "--workload", "xyz"], "there is no workload xyz; there is images, pbpk, sensors, stocks"),
        (["there/file/brook"], "cannot write there/file/brook"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_said_in_a_line_and_nothing_is_written(typed, said, folder, capsys):
    (folder / "there").mkdir()
    (folder / "there" / "file").touch()
    assert main(["new", *typed]) in (2, 75)
    error = capsys.readouterr().err
    assert said in error
    assert error.count("\n") == 1
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*")) == ["there", "there/file"]


def test_a_project_that_cannot_be_written_leaves_nothing(folder, monkeypatch, capsys):
    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.rename", full)
    assert main(["new", "brook"]) == 2
    assert "no space left on the device" in capsys.readouterr().err
    assert list(folder.iterdir()) == []


def test_every_workload_has_an_experiment_to_start_from():
    from fulmen.scaffold.new import _starts

    assert sorted(_starts()) == workloads()
    assert importlib.util.find_spec("brook") is None


def test_a_project_gives_a_verdict_on_its_test_split_beside_its_baselines(folder, monkeypatch):
    new_project(folder / "brook_verdict")
    monkeypatch.syspath_prepend(str(folder / "brook_verdict"))
    data = importlib.import_module("brook_verdict.data").BrookVerdictData()
    module = importlib.import_module("brook_verdict.module")
    data.setup()
    model, y = module.BrookVerdictModel(module.Network()), data.splits["test"]["y"]
    model.y_mean = data.splits["train"]["y"].mean(0)
    for forecast, code in ((y + 10 * torch.randn(y.shape), "FUL-V00"), (y.mean().expand(y.shape), "FUL-V09")):
        summary = model.summarize({"y": forecast}, data, None)
        assert (summary.verdict.id, summary.verdict.unit) == (code, "patients")
        assert summary.answer == summary.verdict.sentence
        assert summary.verdict.margin == model.margin
