"""Whether numbers rise with the rows of a file, as ids and times do, or because the file was sorted by them."""

import numpy as np
from scipy.stats import rankdata

from fulmen.data.leaks.samples import Samples

RISING = 0.995  # share of the steps from row to row that go one way
STEADY = 0.7  # of the standard deviation that steps between sorted numbers of any smooth law have beside their mean


def rises(values: np.ndarray) -> bool:
    """Whether numbers in their order rise almost always, or fall, ties left aside."""
    steps = np.diff(values)
    moved = steps[steps != 0]
    if len(moved) < max(10, 0.1 * len(values)):
        return False
    return goes_one_way(values) and bool(abs(np.corrcoef(rankdata(values), np.arange(len(values)))[0, 1]) > 0.99)


def evenly(values: np.ndarray) -> bool:
    """Whether numbers go on by steps that are more even than those of a sorted column.

    Steps between sorted numbers of a smooth law spread as much as their mean is long, or more; ids and times of a clock
    go on by one and the same step, but for gaps.
    """
    steps = np.abs(np.diff(values))
    steps = np.minimum(steps, np.quantile(steps, 0.99))
    return bool(steps.std() < min(STEADY, 1 - 3 / np.sqrt(len(values))) * steps.mean())


def sorted_by(samples: Samples, rows: np.ndarray) -> bool:
    """Whether rows, in the order of their file, are sorted by a feature that is no number or time of theirs."""
    for values in samples.columns.values():
        values = np.asarray(values)[rows]
        if values.dtype.kind not in "fiu" or not np.isfinite(values).mean() > 0.99:
            continue
        values = np.nan_to_num(values.astype(float))
        ties = (np.diff(values) == 0).mean()
        if goes_one_way(values) and (ties > 0.5 or not evenly(values)):
            return True
    return False


def goes_one_way(values: np.ndarray) -> bool:
    """Whether the steps between numbers, ties left aside, rise almost always, or fall."""
    steps = np.diff(values)
    up = (steps[steps != 0] > 0).mean() if steps.any() else 0.5
    return bool(max(up, 1 - up) >= RISING)
