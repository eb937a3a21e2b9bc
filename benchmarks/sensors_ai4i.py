"""AI4I 2020: do networks reach boosted trees? 5-fold PR-AUC, two fold seeds, paired differences, corrected test.

    python benchmarks/sensors_ai4i.py AI4I2020.CSV [--physics]

All raw features (with --physics three more); the five failure flags are never used. Each fold trains on all that it
does not test, so no threshold is chosen here. Trees and logistic regression are scikit-learn's at their defaults.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import time

import numpy as np

from fulmen.comparison.benchmark import hold
from fulmen.comparison.statistics import corrected_t_test, holm

METRICS = ("pr_auc", "roc_auc", "log_loss", "brier")
RIVAL = "gradient boosting"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("csv")
    parser.add_argument("--physics", action="store_true")
    parser.add_argument("--seeds", type=int, default=2, help="of the folds and of the networks")
    args = parser.parse_args()
    data = "ai4i_physics" if args.physics else "ai4i"
    models = "mlp,tabm"
    contests = []
    started = time.process_time()
    for seed in range(args.seeds):
        typed = [f"data={data}", f"data.csv={args.csv}", "data.validation=0", f"network={models}", f"seed={seed}"]
        contests.append(hold("sensors", typed))
    print(f"{data}, {args.seeds} x 5 folds, {time.process_time() - started:.0f} CPU s in all; mean (sd over folds)\n")
    print(f"{'':22}" + "".join(f"{m:>18}" for m in METRICS) + f"{'pr_auc by fold seed':>24}{'CPU s / 5 folds':>18}")
    scores = {
        name: {m: np.concatenate([c.scores[name][m] for c in contests]) for m in METRICS} for name in contests[0].scores
    }
    for name, each in scores.items():
        cells = "".join(f"{each[m].mean():10.4f} ({each[m].std(ddof=1):.3f})" for m in METRICS)
        by_seed = "  ".join(f"{c.scores[name]['pr_auc'].mean():.4f}" for c in contests)
        print(f"{name:22}{cells}{by_seed:>24}{np.mean([c.seconds[name] for c in contests]):18.1f}")
    print(
        f"\ndifference from {RIVAL}, interval and p of the corrected test, p adjusted for the number of models (Holm)"
    )
    ratio = contests[0].train_rows, contests[0].test_rows
    for metric in ("pr_auc", "log_loss"):
        tests = {
            n: corrected_t_test(s[metric] - scores[RIVAL][metric], *ratio) for n, s in scores.items() if n != RIVAL
        }
        for (name, test), p in zip(tests.items(), holm([test.p for test in tests.values()]), strict=True):
            said = "differs" if p < 0.05 else "no difference shown"
            print(f"{metric:10}{name:22}{test.mean:+.4f} [{test.low:+.4f}, {test.high:+.4f}]  p = {p:.3f}  {said}")


if __name__ == "__main__":
    main()
