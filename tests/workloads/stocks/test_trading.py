"""Trading by the sign of a forecast: returns, turnover and costs by hand, the Sharpe ratio by simulation."""

import numpy as np
import pytest
from scipy import stats

from fulmen.workloads.stocks import trading
from fulmen.workloads.stocks.evaluate import directions
from fulmen.workloads.stocks.trading import Traded, bought, in_words, sharpe, table, traded

DAY = np.array([0, 1, 2, 3])


def of_one(sign, simple):
    return traded(np.array(sign, dtype=float)[:, None], np.log1p(simple), np.zeros(len(sign)), np.arange(len(sign)))


def test_a_table_by_hand():
    """Long, long, short, flat over +1 %, -2 %, -3 %, +5 %: +1 -2 +3 +0 %; bought 1, then 0, turned round 2, sold 1."""
    ours = of_one([0.2, 0.1, -0.3, 0.0], [0.01, -0.02, -0.03, 0.05])
    assert ours.earned == pytest.approx([0.01, -0.02, 0.03, 0.0])
    assert ours.moved.tolist() == [1, 0, 2, 1]
    assert ours.after(20) == pytest.approx([0.01 - 0.002, -0.02, 0.03 - 0.004, -0.002])
    assert ours.bears_bp == pytest.approx(1e4 * 0.02 / 4)
    assert ours.periods == pytest.approx(365.25)
    held = bought(np.log1p([0.01, -0.02, -0.03, 0.05]), np.zeros(4), DAY)
    rows = table(ours, held)
    assert [(row[""], row["cost, bp"]) for row in rows] == [
        (name, cost) for name in ("sign of the forecast", "buy and hold") for cost in (0, 5, 20)
    ]
    assert [row["turnover a year"] for row in rows] == pytest.approx([365.25] * 3 + [365.25 / 4] * 3)
    by_hand = [0.02, 0.02 - 4 * 0.0005, 0.02 - 4 * 0.002, 0.01, 0.01 - 0.0005, 0.01 - 0.002]
    assert [row["mean return a year"] for row in rows] == pytest.approx([365.25 / 4 * each for each in by_hand])
    gross = np.array([0.01, -0.02, 0.03, 0.0])
    assert rows[0]["Sharpe ratio"] == pytest.approx(gross.mean() / gross.std() * np.sqrt(365.25))


def test_positions_over_several_days_overlap():
    """Over two days ahead half of the capital goes on each day's sign: 1/2, 1, 0, -1; a fifth of it over five."""
    forecast = np.column_stack([[-9.0, -9, 9, 9], [1.0, 1, -1, -1]])
    ours = traded(forecast, np.log1p([0.1, 0.1, 0.1, 0.1]), np.zeros(4), DAY)
    assert ours.earned == pytest.approx([0.05, 0.1, 0.0, -0.1])
    assert ours.moved.tolist() == [0.5, 0.5, 1, 1]
    long = traded(np.ones((7, 5)), np.zeros(7), np.zeros(7), np.arange(7))
    assert long.moved == pytest.approx([0.2] * 5 + [0, 0])


def test_tickers_weigh_the_same_whatever_their_order():
    sign, simple = np.array([1.0, -1, 1, 1]), np.array([0.01, 0.04, 0.02, 0.02])
    ours = traded(sign[:, None], np.log1p(simple), np.array([1, 0, 0, 1]), np.array([5, 5, 6, 6]))
    assert ours.earned == pytest.approx([(0.01 - 0.04) / 2, 0.02])
    assert ours.moved.tolist() == [1, 1]  # the second ticker turns round: (2 + 0) / 2


def test_periods_of_a_year_are_those_of_the_calendar():
    week = bought(np.full(100, 0.01), np.zeros(100), np.arange(0, 700, 7))
    assert week.periods == pytest.approx(365.25 / 7)
    trading_days = np.busday_offset("2020-01-01", np.arange(1000), roll="forward").astype("datetime64[D]").astype(int)
    assert bought(np.zeros(1000), np.zeros(1000), trading_days).periods == pytest.approx(261, abs=0.5)


