"""What a machine did in the hours before, by statistics a user names: `mean_24h`, `rise_24h`, `slope_120h` and more.

Readings that rise with wear and fall when the machine is repaired (the `wear` columns) say little by their level, since
machines differ; they say much by their rise since the last repair. Nobody has to record repairs: a steep fall of the
readings that lasts for hours is taken for one, and no window reaches back beyond it. Windows are of the machine's own
past, the row itself included. What the readings of a row are compared with (the daily cycle and the noise around it) is
fitted on training rows.
"""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from fulmen.errors import FulmenError

STATISTICS = {
    "residual": "the reading less its daily cycle",
    "mean_<n>h": "mean over the last n hours, less the daily cycle",
    "rise_<n>h": "that mean less the mean of the first 48 hours after the last fall or the first reading",
    "slope_<n>h": "straight line through the last n hours, per day",
    "since_fall": "hours since the last fall or the first reading, and whether a fall was seen",
}
FIRST_H = 48
AFTER_H, BEFORE_H = 6, 24  # a fall: the mean of the last hours against the mean of those before
STEEP = 2.7  # so many standard deviations, mean over the wear columns
FEWEST = 4  # readings before a fall

Fitted = dict[str, dict[str, list[float]]]


def parse(window: str) -> tuple[str, int]:
    """`mean_24h` -> ("mean", 24); hours are 0 for what has none.

    Raises:
        FulmenError: there is no such statistic.
    """
    found = re.fullmatch(r"(mean|rise|slope)_([1-9]\d*)h", window)
    if not found and window not in ("residual", "since_fall"):
        raise FulmenError(f"windows: {window!r} is no statistic; there is {', '.join(STATISTICS)}")
    return (found[1], int(found[2])) if found else (window, 0)


def longest(windows: Sequence[str]) -> int:
    """Hours that the windows look back at most, falls left aside; 0 without windows."""
    return max((FIRST_H if kind == "rise" else 0) + hours for kind, hours in map(parse, windows)) if windows else 0


def window_names(wear: Sequence[str], windows: Sequence[str]) -> list[str]:
    """The columns that `window_columns` makes."""
    names = [f"{column}_{window}" for column in wear for window in windows if window != "since_fall"]
    return names + (["hours_since_fall", "fall_seen"] if "since_fall" in windows else [])


def fit_windows(
    columns: Mapping[str, np.ndarray], group: np.ndarray, time_h: np.ndarray, positive: Sequence[str]
) -> Fitted:
    """The daily cycle and the noise of each wear column, from training rows.

    Args:
        columns: wear column -> readings [N], NaN where missing.
        group: machine of each row [N].
        time_h: [N]
        positive: columns that cannot be negative: their logarithm is taken, zeros are left out.

    Returns:
        column -> "cycle": mean of each hour of the day less the mean of all [24]; "noise": standard deviation of a
        reading from its machine's mean of the last 24 hours [1]; "log": 1 where these are of logarithms [1].
    """
    fitted: Fitted = {}
    hour = (time_h % 24).astype(int)
    for name, values in columns.items():
        log = name in positive
        x = _scaled(values, log)
        known = ~np.isnan(x)
        count = np.bincount(hour[known], minlength=24)
        sums = np.bincount(hour[known], x[known], minlength=24)
        cycle = np.where(count > 0, sums / np.maximum(count, 1) - x[known].mean(), 0.0)
        x = x - cycle[hour]
        around = np.concatenate([x[rows] - _Past(time_h[rows], x[rows]).mean(24) for rows in _machines(group, time_h)])
        fitted[name] = {"cycle": cycle.tolist(), "noise": [float(np.nanstd(around)) or 1.0], "log": [float(log)]}
    return fitted


def window_columns(
    columns: Mapping[str, np.ndarray], group: np.ndarray, time_h: np.ndarray, windows: Sequence[str], fitted: Fitted
) -> np.ndarray:
    """The statistics [N, columns] in the order of `window_names`; NaN where a window holds no reading.

    Args:
        columns: wear column -> readings [N], NaN where missing; rows in any order.
        group: machine of each row [N].
        time_h: [N]
        fitted: of `fit_windows`.
    """
    made = np.full((len(group), len(window_names(list(columns), windows))), np.nan)
    hour = (time_h % 24).astype(int)
    scaled = {n: _scaled(v, bool(fitted[n]["log"][0])) - np.array(fitted[n]["cycle"])[hour] for n, v in columns.items()}
    for rows in _machines(group, time_h):
        t = time_h[rows]
        pasts = {name: _Past(t, x[rows]) for name, x in scaled.items()}
        drop = [_drop(past) / fitted[name]["noise"][0] for name, past in pasts.items()]
        first, seen = last_falls(t, np.stack(drop).mean(0))
        parts = [past.statistic(*parse(w), first) for past in pasts.values() for w in windows if w != "since_fall"]
        if "since_fall" in windows:
            parts += [t - t[first], seen]
        made[rows] = np.stack(parts, 1)
    return made


