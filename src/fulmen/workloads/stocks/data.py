"""Windows of daily features with the log-returns that follow them, split in time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from fulmen.data.cache import Arrays, cache_folder, cached, fingerprint
from fulmen.errors import FulmenError
from fulmen.workload import WorkloadData
from fulmen.workloads.stocks import prices, simulator
from fulmen.workloads.stocks.features import ewma_volatility, feature, features
from fulmen.workloads.stocks.prices import download, read_csv
from fulmen.workloads.stocks.simulator import Prices, simulate_market
from fulmen.workloads.stocks.splits import Split, chronological, members, walk_forward

SERIES = tuple(field.name for field in fields(Prices) if field.name != "ticker")
MINIMUM = 20  # windows in each part: 95 % intervals need 19 scores to calibrate on
FEATURES = ("return", "range", "volume", "moving_average_20", "volatility_20")


class StocksData(WorkloadData):
    """Windows over a CSV of daily prices or over a simulated market, split in time, batched.

    A batch holds `window` [B, lookback, F], `log_return` [B, H] = log(P_{t+h} / P_t) for h = 1..H, `price` P_t [B],
    `volatility` [B] (daily, known at t), `drift` [B] (mean return of the window), `day` t [B] (since 1970-01-01) and
    `ticker` [B].

    Args:
        csv: a file, or several, with Date, Open, High, Low, Close, Volume and optionally Adj Close and Ticker; replaces
            the simulated market.
        download: tickers to fetch from Yahoo (extra `stocks`), once; replaces the simulated market.
        start: first day of the download, ISO.
        end: the day after the last of the download, ISO.
        days: of the simulated market.
        tickers: of the simulated market.
        signal: share of the variance of its returns that the day before explains; 0: nothing to find.
        lookback_days: length of a window, 10 to 120.
        horizon_days: how many days ahead, 1 to 30.
        features: see `features.py`.
        validation: share of the days.
        test: share of the days, the last ones.
        embargo_days: left out after each border between splits.
        fold: number of a walk-forward fold, from 0; null for one split.
        folds: number of walk-forward folds; together they test the share `test`.
        training: "expanding" from the first day on, or "sliding": as many days in each fold.
        batch_size: windows per training batch.
        seed: of the simulated market and the order of the batches.
        cache: folder of the prepared arrays; `outputs/cache` by default.
    """

    folds_in_time = True
    reads = "csv"

    def __init__(
        self,
        csv: str | Sequence[str] | None = None,
        download: Sequence[str] | None = None,
        start: str = "2013-01-01",
        end: str = "2025-01-01",
        days: int = 2500,
        tickers: int = 1,
        signal: float = 0.05,
        lookback_days: int = 60,
        horizon_days: int = 1,
        features: Sequence[str] = FEATURES,
        validation: float = 0.15,
        test: float = 0.15,
        embargo_days: int = 5,
        fold: int | None = None,
        folds: int = 5,
        training: Literal["expanding", "sliding"] = "expanding",
        batch_size: int = 64,
        seed: int = 42,
        cache: str | None = None,
    ):
        super().__init__(batch_size, seed)
        _between("lookback_days", lookback_days, 10, 120)
        _between("horizon_days", horizon_days, 1, 30)
        _between("validation", validation, 0.01, 0.5)
        _between("test", test, 0.01, 0.5)
        _between("embargo_days", embargo_days, 0, 250)
        _between("signal", signal, 0.0, 0.99)
        _between("tickers", tickers, 1, 1000)
        if not features:
            raise FulmenError("features: name at least one, for example [return]")
        for name in features:
            feature(name)
        if csv and download:
            raise FulmenError("csv and download exclude each other: choose one source of prices")
        self.csv = [csv] if isinstance(csv, str) else list(csv or ())
        for path in self.csv:
            if not Path(path).is_file():
                raise FulmenError(f"csv: there is no file {path}")
        self.yahoo, self.span = list(download or ()), (start, end)
        self.market: dict[str, Any] = {"days": days, "tickers": tickers, "signal": signal, "seed": seed}
        self.lookback_days, self.horizon_days = lookback_days, horizon_days
        self.features = tuple(features)
        self.shares: dict[str, Any] = {"validation": validation, "test": test, "embargo_days": embargo_days}
        self.walk: dict[str, Any] | None = (
            None if fold is None else {"fold": fold, "folds": folds, "training": training}
        )
        self.cache = cache
        self.fingerprint = ""

    def prepare_data(self) -> None:
        self._arrays()

    def setup(self, stage: str | None = None) -> None:
        if self.splits:
            return
        series = series_from(self._arrays())
        self.tickers = [one.ticker for one in series]
        calendar = np.unique(np.concatenate([one.day for one in series]))
        self.split = self._split(len(calendar))
        windows = [self._windows(one, number, calendar) for number, one in enumerate(series)]
        everything = {name: np.concatenate([w[name] for w in windows]) for name in windows[0]}
        span = {name: everything.pop(name) for name in ("first_target", "last_target")}
        for name, part in self.split.parts().items():
            inside = members(**span, part=part)
            if inside.sum() < MINIMUM:
                raise FulmenError(self._too_few(name, int(inside.sum()), len(calendar)))
            self.splits[name] = {key: torch.from_numpy(value[inside]) for key, value in everything.items()}

    def _split(self, days: int) -> Split:
        return walk_forward(days, **self.walk, **self.shares) if self.walk else chronological(days, **self.shares)

    def _windows(self, series: Prices, number: int, calendar: np.ndarray) -> dict[str, np.ndarray]:
        """All windows of one ticker whose features are known: the entries of a batch, first and last target day."""
        lookback, horizon = self.lookback_days, self.horizon_days
        x, volatility, first = known_days(series, self.features)
        origin = np.arange(first + lookback - 1, len(series) - horizon)
        if len(origin) == 0:
            needed = warm_up(self.features)
            raise FulmenError(
                f"{series.ticker}: {len(series)} days are too few: the features take {needed}, a window takes "
                f"lookback_days={lookback} and horizon_days={horizon}"
            )
        log_price = np.log(series.close)
        ahead = origin[:, None] + np.arange(1, horizon + 1)  # [N, H]
        return inputs_at(series, x, volatility, origin, lookback) | {
            "log_return": (log_price[ahead] - log_price[origin, None]).astype(np.float32),
            "drift": ((log_price[origin] - log_price[origin - lookback + 1]) / (lookback - 1)).astype(np.float32),
            "ticker": np.full(len(origin), number),
            "first_target": np.searchsorted(calendar, series.day[origin + 1]),
            "last_target": np.searchsorted(calendar, series.day[origin + horizon]),
        }

    def _too_few(self, part: str, windows: int, days: int) -> str:
        return (
            f"{days} days leave {windows} windows in the {part} split, {MINIMUM} are needed; give more days or change "
            f"lookback_days={self.lookback_days}, horizon_days={self.horizon_days}, "
            f"validation={self.shares['validation']}, test={self.shares['test']} or "
            f"embargo_days={self.shares['embargo_days']}"
        )

    def _arrays(self) -> Arrays:
        files = self._files()
        source = {"csv": [Path(path).name for path in files]} if files else self.market
        self.fingerprint = fingerprint(source, code=(simulator, prices), files=files)
        build = (lambda: arrays_from([one for path in files for one in read_csv(path)])) if files else self._simulate
        return cached("stocks", self.fingerprint, build, Path(self.cache) if self.cache else None)

    def _files(self) -> list[str]:
        """The CSV files to read, downloaded first if need be; none for the simulated market."""
        if self.yahoo:
            folder = (Path(self.cache) if self.cache else cache_folder()) / "downloads"
            return [str(download(ticker, *self.span, folder)) for ticker in self.yahoo]
        return self.csv

    def _simulate(self) -> Arrays:
        days, signal, seed = self.market["days"], self.market["signal"], self.market["seed"]
        seeds = np.random.SeedSequence(seed).generate_state(self.market["tickers"]).tolist()
        return arrays_from([simulate_market(days, s, signal, ticker=f"SIM{i}") for i, s in enumerate(seeds)])


def known_days(series: Prices, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, int]:
    """Features [days, F], volatility [days], and the first day from which on all of them are known.

    Raises:
        FulmenError: a feature cannot be computed on a later day.
    """
    x, volatility = features(series, names), ewma_volatility(series.close)
    known = np.isfinite(np.column_stack([x, volatility])).all(1)
    first = int(known.argmax()) if known.any() else len(series)
    if not known[first:].all():
        day, name = np.argwhere(~np.isfinite(x[first:]))[0]
        when = np.datetime64(int(series.day[first + day]), "D")
        raise FulmenError(f"{series.ticker}: {names[name]} cannot be computed on {when}")
    return x, volatility, first


@cache
def warm_up(names: tuple[str, ...]) -> int:
    """Days before the first on which all features are known; a series shorter than that cannot tell."""
    longest = max((int(number) for name in names for number in re.findall(r"\d+", name)), default=0)
    return known_days(simulate_market(1000 + 2 * longest, seed=0), names)[2]


def inputs_at(
    series: Prices, x: np.ndarray, volatility: np.ndarray, origin: np.ndarray, lookback: int
) -> dict[str, np.ndarray]:
    """What a forecast from the days `origin` [N] needs, of features `x` [days, F] and `volatility` [days]."""
    window = sliding_window_view(x, lookback, axis=0)[origin - lookback + 1].transpose(0, 2, 1)
    return {
        "window": np.ascontiguousarray(window, dtype=np.float32),  # [N, lookback, F]
        "price": series.close[origin].astype(np.float32),
        "volatility": volatility[origin].astype(np.float32),
        "day": series.day[origin],
    }


def arrays_from(series: Sequence[Prices]) -> Arrays:
    """Tickers one after the other: each field of `Prices` in one array, with names and lengths."""
    names = [one.ticker for one in series]
    for name in names:
        if names.count(name) > 1:
            raise FulmenError(f"csv: the ticker {name} comes twice; name the files or their Ticker columns differently")
    arrays = {name: np.concatenate([getattr(one, name) for one in series]) for name in SERIES}
    return arrays | {"ticker": np.array(names), "length": np.array([len(one) for one in series])}


def series_from(arrays: Mapping[str, np.ndarray]) -> list[Prices]:
    """The tickers in what `arrays_from` made."""
    borders = np.cumsum(arrays["length"])[:-1]
    columns = {name: np.split(np.asarray(arrays[name]), borders) for name in SERIES}
    return [
        Prices(str(ticker), **{name: column[i] for name, column in columns.items()})
        for i, ticker in enumerate(arrays["ticker"])
    ]


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise FulmenError(f"{name} is {value}; it must lie between {low} and {high}")
