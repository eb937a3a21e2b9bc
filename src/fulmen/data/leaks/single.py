"""What one column alone says of a target: scores by bins that are fitted on one half and judged on the other."""

import numpy as np
from scipy.stats import rankdata

from fulmen.data.leaks.columns import SEED, Column

BINS = 32


def bins(column: Column, most: int = BINS) -> np.ndarray:
    """A number for each row [N]: levels as they are, numbers by quantiles, missing values apart."""
    if column.count <= most or column.levels:
        return column.code
    known = ~column.missing
    edges = np.unique(np.quantile(column.values[known], np.linspace(0, 1, most + 1)[1:-1]))
    return np.where(known, np.searchsorted(edges, np.nan_to_num(column.values), side="right"), len(edges) + 1)


def halves(count: int) -> np.ndarray:
    """Half of the rows, always the same, bool [N]."""
    return np.random.default_rng(SEED).permutation(count) < count // 2


def shares(code: np.ndarray, target: np.ndarray, fit: np.ndarray) -> np.ndarray:
    """Shares of the classes among the rows `fit` of the same code, pulled to those of all by one row: [N, K]."""
    kinds = target.max() + 1
    counts = np.zeros((code.max() + 1, kinds))
    np.add.at(counts, (code[fit], target[fit]), 1.0)
    prior = (counts.sum(0) + 0.5) / (counts.sum() + 0.5 * kinds)
    return ((counts + prior) / (counts.sum(1, keepdims=True) + 1.0))[code]


def crossed(code: np.ndarray, target: np.ndarray) -> np.ndarray:
    """As `shares`, each half of the rows judged by what the other one holds."""
    half = halves(len(code))
    return np.where(half[:, None], shares(code, target, ~half), shares(code, target, half))


def auc(score: np.ndarray, event: np.ndarray) -> float:
    """The area under the ROC curve; 0.5 where there is one class alone."""
    events, quiet = int(event.sum()), int((~event).sum())
    if not events or not quiet:
        return 0.5
    return float((rankdata(score)[event].sum() - events * (events + 1) / 2) / (events * quiet))


def told(column: Column, target: np.ndarray, classes: bool) -> float:
    """How well a column alone tells the target.

    Args:
        target: numbers of classes, or numbers [N].
        classes: which of them.

    Returns:
        Of classes the area under the ROC curve, of more than two the mean over each against the others; of numbers R2.
    """
    if not classes:
        return smooth_r2(column, target)
    p = crossed(bins(column), target)
    if p.shape[1] == 2 and not column.levels and not column.missing.any():
        rising = auc(column.values, target == 1)
        return max(auc(p[:, 1], target == 1), rising, 1 - rising)
    kinds = range(1, 2) if p.shape[1] == 2 else range(p.shape[1])
    return float(np.mean([auc(p[:, kind], target == kind) for kind in kinds]))


def smooth_r2(column: Column, target: np.ndarray) -> float:
    """R2 of the target as any smooth function of a column, by differences of neighbours (Rice 1984)."""
    if column.levels:
        half = halves(len(target))
        means = np.zeros(len(target))
        for fit in (half, ~half):
            total = np.bincount(column.code[fit], target[fit], column.count)
            counts = np.bincount(column.code[fit], minlength=column.count)
            means[~fit] = ((total + target.mean()) / (counts + 1.0))[column.code[~fit]]
        return float(1 - np.mean((target - means) ** 2) / max(target.var(), 1e-300))
    known = ~column.missing
    if known.sum() < 10:
        return 0.0
    order = np.lexsort((np.random.default_rng(SEED).random(known.sum()), column.values[known]))
    steps = np.diff(target[known][order])
    return float(known.mean() * (1 - np.mean(steps**2) / max(2 * target[known].var(), 1e-300)))
