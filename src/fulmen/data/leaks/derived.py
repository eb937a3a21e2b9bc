"""Whether a column looks as if it was made from the target: what a strong cause of the target does not look like.

A copy of the target with noise of its own has nothing in common with the other columns beyond the target: among the
rows of one class it goes with none of them. A cause that stands beside other causes does: among events that few other
things speak for, it must be high (explaining away; Pearl, Causality, 2009, 1.2.3). And a noisy copy has one law,
shifted from class to class; of a cause, a class is the upper end of a law.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

from fulmen.data.leaks.columns import Column, standardised
from fulmen.data.leaks.single import halves

RIDGE = 1e-3  # of the rows, added to the diagonal
SLICES = 40  # of a target of numbers, within which it counts as known


@dataclass(frozen=True)
class Beyond:
    """What a column shares with the forecast of the target by all other columns.

    Attributes:
        ratio: covariance of the two among rows of one target, as a share of that by the target: 0 of a noisy copy, -1
            of a cause that is independent of all others.
        error: standard error of the ratio; inf where the others say nothing of the target.
    """

    ratio: float = 0.0
    error: float = float("inf")

    @property
    def none(self) -> bool:
        """Whether it is shown to share nothing but the target."""
        return self.error < 0.2 and abs(self.ratio) < max(0.25, 2 * self.error)

    @property
    def nothing(self) -> bool:
        """Whether it is shown more closely to share nothing else, as honest columns of few values never are."""
        return self.error < 0.03 and abs(self.ratio) < 0.06

    @property
    def little(self) -> bool:
        """Whether it is shown to share next to nothing else."""
        return self.error < 0.06 and abs(self.ratio) < 0.15


def forecast(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Targets [N] by a ridge regression on [N, F], each half of the rows by what was fitted on the other one."""
    made = np.full(len(y), y.mean())
    if not x.shape[1]:
        return made
    half = halves(len(y))
    for fit in (half, ~half):
        gram = x[fit].T @ x[fit] + RIDGE * fit.sum() * np.eye(x.shape[1])
        made[~fit] = y.mean() + x[~fit] @ np.linalg.solve(gram, x[fit].T @ (y[fit] - y[fit].mean()))
    return made


def strata(y: np.ndarray, classes: bool) -> np.ndarray:
    """Number of the class, or of the slice of equal numbers of rows, of each target [N]."""
    if classes:
        return y
    return np.minimum(np.argsort(np.argsort(y, kind="stable"), kind="stable") * SLICES // len(y), SLICES - 1)


def beyond(column: Column, others: Sequence[Column], y: np.ndarray, classes: bool) -> Beyond:
    """What a column and the other ones share beyond the target [N]."""
    known = ~column.missing
    target = y.astype(float) if not classes or y.max() == 1 else (y == np.bincount(y).argmax()).astype(float)
    values = np.where(known, column.values, 0.0)
    if column.levels and column.count > 2:
        values = np.bincount(column.code, target, column.count)[column.code] / np.bincount(column.code)[column.code]
    low, high = np.quantile(values[known], [0.005, 0.995])
    values = np.clip(values, low, high) if high > low else values
    said = forecast(standardised(others, len(y)), target)
    part = strata(y, classes)
    inside, across = np.zeros(len(y)), np.zeros(len(y))
    error = 0.0
    for each in np.unique(part[known]):
        rows = known & (part == each)
        a, b, t = values[rows], said[rows], target[rows]
        if not classes and t.std() > 0:
            a, b = (v - np.polyval(np.polyfit(t, v, 1), t) + v.mean() for v in (a, b))
        inside[rows] = (a - a.mean()) * (b - b.mean())
        across[rows] = (a.mean() - values[known].mean()) * (b.mean() - said[known].mean())
        error += len(a) * a.var() * b.var()
    shared = across[known].sum()
    if abs(shared) < 1e-12:
        return Beyond()
    return Beyond(float(inside[known].sum() / shared), float(np.sqrt(error) / abs(shared)))


def shifted(values: np.ndarray, event: np.ndarray) -> bool:
    """Whether numbers [N] have one law in events and in other rows, but for where it lies; also of their logarithms."""
    known = ~np.isnan(values)
    values, event = values[known], event[known]
    if min(event.sum(), (~event).sum()) < 20:
        return False
    ways = [values]
    if values.min() > 0:
        ways.append(np.log(values))
    if values.min() >= 0 and values.max() <= 1:
        inside = np.clip(values, 1e-4, 1 - 1e-4)
        ways.append(np.log(inside / (1 - inside)))
    allowed = max(0.07, 1.5 * np.sqrt(1 / event.sum() + 1 / (~event).sum()))
    for each in ways:
        a, b = each[event], each[~event]
        distance = stats.ks_2samp(a - np.median(a), b - np.median(b)).statistic
        if distance < allowed:
            return True
    return False