def test_the_interval_is_los_for_normal_independent_returns():
    """sqrt((1 + SR^2 / 2) / T), by period (Lo 2002, equation 6)."""
    returns = 0.1 + np.random.default_rng(0).standard_normal(200_000)
    ratio, low, high = sharpe(returns, 1.0)
    expected = stats.norm.ppf(0.975) * np.sqrt((1 + ratio**2 / 2) / len(returns))
    assert ((high - ratio) / expected, (ratio - low) / expected) == pytest.approx((1, 1), abs=0.02)
    assert sharpe(returns, 252.0)[0] == pytest.approx(ratio * np.sqrt(252))


@pytest.mark.parametrize("kind", ["wild", "autocorrelated"])
def test_the_interval_holds_the_truth_in_95_of_100(kind):
    rng, held = np.random.default_rng(1), 0
    for _ in range(400):
        if kind == "wild":
            returns, true = 0.1 + rng.standard_t(5, 600), 0.1 / np.sqrt(5 / 3)
        else:  # means of two days, as overlapping positions bring
            shocks = rng.standard_normal(601)
            returns, true = 0.1 + (shocks[1:] + shocks[:-1]) / 2, 0.1 * np.sqrt(2)
        _, low, high = sharpe(returns, 1.0, 2)
        held += low < true < high
    assert 365 <= held <= 393  # 380 expected, +- 3 deviations and a small sample's loss


def test_returns_that_stand_still_have_no_ratio():
    assert np.isnan(sharpe(np.zeros(50), 252)).all()
    flat = of_one([0.0] * 30, [0.01, -0.01] * 15)
    assert in_words(flat, flat) == "By its sign the forecast trades nothing that moves."
    assert table(flat, flat)[0]["Sharpe ratio, 95 %"] == ""


def told(edge_bp, turnover, seed=0, days=2000):
    """A day's returns of sd 1 % whose mean is `edge_bp`, and so much traded in it."""
    noise = 0.01 * np.random.default_rng(seed).standard_normal(days)
    earned = edge_bp / 1e4 + noise - noise.mean()
    ours = Traded(earned, np.full(days, turnover), 252.0)
    return in_words(ours, Traded(noise, np.zeros(days), 252.0))


def test_words_say_what_remains():
    assert told(0, 1).startswith("Trading by its sign is not shown to earn anything, even without costs (+0.0% a year")
    assert told(12, 1).startswith(
        "Trading by its sign earns something at costs of 5 bp (+17.6% a year, Sharpe ratio 1.11"
    )
    assert "; at 20 bp nothing is shown to remain (-20.2% a year" in told(12, 1)
    assert "it bears costs of 12.0 bp. Buying and holding: " in told(12, 1)
    assert "not shown to earn anything" in told(3, 1)
    assert "bears costs" not in told(3, 1), "what a mean that may be luck would pay for is not told"
    assert told(8, 1).startswith("Trading by its sign earns something without costs")
    assert told(12, 0.1).startswith("Trading by its sign earns something, and still does at costs of 20 bp")


def test_a_forecast_that_is_shown_to_lose_is_said_to_lose_and_more_than_all_is_told_as_a_sum():
    assert told(-12, 1).startswith("Trading by its sign is shown to lose, even without costs (-30.2% a year, Sharpe")
    assert "(the sum of daily returns is -151% a year of a stake held constant, Sharpe" in told(-60, 1)


def test_costs_are_in_basis_points():
    assert trading.COSTS_BP == (0, 5, 20)
    assert of_one([1.0, 1], [0.0, 0.0]).after(5).tolist() == [-0.0005, 0.0]


def test_a_forecast_that_always_says_up_is_said_to():
    true, main = np.array([[0.1], [-0.1], [-0.2]]), {"direction": 1 / 3, "direction_low": 0.06, "direction_high": 0.8}
    said = directions(main, np.full((3, 1), 0.01), true)
    assert said == "it forecasts a rise on every day, and 33% of them rose"
    assert directions(main, np.full((3, 1), -0.01), true) == "it forecasts a fall on every day, and 67% of them fell"
    mixed = directions(main, np.array([[1.0], [-1.0], [1.0]]), true)
    assert mixed == "33% of its directions are right (95 %: 6% to 80%)"
