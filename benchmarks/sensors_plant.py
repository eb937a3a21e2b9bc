"""The simulated plant: how far from the Bayes ceiling are models of single rows, and what do windows over the past add?

    python benchmarks/sensors_plant.py [--seeds 3] [--first 0] [--models logistic,mlp,tabm] [--only "24 h means and"]

Each seed is a plant of its own (24 machines, 5 folds of machines never seen). ROC-AUC, mean over the folds; the ceiling
is the exact posterior from a single row, on the same test rows; --past adds that of a machine's whole history. The
standard error is of the mean over the seeds.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time

import numpy as np
from sklearn.metrics import roc_auc_score

from fulmen.comparison.benchmark import hold
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.simulator.bayes_history import history_probability
from fulmen.workloads.sensors.simulator.plant import simulate_plant

TREES = ("random forest", "gradient boosting")
FEATURES = {
    "single rows": [],
    "24 h means": ["data.windows=[mean_24h]"],
    "24 h means and their rise since the last fall": ["data.windows=[mean_24h,rise_24h,since_fall]"],
}


def ceilings(seed: int, past: bool) -> np.ndarray:
    """ROC-AUC of the exact posterior of single rows and, with `past`, of whole histories: [1 or 2, folds]."""
    folds = [SensorData(seed=seed, fold=fold) for fold in range(5)]
    for data in folds:
        data.setup()
    whole = history_probability(simulate_plant(seed=seed)) if past else np.empty(0)
    found = [[roc_auc_score(data.splits["test"]["target"], data.bayes) for data in folds]]
    if past:
        tests = [data.splits["test"] for data in folds]
        found.append([roc_auc_score(test["target"], whole[test["row"].numpy() - 1]) for test in tests])
    return np.array(found)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3, help="so many")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--models", default="logistic,mlp,tabm")
    parser.add_argument("--past", action="store_true", help="also the ceiling of whole histories, 25 CPU s a seed")
    parser.add_argument("--only", default="", help="features whose title begins so")
    args = parser.parse_args()
    seeds = range(args.first, args.first + args.seeds)
    known = [ceilings(seed, args.past) for seed in seeds]
    best = [each[0] for each in known]
    if args.past:
        gaps = [(each[1] - each[0]).mean() for each in known]
        print(f"ceiling of histories    {np.mean(gaps):+.4f}   by seed {'  '.join(f'{gap:+.4f}' for gap in gaps)}")
    for title, more in FEATURES.items():
        if not title.startswith(args.only):
            continue
        started = time.process_time()
        contests = [hold("sensors", [f"network={args.models}", f"seed={seed}", *more]) for seed in seeds]
        seconds = time.process_time() - started
        print(f"\n{title} ({seconds:.0f} CPU s): AUC minus the ceiling of single rows, {np.mean(best):.4f}")
        gaps = {n: np.stack([c.scores[n]["roc_auc"] for c in contests]) - np.stack(best) for n in contests[0].scores}
        for name, gap in sorted(gaps.items(), key=lambda pair: -pair[1].mean()):
            se = gap.mean(1).std(ddof=1) / np.sqrt(len(gap)) if len(gap) > 1 else float("nan")
            each = "  ".join(f"{value:+.4f}" for value in gap.mean(1))
            print(f"{name:22}{gap.mean():+.4f}  se over seeds {se:.4f}   by seed {each}", flush=True)
        trees = max(gaps[name].mean() for name in TREES)
        for name in args.models.split(","):
            print(f"{name} minus the best tree: {gaps[name].mean() - trees:+.4f}")


if __name__ == "__main__":
    main()
