"""What cannot be or looks wrong in lines of daily prices, each by itself. Arrays have shape [N], an entry a line."""

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import listed
from fulmen.io.where import Where

ROUNDING = 1e-4  # of a price: what a Close may lie above its High
TOLERANCE = 0.005  # of a price: further off it is a contradiction, in whatever line
TELLING_SHARE = 0.02  # of the lines: further ones within the tolerance are no rounding


def refuse_other_units(cells: Mapping[str, Any], where: Where, columns: Mapping[str, str]) -> None:
    """Pass if prices are written as prices of one currency, by their `cells` in the first line.

    Raises:
        FulmenError: per cent, or signs of two currencies.
    """
    signs = {}
    for name, cell in cells.items():
        if str(cell).strip().endswith("%"):
            raise FulmenError(f"{where(0, columns[name])}: {cell} is a share and no price")
        signs[name] = "".join(sign for sign in str(cell) if unicodedata.category(sign) == "Sc")
    signed = [name for name in cells if signs[name]]
    other = next((name for name in signed if signs[name] != signs[signed[0]]), None)
    if other:
        first = signed[0]
        raise FulmenError(
            f"{where(0, columns[other])}: {cells[other]}, but {columns[first]} is {cells[first]}; a line has "
            f"prices of one currency"
        )


def refuse_impossible(numbers: Mapping[str, np.ndarray], where: Where, columns: Mapping[str, str]) -> None:
    """Pass if prices lie above 0, volumes are none below, and no High lies below its Low.

    Args:
        numbers: Open, High, Low, Close, Volume and Adj Close, as far as they are there [N].
        columns: what each is called in the file.

    Raises:
        FulmenError: names the first line where it is otherwise.
    """
    found: list[tuple[int, str]] = []
    for name, values in numbers.items():
        wrong = np.flatnonzero(values < 0 if name == "Volume" else values <= 0)
        if len(wrong):
            bound = "0 or more" if name == "Volume" else "above 0"
            place = int(wrong[0])
            found.append((place, f"{where(place, columns[name])}: {values[place]:g}; it must be {bound}"))
    if {"High", "Low"} <= numbers.keys():
        wrong = np.flatnonzero(numbers["High"] < numbers["Low"])
        if len(wrong):
            place = int(wrong[0])
            found.append((place, _below_low(place, len(wrong), numbers, where, columns)))
    if found:
        raise FulmenError(min(found, key=lambda each: each[0])[1])


def _below_low(
    place: int, lines: int, numbers: Mapping[str, np.ndarray], where: Where, columns: Mapping[str, str]
) -> str:
    high, low, total = numbers["High"], numbers["Low"], len(numbers["High"])
    said = f"{where(place, columns['High'])}: {high[place]:g} is below Low, {low[place]:g}"
    if lines > 0.9 * total and total > 1 and (high <= low).all():
        swap = {"high": columns["Low"], "low": columns["High"]}
        return f"{said}, as in {lines} of {total} lines; the two are swapped: {override('data.columns', swap)}"
    return f"{said}; are the two swapped? Correct that line"


def refuse_outside_range(numbers: Mapping[str, np.ndarray], where: Where, columns: Mapping[str, str]) -> list[str]:
    """Doubts about an Open or Close that lies a little outside Low to High.

    Up to `ROUNDING` is nothing, up to `TOLERANCE` in single lines a doubt (providers adjust and round each column by
    itself), more is a contradiction.

    Raises:
        FulmenError: names the first line with a contradiction, or says which columns are swapped.
    """
    if not {"High", "Low"} <= numbers.keys():
        return []
    high, low, doubts = numbers["High"], numbers["Low"], []
    for name in ("Close", "Open"):
        if name not in numbers:
            continue
        value = numbers[name]
        over = np.maximum(value - high, low - value) / value
        beyond, many = over > TOLERANCE, int((over > ROUNDING).sum())
        if beyond.any() or many > max(1, TELLING_SHARE * len(over)):
            worst = np.flatnonzero(over > ROUNDING if many > TELLING_SHARE * len(over) else beyond)
            raise FulmenError(_outside(name, worst, many, numbers, where, columns))
        if many:
            place = int(over.argmax())
            doubts.append(
                f"{name} lies up to {100 * over[place]:.2g} % outside Low to High in {many} of {len(over)} lines, most "
                f"in {where.word} {where.line[place]}"
            )
    return doubts


