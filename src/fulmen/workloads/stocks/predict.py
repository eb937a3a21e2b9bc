"""Forecasts for a CSV of prices: what the file has to hold, and one row per ticker, day and day ahead."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch
from torch import Tensor

from fulmen.data.batches import EVALUATION_BATCH
from fulmen.errors import FulmenError
from fulmen.workloads.stocks import prices
from fulmen.workloads.stocks.data import inputs_at, known_days, warm_up
from fulmen.workloads.stocks.simulator import Prices

COLUMNS = [
    {"name": "Date", "dtype": "ISO date, one line a day, oldest first", "missing": False},
    *({"name": name, "dtype": "number above 0", "unit": "currency", "missing": False} for name in prices.PRICES),
    {"name": "Volume", "dtype": "number, 0 or more", "unit": "traded shares", "missing": False},
    {"name": "Adj Close", "dtype": "number above 0", "unit": "currency", "optional": True, "missing": False},
    {"name": "Ticker", "dtype": "text", "optional": True, "missing": False},
]


def input_schema(data: Any) -> dict[str, Any]:
    """What `predict_file` reads and needs; ranges are those of the training split."""
    window = data.splits["train"]["window"].flatten(0, 1)  # [N * lookback, F]
    low, high = window.amin(0).tolist(), window.amax(0).tolist()
    return {
        "format": "CSV of daily prices, in any order of columns; several tickers need a Ticker column",
        "columns": COLUMNS,
        "features": [
            {"name": name, "range": [low[i], high[i]], "unit": "currency" if name == "close" else "log ratio or its sd"}
            for i, name in enumerate(data.features)
        ],
        "lookback_days": data.lookback_days,
        "horizon_days": data.horizon_days,
        "output": {
            "ticker": "",
            "day": "the last day that was known",
            "horizon": "trading days ahead; the last day of the file has forecasts too",
            "price": "currency",
            "log_return": "log(price / Close of day)",
            "low_80, high_80, low_95, high_95": "currency, conformal intervals",
        },
    }


def predict_file(model: Any, path: Path, schema: dict[str, Any]) -> pandas.DataFrame:
    """Forecasts from every day of the file that has enough days before it, up to its very last.

    Raises:
        FulmenError: a column is missing, a value is bad, or there are too few days: file, line and column are named.
    """
    tables = [_forecast(model, series, schema) for series in prices.read_csv(path)]
    return pandas.concat(tables, ignore_index=True)


def _forecast(model: Any, series: Prices, schema: dict[str, Any]) -> pandas.DataFrame:
    names, lookback = tuple(feature["name"] for feature in schema["features"]), schema["lookback_days"]
    x, volatility, first = known_days(series, names)
    origin = np.arange(first + lookback - 1, len(series))
    if len(origin) == 0:
        needed = warm_up(names)
        raise FulmenError(
            f"{series.ticker}: {len(series)} days are too few: the features take {needed} and a window {lookback}; "
            f"give at least {needed + lookback} days"
        )
    _warn_of_ranges(series, x[first:], first, schema)
    arrays = inputs_at(series, x, volatility, origin, lookback)
    batch = {name: torch.from_numpy(value) for name, value in arrays.items()}
    batch["ticker"] = torch.zeros(len(origin), dtype=torch.long)
    said = [model.predict_step(_part(batch, i)) for i in range(0, len(origin), EVALUATION_BATCH)]
    columns = {name: torch.cat([each[name] for each in said]).numpy() for name in said[0]}
    horizon = schema["horizon_days"]
    day = np.repeat(columns.pop("day"), horizon).astype("datetime64[D]")
    table = {"ticker": series.ticker, "day": day, "horizon": np.tile(np.arange(1, horizon + 1), len(origin))}
    order = ["price", "log_return", *(name for name in columns if "_" in name and name != "log_return")]
    return pandas.DataFrame(table | {name: columns[name].ravel() for name in order})


def _part(batch: dict[str, Tensor], start: int) -> dict[str, Tensor]:
    return {name: value[start : start + EVALUATION_BATCH] for name, value in batch.items()}


def _warn_of_ranges(series: Prices, x: np.ndarray, first: int, schema: dict[str, Any]) -> None:
    """Say which features leave what the model has seen, and where first."""
    for i, feature in enumerate(schema["features"]):
        low, high = feature["range"]
        slack = 1e-6 * max(abs(low), abs(high))  # the range is kept in single precision
        outside = np.flatnonzero((x[:, i] < low - slack) | (x[:, i] > high + slack))
        if len(outside):
            worst = outside[np.abs(x[outside, i] - (low + high) / 2).argmax()]
            when = np.datetime64(int(series.day[first + worst]), "D")
            warnings.warn(
                f"{series.ticker}: {feature['name']} is {x[worst, i]:.4g} on {when}, outside {low:.4g} to {high:.4g}, "
                f"the range in training ({len(outside)} of {len(x)} days are outside)",
                stacklevel=2,
            )
