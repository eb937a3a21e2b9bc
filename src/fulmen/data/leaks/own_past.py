"""What the next step of a series is beyond what its own past tells: a column that knows more knows what comes."""

import numpy as np

from fulmen.data.leaks.samples import Samples, Series
from fulmen.data.leaks.steps import changes, foretold

STEPS, LEVEL = 5, 20  # steps, and the mean of so many values, by which the next step is foretold


def unforetold(one: Series) -> np.ndarray:
    """The next step of each value but the last, less what its last steps, and its distance from their mean, tell of it.

    So a price that returns to a level, and one that was smoothed, tell nothing that its past does not [T - 1].
    """
    values = foretold(one)
    step = np.nan_to_num(changes(values))
    level = np.log(values) if np.nanmin(values) > 0 else values
    level = np.where(np.isfinite(level), level, np.nanmean(level))
    if len(step) <= 4 * LEVEL:
        return step
    calm = np.clip(step, *np.quantile(step, (0.005, 0.995)))
    past = [np.append(np.zeros(lag), calm[: len(calm) - lag]) for lag in range(1, STEPS + 1)]
    mean = np.convolve(level, np.ones(LEVEL) / LEVEL)[: len(level)]
    away = np.append(np.zeros(LEVEL - 1), (level - mean)[LEVEL - 1 :])[:-1]
    x = np.stack([standard_size(each) for each in [*past, np.clip(away, *np.quantile(away, (0.005, 0.995)))]], 1)
    half, told = len(step) // 2, np.zeros(len(step))
    for fit, judge in ((slice(None, half), slice(half, None)), (slice(half, None), slice(None, half))):
        gram = x[fit].T @ x[fit] + 5 * np.eye(x.shape[1])
        told[judge] = x[judge] @ np.linalg.solve(gram, x[fit].T @ calm[fit])
    return step - told


def standard_size(x: np.ndarray) -> np.ndarray:
    """Numbers without their mean, of deviation 1."""
    return (x - x.mean()) / max(float(x.std()), 1e-300)


def of_windows(samples: Samples, rows: np.ndarray) -> np.ndarray:
    """The same of the windows of these numbers [n]; NaN where a window has no series."""
    assert samples.time is not None
    of_series = np.zeros(len(samples), int) if samples.group is None else np.asarray(samples.group)
    found = np.full(len(rows), np.nan)
    for number, one in enumerate(samples.series):
        own = of_series[rows] == number
        if own.any() and len(one.time) > 1:
            place = np.searchsorted(one.time, samples.time[rows[own]])
            left = unforetold(one)
            found[own] = np.where(place < len(left), left[np.minimum(place, len(left) - 1)], np.nan)
    return found
