"""What a fast model reaches on the test split of data, to say how much a planted leak is worth."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from fulmen.testing.leaks.sources import Pair, Source
    from fulmen.workload import WorkloadData


def score(source: "Source", data: "WorkloadData") -> float:
    """On the test split: the area under the ROC curve of two classes, the accuracy of more, R² of numbers.

    Of a linear model, a forest and the nearest neighbour, whichever makes most of it: a leak that one of them cannot
    use is one all the same. As the best of three on few samples it is a little too good, with a leak and without.
    """
    train, test = (source.pair(data.splits[name]) for name in ("train", "test"))
    return max(judged(model.fit(*train), *test) for model in models(train))


def metric(source: "Source", data: "WorkloadData") -> str:
    """What `score` is called."""
    y = source.pair(data.splits["train"])[1]
    return "R2" if y.dtype.kind == "f" else "AUC" if len(np.unique(y)) == 2 else "accuracy"


def models(train: "Pair") -> list[Any]:
    """A linear model, a forest and the nearest neighbour, not fitted."""
    from sklearn.dummy import DummyRegressor
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor
    from sklearn.linear_model import LogisticRegression, Ridge
    from sklearn.neighbors import KNeighborsClassifier, KNeighborsRegressor
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    trees: Mapping[str, Any] = {"n_estimators": 40, "max_features": 0.3, "random_state": 0}
    if train[1].dtype.kind == "f":
        found = [DummyRegressor(), Ridge(alpha=len(train[0])), ExtraTreesRegressor(**trees), KNeighborsRegressor(1)]
    else:
        found = [LogisticRegression(C=0.1, max_iter=200), ExtraTreesClassifier(**trees), KNeighborsClassifier(1)]
    return [make_pipeline(StandardScaler(), model) for model in found]


def judged(model: Any, x: np.ndarray, y: np.ndarray) -> float:
    """The score of a fitted model on inputs [N, D] and targets [N] or [N, H]."""
    from sklearn.metrics import r2_score, roc_auc_score

    if y.dtype.kind == "f":
        return float(r2_score(y, np.reshape(model.predict(x), y.shape)))
    if len(model.classes_) == 2 and len(np.unique(y)) == 2:
        return float(roc_auc_score(y, model.predict_proba(x)[:, 1]))
    return float((model.predict(x) == y).mean())
