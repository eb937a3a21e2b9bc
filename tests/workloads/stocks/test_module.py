"""The forecaster standardises by the training split alone, and its intervals travel with its weights."""

import numpy as np
import pytest
import torch
from helpers import differing, quiet_trainer
from scipy import stats

from fulmen.callbacks.outputs import predict_test
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.report.document import SHOWN
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run
from fulmen.workloads.stocks import conformal
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.module import StockForecaster
from fulmen.workloads.stocks.networks.sequence_net import SequenceNet
from fulmen.workloads.stocks.verdict import verdict

BASELINES = ["persistence", "drift", "historical mean", "seasonal", "one lag", "ridge"]
SMALL = {"days": 700, "lookback_days": 20, "features": ["return", "range"]}


def fitted(epochs=1, target="return", **options):
    data = StocksData(**{**SMALL, **options})
    torch.manual_seed(0)
    network = SequenceNet(data.features, [{"rnn": "lstm", "units": 8, "last": True}], data.horizon_days)
    module = StockForecaster(network, target=target)
    quiet_trainer(max_epochs=epochs).fit(module, data)
    return module.eval(), data


@pytest.fixture(scope="module")
def model():
    return fitted(horizon_days=3)


def test_statistics_are_those_of_the_training_part(model):
    module, data = model
    train = data.splits["train"]
    assert torch.allclose(module.feature_mean, train["window"].mean((0, 1)), atol=1e-6)
    assert torch.allclose(module.feature_sd, train["window"].flatten(0, 1).std(0), rtol=1e-4)
    assert torch.allclose(module.target_mean, train["log_return"].mean(0), atol=1e-7)


def test_the_test_part_changes_nothing_in_training(monkeypatch):
    def spoiled(data, stage=None):
        original(data)
        data.splits["test"] = {name: torch.full_like(value, 10**6) for name, value in data.splits["test"].items()}

    original = StocksData.setup
    clean, _ = fitted()
    monkeypatch.setattr(StocksData, "setup", spoiled)
    other, _ = fitted()
    assert differing(clean.state_dict(), other.state_dict()) == []


def test_calibration_quantiles_are_those_of_the_validation_part(model):
    module, data = model
    part = data.splits["validation"]
    with torch.no_grad():
        scores = (part["log_return"] - module.log_return(part)).abs() / conformal.scale(part["volatility"], 3)
    assert torch.allclose(module.quantiles, conformal.quantiles(scores), rtol=1e-4)


def test_predictions_lie_inside_their_intervals_and_the_wide_one_holds_the_narrow(model):
    module, data = model
    with torch.no_grad():
        p = module.predict_step(data.splits["test"])
    assert p["price"].shape == (len(data.splits["test"]["day"]), 3)
    assert (p["low_95"] <= p["low_80"]).all()
    assert (p["low_80"] < p["price"]).all()
    assert (p["price"] < p["high_80"]).all()
    assert (p["high_80"] <= p["high_95"]).all()


def test_the_summary_has_a_row_per_day_ahead_and_every_baseline(model, tmp_path):
    module, data = model
    summary = module.summarize(predict_test(module, data), data, tmp_path)
    main, steps, intervals, costs = summary.tables.values()
    assert [row["cost, bp"] for row in costs] == [0, 5, 20] * 2
    assert [row[""] for row in main] == ["network", *BASELINES]
    assert [row["days ahead"] for row in steps] == [1, 2, 3]
    assert [row["nominal"] for row in intervals] == ["80%", "80% rolling", "95%", "95% rolling"]
    assert next(iter(summary.tables)).startswith(summary.verdict.sentence.removesuffix("."))
    assert [file for file in summary.figures.values() if not (tmp_path / file).stat().st_size] == []
    assert summary.metrics["skill"] == pytest.approx(np.mean([row["skill"] for row in steps]))


