"""What a surrogate costs beside the solvers it stands in for: CPU milliseconds per subject, 100 times over 24 h.

Untrained weights cost what trained ones do. Interleaved rounds in one process, one thread, medians; "n = 1" is one
subject in a call of its own.

    python benchmarks/pbpk_inference.py [--rounds 5]
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import time
from statistics import median

import torch

from fulmen.workloads.pbpk.graph import features, inputs
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP, DynamicGNN
from fulmen.workloads.pbpk.one_compartment import body_load
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import simulate
from fulmen.workloads.pbpk.times import time_grid

SIZES = (1, 100, 1000)
REFERENCE = "saturable solver (Rodas4)"


def tasks_for(subjects: int) -> dict:
    """What is timed, by name."""
    population, grid_h = sample_population(subjects, seed=1), time_grid(24.0, 100)
    time_h = grid_h[1:]
    batch = inputs(population, time_h) | {"time_h": time_h.float()}
    networks = {
        f"{kind.__name__}{', as before' * (reduced == 'runge_kutta')}": PBPKSurrogate(kind(), reduced=reduced).eval()
        for kind in (DynamicGNN, MLP)
        for reduced in ("exponential", "runge_kutta")
    }
    return {
        REFERENCE: lambda: simulate(population, grid_h),
        "linear solver (exponential)": lambda: simulate(population, grid_h, kinetics="linear"),
        "reduced model": lambda: body_load(population, time_h),
        "reduced model, as before": lambda: body_load(population, time_h, reduced="runge_kutta"),
        "graph features": lambda: features(population),
        **{
            f"{name}, features given": lambda model=model: model.concentration(batch)
            for name, model in networks.items()
            if "before" not in name
        },
        **{
            f"{name}, all in": lambda model=model: model.predict_population(population, time_h)
            for name, model in networks.items()
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    found = {}
    with torch.no_grad():
        for subjects in SIZES:
            tasks = tasks_for(subjects)
            seconds = {name: [] for name in tasks}
            for _ in range(rounds):
                for name, task in tasks.items():
                    begun = time.process_time()
                    task()
                    seconds[name].append(time.process_time() - begun)
            found[subjects] = {name: 1e3 * median(values) / subjects for name, values in seconds.items()}
    print(f"{'ms / subject':36}" + "".join(f"{f'n = {n}':>12}" for n in SIZES) + f"{'solver / this':>15}")
    for name in found[SIZES[0]]:
        ratio = found[SIZES[-1]][REFERENCE] / found[SIZES[-1]][name]
        print(f"{name:36}" + "".join(f"{found[n][name]:12.4f}" for n in SIZES) + f"{ratio:15.2f}")


if __name__ == "__main__":
    main()