def last_falls(time_h: np.ndarray, drop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """For each row of a machine the first row after its last fall so far, or 0, and whether there was one: [n] each.

    Args:
        time_h: [n], rising.
        drop: mean of the last hours less that of the hours before, in standard deviations [n].
    """
    start, seen = np.zeros(len(drop), dtype=int), np.zeros(len(drop))
    place, deepest, until = 0, 0.0, -np.inf
    rows = np.append(np.flatnonzero(drop < -STEEP), len(drop))
    for i, after in pairwise(rows):
        if time_h[i] > until or drop[i] < deepest:  # a fall lasts as long as it deepens within a day
            place = int(np.searchsorted(time_h, time_h[i] - AFTER_H, side="right"))
            deepest, until = drop[i], time_h[i] + BEFORE_H
        start[i:after], seen[i:after] = place, 1.0
    return start, seen


class _Past:
    """Sums over the past of one column of one machine, so that every window costs two look-ups."""

    def __init__(self, time_h: np.ndarray, x: np.ndarray):
        self.time_h, self.x = time_h, x
        known = ~np.isnan(x)
        day, x = np.where(known, time_h - time_h[0], 0.0) / 24, np.where(known, x, 0.0)
        self.sums = {
            name: np.append(0.0, np.cumsum(values))
            for name, values in {"n": known, "x": x, "t": day, "tt": day * day, "tx": day * x}.items()
        }
        self.end = np.arange(1, len(x) + 1)

    def begin(self, hours: float) -> np.ndarray:
        """The first row within the last `hours` [n]."""
        return np.searchsorted(self.time_h, self.time_h - hours, side="right")

    def over(self, name: str, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        return self.sums[name][end] - self.sums[name][begin]

    def mean(self, hours: float, first: np.ndarray | int = 0) -> np.ndarray:
        return self._mean(np.maximum(self.begin(hours), first), self.end)

    def statistic(self, kind: str, hours: int, first: np.ndarray) -> np.ndarray:
        if kind == "residual":
            return self.x
        if kind == "slope":
            begin = np.maximum(self.begin(hours), first)
            n, x, t, tt, tx = (self.over(name, begin, self.end) for name in ("n", "x", "t", "tt", "tx"))
            spread = n * tt - t * t
            return np.where((n > 2) & (spread > 1e-6), (n * tx - t * x) / np.where(spread > 1e-6, spread, 1.0), np.nan)
        mean = self.mean(hours, first)
        if kind == "mean":
            return mean
        end = np.minimum(np.searchsorted(self.time_h, self.time_h[first] + FIRST_H), self.end)
        return mean - self._mean(first, end)

    def _mean(self, begin: np.ndarray, end: np.ndarray) -> np.ndarray:
        n = self.over("n", begin, end)
        return np.where(n > 0, self.over("x", begin, end) / np.maximum(n, 1), np.nan)


def _drop(past: _Past) -> np.ndarray:
    """Mean of the last `AFTER_H` hours less the mean of the `BEFORE_H` before them [n]; 0 where too little is known."""
    middle, begin = past.begin(AFTER_H), past.begin(AFTER_H + BEFORE_H)
    drop = past._mean(middle, past.end) - past._mean(begin, middle)
    return np.where(past.over("n", begin, middle) >= FEWEST, np.nan_to_num(drop), 0.0)


def _scaled(values: np.ndarray, log: bool) -> np.ndarray:
    values = np.asarray(values, dtype=np.float64)
    return np.log(np.where(values > 0, values, np.nan)) if log else values


def _machines(group: np.ndarray, time_h: np.ndarray) -> list[np.ndarray]:
    """The rows of each machine, in the order of time."""
    order = np.lexsort((time_h, group))
    return np.split(order, np.flatnonzero(group[order][1:] != group[order][:-1]) + 1)
