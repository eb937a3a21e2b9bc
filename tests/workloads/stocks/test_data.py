"""Windows hold what they say, nothing of the future, and no day in two parts."""

import numpy as np
import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.features import ewma_volatility, feature, features
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.simulator import simulate_market
from fulmen.workloads.stocks.splits import chronological, walk_forward

SMALL = {"days": 700, "lookback_days": 20}
NAMES = ["return", "close", "gap", "range", "volume", "moving_average_5", "volatility_10", "momentum_3"]


def ready(**options):
    data = StocksData(**{**SMALL, **options})
    data.prepare_data()
    data.setup()
    return data


@pytest.mark.parametrize("horizon", [1, 5, 30])
def test_a_window_ends_on_its_day_and_its_target_begins_the_day_after(horizon):
    data = ready(features=["close", "return"], horizon_days=horizon)
    for part in data.splits.values():
        close, r = part["window"][:, :, 0].double(), part["window"][:, :, 1].double()
        assert torch.allclose(close[:, -1], part["price"].double())
        assert torch.allclose(r[:, 1:], close.log().diff(dim=1), atol=1e-5)
        assert part["log_return"].shape[1] == horizon
        if horizon > 1 and len(close) > horizon:  # consecutive windows: the next return is the newest input of the next
            assert torch.allclose(part["log_return"][:-1, 0].double(), r[1:, -1], atol=1e-6)
            longest = close[horizon:, -1].log() - close[:-horizon, -1].log()
            assert torch.allclose(part["log_return"][:-horizon, -1].double(), longest, atol=1e-5)


def test_the_future_changes_no_feature():
    prices = simulate_market(300, seed=0)
    doubled = {name: np.where(np.arange(300) > 200, 2 * getattr(prices, name), getattr(prices, name))
               for name in ("open", "high", "low", "close", "volume")}  # fmt: skip
    changed = type(prices)(prices.ticker, prices.day, **doubled)
    before, after = features(prices, NAMES), features(changed, NAMES)
    assert np.array_equal(before[:201], after[:201], equal_nan=True)
    assert np.array_equal(ewma_volatility(prices.close)[:201], ewma_volatility(changed.close)[:201], equal_nan=True)


def test_features_are_what_their_names_say():
    p = simulate_market(100, seed=0)
    t = 80
    expected = {
        "return": np.log(p.close[t] / p.close[t - 1]),
        "gap": np.log(p.open[t] / p.close[t - 1]),
        "range": np.log(p.high[t] / p.low[t]),
        "volume": np.log((p.volume[t] + 1) / (p.volume[t - 19 : t + 1].mean() + 1)),
        "moving_average_5": np.log(p.close[t] / p.close[t - 4 : t + 1].mean()),
        "volatility_10": np.diff(np.log(p.close))[t - 10 : t].std(),
        "momentum_3": np.log(p.close[t] / p.close[t - 3]),
    }
    assert {name: feature(name)(p)[t] for name in expected} == pytest.approx(expected)


@pytest.mark.parametrize("tickers", [1, 3])
def test_no_target_day_is_in_two_parts_and_parts_follow_each_other(tickers):
    horizon = 5
    data = ready(horizon_days=horizon, tickers=tickers, embargo_days=7)
    calendar = np.unique(data.splits["train"]["day"].numpy())
    first = {name: np.unique(part["day"].numpy())[0] for name, part in data.splits.items()}
    last = {name: np.unique(part["day"].numpy())[-1] for name, part in data.splits.items()}
    for earlier, later in (("train", "validation"), ("validation", "test")):
        gap = np.busday_count(np.datetime64(int(last[earlier]), "D"), np.datetime64(int(first[later]), "D"))
        assert gap == horizon + 7  # the targets of the last window, then the embargo
    assert len(calendar) > 300


def test_folds_test_every_day_once_and_train_before_they_test():
    options = {"days": 1000, "folds": 4, "validation": 0.15, "test": 0.4, "embargo_days": 0}
    folds = [walk_forward(fold=k, **options) for k in range(4)]
    assert [fold.test for fold in folds] == [(600, 700), (700, 800), (800, 900), (900, 1000)]
    assert [fold.train[1] for fold in folds] == [fold.validation[0] for fold in folds]
    assert [fold.validation[1] for fold in folds] == [fold.test[0] for fold in folds]
    assert [fold.train[0] for fold in folds] == [0, 0, 0, 0]
    sliding = [walk_forward(fold=k, training="sliding", **options).train for k in range(4)]
    assert len({end - begin for begin, end in sliding}) == 1


def test_the_folds_of_the_data_test_one_day_after_the_other():
    days = [np.unique(ready(fold=k, folds=2, embargo_days=0).splits["test"]["day"].numpy()) for k in range(2)]
    assert len(days[0]) > 40
    assert np.busday_count(days[0][-1].astype("datetime64[D]"), days[1][0].astype("datetime64[D]")) == 1


def test_one_split_takes_the_shares_from_the_end():
    split = chronological(1000, validation=0.1, test=0.2, embargo_days=5)
    assert (split.train, split.validation, split.test) == ((0, 700), (705, 800), (805, 1000))


def test_several_tickers_share_one_calendar():
    data = ready(tickers=3)
    assert set(data.splits["test"]["ticker"].tolist()) == {0, 1, 2}
    days = [set(data.splits["test"]["day"][data.splits["test"]["ticker"] == k].tolist()) for k in range(3)]
    assert days[0] == days[1] == days[2]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"lookback_days": 5}, "lookback_days is 5; it must lie between 10 and 120"),
        ({"horizon_days": 31}, "horizon_days is 31"),
        ({"features": ["returns"]}, "there is no returns; did you mean return"),
        ({"features": []}, "name at least one"),
        ({"signal": 1.0}, "signal is 1.0"),
        ({"test": 0.9}, "test is 0.9"),
        ({"fold": 5, "folds": 5}, "fold is 5; with folds=5 it runs from 0 to 4"),
        ({"days": 60}, "60 days leave 2 windows in the train split, 20 are needed"),
        ({"days": 30}, "SIM0: 30 days are too few: the features take 20"),
        ({"days": 150, "horizon_days": 30}, "150 days leave 0 windows in the validation split"),
    ],
    ids=str,
)
def test_impossible_settings_are_refused(options, message):
    with pytest.raises(FulmenError, match=message):
        ready(**options)


def test_real_prices_are_read(shared):
    ((prices,), _) = read_prices(shared / "NVDA.csv")
    assert len(prices) == 2768
    assert np.isfinite(features(prices, NAMES)[20:]).all()


def test_tickers_that_are_left_out_are_not_there_and_the_data_are_others():
    every, one = ready(tickers=3), ready(tickers=3, leave_out=[ready(tickers=3).tickers[1]])
    assert one.tickers == [every.tickers[0], every.tickers[2]]
    assert one.fingerprint != every.fingerprint
    assert one.all_samples().without(one.tickers[1:]) == (f"data.leave_out=[{every.tickers[1]},{every.tickers[2]}]",)
    with pytest.raises(FulmenError, match="leave_out: there is no ticker B"):
        ready(leave_out=["B"])
    with pytest.raises(FulmenError, match="leave_out: no ticker is left"):
        ready(leave_out=ready().tickers)
