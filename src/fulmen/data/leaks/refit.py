"""The model that a deep search for leaks fits again and again: extremely randomised trees, which remember all.

It stands for the workload's own network: it is fitted in a second, and what a forest can take from a leak, a network
can take too. Pictures, windows and curves are projected to 48 numbers first (principal components of the training
rows).
"""

from dataclasses import dataclass

import numpy as np

from fulmen.data.leaks.samples import TEST, TRAIN, Samples

MOST_TRAINED, MOST_TESTED = 20_000, 5_000  # rows
MOST_OUTPUTS = 8  # of targets with many
COMPONENTS = 48
TREES = 60
DRAWS = 200  # of the bootstrap


@dataclass(frozen=True)
class Problem:
    """Samples as numbers.

    Attributes:
        x: inputs [N, D], no missing values.
        y: classes from 0 on [N], or numbers [N, H].
        classes: how many there are; 0: numbers.
        columns: name -> its place in x.
        train, test: numbers of rows, a part of them where there are many.
    """

    x: np.ndarray
    y: np.ndarray
    classes: int
    columns: dict[str, int]
    train: np.ndarray
    test: np.ndarray

    @property
    def score_name(self) -> str:
        """AUC (of several classes the mean over them, one against the rest), or R2."""
        return "AUC" if self.classes else "R2"


def problem_of(samples: Samples) -> Problem | None:
    """What can be fitted of samples; None: no input, a split without rows, or a target of one value."""
    train, test = (np.flatnonzero(samples.split == split) for split in (TRAIN, TEST))
    rng = np.random.default_rng(0)
    train, test = _some(train, MOST_TRAINED, rng), _some(test, MOST_TESTED, rng)
    parts = [as_numbers(values)[:, None] for values in samples.columns.values()]
    if samples.content is not None and len(train) > 1:
        parts.append(components(samples.content.reshape(len(samples), -1), train))
    if not parts or len(train) < 20 or len(test) < 20:
        return None
    places = {name: place for place, name in enumerate(samples.columns)}
    x = np.concatenate(parts, 1).astype(np.float32)
    if samples.kind == "classes":
        kinds, y = np.unique(samples.target, return_inverse=True)
        y, classes = y.reshape(samples.target.shape), len(kinds)
        if y.ndim > 1 or min(len(np.unique(y[train])), len(np.unique(y[test]))) < 2:
            return None
    else:
        y, classes = np.asarray(samples.target, float).reshape(len(samples), -1), 0
        y = y[:, np.unique(np.linspace(0, y.shape[1] - 1, MOST_OUTPUTS).round().astype(int))]
        known = np.asarray(np.isfinite(y).all(1))
        train, test = train[known[train]], test[known[test]]
        if len(test) < 20 or not (np.ptp(y[train], 0) > 0).any() or not (np.ptp(y[test], 0) > 0).any():
            return None
    return Problem(x, y, classes, places, train, test)


def _some(rows: np.ndarray, most: int, rng: np.random.Generator) -> np.ndarray:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def as_numbers(values: np.ndarray) -> np.ndarray:
    """A column as numbers [N]: levels by their order; what is missing lies below all else."""
    values = np.asarray(values)
    if values.dtype.kind not in "fiub":
        return np.unique(values.astype(str), return_inverse=True)[1].astype(float)
    found = values.astype(float)
    known = np.isfinite(found)
    lowest = found[known].min() if known.any() else 0.0
    return np.where(known, found, lowest - 1.0)


def components(flat: np.ndarray, train: np.ndarray) -> np.ndarray:
    """Principal components of the training rows [N, up to 48]; few numbers are left as they are."""
    flat = np.nan_to_num(np.asarray(flat, np.float32))
    if flat.shape[1] <= COMPONENTS:
        return flat
    from sklearn.decomposition import PCA

    count = min(COMPONENTS, len(train) - 1, flat.shape[1])
    fitted = PCA(count, svd_solver="randomized", random_state=0).fit(flat[train[:5000]])
    found: np.ndarray = fitted.transform(flat)
    return found


def predicted(
    problem: Problem, train: np.ndarray, test: np.ndarray, without: list[str] | None = None, y: np.ndarray | None = None
) -> np.ndarray:
    """Probabilities [n, C] or numbers [n, H] for rows of the test, by trees fitted to rows of the training.

    Args:
        without: columns that are left out.
        y: targets in the place of the problem's.
    """
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    target = problem.y if y is None else y
    left_out = [problem.columns[name] for name in without or ()]
    kept = np.setdiff1d(np.arange(problem.x.shape[1]), left_out)
    if not len(kept) or len(np.unique(target[train], axis=0)) < 2:
        width = problem.classes or target.shape[1]
        return np.zeros((len(test), width)) + (0 if problem.classes else target[train].mean(0))
    kind = ExtraTreesClassifier if problem.classes else ExtraTreesRegressor
    share = "sqrt" if problem.classes else max(1, len(kept) // 3)
    model = kind(TREES, max_features=share, random_state=0).fit(problem.x[np.ix_(train, kept)], _flat(target[train]))
    if not problem.classes:
        return model.predict(problem.x[np.ix_(test, kept)]).reshape(len(test), -1)
    found = np.zeros((len(test), problem.classes))
    found[:, model.classes_] = model.predict_proba(problem.x[np.ix_(test, kept)])
    return found


def _flat(y: np.ndarray) -> np.ndarray:
    return y[:, 0] if y.ndim > 1 and y.shape[1] == 1 else y


def score(problem: Problem, found: np.ndarray, y: np.ndarray) -> float:
    """AUC or R2 of predictions for targets y [n, ...]; NaN where the targets are all the same."""
    if not problem.classes:
        spread = ((y - y.mean(0)) ** 2).sum(0)
        some = spread > 0
        return float(np.mean(1 - ((y - found) ** 2).sum(0)[some] / spread[some])) if some.any() else float("nan")
    each = [auc(found[:, label], y == label) for label in ([1] if problem.classes == 2 else range(problem.classes))]
    return float(np.nanmean(each)) if np.isfinite(each).any() else float("nan")


def auc(found: np.ndarray, positive: np.ndarray) -> float:
    """The area under the ROC curve, ties counted half; NaN of one class alone."""
    from scipy.stats import rankdata

    count = int(positive.sum())
    if not 0 < count < len(positive):
        return float("nan")
    ranks = float(rankdata(found)[positive].sum())
    return (ranks - count * (count + 1) / 2) / (count * (len(positive) - count))


def gain(problem: Problem, one: np.ndarray, other: np.ndarray, y: np.ndarray, unit: np.ndarray) -> tuple[float, float]:
    """A 95 % interval of how much better predictions `one` score than `other`, by a bootstrap over units [n]."""
    rng, differences = np.random.default_rng(0), []
    _, number = np.unique(unit, return_inverse=True)
    order, sizes = np.argsort(number, kind="stable"), np.bincount(number)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(sizes), len(sizes))
        rows = order[_spans(starts[drawn], sizes[drawn])]
        difference = score(problem, one[rows], y[rows]) - score(problem, other[rows], y[rows])
        if np.isfinite(difference):
            differences.append(difference)
    if len(differences) < DRAWS / 2:
        return float("-inf"), float("inf")
    low, high = np.quantile(differences, (0.025, 0.975))
    return float(low), float(high)


def _spans(starts: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """The numbers from each start on, as many as its size says, joined."""
    offsets = np.arange(int(sizes.sum())) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return np.repeat(starts, sizes) + offsets
