"""What columns of a table of prices can be, by their values alone. Arrays have shape [N], an entry a line."""

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.io.header import is_date, is_number
from fulmen.io.missing import MARKS
from fulmen.io.numbers import read_numbers
from fulmen.io.options import TableOptions
from fulmen.io.where import Where

LINES = 2000  # that are looked at
OF_ONE_DAY = 0.1  # the logarithm of the ratio of two prices of a day, by the median
SMOOTH = 0.1  # the same, of a price and the one of the day before
NEARLY = 0.98  # of the lines
CLEARLY = 0.7  # how much closer an Open has to lie to the Close of the day before than the Close to its Open


def numbers_in(frame: pd.DataFrame, names: Sequence[str], options: TableOptions) -> dict[str, np.ndarray]:
    """Columns that hold numbers as they should be read, and that do not just count or stand still, [N] each."""
    cells = {name: frame[name].head(LINES) for name in names if isinstance(frame[name], pd.Series)}
    texts = {name: [str(cell).strip() for cell in column] for name, column in cells.items()}
    filled = {name: [cell for cell in column if cell.lower() not in MARKS] for name, column in texts.items()}
    wanted = {name: cells[name] for name, column in filled.items() if column and all(map(is_number, column))}
    try:
        found = read_numbers(wanted, Where("", np.arange(len(frame))), options)[0]
    except FulmenError:
        return {}
    return {name: values for name, values in found.items() if not counts(values)}


def counts(values: np.ndarray) -> bool:
    """Whether values only rise, only fall or stand still, as days and numbers of lines do."""
    step = np.diff(values[np.isfinite(values)])
    return len(step) == 0 or bool((step > 0).all() or (step < 0).all() or (step == 0).all())


def dates_in(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Columns of texts that are dates in each of the first lines."""
    columns = [name for name in names if isinstance(frame[name], pd.Series)]
    return [name for name in columns if all(is_date(str(cell)) for cell in frame[name].head(50))]


def of_one_day(numbers: Mapping[str, np.ndarray]) -> list[str]:
    """The most columns that lie close to each other in each line, as the prices of a day do, in their order."""
    above = {name: values for name, values in numbers.items() if _positive(values)}
    groups = [[other for other in above if _apart(above[other], above[name]) < OF_ONE_DAY] for name in above]
    return max(groups, key=len, default=[])


def moves_like_a_price(values: np.ndarray) -> bool:
    """Whether values lie above 0 and each is close to the one before."""
    return _positive(values) and len(values) > 1 and _apart(values[1:], values[:-1]) < SMOOTH


def high_and_low(numbers: Mapping[str, np.ndarray]) -> tuple[str, str] | None:
    """The column that is the highest of each line, and the one that is the lowest; None if that is not one each."""
    stack = np.array(list(numbers.values()))
    most, least = np.nanmax(stack, 0), np.nanmin(stack, 0)
    highest = [name for name, values in numbers.items() if np.mean(values >= most * (1 - 1e-9)) >= NEARLY]
    lowest = [name for name, values in numbers.items() if np.mean(values <= least * (1 + 1e-9)) >= NEARLY]
    return (highest[0], lowest[0]) if len(highest) == len(lowest) == 1 and highest != lowest else None


def lies_between(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> bool:
    """Whether values lie from Low to High in nearly every line, as a Close and an Open do."""
    return bool(np.mean((values >= low * (1 - 1e-4)) & (values <= high * (1 + 1e-4))) >= NEARLY)


def opens(first: np.ndarray, second: np.ndarray, newest_first: bool = False) -> bool | None:
    """Whether the first is the Open and the second the Close, or the other way round; None if that is not clear.

    An Open lies closer to the Close of the day before than a Close to the Open of the day before.
    """
    if newest_first:
        first, second = first[::-1], second[::-1]
    one, other = _apart(first[1:], second[:-1]), _apart(second[1:], first[:-1])
    if one < CLEARLY * other:
        return True
    return False if other < CLEARLY * one else None


def adjusts(values: np.ndarray, close: np.ndarray) -> bool:
    """Whether values are a Close that is adjusted: its ratio to Close is at most 1 and hardly ever another."""
    if not _positive(values):
        return False
    ratio = values / close
    steady = np.abs(np.diff(np.log(ratio))) <= np.maximum(2e-4, 0.012 / values[1:])
    return bool(ratio.max() < 1.02 and len(steady) and steady.mean() > 0.95)


def prices_by_values(
    numbers: Mapping[str, np.ndarray], known: Mapping[str, str], newest_first: bool = False
) -> dict[str, str]:
    """Open, High, Low, Close and Volume -> column, for those that are not `known` and that values tell.

    Args:
        numbers: columns that may be prices or volumes, those that are known among them [N].
        known: `Open` to `Volume` -> column, as far as names tell.
    """
    left = {name: values for name, values in numbers.items() if name not in known.values()}
    prices = {name: numbers[name] for name in of_one_day(numbers) if name != known.get("Volume")}
    bounds = high_and_low(prices) if len(prices) > 2 else None
    high, low = known.get("High", bounds and bounds[0]), known.get("Low", bounds and bounds[1])
    if high not in prices or low not in prices:
        return {}
    inner = [
        name
        for name in prices
        if name in left and name not in (high, low) and lies_between(prices[name], prices[low], prices[high])
    ]
    found = {"High": high, "Low": low}
    if len(inner) == 1 and ("Open" in known or len(prices) == 3):
        found["Close"] = inner[0]
    elif len(inner) == 2 and "Open" not in known:
        told = opens(prices[inner[0]], prices[inner[1]], newest_first)
        if told is None and list(prices).index(inner[1]) - list(prices).index(inner[0]) == 3:
            told = True  # Open, High, Low, Close is what nearly all write
        if told is not None:
            found |= dict(zip(("Open", "Close") if told else ("Close", "Open"), inner, strict=True))
    rest = [name for name in left if name not in prices and np.nanmin(left[name]) >= 0]
    if len(rest) == 1 and not moves_like_a_price(left[rest[0]]):
        found["Volume"] = rest[0]
    return {role: name for role, name in found.items() if role not in known}


def falls(cells: Sequence[str]) -> bool:
    """Whether dates written with the year first fall from line to line."""
    return all(one >= other for one, other in pairwise(cells)) and len(cells) > 1


def _positive(values: np.ndarray) -> bool:
    return bool(np.isfinite(values).all() and (values > 0).all())


def _apart(one: np.ndarray, other: np.ndarray) -> float:
    return float(np.median(np.abs(np.log(one / other)))) if len(one) else np.inf