def _outside(
    name: str, wrong: np.ndarray, many: int, numbers: Mapping[str, np.ndarray], where: Where, columns: Mapping[str, str]
) -> str:
    place = int(wrong[0])
    value, total = numbers[name][place], len(numbers[name])
    high, low = numbers["High"][place], numbers["Low"][place]
    side = f"above High, {high:g}" if value > high else f"below Low, {low:g}"
    said = f"{where(place, columns[name])}: {value:g} is {side}"
    if total > 2 and many > TELLING_SHARE * total:
        said += f", as in {many} of {total} lines"
        if swap := right_order(numbers, columns):
            return f"{said}; the columns are mixed up, this fits: {override('data.columns', swap)}"
    way = f", or go without it: {override('data.columns', {'open': None})}" if name == "Open" else ""
    return f"{said}; one of them is wrong: correct it in the file{way}"


def right_order(numbers: Mapping[str, np.ndarray], columns: Mapping[str, str]) -> dict[str, str]:
    """Which column has to be High and which Low for every line to fit, if there is one exchange that does it."""
    prices = [name for name in ("Open", "High", "Low", "Close") if name in numbers]
    values = np.stack([numbers[name] for name in prices])
    top = [i for i in range(len(prices)) if (values[i] >= values.max(0) * (1 - ROUNDING)).all()]
    bottom = [i for i in range(len(prices)) if (values[i] <= values.min(0) * (1 + ROUNDING)).all()]
    if len(top) != 1 or len(bottom) != 1:
        return {}
    swap: dict[str, str] = {}
    for role, other in (("High", prices[top[0]]), ("Low", prices[bottom[0]])):
        if role != other:
            swap |= {role.lower(): columns[other], other.lower(): columns[role]}
    return swap if len(set(swap.values())) == len(swap) else {}


def doubts_about_adjusting(factor: np.ndarray, ticker: np.ndarray) -> list[str]:
    """Told: prices of the newest day that are adjusted upwards; only days before a merging of shares can be.

    Args:
        factor: Adj Close over Close, of each ticker the oldest day first [N].
        ticker: number of each line's ticker [N].
    """
    newest = factor[np.append(np.flatnonzero(np.diff(ticker)), len(ticker) - 1)]
    if newest.max() > 1.02:
        return [f"Adj Close is {newest.max():.3g} times Close on the newest day; is it in another unit?"]
    return []


def doubts_about_volume(volume: np.ndarray) -> list[str]:
    """Told: no volume at all."""
    if len(volume) > 1 and not np.nan_to_num(volume).any():
        return ["Volume is 0 in every line and tells nothing: leave volume out of data.features"]
    return []


def doubts_about_constants(names: Sequence[str], closes: Sequence[np.ndarray]) -> list[str]:
    """Told: prices that stand still.

    Raises:
        FulmenError: those of all tickers do, so that there is nothing to forecast.
    """
    still = [i for i, close in enumerate(closes) if len(close) > 1 and (close == close[0]).all()]
    said = [f"{names[i]}: Close is {closes[i][0]:g} in all {len(closes[i])} lines" for i in still]
    if still and len(still) == len(names):
        word = FINDINGS["constant_target"]
        raise FulmenError(f"{listed(said, 3)} ({word}); a price that never changes leaves nothing to forecast")
    return said


def doubts_about_twins(names: Sequence[str], days: Sequence[np.ndarray], closes: Sequence[np.ndarray]) -> list[str]:
    """Told: tickers of which half the days and closes, or more, are those of another one."""
    if len(names) < 2:
        return []
    number = np.repeat(np.arange(len(names)), [len(day) for day in days])
    day, close = np.concatenate(days), np.concatenate(closes)
    order = np.lexsort((number, close, day))
    equal = (np.diff(day[order]) == 0) & (np.diff(close[order]) == 0)
    first, second = number[order][:-1][equal], number[order][1:][equal]
    found = []
    for one, other in sorted(set(zip(first.tolist(), second.tolist(), strict=True))):
        shared = int(((first == one) & (second == other)).sum())
        if shared >= 0.5 * min(len(days[one]), len(days[other])) and shared > 5:
            found.append(f"{names[one]} and {names[other]} have the same Close on {shared} days: one series twice?")
    return found[:3]
