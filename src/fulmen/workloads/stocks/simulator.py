"""A synthetic market with the habits of daily prices and a known share of predictable variance.

Log-return of day t, in a regime k_t that follows a Markov chain:

    r_t = sigma_t x_t,                                                   sigma_t = sigma(k_t) exp(h_t / 2)
    x_t = sqrt(R2) x_{t-1} + sqrt(1 - R2) e_t,                           e_t: Student t with 5 degrees, and jumps
    h_t = phi h_{t-1} + s (rho e_{t-1} + sqrt(1 - rho^2) z_t) - mean,    the leverage effect: rho < 0

e_t and x_t have unit variance, so that R2 (`signal`) is the share of the variance of x_t known the day before. There is
no drift, which could be learned too: with signal = 0 persistence is the best forecast of the log-price.
"""

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

DAYS_PER_YEAR = 252
BURN_IN_DAYS = 250


@dataclass(frozen=True)
class Regimes:
    """Calm, choppy and crisis markets: annual volatility, and the chance to stay for another day."""

    volatility_per_year: tuple[float, ...] = (0.20, 0.35, 0.65)
    stay: tuple[float, ...] = (0.985, 0.97, 0.95)


@dataclass(frozen=True)
class Prices:
    """Daily prices of one ticker, oldest day first; all arrays have shape [days].

    Attributes:
        day: since 1970-01-01.
        volume: traded shares.
    """

    ticker: str
    day: np.ndarray
    open: np.ndarray
    high: np.ndarray
    low: np.ndarray
    close: np.ndarray
    volume: np.ndarray

    def __len__(self) -> int:
        return len(self.day)


def simulate_market(
    days: int, seed: int, signal: float = 0.0, ticker: str = "SIM", start: str = "2010-01-04"
) -> Prices:
    """One ticker over `days` business days.

    Args:
        seed: equal seeds give equal prices.
        signal: share of the variance of tomorrow's shock that today's explains, 0 <= signal < 1.
        start: the first day, ISO.
    """
    rng = np.random.default_rng(seed)
    total = days + BURN_IN_DAYS
    regimes = Regimes()
    regime = regime_path(total, rng, regimes.stay)
    e = shocks(total, rng)
    x = ar1(np.sqrt(signal), np.sqrt(1 - signal) * e)
    sigma = np.array(regimes.volatility_per_year)[regime] / np.sqrt(DAYS_PER_YEAR) * volatility_factor(e, rng)
    log_return = np.clip(sigma * x, -0.6, 0.6)
    close = 100 * np.exp(np.cumsum(log_return[BURN_IN_DAYS:]))
    sigma, size = sigma[BURN_IN_DAYS:], np.abs(x[BURN_IN_DAYS:])
    before = np.concatenate([[100.0], close[:-1]])
    open_ = before * np.exp(0.45 * sigma * rng.standard_normal(days))
    up, down = np.abs(rng.standard_normal((2, days))) * 0.5 * sigma
    return Prices(
        ticker=ticker,
        day=np.busday_offset(start, np.arange(days), roll="forward").astype("datetime64[D]").astype(np.int64),
        open=open_,
        high=np.maximum(open_, close) * np.exp(up),
        low=np.minimum(open_, close) * np.exp(-down),
        close=close,
        volume=np.round(np.exp(16 + ar1(0.8, 0.2 * rng.standard_normal(days)) + 0.25 * size)),
    )


def regime_path(days: int, rng: np.random.Generator, stay: tuple[float, ...]) -> np.ndarray:
    """Regime numbers [days]: geometric sojourns, then one of the other regimes with equal chance."""
    path, now, filled = np.empty(days, dtype=np.int64), 0, 0
    while filled < days:
        sojourn = int(rng.geometric(1 - stay[now]))
        path[filled : filled + sojourn] = now
        filled += sojourn
        now = int(rng.choice([k for k in range(len(stay)) if k != now]))
    return path


def shocks(days: int, rng: np.random.Generator, jump_chance: float = 0.008, jump_sd: float = 2.5) -> np.ndarray:
    """Unit-variance shocks [days]: Student t with 5 degrees of freedom and, on rare days, a jump on top."""
    t5 = rng.standard_t(5, days) / np.sqrt(5 / 3)
    jump = (rng.random(days) < jump_chance) * rng.normal(0, jump_sd, days)
    return (t5 + jump) / np.sqrt(1 + jump_chance * jump_sd**2)


def volatility_factor(
    shock: np.ndarray, rng: np.random.Generator, persistence: float = 0.97, sd: float = 0.13, leverage: float = -0.4
) -> np.ndarray:
    """exp(h_t / 2) with a mean square of 1; h_t depends on shocks before day t only. Shape [days]."""
    innovation = leverage * np.concatenate([[0.0], shock[:-1]]) + np.sqrt(1 - leverage**2) * rng.standard_normal(
        len(shock)
    )
    variance = sd**2 / (1 - persistence**2)
    return np.exp((ar1(persistence, sd * innovation) - variance / 2) / 2)


def ar1(coefficient: float, innovation: np.ndarray) -> np.ndarray:
    """y_t = coefficient * y_{t-1} + innovation_t with y_{-1} = 0. Shape [days]."""
    return lfilter([1.0], [1.0, -coefficient], innovation)
