"""What a network has to beat, on the same rows: scikit-learn's models at their defaults."""

from collections.abc import Callable, Mapping

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import Tensor

Part = Mapping[str, Tensor]  # as `data.SensorData.splits`

BASELINES: dict[str, Callable] = {
    "logistic regression": lambda: make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True), StandardScaler(), LogisticRegression(max_iter=1000)
    ),
    "random forest": lambda: RandomForestClassifier(n_jobs=1, random_state=0),
    "gradient boosting": lambda: HistGradientBoostingClassifier(random_state=0),
}


def one_hot(part: Part, levels: list[int]) -> np.ndarray:
    """[N, F + sum of levels]: numeric columns, NaN where missing, then a column for each level."""
    hot = [(part["category"].numpy()[:, i, None] == np.arange(size)) for i, size in enumerate(levels)]
    return np.hstack([part["x"].numpy().astype(np.float64), *hot])


def fit(name: str, train: Part, levels: list[int], classes: int) -> Callable[[Part], np.ndarray]:
    """A function from a part to probabilities [N, L]; every statistic is of the training split."""
    model = BASELINES[name]().fit(one_hot(train, levels), train["target"].numpy())

    def probability(part: Part) -> np.ndarray:
        p = np.zeros((len(part["target"]), classes))
        if len(p):
            p[:, model.classes_] = model.predict_proba(one_hot(part, levels))
        return p

    return probability


def class_shares(train: Part, rows: int, classes: int) -> np.ndarray:
    """The constant predictor: how frequent the classes are in training, for every row: [N, L]."""
    share = np.bincount(train["target"].numpy(), minlength=classes) / len(train["target"])
    return np.tile(share, (rows, 1))
