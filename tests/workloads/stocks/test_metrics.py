"""Metrics against closed forms and other people's code."""

import numpy as np
import pytest
from scipy import stats
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error

from fulmen.workloads.stocks.metrics import by_day, diebold_mariano, overall, per_step, wilson_interval


@pytest.fixture
def example():
    rng = np.random.default_rng(0)
    true = rng.normal(0, 0.02, (300, 3))
    return {
        "predicted": 0.5 * true + rng.normal(0, 0.01, true.shape),
        "true": true,
        "price": rng.uniform(50, 60, 300),
        "day": np.arange(300),
        "train": rng.normal(0.001, 0.02, (500, 3)),
    }


def test_errors_are_those_of_scikit_learn(example):
    found, e = per_step(**example), example
    price, price_hat = (e["price"][:, None] * np.exp(e[name]) for name in ("true", "predicted"))
    for h in range(3):
        assert found["rmse_return"][h] == pytest.approx(root_mean_squared_error(e["true"][:, h], e["predicted"][:, h]))
        assert found["mae_price"][h] == pytest.approx(mean_absolute_error(price[:, h], price_hat[:, h]))
        naive = root_mean_squared_error(price[:, h], e["price"])
        assert found["skill_price"][h] == pytest.approx(
            1 - root_mean_squared_error(price[:, h], price_hat[:, h]) / naive
        )
        assert found["mase"][h] == pytest.approx(
            mean_absolute_error(e["true"][:, h], e["predicted"][:, h]) / np.abs(e["train"][:, h]).mean()
        )


def test_out_of_sample_r2_is_r2_when_the_training_mean_is_the_test_mean(example):
    example["train"] = example["true"]
    expected = r2_score(example["true"], example["predicted"], multioutput="raw_values")
    assert per_step(**example)["r2_oos"] == pytest.approx(expected)


def test_perfect_and_naive_forecasts_bound_the_scale(example):
    perfect = per_step(**example | {"predicted": example["true"]})
    naive = per_step(**example | {"predicted": np.zeros((300, 3))})
    assert perfect["skill"] == pytest.approx(1)
    assert perfect["direction"] == pytest.approx(1)
    assert naive["skill"] == pytest.approx(0)
    assert naive["dm_p"].tolist() == [1, 1, 1]


def test_diebold_mariano_for_one_day_is_a_paired_t_test():
    """With h = 1, HLN's factor (n - 1) / n turns the statistic into that of the t test."""
    loss, reference = np.random.default_rng(0).gamma(2, 1, (2, 80))
    expected = stats.ttest_rel(reference, loss, alternative="greater")
    assert diebold_mariano(loss, reference) == pytest.approx((expected.statistic, expected.pvalue))


def test_diebold_mariano_counts_overlap():
    """Moving sums over h days have the long-run variance h^2 of one day's, which the plain t test misses."""
    rng, h, found, plain = np.random.default_rng(0), 5, [], []
    for _ in range(400):
        d = np.convolve(rng.standard_normal(404), np.ones(h), "valid")
        found.append(diebold_mariano(np.zeros(400), d, h)[1] < 0.05)
        plain.append(diebold_mariano(np.zeros(400), d, 1)[1] < 0.05)
    assert 0.02 < np.mean(found) < 0.09
    assert np.mean(plain) > 0.15


def test_overall_p_of_one_step_is_that_of_the_step(example):
    one = {name: value[:, :1] if value.ndim == 2 else value for name, value in example.items()}
    assert overall(one["predicted"], one["true"], one["day"])[1] == pytest.approx(per_step(**one)["dm_p"][0])


def test_tickers_of_one_day_count_as_one_observation():
    day = np.array([3, 1, 3, 1])
    assert by_day(np.array([1.0, 2.0, 3.0, 4.0]), day).tolist() == [3.0, 2.0]


def test_wilson_interval_is_scipys():
    expected = stats.binomtest(57, 100).proportion_ci(method="wilson")
    assert wilson_interval(np.float64(0.57), 100) == pytest.approx((expected.low, expected.high))
