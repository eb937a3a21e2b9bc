"""`fulmen rank`: the same folds for all, honest differences, files."""

import json
import math
import os
import shutil
import signal

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from fulmen.cli import main
from fulmen.registry import list_models
from fulmen.workloads.sensors.cross_validate import units
from fulmen.workloads.sensors.metrics import area_by_chance
from fulmen.workloads.sensors.networks import batched_fit

SMALL = ["data.machines=8", "data.days=15", "trainer.max_epochs=2"]


def test_networks_and_baselines_are_ranked_on_the_same_folds(tmp_path, capsys):
    typed = ["rank", "sensors", "network=logistic,mlp", *SMALL, "--folds", "3", "--outputs", str(tmp_path)]
    assert main([*typed, "--metric", "log_loss"]) == 0
    said = capsys.readouterr().out
    assert "best log loss first" in said
    assert "The best that is possible" not in said  # the ceiling is of ranks
    folder = next((tmp_path / "rankings").iterdir())
    result = json.loads((folder / "ranking.json").read_text())
    baselines = {"logistic regression", "random forest", "gradient boosting", "class shares"}
    assert set(result["scores"]) == {"logistic", "mlp", *baselines}
    assert result["constant"] == "class shares"
    assert {row["model"] for row in result["rows"] if row["rule"]} == {"class shares"}
    assert {len(values) for each in result["scores"].values() for values in each.values()} == {3}
    text = (folder / "ranking.md").read_text()
    assert "gold" not in text, "three folds of few rows tell nobody apart"
    assert result["chance"]["roc_auc"] == 0.5
    assert 0.03 < result["chance"]["pr_auc"] < 0.2
    assert (folder / "ranking.svg").stat().st_size
    progress = json.loads((folder / "progress.json").read_text())
    assert (progress["unit"], progress["done"], progress["total"]) == ("models", 3, 3)  # two networks, the baselines
    assert progress["ended"]


