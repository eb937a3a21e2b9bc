"""Windows of daily features with the log-returns that follow them, split in time."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view

from fulmen import io
from fulmen.config.mistakes import as_text, did_you_mean
from fulmen.data.cache import Arrays, cache_folder, cached, fingerprint
from fulmen.data.leaks.samples import Samples, Series, joined
from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.io.content import Content, Recognised
from fulmen.io.options import DateOrder, Decimal, TableOptions, TimeUnit
from fulmen.io.taken import Taken, files_in_words
from fulmen.report.words import counted
from fulmen.workload import WorkloadData
from fulmen.workloads.stocks import (
    checks,
    names,
    prices,
    reading,
    recognising,
    simulator,
    steps,
    synonyms,
    tickers,
    wide,
)
from fulmen.workloads.stocks.arrays import SERIES, arrays_from, series_from
from fulmen.workloads.stocks.checks import doubts_about_constants, doubts_about_twins
from fulmen.workloads.stocks.features import FEATURES, columns_read, ewma_volatility, feature, features
from fulmen.workloads.stocks.names import REQUIRED
from fulmen.workloads.stocks.prices import read_prices
from fulmen.workloads.stocks.reading import Reading
from fulmen.workloads.stocks.simulator import Prices, simulate_market
from fulmen.workloads.stocks.splits import Split, chronological, members, walk_forward
from fulmen.workloads.stocks.steps import LARGEST_JUMP, Frequency, Limits
from fulmen.workloads.stocks.yahoo import download

READERS = (
    simulator,
    prices,
    names,
    tickers,
    reading,
    synonyms,
    wide,
    checks,
    steps,
)  # what the arrays of files depend on
ROOM = sorted(Path(io.__path__[0]).glob("*.py"))  # beside what reads tables of any kind
MINIMUM = 20  # windows in each part: 95 % intervals need 19 scores to calibrate on


class StocksData(WorkloadData):
    """Windows over tables of daily prices or over a simulated market, split in time, batched.

    A batch holds `window` [B, lookback, F], `log_return` [B, H] = log(P_{t+h} / P_t) for h = 1..H, `price` P_t [B],
    `volatility` [B] (daily, known at t), `drift` [B] (mean return of the window), `last_return` [B] = log(P_t /
    P_{t-1}), `day` t [B] (since 1970-01-01), `last_day` t + H [B] and `ticker` [B].

    Args:
        csv: a table, or several, with Date, Open, High, Low, Close, Volume and optionally Adj Close and Ticker, as CSV
            (plain or packed), Parquet or Excel; replaces the simulated market. Open, High, Low and Volume may be absent
            where none of `features` is made of them.
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
        delimiter: between the columns of a table: one character, or comma, semicolon, tab, bar, space; auto: found out.
        decimal: the sign before the decimals: point or comma; auto: found out.
        dates: the order of day and month where both could be meant: day_first or month_first.
        time_unit: of dates that are numbers, such as seconds since 1970 or excel_days.
        header: the names of all columns of a table that has no line of names, or numbered: c1, c2, ...
        columns: open, high, low, close, volume, adj_close, ticker or date -> what it is called in the table, such as
            {close: Price}; null: it has none, whatever looks like it.
        missing_values: further marks of a missing value, such as -999; []: there are none.
        encoding: of the tables, a name that Python knows.
        sheet: of an Excel workbook; the first one by default.
        frequency: how far lines lie apart: daily, weekly, monthly, or any. All that counts in days counts in lines.
        longest_gap_days: between two lines that still count as neighbours; 30 by default, 60 for weekly prices, 120 for
            monthly ones.
        largest_jump: how many times the Close before a Close may be, up or down; beyond is taken for a fault.
        leave_out: tickers that are not used.
    """

    folds_in_time = True
    reads = "csv"

    @classmethod
    def recognises(cls, content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
        return recognising.recognised(content, arguments)

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
        delimiter: str = "auto",
        decimal: Decimal = "auto",
        dates: DateOrder = "auto",
        time_unit: TimeUnit = "auto",
        header: Literal["auto", "numbered"] | Sequence[str] = "auto",
        columns: Mapping[str, str | None] | None = None,
        missing_values: Sequence[str | float] | None = None,
        encoding: str = "auto",
        sheet: str | None = None,
        frequency: Frequency = "daily",
        longest_gap_days: int | None = None,
        largest_jump: float = LARGEST_JUMP,
        leave_out: Sequence[str] = (),
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
        table = TableOptions(
            delimiter, decimal, dates, time_unit, header if isinstance(header, str) else tuple(header),
            dict(columns or {}), None if missing_values is None else tuple(missing_values), encoding, sheet,
        )  # fmt: skip
        limits = Limits(frequency, longest_gap_days, largest_jump)
        self.reading = Reading(table, limits, self.features)
        self.shares: dict[str, Any] = {"validation": validation, "test": test, "embargo_days": embargo_days}
        self.walk: dict[str, Any] | None = (
            None if fold is None else {"fold": fold, "folds": folds, "training": training}
        )
        self.leave_out = tuple(leave_out)
        self.cache = cache
        self.fingerprint = ""

    @property
    def described(self) -> str:
        if self.csv:
            return files_in_words(self.csv)
        if self.yahoo:
            return f"prices of {', '.join(self.yahoo)} from Yahoo"
        days, tickers = self.market["days"], counted(self.market["tickers"], "ticker")
        return f"simulated prices, {tickers}, {days:,} days, seed {self.market['seed']}"

    def prepare_data(self) -> None:
        self._arrays()

    def setup(self, stage: str | None = None) -> None:
        if self.splits:
            return
        series = self._used(series_from(self._arrays()))
        self.tickers = [one.ticker for one in series]
        self.absent = [name for name in SERIES if all(np.isnan(getattr(one, name)).all() for one in series)]
        self.series, calendar = series, np.unique(np.concatenate([one.day for one in series]))
        self.split = self._split(len(calendar))
        windows = [self._windows(one, number, calendar) for number, one in enumerate(series)]
        everything = {name: np.concatenate([w[name] for w in windows]) for name in windows[0]}
        span = {name: everything.pop(name) for name in ("first_target", "last_target")}
        for name, part in self.split.parts().items():
            inside = members(**span, part=part)
            if inside.sum() < MINIMUM:
                raise FulmenError(self._too_few(name, int(inside.sum()), len(calendar)))
            self.splits[name] = {key: torch.from_numpy(value[inside]) for key, value in everything.items()}

    def _used(self, series: list[Prices]) -> list[Prices]:
        """Without the tickers that are left out."""
        there = [one.ticker for one in series]
        if unknown := [name for name in self.leave_out if name not in there]:
            raise FulmenError(f"leave_out: there is no ticker {unknown[0]}{did_you_mean(unknown[0], there)}")
        if not set(there) - set(self.leave_out):
            raise FulmenError("leave_out: no ticker is left")
        return [one for one in series if one.ticker not in self.leave_out]

    def all_samples(self) -> Samples:
        """Windows, by the features of their last day, and the series that they are cut from.

        Times are places in the calendar of all tickers together, so that the horizon counts days of trading.
        """
        arrays = joined(self.splits, ["window", "log_return", "day", "ticker"])
        calendar = np.unique(np.concatenate([one.day for one in self.series]))
        today = arrays["window"][:, -1]
        return Samples(
            target=arrays["log_return"],
            kind="numbers",
            split=arrays["split"],
            columns={name: today[:, i] for i, name in enumerate(self.features)},
            content=arrays["window"],
            group=arrays["ticker"],
            time=np.searchsorted(calendar, arrays["day"]).astype(float),
            order=arrays["day"],
            splitting="time",
            target_name="log-return of the next days" if self.horizon_days > 1 else "log-return of the next day",
            sample="window",
            without=self._without,
            horizon=self.horizon_days,
            series=[self._of_file(one, calendar) for one in self.series],
            made_of={read: [each for each in self.features if read in columns_read(each)] for read in SERIES},
        )

    def _without(self, columns: Sequence[str]) -> Sequence[str]:
        """The override that keeps all other features, or all other tickers."""
        if set(columns) <= set(self.tickers) - set(self.features):
            left = len(set(self.tickers) - set(columns))
            return (f"data.leave_out={as_text([*self.leave_out, *columns])}",) if left else ()
        kept = [name for name in self.features if name not in columns]
        return (f"data.features={as_text(kept)}",) if kept and len(kept) < len(self.features) else ()

    def _of_file(self, one: Prices, calendar: np.ndarray) -> Series:
        values = {name: getattr(one, name) for name in ("close", "open", "high", "low", "volume")}
        there = {name: each for name, each in values.items() if not np.isnan(each).all()}
        return Series(one.ticker, np.searchsorted(calendar, one.day).astype(float), there)

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
                f"lookback_days={lookback} and horizon_days={horizon} ({FINDINGS['too_few_rows']})"
            )
        log_price = np.log(series.close)
        ahead = origin[:, None] + np.arange(1, horizon + 1)  # [N, H]
        return inputs_at(series, x, volatility, origin, lookback) | {
            "log_return": (log_price[ahead] - log_price[origin, None]).astype(np.float32),
            "drift": ((log_price[origin] - log_price[origin - lookback + 1]) / (lookback - 1)).astype(np.float32),
            "last_return": (log_price[origin] - log_price[origin - 1]).astype(np.float32),
            "last_day": series.day[origin + horizon],
            "ticker": np.full(len(origin), number),
            "first_target": np.searchsorted(calendar, series.day[origin + 1]),
            "last_target": np.searchsorted(calendar, series.day[origin + horizon]),
        }

    def _too_few(self, part: str, windows: int, days: int) -> str:
        return (
            f"{days} days leave {windows} windows in the {part} split, {MINIMUM} are needed "
            f"({FINDINGS['too_few_rows']}); give more days or change "
            f"lookback_days={self.lookback_days}, horizon_days={self.horizon_days}, "
            f"validation={self.shares['validation']}, test={self.shares['test']} or "
            f"embargo_days={self.shares['embargo_days']}"
        )

    def _arrays(self) -> Arrays:
        files = self._files()
        source = {"csv": [Path(path).name for path in files], **self._key()} if files else self.market
        source = source | ({"leave_out": self.leave_out} if self.leave_out else {})
        code, room = (READERS, ROOM) if files else ((simulator,), [])
        self.fingerprint = fingerprint(source, code=code, files=[*room, *files])
        build = (lambda: self._read(files)) if files else self._simulate
        arrays = cached("stocks", self.fingerprint, build, Path(self.cache) if self.cache else None)
        self.taken = [Taken.of_plain(each) for each in json.loads(str(arrays["taken"][0]))] if files else []
        return arrays

    def _key(self) -> dict[str, Any]:
        """Plain values that the arrays of files depend on, beside their bytes."""
        needed = [name for name in REQUIRED if self.reading.needs(name)]
        return {"table": asdict(self.reading.table), "limits": asdict(self.reading.limits), "needed": needed}

    def _read(self, files: Sequence[str]) -> Arrays:
        """The tickers of all files, and what was taken from each."""
        read = [read_prices(path, self.reading) for path in files]
        series, taken = [one for each, _ in read for one in each], [said for _, said in read]
        arrays, tickers = arrays_from(series), [one.ticker for one in series]
        days, closes = [one.day for one in series], [one.close for one in series]
        taken[-1].doubts += [*doubts_about_constants(tickers, closes), *doubts_about_twins(tickers, days, closes)]
        return arrays | {"taken": np.array([json.dumps([each.to_plain() for each in taken])])}

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


def _between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise FulmenError(f"{name} is {value}; it must lie between {low} and {high}")
