"""Series by their steps, each beside what is usual at its time: what copies, delays and fillings are looked for in."""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.samples import Series

EQUAL = 0.999  # correlation of steps of one series under two names
USUAL = 20  # steps by which the usual size is judged
LARGEST = 4.0  # times the usual size, beyond which a step counts as this


@dataclass(frozen=True)
class Steps:
    """Steps of several series on one calendar.

    Attributes:
        names: of the series.
        values: of S series at T times, mean 0 and deviation 1 [S, T]; 0 where there is none.
        known: whether there is one [S, T].
    """

    names: list[str]
    values: np.ndarray
    known: np.ndarray


def steps_of(series: list[Series]) -> Steps:
    """Of the values that are foretold, by their logarithms where these are above 0."""
    calendar = np.unique(np.concatenate([one.time for one in series]))
    values = np.zeros((len(series), len(calendar)), np.float32)
    known = np.zeros(values.shape, bool)
    for row, one in zip(range(len(series)), series, strict=True):
        place = np.searchsorted(calendar, one.time)[1:]
        step = standard(changes(foretold(one)))
        values[row, place], known[row, place] = np.nan_to_num(step), np.isfinite(step)
    return Steps([one.name for one in series], values, known)


def foretold(one: Series) -> np.ndarray:
    """The values of a series that are foretold [T]."""
    return np.asarray(next(iter(one.values.values())), float)


def changes(values: np.ndarray) -> np.ndarray:
    """From each value to the next, of logarithms where all are above 0 [T - 1]."""
    known = values[np.isfinite(values)]
    return np.diff(np.log(values) if len(known) and known.min() > 0 else values)


def standard(step: np.ndarray) -> np.ndarray:
    """Steps [T] by the usual size around each, cut off where they are far beyond it."""
    from scipy.ndimage import uniform_filter1d

    if len(step) < 5:
        return np.zeros(len(step))
    size = np.minimum(np.abs(np.nan_to_num(step)), np.nanquantile(np.abs(step), 0.99))
    usual = uniform_filter1d(size, 2 * USUAL + 1, mode="nearest") * 1.25
    scaled = np.clip(step / np.maximum(usual, 1e-12 + 0.05 * np.nanmean(size)), -LARGEST, LARGEST)
    return (scaled - np.nanmean(scaled)) / max(float(np.nanstd(scaled)), 1e-12)
