"""The simulated market has the habits of prices and the predictability it promises."""

import numpy as np
import pytest
from scipy import stats

from fulmen.workloads.stocks.features import log_returns
from fulmen.workloads.stocks.simulator import ar1, regime_path, shocks, simulate_market


def returns(days=40_000, **options):
    return log_returns(simulate_market(days, **{"seed": 0, **options}).close)[1:]


def autocorrelation(x, lag):
    return np.corrcoef(x[lag:], x[:-lag])[0, 1]


def test_prices_are_consistent():
    p = simulate_market(5000, seed=1)
    assert (p.low <= np.minimum(p.open, p.close)).all()
    assert (p.high >= np.maximum(p.open, p.close)).all()
    assert (p.low > 0).all()
    assert (p.volume > 0).all()
    assert (np.diff(p.day) > 0).all()
    assert np.is_busday(p.day.astype("datetime64[D]")).all()


def test_volatility_is_that_of_a_stock_and_comes_in_clusters():
    r = returns()
    assert 0.2 < r.std() * np.sqrt(252) < 0.5
    assert stats.kurtosis(r) > 3
    assert min(autocorrelation(r**2, lag) for lag in (1, 5, 20)) > 0.02


def test_without_signal_returns_are_uncorrelated():
    assert max(abs(autocorrelation(np.sign(returns()), lag)) for lag in (1, 2, 5)) < 0.02


@pytest.mark.parametrize("signal", [0.05, 0.25])
def test_yesterday_explains_the_promised_share_of_variance(signal):
    """In an AR(1) with coefficient sqrt(R2), R2 is the squared correlation of neighbours."""
    rng = np.random.default_rng(0)
    x = ar1(np.sqrt(signal), np.sqrt(1 - signal) * shocks(400_000, rng))
    assert autocorrelation(x, 1) ** 2 == pytest.approx(signal, rel=0.1)
    assert x.var() == pytest.approx(1, rel=0.03)


def test_regimes_last_as_long_as_their_chance_to_stay_says():
    path = regime_path(400_000, np.random.default_rng(0), (0.985, 0.97, 0.95))
    for regime, stay in enumerate((0.985, 0.97, 0.95)):
        now = path[:-1] == regime
        assert (path[1:][now] == regime).mean() == pytest.approx(stay, abs=0.003)


def test_seed_decides_everything():
    assert np.array_equal(returns(500), returns(500))
    assert not np.array_equal(returns(500), returns(500, seed=1))