def test_three_classes_drawn_at_random_have_chance_lines_no_medals_and_a_sentence_that_says_so(tmp_path, capsys):
    rng = np.random.default_rng(3)
    table = pd.DataFrame(
        {"a": rng.normal(size=120), "b": rng.normal(size=120), "kind": rng.permutation(list("xyz") * 40)}
    )
    table.to_csv(tmp_path / "noise.csv", index=False)
    typed = [f"data.csv={tmp_path / 'noise.csv'}", "data.numeric=[a,b]", "data.target=kind", "data.labels=[x,y,z]"]
    typed += ["data.group=null", "data.time=null", "data.wear=[]", "trainer.max_epochs=2", "network=logistic"]
    assert main(["rank", "sensors", *typed, "--outputs", str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "Chance: ROC-AUC 0.5000." in said
    assert "is not shown to be better than the constant predictor" in said
    result = json.loads(next((tmp_path / "rankings").glob("*/ranking.json")).read_text())
    assert "gold" not in (next((tmp_path / "rankings").iterdir()) / "ranking.md").read_text()
    assert result["chance"]["accuracy"] == pytest.approx(1 / 3)
    assert result["chance"]["log_loss"] == pytest.approx(math.log(3), rel=1e-3)
    leader, level = result["findings"]
    assert leader["name"] in ("undecided_result", "no_signal")
    assert level == {"code": "FUL-V06", "name": "no_difference"}


def test_units_are_pairs_that_share_nothing():
    """Three machines with both labels and one with the first alone: three pairs; of 8 rows 4 machines."""
    target, machine = np.array([0, 1, 0, 1, 0, 1, 0, 0]), np.array([0, 0, 1, 1, 2, 2, 3, 3])
    found = units([(target, machine), (target, machine)])
    assert (found["roc_auc"], found["accuracy"]) == (6, 8)


def test_the_area_of_chance_spreads_as_ranks_do():
    rng, target = np.random.default_rng(0), np.repeat([0, 1], (30, 10))
    drawn = [roc_auc_score(target, rng.normal(size=40)) for _ in range(1000)]
    assert area_by_chance(target) == pytest.approx(np.std(drawn), rel=0.08)


def test_windows_are_not_measured_by_the_ceiling_of_single_rows(tmp_path, capsys):
    typed = ["rank", "sensors", "network=logistic", *SMALL, "--folds", "2", "--outputs", str(tmp_path)]
    for windows, ceiling in (("[]", True), ("[mean_24h]", False)):
        assert main([*typed, f"data.windows={windows}"]) == 0
        assert ("The best that is possible" in capsys.readouterr().out) == ceiling


@pytest.mark.slow
def test_the_best_rows_are_trained_as_runs_and_kept(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    quick = [*SMALL, "callbacks.summary=null", "model.figures=False"]
    assert main(["rank", "sensors", "network=logistic,mlp", *quick, "--folds", "2", "--save-top", "2"]) == 0
    ranking = json.loads(next((tmp_path / "outputs" / "rankings").glob("*/ranking.json")).read_text())
    best = sorted(ranking["scores"], key=lambda name: sum(ranking["scores"][name]["roc_auc"]), reverse=True)
    assert [row["model"] for row in ranking["rows"]] == best
    assert {row["override"] for row in ranking["rows"]} == {"network=logistic", "network=mlp", None}
    assert ranking["shared"] == quick
    kept = {row["model"] for row in list_models()}
    assert kept == {f"sensors-{name.replace(' ', '-')}:1" for name in best[:2]}


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["rank", "sensor"], "no experiment sensor; did you mean sensors?"),
        (["rank", "sensors", "data.validaton=0.1"], "this works: fulmen rank sensors data.validation=0.1"),
        (["rank", "sensors", "--folds", "2", "trainer.max_epoch=3"], "did you mean max_epochs?"),
        (["rank", "sensors", "--metric", "auc"], "--metric auc: there is roc_auc"),
        (["rank", "sensors", "--save-top", "-1"], "must be 0 or more"),
        (["rank", "sensors", "--folds", "1"], "take 2 folds or more"),
        (["rank", "sensors", "network=mpl"], "this works: fulmen rank sensors network=mlp"),
        (["rank", "sensors", "network=mlp", "seed=1,2"], "let nothing else vary"),
    ],
)
def test_what_cannot_be_ranked_is_one_line(typed, says, capsys):
    assert main(typed) == 2
    assert says in capsys.readouterr().err


@pytest.mark.slow
def test_what_an_interrupted_ranking_has_trained_is_trained_once(tmp_path, capsys, monkeypatch):
    typed = ["rank", "sensors", "network=logistic,mlp", *SMALL, "--folds", "2", "--outputs", str(tmp_path)]
    assert main(typed) == 0
    whole = json.loads(next((tmp_path / "rankings").glob("sensors_*/ranking.json")).read_text())
    assert not (tmp_path / "rankings" / ".unfinished").exists()
    shutil.rmtree(tmp_path / "rankings")
    stacks, train = [], batched_fit._fit_stack

    def interrupted_at_second(*arguments):
        stacks.append(1)
        if len(stacks) == 2:
            os.kill(os.getpid(), signal.SIGTERM)
        return train(*arguments)

    monkeypatch.setattr(batched_fit, "_fit_stack", interrupted_at_second)
    assert main(typed) == 143
    assert "interrupted; 1 model is done, the same command goes on" in capsys.readouterr().err
    assert main([*typed, "trainer.max_epochs=1", "network=logistic"]) == 0  # another ranking
    assert len(stacks) == 3
    assert main(typed) == 0
    assert "logistic: done before" in capsys.readouterr().out
    assert len(stacks) == 4
    again = [json.loads(path.read_text()) for path in (tmp_path / "rankings").glob("sensors_*/ranking.json")]
    assert [one for one in again if one["scores"] == whole["scores"]]
    assert not (tmp_path / "rankings" / ".unfinished").exists()
