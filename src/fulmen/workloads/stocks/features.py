"""What a network sees of a day, by name. Every feature of day t is a function of days up to t.

return                 log(C_t / C_{t-1})
close                  C_t itself: for models of price levels
gap                    log(O_t / C_{t-1})
range                  log(H_t / L_t)
volume                 log((V_t + 1) / (mean V of 20 days + 1))
moving_average_<n>     log(C_t / mean C of n days)
volatility_<n>         standard deviation of the returns of n days
momentum_<n>           log(C_t / C_{t-n})
"""

import re
from collections.abc import Callable, Sequence

import numpy as np

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.workloads.stocks.simulator import Prices


def log_returns(close: np.ndarray) -> np.ndarray:
    """log(C_t / C_{t-1}), nan on the first day. Shape [days]."""
    return np.diff(np.log(close), prepend=np.nan)


def trailing_mean(x: np.ndarray, days: int) -> np.ndarray:
    """Mean of the last `days` values, nan where there are fewer. Shape [days]."""
    mean = np.full(len(x), np.nan)
    if len(x) >= days:
        mean[days - 1 :] = np.lib.stride_tricks.sliding_window_view(x, days).mean(-1)
    return mean


def trailing_sd(x: np.ndarray, days: int) -> np.ndarray:
    """Standard deviation of the last `days` values, nan where there are fewer. Shape [days]."""
    sd = np.full(len(x), np.nan)
    if len(x) >= days:
        sd[days - 1 :] = np.lib.stride_tricks.sliding_window_view(x, days).std(-1)
    return sd


def lagged(x: np.ndarray, days: int) -> np.ndarray:
    """The value `days` ago, nan where there is none."""
    return np.concatenate([np.full(min(days, len(x)), np.nan), x[:-days]])


DAILY: dict[str, Callable[[Prices], np.ndarray]] = {
    "return": lambda p: log_returns(p.close),
    "close": lambda p: p.close,
    "gap": lambda p: np.log(p.open / lagged(p.close, 1)),
    "range": lambda p: np.log(p.high / p.low),
    "volume": lambda p: np.log((p.volume + 1) / (trailing_mean(p.volume, 20) + 1)),
}
READS = {"gap": ("open", "close"), "range": ("high", "low"), "volume": ("volume",)}  # all others: Close alone
FEATURES = ("return", "range", "volume", "moving_average_20", "volatility_20")  # of a data set, by default
OVER_DAYS: dict[str, Callable[[Prices, int], np.ndarray]] = {
    "moving_average": lambda p, n: np.log(p.close / trailing_mean(p.close, n)),
    "volatility": lambda p, n: trailing_sd(log_returns(p.close), n),
    "momentum": lambda p, n: np.log(p.close / lagged(p.close, n)),
}


def feature(name: str) -> Callable[[Prices], np.ndarray]:
    """The function from prices to the feature `name`, [days].

    Raises:
        FulmenError: there is no such feature.
    """
    if name in DAILY:
        return DAILY[name]
    windowed = re.fullmatch(r"([a-z_]+)_([1-9]\d*)", name)
    if windowed and windowed[1] in OVER_DAYS:
        function, days = OVER_DAYS[windowed[1]], int(windowed[2])
        return lambda prices: function(prices, days)
    known = [*DAILY, *(f"{stem}_20" for stem in OVER_DAYS)]
    raise FulmenError(
        f"features: there is no {name}{did_you_mean(name, known)} (any other number of days may stand for 20)"
    )


def columns_read(name: str) -> tuple[str, ...]:
    """The prices that a feature is made of, fields of `Prices`."""
    return READS.get(name, ("close",))


def features(prices: Prices, names: Sequence[str]) -> np.ndarray:
    """Features [days, F]; nan where the history is too short."""
    return np.stack([feature(name)(prices) for name in names], axis=1)


def ewma_volatility(close: np.ndarray, decay: float = 0.94) -> np.ndarray:
    """Daily volatility by exponentially weighted squared returns (RiskMetrics), nan on the first 20 days. [days]."""
    squared = np.nan_to_num(log_returns(close) ** 2)
    volatility = np.full(len(close), np.nan)
    if len(close) > 20:
        variance = squared[1:21].mean()
        for t in range(20, len(close)):
            variance = decay * variance + (1 - decay) * squared[t]
            volatility[t] = np.sqrt(max(variance, 1e-12))
    return volatility
