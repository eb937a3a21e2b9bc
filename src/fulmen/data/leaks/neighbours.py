"""What the most similar training rows say of a test row, with those of its own kin and without them.

Rows of one machine, or near in time, leak through a split where the similar rows of the training split are kin and tell
the target better than the similar rows that are not. It is a refit of nearest neighbours with a group held out.
"""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.samples import Samples

NEAREST = 5  # neighbours that are asked
QUERIES = 600  # rows that ask
REFERENCES = 8_000  # rows that are looked through
WIDEST = 512  # numbers of a sample without names, beyond which they are not compared


@dataclass(frozen=True)
class Gain:
    """What kin among the neighbours are worth.

    Attributes:
        before: mean squared error of the shares of neighbours without kin.
        after: with them.
        t: of the difference, over kin that are counted once.
        kin: share of rows whose nearest neighbour of the same target is kin.
        chance: what that share would be if kin were no nearer than others.
        rows: how many rows asked.
    """

    before: float
    after: float
    t: float
    kin: float
    chance: float
    rows: int

    @property
    def share(self) -> float:
        """By how much kin lower the error, as a share of it."""
        return (self.before - self.after) / self.before if self.before > 0 else 0.0

    @property
    def near(self) -> bool:
        """Whether kin are nearer than others of the same target are."""
        return self.kin > max(3 * self.chance, self.chance + 0.05)

    def leaks(self, share: float = 0.05, t: float = 4.0) -> bool:
        """Whether kin tell what others do not."""
        return self.rows >= 20 and self.t > t and self.share > share


def distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Squared distances of all rows of [Q, F] and [R, F], float32 [Q, R]."""
    a, b = a.astype(np.float32), b.astype(np.float32)
    squares = (a**2).sum(1)[:, None] + (b**2).sum(1)[None] - 2 * (a @ b.T)
    return np.maximum(squares, 0.0)


def flat(samples: Samples, rows: np.ndarray) -> np.ndarray:
    """Inputs without names, standardised [n, D]; [n, 0] where there are none, or too many to compare."""
    if samples.content is None or np.prod(samples.content.shape[1:]) > WIDEST:
        return np.empty((len(rows), 0))
    x = np.asarray(samples.content[rows], float).reshape(len(rows), -1)
    return (x - x.mean(0)) / np.maximum(x.std(0), 1e-12)


def targets(y: np.ndarray, by_class: bool) -> np.ndarray:
    """Targets as numbers whose squared errors add up: classes one by one [N, K], numbers with variance 1 [N, 1]."""
    if by_class:
        return np.eye(y.max() + 1)[y]
    return ((y - y.mean()) / max(y.std(), 1e-300))[:, None]


def means(near: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Means of the values [R, K] of the nearest by distances [Q, R]."""
    count = min(NEAREST, near.shape[1] - 1)
    return values[np.argpartition(near, count, axis=1)[:, :count]].mean(1)


def gain(
    x: np.ndarray, values: np.ndarray, query: np.ndarray, reference: np.ndarray, kin: np.ndarray, unit: np.ndarray,
    directly: bool = False,
) -> Gain:  # fmt: skip
    """What kin are worth.

    Args:
        x: inputs [N, F], standardised.
        values: targets [N, K].
        query: rows that ask [Q].
        reference: rows that are asked [R].
        kin: whether each row that asks is kin of each that is asked, bool [Q, R].
        unit: number of the kin of each row that asks, which count once [Q].
        directly: a model can know kin by a column, whatever the other inputs are: they speak for themselves.
    """
    near = distances(x[query], x[reference])
    strangers = np.where(kin, np.inf, near)
    usable = np.isfinite(strangers).sum(1) > NEAREST
    asked = values[reference]
    without = means(strangers, asked)
    if directly:
        count = kin.sum(1, keepdims=True)
        with_kin = (kin @ asked + 2 * without) / (count + 2)
    else:
        with_kin = means(near, asked)
    truth = values[query]
    errors = ((truth - without) ** 2).sum(1) - ((truth - with_kin) ** 2).sum(1)
    alike = (np.abs(values[query][:, None, 0] - asked[None, :, 0]) < 0.5) if asked.shape[1] == 1 else None
    alike = alike if alike is not None else values[query].argmax(1)[:, None] == asked.argmax(1)[None]
    first = np.where(alike, near, np.inf).argmin(1)
    share = (kin & alike).sum(1) / np.maximum(1, alike.sum(1))
    groups, place = np.unique(unit[usable], return_inverse=True)
    each = np.bincount(place, errors[usable]) / np.maximum(1, np.bincount(place)) if len(groups) else np.zeros(1)
    t = each.mean() / max(each.std(ddof=1) / np.sqrt(len(each)), 1e-12) if len(each) > 2 else 0.0
    if not usable.any():
        return Gain(0.0, 0.0, 0.0, 0.0, 0.0, 0)
    return Gain(
        float(((truth - without) ** 2).sum(1)[usable].mean()), float(((truth - with_kin) ** 2).sum(1)[usable].mean()),
        float(t), float(kin[np.arange(len(query)), first][usable].mean()), float(share[usable].mean()),
        int(usable.sum()),
    )  # fmt: skip
