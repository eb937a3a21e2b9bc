"""What `fulmen new` writes works with every verb, and keeps the promises of `fulmen.testing` (tests/testing)."""

import json

import nbformat
import pytest
import torch
from helpers import PBPK
from nbclient import NotebookClient

import fulmen
from fulmen.cli import main
from fulmen.scaffold.new import new_project

QUICK = ["trainer.max_epochs=3", "logger.tensorboard=null", "callbacks.summary=null", "callbacks.progress=null"]


@pytest.fixture(autouse=True, scope="module")
def project(tmp_path_factory):
    """The project as the working directory."""
    folder = tmp_path_factory.mktemp("project") / "hilllab"
    new_project(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("FULMEN_REGISTRY", str(folder / "models"))
        patch.syspath_prepend(str(folder))
        yield folder


@pytest.fixture(scope="module")
def trained(project):
    """A run of each of two variants."""
    return [fulmen.train("experiment=hilllab", *QUICK, f"model.network.width={width}") for width in (4, 16)]


def test_it_learns_and_stands_beside_baselines_with_a_verdict(project, capsys):
    result = fulmen.train("experiment=hilllab", *QUICK, "trainer.max_epochs=30").result
    assert result["shown"]["id"] in ("FUL-V00", "FUL-V01")
    assert result["shown"]["sentence"] in capsys.readouterr().out
    assert result["data_set"].startswith("the diabetes patients of scikit-learn: ")
    assert result["metrics"]["test/r2"] > 0.4
    assert abs(result["baselines"]["constant"]["r2"]) < 0.1
    assert result["baselines"]["linear"]["r2"] > 0.4


def test_every_patient_is_tested_by_one_fold_and_in_one_split(project):
    from hilllab.data import HilllabData

    tested = []
    for fold in range(5):
        data = HilllabData(fold=fold)
        data.setup()
        items = torch.cat([split["item"] for split in data.splits.values()])
        assert sorted(items.tolist()) == list(range(442))
        assert min(len(split["item"]) for split in data.splits.values()) > 60
        tested += data.splits["test"]["item"].tolist()
    assert sorted(tested) == list(range(442))


@pytest.mark.parametrize("fold", [5, -1])
def test_a_fold_that_there_is_not_is_refused_before_training(fold):
    with pytest.raises(fulmen.FulmenError, match=f"data.fold is {fold}; with folds=5 it runs from 0 to 4"):
        fulmen.train("experiment=hilllab", *QUICK, f"data.fold={fold}")


TABLES = """
import fulmen

class InSetup(fulmen.WorkloadData):
    def __init__(self, csv: str = "a.csv", seed: int = 0):
        super().__init__(seed=seed)
        self.csv = csv

    def setup(self, stage=None):
        open(self.csv)

class AtOnce(InSetup):
    def __init__(self, csv: str, seed: int = 0):
        super().__init__(csv)
        open(csv)

class FromAfar(InSetup):
    def prepare_data(self):
        raise ConnectionError("the line is dead")

class Inside(InSetup):
    def setup(self, stage=None):
        open("constant.csv")
"""


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("InSetup", "data.csv: nosuch.csv: No such file or directory"),
        ("AtOnce", "data.csv: nosuch.csv: No such file or directory"),
        ("FromAfar", "data: the line is dead"),
        ("Inside", "data: constant.csv: No such file or directory"),
    ],
)
def test_a_file_that_the_data_cannot_read_is_told_in_a_line(kind, said, project):
    (project / "hilllab" / "tables.py").write_text(TABLES)
    with pytest.raises(fulmen.FulmenError) as caught:
        fulmen.train("experiment=hilllab", *QUICK, f"data._target_=hilllab.tables.{kind}", "data.csv=nosuch.csv")
    assert str(caught.value) == said


def test_runs_are_compared(trained, capsys):
    assert main(["compare", *(str(run.folder) for run in trained)]) == 0
    assert "patients of the test split" in capsys.readouterr().out


def test_an_experiment_is_ranked_and_its_winner_kept(project, capsys):
    assert main(["rank", "hilllab", *QUICK, "--folds", "2"]) == 0
    assert "constant" in capsys.readouterr().out
    folder = max(project.glob("outputs/rankings/*/ranking.json")).parent
    known = json.loads((folder / "ranking.json").read_text())
    assert set(known["scores"]) >= {"constant", "linear"}
    network = next(i for i, row in enumerate(known["rows"], 1) if not row["baseline"])
    assert main(["models", "save", str(folder), "--row", str(network), "--name", "ranked"]) == 0
    baseline = next(i for i, row in enumerate(known["rows"], 1) if row["baseline"])
    assert main(["models", "save", str(folder), "--row", str(baseline), "--name", "no"]) == 2
    assert "baseline_network" in capsys.readouterr().err, "the hook it misses is named"


def test_a_model_is_kept_verified_and_predicts_for_a_file(trained, project, capsys):
    from hilllab.data import COLUMNS

    (project / "x.csv").write_text(f"{','.join(COLUMNS)}\n{','.join('1' * 10)}\n")
    (project / "short.csv").write_text("age,sex\n1,1\n")
    assert main(["models", "save", str(trained[0].folder), "--name", "kept"]) == 0
    assert main(["models", "verify", "kept"]) == 0
    assert main(["models", "promote", "kept", "1", "--as", "champion"]) == 0
    capsys.readouterr()
    assert main(["predict", "kept@champion", "x.csv"]) == 0
    assert len(capsys.readouterr().out.splitlines()) >= 2
    assert main(["predict", "kept@champion", "short.csv"]) == 2
    assert "short.csv has to be a CSV of numbers with the columns age, sex, bmi" in capsys.readouterr().err
    (project / "page.md").write_text("# A page\n\none, two\n1,2,3,4\n")
    assert main(["predict", "kept@champion", "page.md"]) == 2
    assert "page.md has to be a CSV of numbers" in capsys.readouterr().err
    assert fulmen.load_model("kept").predict_step({"x": torch.ones(2, 10)})["y"].shape == (2, 1)


@pytest.mark.slow
def test_its_notebook_plots_the_latest_run(trained, project):
    notebook = nbformat.read(project / "hilllab.ipynb", as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(project)}}).execute()
    assert [output for output in notebook.cells[-1].outputs if "image/png" in output.get("data", {})]


@pytest.mark.slow
@pytest.mark.parametrize("workload", ["images", "pbpk", "sensors", "stocks"])
def test_a_project_of_a_shipped_workload_trains_at_once(workload, tmp_path, monkeypatch):
    name = f"of_{workload}"
    new_project(tmp_path / name, workload)
    monkeypatch.chdir(tmp_path / name)
    monkeypatch.syspath_prepend(str(tmp_path / name))
    small = PBPK if workload == "pbpk" else []
    run = fulmen.train(f"experiment={name}", *QUICK, *small, "trainer.max_epochs=1", "trainer.limit_train_batches=2")
    assert type(run.model).__module__ == f"{name}.module"
    assert run.result["status"] == "completed"
    assert run.result["baselines"]
