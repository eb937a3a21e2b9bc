"""Forecasts for daily prices: what a file or records have to hold, and one row per ticker, day and day ahead."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from fulmen.config.unquoted import meant
from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Interval, Schema, joined
from fulmen.data.ranges import Ranges, counted
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.options import options_of
from fulmen.workloads.stocks import names
from fulmen.workloads.stocks.data import inputs_at, known_days, warm_up
from fulmen.workloads.stocks.reading import Reading
from fulmen.workloads.stocks.simulator import Prices, simulate_market
from fulmen.workloads.stocks.steps import LARGEST_JUMP, Limits

JUDGED = ("longest_gap_days", "largest_jump")  # limits that a file to predict for may want otherwise
COLUMNS = [
    {"name": "Date", "dtype": "ISO date, one line a day, oldest first", "missing": False},
    *({"name": name, "dtype": "number above 0", "unit": "currency", "missing": False} for name in names.PRICES),
    {"name": "Volume", "dtype": "number, 0 or more", "unit": "traded shares", "missing": False},
    {"name": "Adj Close", "dtype": "number above 0", "unit": "currency", "optional": True, "missing": False},
    {"name": "Ticker", "dtype": "text", "optional": True, "missing": False},
]


def input_schema(data: Any) -> dict[str, Any]:
    """What is read and needed; ranges are those of the training split."""
    window = data.splits["train"]["window"].flatten(0, 1)  # [N * lookback, F]
    low, high = window.amin(0).tolist(), window.amax(0).tolist()
    frequency, named = data.reading.limits.frequency, dict(data.reading.table.columns)
    return (
        {
            "format": "CSV of daily prices, in any order of columns; several tickers need a Ticker column",
            "columns": [column for column in COLUMNS if str(column["name"]).lower() not in data.absent],
            "features": [
                {
                    "name": name,
                    "range": [low[i], high[i]],
                    "unit": "currency" if name == "close" else "log ratio or its sd",
                }
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
        | ({"frequency": frequency} if frequency != "daily" else {})
        | ({"named": named} if named else {})
    )


def reading_of(schema: Schema, said: Mapping[str, str]) -> Reading:
    """How a file is read for a kept model: as its training data were named, but for what is said now.

    Args:
        said: arguments of the data set by name, as typed.

    Raises:
        FulmenError: a value that is none of such an argument.
    """
    read: dict[str, Any] = {
        name: text if name in ("delimiter", "encoding", "sheet") else meant(text) for name, text in said.items()
    }
    features = tuple(feature["name"] for feature in schema["features"])
    limits = Limits(
        schema.get("frequency", "daily"), read.get("longest_gap_days"), read.get("largest_jump", LARGEST_JUMP)
    )
    if not isinstance(read.get("columns", {}), dict):
        raise FulmenError(f"data.columns={said['columns']}: write it as {override('data.columns', {'close': 'Price'})}")
    return Reading(options_of(read), limits, features, free=False, remembered=schema.get("named", {}))


def inputs(tickers: Sequence[Prices], schema: Schema) -> Inputs:
    """Forecasts are asked from every day that has enough days before it, up to the very last of each ticker.

    Raises:
        FulmenError: there are too few days.
    """
    asked = [_windows(series, number, schema) for number, series in enumerate(tickers)]
    batch = joined([windows for windows, _ in asked])
    seen = Ranges.of(schema["features"])
    strange = {name: [said[name] for _, said in asked if name in said] for name in seen.names}
    more = "more tickers have {} outside the range in training"
    warnings = [line for name, lines in strange.items() for line in counted(lines, more.format(name))]
    worst = _worst(batch["window"].double().numpy(), seen)
    return Inputs(
        batch,
        len(worst),
        about={"tickers": [series.ticker for series in tickers]},
        outside=seen.outside(worst),
        warnings=warnings,
    )


def answer(asked: Inputs, predicted: Batch, schema: Schema) -> Answer:
    """One row per ticker, day and day ahead."""
    horizon = schema["horizon_days"]
    said = {name: value.numpy() for name, value in predicted.items()}
    samples = len(said["day"])
    columns = {
        "ticker": np.repeat(np.array(asked.about["tickers"])[said["ticker"]], horizon),
        "day": np.repeat(said["day"], horizon).astype("datetime64[D]"),
        "horizon": np.tile(np.arange(1, horizon + 1), samples),
    }
    bounds = [name for name in said if name.startswith(("low_", "high_"))]
    columns |= {name: said[name].ravel() for name in ("price", "log_return", *bounds)}
    levels = [name.removeprefix("low_") for name in bounds if name.startswith("low_")]
    intervals = [Interval("price", int(level) / 100, f"low_{level}", f"high_{level}") for level in levels]
    ahead = {"weekly": "weeks", "monthly": "months", "any": "lines"}.get(
        schema.get("frequency", "daily"), "trading days"
    )
    return Answer(columns, dict.fromkeys(("price", *bounds), "currency") | {"horizon": ahead}, intervals)


def days_needed(schema: Schema) -> int:
    """Days that one forecast looks at: those of a window, and those that its first features take."""
    return warm_up(tuple(feature["name"] for feature in schema["features"])) + int(schema["lookback_days"])


def example_records(schema: Schema) -> list[dict[str, Any]]:
    """Days of a simulated market, just enough for a forecast, at a price level that the model has seen."""
    market = simulate_market(days_needed(schema), seed=0)
    there = {column["name"] for column in schema.get("columns", COLUMNS)}
    level = next((sum(each["range"]) / 2 for each in schema["features"] if each["name"] == "close"), 100.0)
    scale = level / float(market.close.mean())
    days = market.day.astype("datetime64[D]").astype(str)
    return [
        {"Date": str(days[i])}
        | {name: round(scale * float(getattr(market, name.lower())[i]), 4) for name in names.PRICES if name in there}
        | ({"Volume": float(market.volume[i])} if "Volume" in there else {})
        for i in range(len(market))
    ]


def _windows(series: Prices, number: int, schema: Schema) -> tuple[Batch, dict[str, str]]:
    """What a forecast from each day of a ticker needs, and of each feature what is unlike the training data."""
    features, lookback = tuple(feature["name"] for feature in schema["features"]), schema["lookback_days"]
    x, volatility, first = known_days(series, features)
    origin = np.arange(first + lookback - 1, len(series))
    if len(origin) == 0:
        needed = days_needed(schema)
        raise FulmenError(
            f"{series.ticker}: {len(series)} days are too few: the features take {needed - lookback} and a window "
            f"{lookback}; give at least {needed} days"
        )
    arrays = inputs_at(series, x, volatility, origin, lookback) | {"ticker": np.full(len(origin), number)}
    batch = {name: torch.from_numpy(value) for name, value in arrays.items()}
    return batch, _strange_days(series, x[first:], first, Ranges.of(schema["features"]))


def _worst(window: np.ndarray, seen: Ranges) -> np.ndarray:
    """Of each feature in each window [N, lookback, F], the value that lies furthest outside: [N, F]."""
    place = seen.beyond(window).argmax(1)
    return np.take_along_axis(window, place[:, None], 1)[:, 0]


def _strange_days(series: Prices, x: np.ndarray, first: int, seen: Ranges) -> dict[str, str]:
    """A warning for each feature that leaves what the model has seen, which names the worst day."""
    found = {}
    for i, far in enumerate(seen.beyond(x).T):
        outside = np.flatnonzero(far)
        if len(outside):
            low, high = seen.low[i], seen.high[i]
            worst = outside[np.abs(x[outside, i] - (low + high) / 2).argmax()]
            when = np.datetime64(int(series.day[first + worst]), "D")
            found[seen.names[i]] = (
                f"{series.ticker}: {seen.names[i]} is {x[worst, i]:.4g} on {when}, outside {low:.4g} to {high:.4g}, "
                f"the range in training ({len(outside)} of {len(x)} days are outside)"
            )
    return found
