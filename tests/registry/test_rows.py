"""Any row of a ranking is kept: networks by a run, baselines of scikit-learn as what they are."""

import json

import numpy as np
import pytest
from omegaconf import OmegaConf

import fulmen
from fulmen.cli import main
from fulmen.registry import list_models, predict, show, verify
from fulmen.registry.rows import as_estimator, baseline_node, keep_best, keep_row
from fulmen.workloads.sensors.data import SensorData

SMALL = ["data.machines=8", "data.days=15", "model.figures=false", "trainer.max_epochs=1", "callbacks.summary=null"]
ROWS = ["mlp", "random forest", "gradient boosting", "logistic regression", "a coin"]
TYPES = {
    "random forest": "RandomForestClassifier",
    "gradient boosting": "HistGradientBoostingClassifier",
    "logistic regression": "Pipeline",
}


@pytest.fixture
def ranking(tmp_path, monkeypatch):
    """A ranking as `fulmen rank` writes it, in an empty working directory with a registry of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    folder = tmp_path / "outputs" / "rankings" / "sensors_now"
    folder.mkdir(parents=True)
    rows = [{"model": name, "override": None, "baseline": True} for name in ROWS]
    rows[0] = {"model": "mlp", "override": "tabular=mlp", "baseline": False}  # as it was called when this was kept
    known = {"experiment": "sensors", "shared": SMALL, "rows": rows}
    (folder / "ranking.json").write_text(json.dumps(known))
    return folder


@pytest.mark.parametrize("row", [2, pytest.param(3, marks=pytest.mark.slow), pytest.param(4, marks=pytest.mark.slow)])
def test_a_baseline_is_kept_verified_promoted_and_used_on_a_file(row, ranking, tmp_path, capsys):
    name = ROWS[row - 1]
    said = ["models", "save", str(ranking), "--row", str(row), "--name", "pump", "--note", "wins"]
    assert main(said) == 0
    assert "saved pump:1" in capsys.readouterr().out
    facts = show("pump")
    assert facts["note"] == "wins"
    assert sorted(facts["files"]) == sorted(
        ["config.yaml", "estimator.skops", "preprocess.json", "probe.safetensors", "weights.safetensors"]
    )
    ours = {metric: facts["metrics"][f"test/{metric}"] for metric in facts["baselines"][name]}
    assert ours == pytest.approx(facts["baselines"][name], rel=1e-6), "fitted as the baseline of that split"
    assert facts["threshold"] is not None
    assert [each["state"] for each in verify("pump")] == [""]
    assert main(["models", "promote", "pump", "1", "--as", "champion"]) == 0
    assert type(fulmen.load_model("pump@champion").network.estimator).__name__ == TYPES[name]
    data = SensorData(machines=8, days=15)
    data.export(tmp_path / "plant.csv")
    table = predict("pump@champion", tmp_path / "plant.csv")
    assert np.isfinite(table["p(1)"]).all()
    assert set(table["decision"]) <= {"0", "1"}
    assert main(["models", "export", "pump", "--to", str(tmp_path / "pump.pt2")]) == 2
    assert "export writes networks alone" in capsys.readouterr().err


@pytest.mark.slow
@pytest.mark.parametrize(
    ("experiment", "shared", "baseline"),
    [
        ("stocks_fast", ["data.days=500", "data.lookback_days=20", "data.horizon_days=2"], "ridge"),
        ("stocks_fast", ["data.days=500", "data.lookback_days=20", "data.horizon_days=2"], "one lag"),
        ("images_plain", [], "linear, weighted"),
    ],
)
def test_fitted_baselines_of_other_workloads_are_kept_too(experiment, shared, baseline, ranking):
    rows = [{"model": baseline, "override": None, "baseline": True}]
    known = {"experiment": experiment, "shared": [*shared, "model.figures=false"], "rows": rows}
    (ranking / "ranking.json").write_text(json.dumps(known))
    keep_row(ranking, 1, "best")
    facts = show("best")
    ours = {metric: facts["metrics"][f"test/{metric}"] for metric in facts["baselines"][baseline]}
    assert ours == pytest.approx(facts["baselines"][baseline], rel=1e-4, abs=1e-6, nan_ok=True)
    assert [each["state"] for each in verify("best")] == [""]


@pytest.mark.slow
def test_a_network_is_kept_as_the_run_it_is_trained_by(ranking):
    version = keep_row(ranking, 1, "pump")
    assert version.manifest["architecture"]["network"].endswith("tabular.MLP")
    assert "row 1 of" in version.manifest["note"]
    assert "estimator.skops" not in version.manifest["files"]


@pytest.mark.slow
def test_the_best_rows_are_kept_and_rules_passed_over(ranking, capsys):
    known = json.loads((ranking / "ranking.json").read_text())
    known["rows"] = [known["rows"][4], known["rows"][3], known["rows"][1]]
    (ranking / "ranking.json").write_text(json.dumps(known))
    keep_best(ranking, 1)
    assert [row["model"] for row in list_models()] == ["sensors-logistic-regression:1"]
    assert "row 1, a coin, is not kept" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (["{}", "--row", "6"], "--row 6: {} has rows 1 to 5"),
        (["{}", "--row", "0"], "--row 0: {} has rows 1 to 5"),
        (["{}", "--row", "5"], "a coin cannot be kept"),
        (["{}"], "is a ranking: say which row of it, --row 1 is the first"),
        (["nowhere", "--row", "1"], "nowhere is no ranking"),
    ],
)
def test_what_cannot_be_kept_is_one_line(typed, says, ranking, capsys):
    assert main(["models", "save", *(each.format(ranking) for each in typed), "--name", "pump"]) == 2
    assert says.format(ranking) in capsys.readouterr().err


def test_a_ranking_of_before_rows_could_be_kept_and_a_damaged_one_say_so(ranking, capsys):
    for text, says in (
        ('{"experiment": "sensors"}', "rank again"),
        ("[1", "is damaged"),
        ('{"rows": 3}', "is damaged"),
    ):
        (ranking / "ranking.json").write_text(text)
        assert main(["models", "save", str(ranking), "--row", "1", "--name", "pump"]) == 2
        assert says in capsys.readouterr().err


@pytest.mark.parametrize("row", [2, pytest.param(1, marks=pytest.mark.slow)], ids=["baseline", "network"])
def test_a_row_that_was_trained_but_not_kept_is_not_trained_again(row, ranking, tmp_path, capsys):
    there = f"output_dir={tmp_path / 'run'}"
    keep_row(ranking, row, "first", overrides=[there])
    weights = (tmp_path / "run" / "checkpoints" / "best.ckpt").stat().st_mtime_ns
    keep_row(ranking, row, "second", overrides=[there])
    assert (tmp_path / "run" / "checkpoints" / "best.ckpt").stat().st_mtime_ns == weights
    assert [each["state"] for each in verify("second")] == [""]
    assert show("first")["metrics"] == show("second")["metrics"]


def test_a_model_that_takes_no_network_has_no_place_for_a_baseline_and_one_line_says_so():
    cfg = OmegaConf.create({"model": {"_target_": "fulmen.workloads.sensors.module.SensorClassifier"}})
    assert baseline_node(cfg, "random forest") is None
    with pytest.raises(fulmen.FulmenError, match="takes no network to replace"):
        as_estimator(cfg, "random forest")
