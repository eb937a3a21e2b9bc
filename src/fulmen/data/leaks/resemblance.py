"""How much samples of one group, or next to each other in time, have in common beyond what the inputs tell."""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.columns import columns_of, standardised
from fulmen.data.leaks.derived import forecast
from fulmen.data.leaks.samples import Samples


@dataclass(frozen=True)
class Residuals:
    """What is left of samples.

    Attributes:
        target: the target without what a linear model of the inputs foretells [n, K]; standardised.
        inputs: inputs without the means of their class, or without their regression on the target [n, F]; standardised.
    """

    target: np.ndarray
    inputs: np.ndarray

    @classmethod
    def of(cls, samples: Samples, rows: np.ndarray, y: np.ndarray, without: str = "") -> "Residuals":
        """Of some samples, whose targets are numbers of classes or numbers [n]."""
        x = (
            standardised(columns_of(samples.columns, rows), len(rows), (without,))
            if samples.columns
            else np.empty((len(rows), 0))
        )
        by_class = samples.kind == "classes"
        truth = np.eye(y.max() + 1)[y][:, 1:] if by_class else y[:, None].astype(float)
        left = np.stack([column - forecast(x, column) for column in truth.T], 1)
        if by_class:
            counts = np.bincount(y)
            means = np.stack([np.bincount(y, column) / np.maximum(1, counts) for column in x.T], 1) if x.size else x[:1]
            inside = x - means[y] if x.size else x
        else:
            slope = (x * (y - y.mean())[:, None]).mean(0) / max(y.var(), 1e-300)
            inside = x - slope * (y - y.mean())[:, None]
        return cls(standard(left), standard(inside))


def standard(values: np.ndarray) -> np.ndarray:
    """Columns [n, F] with mean 0 and variance 1; those without any variance are left out."""
    sd = values.std(0) if len(values) else np.ones(values.shape[1])
    return (values - values.mean(0))[:, sd > 1e-9] / sd[sd > 1e-9]


@dataclass(frozen=True)
class Shared:
    """Covariance of pairs of samples, of numbers of variance 1.

    Attributes:
        same: mean over columns, of pairs of one group [F].
        next: of pairs of neighbouring groups, by their numbers [F].
        z: by how many standard errors `same` is above 0 [F].
        beyond: by how many it is above `next` [F].
    """

    same: np.ndarray
    next: np.ndarray
    z: np.ndarray
    beyond: np.ndarray


def shared(values: np.ndarray, code: np.ndarray) -> Shared:
    """What samples of one group share.

    Args:
        values: [n, F], of mean 0 and variance 1.
        code: number of the group of each [n], in the order in which groups are neighbours.
    """
    count = np.bincount(code).astype(float)
    sums = np.stack([np.bincount(code, column) for column in values.T], 1)
    squares = np.stack([np.bincount(code, column**2) for column in values.T], 1)
    pairs, neighbours = (count * (count - 1)).sum() / 2, (count[:-1] * count[1:]).sum()
    same = (sums**2 - squares).sum(0) / 2 / max(pairs, 1.0)
    following = (sums[:-1] * sums[1:]).sum(0) / max(neighbours, 1.0)
    error, other = 1 / np.sqrt(max(pairs, 1.0)), 1 / np.sqrt(max(neighbours, 1.0))
    return Shared(same, following, same / error, (same - following) / np.hypot(error, other))


def following(values: np.ndarray, place: np.ndarray, lags: int = 3) -> tuple[np.ndarray, np.ndarray]:
    """Autocorrelation of columns [n, F] over the next few places, and by how many standard errors it is above 0 [F]."""
    sums, pairs = np.zeros(values.shape[1]), 0
    for lag in range(1, lags + 1):
        there = place[lag:] - place[:-lag] == lag
        sums += (values[lag:][there] * values[:-lag][there]).sum(0)
        pairs += int(there.sum())
    return sums / max(1, pairs), sums / np.sqrt(max(1, pairs))


def without_level(values: np.ndarray, reach: int = 25) -> np.ndarray:
    """Columns [n, F] without the mean of the `reach` rows before each and after it."""
    sums = np.cumsum(np.vstack([np.zeros((1, values.shape[1])), values]), axis=0)
    row = np.arange(len(values))
    first, last = np.maximum(row - reach, 0), np.minimum(row + reach + 1, len(values))
    return values - (sums[last] - sums[first] - values) / np.maximum(last - first - 1, 1)[:, None]
