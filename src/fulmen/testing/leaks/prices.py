"""Leaks in prices: a volume that knows tomorrow, prices smoothed with the future, a series that is another's past."""

from dataclasses import replace

import numpy as np

from fulmen.testing.leaks.planting import Planting, prices_of
from fulmen.testing.leaks.sources import Prices, Source

PRICES = ("Open", "High", "Low", "Close")


def target_copy(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """The volume of a day is made of the return of the next; the dial is its share in that."""
    prices = prices_of(source)
    return _volumes(prices, [dial * z(each) for each in ahead(prices)], dial, "target_copy")


def target_proxy(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """The volume of a day is higher before days that rise; the dial is by how much."""
    prices = prices_of(source)
    return _volumes(prices, [2 * dial * np.sign(each) for each in ahead(prices)], dial, "target_proxy")


def temporal(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """Each Close is a mean of its neighbours in time, tomorrow among them; the dial is their weight."""
    prices = prices_of(source)
    frame, weight = prices.frame.copy(), dial / 3
    for rows in frame.groupby("Ticker", sort=False).groups.values():
        log = np.log(frame.loc[rows, "Close"].to_numpy())
        padded = np.concatenate([log[:1], log, log[-1:]])
        smooth = (1 - 2 * weight) * log + weight * (padded[:-2] + padded[2:])
        for name in PRICES:
            frame.loc[rows, name] = frame.loc[rows, name].to_numpy() * np.exp(smooth - log)
    expected = ("look_ahead", "time_order", "target_proxy", "above_ceiling")
    return Planting(replace(prices, frame=frame), prices, expected=expected)


def duplicate(source: Source, dial: float, rng: np.random.Generator) -> Planting:
    """For each ticker another one whose days are those of its later half, dated back to its first, at another price.

    The dial is the share of these days that are copied, the last ones; the returns before them are shuffled.
    """
    import pandas as pd

    prices = prices_of(source)
    twins = []
    for name, series in prices.frame.groupby("Ticker", sort=False):
        late = len(series) // 2
        days = len(series) - late
        later, close = series.iloc[late:], series["Close"].to_numpy()
        returns = np.diff(np.log(close))[late - 1 :]  # into each of these days
        own = round((1 - dial) * days)
        day = np.concatenate([rng.permutation(days)[:own], np.arange(own, days)])
        again = 40 * np.exp(np.cumsum(returns[day]))
        of_close = later[list(PRICES)].to_numpy() / later[["Close"]].to_numpy()
        twin = {column: again * of_close[day, i] for i, column in enumerate(PRICES)}
        dates, volume = series["Date"].to_numpy()[:days], later["Volume"].to_numpy()[day]
        twins.append(pd.DataFrame({"Date": dates, **twin, "Volume": volume, "Ticker": f"{name} B"}))
    frame = pd.concat([prices.frame, *twins], ignore_index=True)
    return Planting(replace(prices, frame=frame), prices, ("Ticker",), expected=("near_copies", "copies"))


def ahead(prices: Prices) -> list[np.ndarray]:
    """The log-return of the next day of each line, ticker by ticker; 0 on the last day."""
    closes = [part["Close"].to_numpy() for _, part in prices.frame.groupby("Ticker", sort=False)]
    return [np.append(np.diff(np.log(each)), 0.0) for each in closes]


def z(x: np.ndarray) -> np.ndarray:
    """Mean 0, standard deviation 1."""
    return (x - x.mean()) / x.std()


def _volumes(prices: Prices, signals: list[np.ndarray], dial: float, name: str) -> Planting:
    frame = prices.frame.copy()
    for (_, rows), signal in zip(frame.groupby("Ticker", sort=False).groups.items(), signals, strict=True):
        own = z(np.log(frame.loc[rows, "Volume"].to_numpy() + 1.0))
        frame.loc[rows, "Volume"] = np.round(np.exp(14 + signal + (1 - dial) * own))
    return Planting(
        replace(prices, frame=frame),
        prices,
        ("Volume",),
        expected=("look_ahead", "target_copy", "target_proxy")
        if name == "target_copy"
        else ("look_ahead", "target_proxy", "target_copy"),
    )
