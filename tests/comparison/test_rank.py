"""`fulmen rank` of workloads whose folds are runs: a table with baselines, folds and intervals; the winner is kept."""

import json

import numpy as np
import pytest

import fulmen
from fulmen.cli import main
from fulmen.registry import list_models, verify

QUICK = ["trainer.max_epochs=1", "trainer.limit_train_batches=2", "callbacks.summary=null", "callbacks.progress=null"]
PBPK = ["data.compounds=24", "data.validation_compounds=4", "data.test_compounds=4"]
SMALL = {
    "stocks_fast": ["data.days=500", "data.lookback_days=20", "model.figures=false"],
    "images_plain": ["model.figures=false"],
    "pbpk_mlp": PBPK,
    "pbpk_gnn": PBPK,
}
FAST = "stocks_fast"
BASELINES = {"stocks_fast": "persistence", "images_plain": "majority class", "pbpk_mlp": "mean curve"}


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    return tmp_path


def ranked(here):
    """The newest ranking, and its table."""
    path = max(here.glob("outputs/rankings/*/ranking.json"), key=lambda path: path.stat().st_mtime)
    return json.loads(path.read_text()), (path.parent / "ranking.md").read_text(), path.parent


@pytest.mark.parametrize(
    "experiment", [FAST, *(pytest.param(name, marks=pytest.mark.slow) for name in BASELINES if name != FAST)]
)
def test_a_table_has_baselines_folds_and_intervals_and_its_network_is_kept(experiment, here, capsys):
    assert main(["rank", experiment, *SMALL[experiment], *QUICK, "--folds", "2"]) == 0
    said = capsys.readouterr().out
    assert "1 variant x 2 folds = 2 trainings" in said
    known, table, folder = ranked(here)
    assert BASELINES[experiment] in known["scores"]
    assert all(len(values) == 2 for each in known["scores"].values() for values in each.values())
    assert "| to (95 %) |" in table
    assert min(known["train_rows"], known["test_rows"]) > 0
    assert known["in_time"] == (experiment == "stocks_fast")
    assert ("Nadeau & Bengio's variance is of splits at random and does not hold" in table) == known["in_time"]
    assert (folder / "ranking.svg").stat().st_size
    networks = [number for number, row in enumerate(known["rows"], 1) if not row["baseline"]]
    assert main(["models", "save", str(folder), "--row", str(networks[0]), "--name", "best"]) == 0
    assert [row["state"] for row in verify("best")] == [""]
    assert fulmen.load_model("best")


def test_the_cost_is_said_first_and_what_was_trained_is_trained_once(here, capsys, monkeypatch):
    typed = ["rank", FAST, *SMALL[FAST], *QUICK, "--folds", "2", "--seeds", "2"]
    assert main(typed) == 0
    first, _, _ = ranked(here)
    assert "1 variant x 2 folds x 2 seeds = 4 trainings" in capsys.readouterr().out.splitlines()[0]
    assert main([*typed, "--metric", "mase"]) == 0
    said = capsys.readouterr().out
    assert "0 of them still to do" in said.splitlines()[0]
    again, _, _ = ranked(here)
    assert again["scores"] == first["scores"]
    assert again["metric"] == "mase"
    order = [row["model"] for row in again["rows"]]
    assert order == sorted(order, key=lambda name: np.mean(again["scores"][name]["mase"]))


def test_an_interrupted_ranking_goes_on(here, capsys, monkeypatch):
    from fulmen.errors import Interrupted
    from fulmen.runs import run as runs

    typed = ["rank", FAST, *SMALL[FAST], *QUICK, "--folds", "2"]
    trained, once = [], runs.run_once

    def counted(cfg, *more):
        trained.append(cfg.data.fold)
        if len(trained) == 2:
            raise Interrupted("asked to stop", 130)
        return once(cfg, *more)

    monkeypatch.setattr(runs, "run_once", counted)
    assert main(typed) == 130
    assert "interrupted in 28_cnn_lstm, variant 1 of 1; the same command goes on" in capsys.readouterr().err
    assert main(typed) == 0
    assert trained == [0, 1, 1]
    assert len(list(here.glob("outputs/runs/stocks_fast/*"))) == 1


@pytest.mark.slow
def test_choices_of_a_group_are_variants_and_differences_are_paired(here, capsys):
    typed = ["rank", "images_plain", "loss=cross_entropy,focal", *SMALL["images_plain"], *QUICK, "--folds", "2"]
    assert main(typed) == 0
    assert "2 variants x 2 folds = 4 trainings" in capsys.readouterr().out
    known, table, _ = ranked(here)
    assert {row["override"] for row in known["rows"] if not row["baseline"]} == {"loss=cross_entropy", "loss=focal"}
    assert "difference" in table


@pytest.mark.slow
def test_the_best_rows_of_a_ranking_by_runs_are_kept(here, capsys):
    assert main(["rank", "pbpk_gnn", *SMALL["pbpk_gnn"], *QUICK, "--folds", "2", "--save-top", "1"]) == 0
    assert [row["model"] for row in list_models()] == ["pbpk_gnn-dynamic_gnn:1"]
    assert "is not kept: it is a rule" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["pbpk_mlp", "--metric", "auc"], "--metric auc: there is r2_log"),
        (["pbpk_mlp", "--folds", "1"], "take 2 folds or more"),
        (["pbpk_mlp", "seed=1,2"], "rank compares the choices of one group"),
        (["synthetic_mlp"], "cannot be ranked by folds: SyntheticClassification takes no `fold` and `folds`"),
    ],
)
def test_what_cannot_be_ranked_is_one_line(typed, says, here, capsys):
    assert main(["rank", *typed]) == 2
    assert says in capsys.readouterr().err
