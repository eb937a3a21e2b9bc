"""A workload of a project of one's own, written from `fulmen.workload` alone: every verb works with it.

tests/line is such a project: two files of Python and a YAML, no list to edit, no test to write.
"""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import fulmen
from fulmen.cli import main
from fulmen.testing import Conformance

PROJECT = Path(__file__).parent / "line"
QUICK = ["trainer.max_epochs=3", "logger.tensorboard=null", "callbacks.summary=null", "callbacks.progress=null"]


@pytest.fixture(autouse=True, scope="module")
def project(tmp_path_factory):
    """The project as the working directory."""
    folder = tmp_path_factory.mktemp("project") / "line"
    shutil.copytree(PROJECT, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FULMEN_REGISTRY", str(folder / "models"))
        patch.syspath_prepend(str(folder))
        yield folder


class TestLine(Conformance):
    experiment = "line"


def test_two_files_and_a_yaml_are_short():
    files = [path for path in PROJECT.rglob("*") if path.suffix in (".py", ".yaml")]
    lines = sum(len(path.read_text().splitlines()) for path in files)
    assert sorted(path.suffix for path in files) == [".py", ".py", ".yaml"]
    assert lines <= 120


@pytest.fixture(scope="module")
def trained(project):
    """A run of each of two variants."""
    return [fulmen.train("experiment=line", *QUICK, f"model.network.width={width}") for width in (0, 4)]


def test_runs_are_compared(trained, capsys):
    assert main(["compare", *(str(run.folder) for run in trained)]) == 0
    assert "test items" in capsys.readouterr().out


def test_an_experiment_is_ranked_and_its_winner_kept(project, capsys):
    assert main(["rank", "line", *QUICK, "--folds", "2"]) == 0
    assert "constant" in capsys.readouterr().out
    folder = max(project.glob("outputs/rankings/*/ranking.json")).parent
    known = json.loads((folder / "ranking.json").read_text())
    assert set(known["scores"]) >= {"constant"}
    network = next(i for i, row in enumerate(known["rows"], 1) if not row["baseline"])
    assert main(["models", "save", str(folder), "--row", str(network), "--name", "ranked"]) == 0
    baseline = next(i for i, row in enumerate(known["rows"], 1) if row["baseline"])
    assert main(["models", "save", str(folder), "--row", str(baseline), "--name", "no"]) == 2
    assert "baseline_network" in capsys.readouterr().err, "the hook it misses is named"


def test_a_model_is_kept_verified_and_predicts_for_a_file(trained, project, capsys):
    (project / "x.csv").write_text("x\n0\n1\n")
    assert main(["models", "save", str(trained[0].folder), "--name", "kept"]) == 0
    assert main(["models", "verify", "kept"]) == 0
    assert main(["models", "promote", "kept", "1", "--as", "champion"]) == 0
    capsys.readouterr()
    assert main(["predict", "kept@champion", "x.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 2
    assert list(fulmen.load_model("kept").predict_step({"x": fulmen_x()})) == ["y"]


def fulmen_x():
    import torch

    return torch.zeros(2, 1)


@pytest.mark.slow
def test_it_is_searched_and_trained_from_the_command_line(project):
    typed = ["experiment=line", *QUICK, "search=random", "search.trials=2", "search.name=s", "search.champion_seeds=0",
             "search.space.model.optimizer.lr={low:0.001,high:0.1}"]  # fmt: skip
    for command in (["sweep", *typed], ["train", "-m", "experiment=line", *QUICK, "model.network.width=0,4"]):
        done = subprocess.run([sys.executable, "-m", "fulmen.cli", *command], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
