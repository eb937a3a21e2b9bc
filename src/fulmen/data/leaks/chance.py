"""How many samples would be equal by chance: what tells a copied row from two rows of few levels."""

from collections.abc import Sequence

import numpy as np
from scipy.stats import rankdata

from fulmen.data.leaks.columns import Column

SCREEN = 5_000  # rows by which columns are judged


class PairBits:
    """How unlikely it is that two samples agree in columns, in bits.

    Of each column it is told by how many pairs of different rows agree in it; what columns share is taken off by the
    determinant of their rank correlations, as of a Gaussian copula.

    Args:
        columns: of rows that differ from each other.
    """

    def __init__(self, columns: Sequence[Column]):
        self.bits = np.array([_bits(each) for each in columns])
        self.names = [each.name for each in columns]
        if not columns:
            return
        ranks = np.stack([rankdata(np.where(each.missing, -np.inf, each.values)) for each in columns], 1)
        ranks += np.random.default_rng(0).normal(0, 1e-6, ranks.shape)
        x = (ranks - ranks.mean(0)) / ranks.std(0)
        self.corr = x.T @ x / len(x)

    def of_column(self, name: str) -> float:
        """Bits of one column; 0 where it has one value alone."""
        return float(self.bits[self.names.index(name)]) if name in self.names else 0.0

    def of(self, without: str | None = None) -> float:
        """Bits of all columns, or of all but one."""
        order = np.array([i for i in np.argsort(-self.bits) if self.names[i] != without], dtype=int)
        if not len(order):
            return 0.0
        corr = self.corr[np.ix_(order, order)] + 1e-9 * np.eye(len(order))
        pivots = np.diag(np.linalg.cholesky(corr)) ** 2
        return float(np.maximum(0.0, self.bits[order] + 0.5 * np.log2(np.minimum(1.0, pivots))).sum())

    def expected(self, pairs: float, without: str | None = None) -> float:
        """How many of so many pairs of samples agree by chance."""
        return float(pairs * 2.0 ** -self.of(without))


def _bits(column: Column) -> float:
    """-log2 of the chance that two rows agree in a column; at most what its grid of values can tell apart."""
    counts = np.bincount(column.code).astype(float)
    rows = counts.sum()
    agree = (counts * (counts - 1)).sum() / (rows * (rows - 1))
    least = 1 / rows**2
    if not column.levels:
        known = np.unique(column.values[~column.missing])
        steps = np.diff(known)
        if len(steps) and steps.min() > 0:
            least = max(least, 1 / ((known[-1] - known[0]) / steps.min() + 1))
    return float(-np.log2(max(agree, least)))
