"""Series of prices as the arrays that a cache keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import fields

import numpy as np

from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.workloads.stocks.simulator import Prices

SERIES = tuple(field.name for field in fields(Prices) if field.name != "ticker")


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