def test_the_forecast_leads_and_direction_stands_beside_its_interval(model, tmp_path, monkeypatch):
    """The forecast is drawn whether the residuals are or not; the interval is Wilson's, by scipy."""
    module, data = model
    monkeypatch.setattr(module, "figures", False)
    summary = module.summarize(predict_test(module, data), data, tmp_path)
    (caption, file), *others = summary.figures.items()
    days = min(120, int((data.splits["test"]["ticker"] == 0).sum()))
    assert (file, others) == ("forecast.svg", [])
    assert f"the last {days} days of the test split" in caption
    row, *_ = next(iter(summary.tables.values()))
    first = [name for name in summary.leading if name in row]
    assert first.index("direction, 95 %") == first.index("direction") + 1
    assert len(first) + 1 <= SHOWN
    one, *_ = summary.tables["Network, per day ahead"]
    n = len(np.unique(data.splits["test"]["day"]))
    wilson = stats.binomtest(round(one["direction"] * n), n).proportion_ci(method="wilson")
    assert one["direction, 95 %"] == f"{wilson.low:.3f} to {wilson.high:.3f}"


def test_forecasts_that_were_kept_are_those_of_the_best_weights(tmp_path):
    overrides = ["experiment=stocks_fast", "data.days=700", "data.lookback_days=20", "trainer.max_epochs=4",
                 "model.optimizer.lr=0.03", "trainer.precision=32-true", "logger.tensorboard=null",
                 f"output_dir={tmp_path / 'run'}"]  # fmt: skip
    kept = run(check_overrides(overrides), overrides).metrics
    again = load_run(tmp_path / "run")
    anew = again.summarize(tmp_path / "anew").metrics
    best = read_checkpoint(tmp_path / "run" / "checkpoints" / "best.ckpt")
    assert best["epoch"] < 3
    assert len(best["forecasts"]) == len(again.data.splits["validation"]["day"])
    for name, value in anew.items():
        assert kept[f"test/{name}"] == pytest.approx(value, rel=1e-4, abs=1e-6), name


def test_naive_loss_of_returns_is_one_plus_the_squared_drift(model):
    module, _ = model
    drift = (module.target_mean / module.target_sd).square().mean()
    assert module.naive_loss == pytest.approx(1 + float(drift), rel=2e-2)


def test_a_price_target_warns_and_forecasts_prices():
    with pytest.warns(UserWarning, match="lose to persistence"):
        module, data = fitted(target="price", horizon_days=2)
    part = data.splits["train"]
    price = part["price"][:, None] * part["log_return"].exp()
    standardised = (price - module.target_mean) / module.target_sd
    assert torch.allclose(module._from_target(standardised, part["price"]), part["log_return"], atol=1e-4)


def test_a_forecast_beats_persistence_and_the_mean_only_where_days_show_it():
    rng, day = np.random.default_rng(0), np.repeat(np.arange(400), 3)
    known, noise = rng.normal(size=(1200, 1)), rng.normal(size=(1200, 1))
    true = 0.01 * (0.5 * known + noise)
    rules = {"persistence": np.zeros((1200, 1)), "historical mean": np.full((1200, 1), 1e-4), "ridge": 0.001 * known}
    found = verdict({"network": 0.005 * known, **rules}, true, day, 0.01)
    assert (found.code, found.units, found.unit) == ("better_than_baselines", 400, "days")
    assert found.persistence.word == "better"
    none = verdict({"network": 0.005 * rng.normal(size=(1200, 1)), **rules, "ridge": 0 * known}, true, day, 0.01)
    assert (none.code, none.constant.word) == ("no_signal", "worse")
    assert "a signal above R² 1 % would have been found" in none.sentence
    still = verdict({"network": 0 * known, **rules}, 0 * true, day, 0.01)
    assert still.sentence.startswith("Too few for a verdict: the returns do not change")
    assert verdict({"network": np.nan * known, **rules}, true, day, 0.01).code == "worse_than_constant"
