"""Bayesian against random search at equal trials, 10 seeds: on Branin's function and on a real experiment.

python benchmarks/sweep_samplers.py [trials of the experiment, 0 for none]
"""

import math
import sys
import tempfile
from collections.abc import Callable
from statistics import median

import optuna
from scipy.stats import wilcoxon

from fulmen.search.notation import read_space
from fulmen.search.plans import plans
from fulmen.search.samplers import make_sampler
from fulmen.search.space import suggest
from fulmen.search.study import Study
from fulmen.search.training import train_here
from fulmen.search.workers import work

SEEDS = range(10)
KINDS = ("random", "tpe", "gp")


def branin(kind: str, seed: int, trials: int = 40) -> float:
    """The best value found; the minimum is 0.398."""
    space = read_space({"x": {"low": -5.0, "high": 10.0}, "y": {"low": 0.0, "high": 15.0}})
    study = optuna.create_study(sampler=make_sampler(kind, seed, space))
    for _ in range(trials):
        trial = study.ask()
        x, y = suggest(space, trial).values()
        value = (y - 0.1292 * x**2 + 1.5915 * x - 6) ** 2 + 10 * (1 - 0.0398) * math.cos(x) + 10
        study.tell(trial, value)
    return study.best_value


def perceptron(kind: str, seed: int, trials: int) -> float:
    """The best validation loss of small PBPK perceptrons trained for 3 epochs."""
    with tempfile.TemporaryDirectory() as folder:
        typed = [
            "experiment=pbpk_mlp", f"search={kind}", f"search.seed={seed}", f"search.trials={trials}",
            "search.pruner=none", f"search.folder={folder}", "trainer.max_epochs=3", "trainer.accelerator=cpu",
            "data.compounds=60", "data.validation_compounds=10", "data.test_compounds=10",
        ]  # fmt: skip
        study = Study(plans(typed)[0])
        work([study], train_here)
        return study.ranked()[0].value


def compare(title: str, best: Callable[[str, int], float], kinds: tuple[str, ...]) -> None:
    found = {kind: [best(kind, seed) for seed in SEEDS] for kind in kinds}
    for kind, values in found.items():
        line = f"{title}, {kind}: median {median(values):.4f} over {len(values)} seeds"
        if kind != "random":
            wins = sum(a < b for a, b in zip(values, found["random"], strict=True))
            line += f"; better than random in {wins} (Wilcoxon p {wilcoxon(values, found['random']).pvalue:.3f})"
        print(line, flush=True)


def main(trials: int = 25) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    compare("Branin, 40 trials", branin, KINDS)
    if trials:
        compare(f"pbpk_mlp, {trials} trials", lambda kind, seed: perceptron(kind, seed, trials), KINDS[:2])


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
