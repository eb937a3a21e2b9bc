"""How often a ranking claims what is not there, on tables of noise and of a known signal.

    python benchmarks/ranking_truths.py [--rankings 200] [--folds 5]

Five classifiers and the shares of the classes on the same folds of 200 rows with 6 columns, of which the first holds a
signal of some strength or none; every ranking draws a table of its own. Prints how often the first is called better
than the constant predictor, has a medal, or is called different from any other.
"""

import argparse
import warnings
from collections import Counter

import numpy as np
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from fulmen.comparison.places import places
from fulmen.comparison.standing import standing
from fulmen.report.contest import Contest

ROWS, COLUMNS, CONSTANT = 200, 6, "class shares"
MODELS = {
    CONSTANT: DummyClassifier(),
    "logistic": LogisticRegression(),
    "logistic, shrunk": LogisticRegression(C=0.01),
    "tree": DecisionTreeClassifier(max_depth=3, random_state=0),
    "neighbours": KNeighborsClassifier(15),
    "bayes": GaussianNB(),
}


def contest(seed: int, slope: float, folds: int) -> Contest:
    """The scores of all models on one table; the log odds of a row are `slope` times its first column."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(ROWS, COLUMNS))
    y = (rng.random(ROWS) < 1 / (1 + np.exp(-slope * x[:, 0]))).astype(int)
    scores: dict[str, list[float]] = {name: [] for name in MODELS}
    chance, units = [], 0
    for train, test in StratifiedKFold(folds, shuffle=True, random_state=seed).split(x, y):
        events = int(y[test].sum())
        others = len(test) - events
        chance.append(np.sqrt((len(test) + 1) / (12 * events * others)))
        units += min(events, others)
        for name, model in MODELS.items():
            scores[name].append(roc_auc_score(y[test], model.fit(x[train], y[train]).predict_proba(x[test])[:, 1]))
    return Contest(
        {name: {"auc": np.array(each)} for name, each in scores.items()}, {}, ROWS * (1 - 1 / folds), ROWS / folds,
        bounds={"auc": (0.0, 1.0)}, constant=CONSTANT, units={"auc": units}, by_chance={"auc": np.array(chance)},
    )  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rankings", type=int, default=200)
    parser.add_argument("--folds", type=int, default=5)
    asked = parser.parse_args()
    warnings.simplefilter("ignore")
    for slope in (0.0, 0.6, 1.0, 2.0):
        count: Counter[str] = Counter()
        for seed in range(asked.rankings):
            held = contest(seed, slope, asked.folds)
            rows = places(held, "auc", larger=True)
            shown = standing(held, "auc", True, "AUC", ["logistic", "tree"], margin=0.06)
            count[shown.findings[0]] += 1
            count["gold"] += "gold" in rows[0][""]
            count["different from any"] += any(row["p"] < 0.05 for row in rows[1:])
        said = ", ".join(f"{name} {count[name]}" for name in sorted(count))
        print(f"slope {slope:g}: of {asked.rankings} rankings: {said}", flush=True)


if __name__ == "__main__":
    main()
