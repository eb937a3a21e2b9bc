"""Baselines are what their names say, and find what is there to be found."""

import numpy as np
import pandas as pd
import pytest
import torch
from scipy import stats

from fulmen.workloads.stocks import baselines
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.module import StockForecaster
from fulmen.workloads.stocks.networks.estimator import OneLagForecast, RidgeForecast


def parts(**options):
    data = StocksData(**{"days": 700, "lookback_days": 20, "features": ["return", "range"], **options})
    data.prepare_data()
    data.setup()
    return data.splits


def r2(true, forecast):
    """Of persistence, whose forecast is 0."""
    return 1 - np.square(true - forecast).sum() / np.square(true).sum()


def an_ar1(days, rho, seed, lookback=60):
    """Train, validation and test of windows over returns x_t = rho x_{t-1} + sqrt(1 - rho^2) e_t, and four columns of
    noise, as a window of the default features has; sd .02."""
    rng = np.random.default_rng(seed)
    x = np.empty(days)
    x[0] = rng.standard_normal()
    for t in range(1, days):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * rng.standard_normal()
    x = 0.02 * x
    features = np.column_stack([x, rng.standard_normal((days, 4))])
    window = np.lib.stride_tricks.sliding_window_view(features[:-1], lookback, axis=0).transpose(0, 2, 1)
    y, last = x[lookback:, None], x[lookback - 1 : -1]
    first, second = int(0.7 * len(y)), int(0.85 * len(y))
    cut = {"train": slice(0, first), "validation": slice(first, second), "test": slice(second, None)}
    return {
        name: {
            "window": torch.tensor(window[rows].copy()),
            "log_return": torch.tensor(y[rows]),
            "last_return": torch.tensor(last[rows]),
        }
        for name, rows in cut.items()
    }


def test_each_baseline_is_what_its_name_says():
    splits = parts(horizon_days=3)
    train, test = splits["train"], splits["test"]
    found = baselines.forecasts(splits)
    assert list(found) == ["persistence", "drift", "historical mean", "seasonal", "one lag", "ridge"]
    assert {forecast.shape for forecast in found.values()} == {tuple(test["log_return"].shape)}
    returns = test["window"][:, :, 0].double().numpy()  # the first of a window leads into its first day
    assert np.allclose(found["drift"][:, 2], 3 * returns[:, 1:].mean(1), atol=1e-6)
    assert np.allclose(found["historical mean"][0], train["log_return"].mean(0))
    assert not found["persistence"].any()


def test_one_lag_is_the_regression_on_the_last_return_of_all_tickers():
    """By scipy, on the last return as the feature has it."""
    splits = parts(tickers=3, horizon_days=2)
    last = splits["train"]["window"][:, -1, 0]
    assert torch.allclose(splits["train"]["last_return"], last, atol=1e-6)
    forecast = baselines.one_lag(splits["train"], splits["test"])
    for h in range(2):
        line = stats.linregress(last.double().numpy(), splits["train"]["log_return"][:, h].double().numpy())
        expected = line.intercept + line.slope * splits["test"]["window"][:, -1, 0].double().numpy()
        assert np.allclose(forecast[:, h], expected, atol=1e-6)


def test_seasonal_is_the_mean_of_the_weekday_of_the_forecast():
    splits = parts(tickers=2)
    train, test = splits["train"], splits["test"]
    weekday = {name: pd.to_datetime(splits[name]["day"].numpy(), unit="D").weekday for name in ("train", "test")}
    mean = pd.Series(train["log_return"][:, 0].double().numpy()).groupby(weekday["train"]).mean()
    assert sorted(mean.index) == [0, 1, 2, 3, 4]
    assert np.allclose(baselines.seasonal(train, test)[:, 0], mean[weekday["test"]].to_numpy())


def test_lines_a_week_apart_have_seasons_of_months():
    day = np.arange(0, 7 * 300, 7)
    month = pd.to_datetime(day, unit="D").month
    rise = np.where(month == 3, 0.05, 0.0)[:, None]
    train = {"day": torch.tensor(day), "log_return": torch.tensor(rise)}
    forecast = baselines.seasonal(train, train)[:, 0]
    assert np.allclose(forecast, rise[:, 0])


@pytest.mark.parametrize("name", ["one lag", "ridge"])
def test_a_one_lag_signal_is_found_by_its_r2_in_closed_form(name):
    """R2 of an AR(1) is rho^2. An estimate from 5,600 days loses about 1 / 5,600 of it; 16 tests of 1,200 days."""
    rho = 0.25
    found = []
    for seed in range(8):
        splits = an_ar1(8000, rho, seed, lookback=30)
        found.append(
            r2(splits["test"]["log_return"].numpy(), baselines.one_lag(splits["train"], splits["test"]))
            if name == "one lag"
            else r2(splits["test"]["log_return"].numpy(), baselines.ridge(**splits))
        )
    assert np.mean(found) == pytest.approx(rho**2, abs=0.012)


def test_ridge_keeps_a_one_lag_signal_in_a_long_window():
    """300 numbers of which one tells something, and 1,700 days: one penalty for all of them left R2 near 0."""
    found = [
        r2(s["test"]["log_return"].numpy(), baselines.ridge(**s)) for s in (an_ar1(2500, 0.25, k) for k in range(8))
    ]
    assert np.mean(found) > 0.04


def test_ridge_still_finds_what_lies_in_all_days_alike():
    """The mean of 40 days tells the next: weights that fade with the lag cannot hold it."""
    rng = np.random.default_rng(0)
    x = rng.standard_normal((6000, 40, 1))
    y = 0.5 * np.sqrt(40) * x.mean(1) + rng.standard_normal((6000, 1))
    cut = [slice(0, 4000), slice(4000, 5000), slice(5000, 6000)]
    train, validation, test = ({"window": torch.tensor(x[c]), "log_return": torch.tensor(y[c])} for c in cut)
    assert r2(y[cut[2]], baselines.ridge(train, validation, test)) == pytest.approx(0.2, abs=0.04)


def test_ridge_finds_a_linear_rule_over_several_days():
    splits = parts(days=3000, signal=0.5)
    error = splits["test"]["log_return"].numpy() - baselines.ridge(
        *(splits[n] for n in ("train", "validation", "test"))
    )
    assert 1 - (error**2).sum() / (splits["test"]["log_return"].numpy() ** 2).sum() > 0.3


@pytest.mark.parametrize(("kept", "name"), [(OneLagForecast, "one lag"), (RidgeForecast, "ridge")])
def test_what_is_kept_of_a_baseline_forecasts_what_it_forecasts(kept, name):
    splits = parts(horizon_days=2)
    network = kept(["return", "range"], 2)
    network.fit_to(splits)
    module = StockForecaster(network)
    for buffer in ("feature_mean", "feature_sd", "target_mean", "target_sd"):
        getattr(module, buffer).copy_(getattr(network, buffer))
    assert np.allclose(module.log_return(splits["test"]), baselines.forecasts(splits)[name], atol=1e-6)


def test_rules_and_one_lag_without_returns_are_not_kept():
    network = {"inputs": ["return"], "horizon_days": 2}
    assert StockForecaster.baseline_network("one lag", network)["_target_"].endswith("OneLagForecast")
    assert StockForecaster.baseline_network("one lag", {"inputs": ["range"]}) is None
    for rule in ("persistence", "drift", "historical mean", "seasonal"):
        assert StockForecaster.baseline_network(rule, network) is None
