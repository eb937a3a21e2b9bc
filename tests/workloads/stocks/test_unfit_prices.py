"""Prices that no verdict can be given on are called by their code, in one line, before anything is trained."""

import re

import numpy as np
import pandas as pd
import pytest

from fulmen.errors import FulmenError
from fulmen.workloads.stocks import trading
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.reading import Reading
from fulmen.workloads.stocks.steps import Limits

FEATURES = ["return"]


def written(tmp_path, days, close=None, name="prices.csv"):
    rng = np.random.default_rng(0)
    close = 100 * np.exp(np.cumsum(0.01 * rng.standard_normal(len(days)))) if close is None else close
    pd.DataFrame({"Date": days, "Close": close}).to_csv(tmp_path / name, index=False)
    return str(tmp_path / name)


def business(count):
    return pd.bdate_range("2015-01-01", periods=count)


def refused(path, **options):
    data = StocksData(csv=path, features=FEATURES, lookback_days=10, cache=f"{path}.cache", **options)
    with pytest.raises(FulmenError) as error:
        data.setup()
    assert "\n" not in str(error.value)
    return str(error.value)


def test_unsorted_days(tmp_path):
    days = business(300).to_numpy().copy()
    days[[100, 101]] = days[[101, 100]]
    assert "lies before the line above it (FUL-T04 unsorted times)" in refused(written(tmp_path, days))


def test_shuffled_days_are_unsorted_and_have_no_mistyped_year(tmp_path):
    days = np.random.default_rng(0).permutation(pd.bdate_range("2018-01-01", periods=800).to_numpy())
    said = refused(written(tmp_path, days))
    assert "lies before the line above it (FUL-T04 unsorted times)" in said
    assert "sort the lines by date" in said
    assert "correct the year" not in said


def test_one_mistyped_year_is_still_told(tmp_path):
    days = business(300).to_numpy().copy()
    days[100] = days[100] + np.timedelta64(20 * 365, "D")
    assert "is in another year than the lines around it" in refused(written(tmp_path, days))


def test_a_hole(tmp_path):
    days = business(300).delete(range(100, 150))
    said = refused(written(tmp_path, days))
    assert "would count as the next day (FUL-T05 irregular times). Fill the hole" in said
    assert said.endswith(f"data.longest_gap_days={(days[100] - days[99]).days}")


def test_days_at_various_times(tmp_path):
    days = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.cumsum([12] * 200), unit="D")
    assert "at various times (FUL-T05 irregular times)" in refused(written(tmp_path, days))


def test_uneven_steps_that_are_let_be_are_told(tmp_path):
    steps = np.where(np.arange(300) % 5 == 0, 25, 1)
    days = pd.Timestamp("2000-01-01") + pd.to_timedelta(np.cumsum(steps), unit="D")
    reading = Reading(limits=Limits("any"), features=tuple(FEATURES))
    _, taken = read_prices(written(tmp_path, days), reading)
    assert [doubt for doubt in taken.doubts if doubt.startswith("FUL-T05 irregular times: one line in ten is 1 days")]
    _, taken = read_prices(written(tmp_path, business(300)), reading)
    assert not [doubt for doubt in taken.doubts if "FUL-T05" in doubt]


def test_prices_that_stand_still(tmp_path):
    said = refused(written(tmp_path, business(300), np.full(300, 5.0)))
    assert "Close is 5 in all 300 lines (FUL-T00 constant target)" in said


@pytest.mark.parametrize("count", [8, 60])
def test_too_few_days(tmp_path, count):
    assert "(FUL-T03 too few rows)" in refused(written(tmp_path, business(count)))


def test_trading_over_few_days_gets_no_words():
    rng = np.random.default_rng(0)
    few = trading.Traded(0.01 + 0.001 * rng.standard_normal(30), np.ones(30), 252.0)
    said = trading.in_words(few, few)
    assert said == "FUL-V05 too few: 30 days are too few to say what trading by its sign earns."
    long = trading.Traded(0.01 + 0.001 * rng.standard_normal(300), np.ones(300), 252.0, span=10)
    assert re.match("FUL-V05 too few: 30 spans of 10 days", trading.in_words(long, long))
