"""What a surrogate costs beside the solvers it stands in for: CPU milliseconds per subject, 100 times over 24 h.

Untrained weights cost what trained ones do. Interleaved rounds in one process, one thread, medians.

    python benchmarks/pbpk_inference.py
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import time
from statistics import median

import torch

from fulmen.workloads.pbpk.data import time_grid
from fulmen.workloads.pbpk.graph import features, inputs
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP, DynamicGNN
from fulmen.workloads.pbpk.one_compartment import one_compartment
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import simulate

SUBJECTS, ROUNDS = 1000, 5


def main() -> None:
    torch.set_num_threads(1)
    population, grid_h = sample_population(SUBJECTS, seed=1), time_grid(24.0, 100)
    time_h = grid_h[1:]
    batch = inputs(population, time_h) | {"time_h": time_h.float()}
    networks = {"Dynamic GNN": PBPKSurrogate(DynamicGNN()).eval(), "MLP": PBPKSurrogate(MLP()).eval()}
    tasks = {
        "saturable solver (Rodas4)": lambda: simulate(population, grid_h),
        "linear solver (exponential)": lambda: simulate(population, grid_h, kinetics="linear"),
        "reduced model alone": lambda: one_compartment(population, time_h),
        "graph features alone": lambda: features(population),
        **{
            f"{name}, features given": lambda model=model: model.concentration(batch)
            for name, model in networks.items()
        },
        **{
            f"{name}, all in": lambda m=model: m.predict_population(population, time_h)
            for name, model in networks.items()
        },
    }
    seconds = {name: [] for name in tasks}
    with torch.no_grad():
        for _ in range(ROUNDS):
            for name, task in tasks.items():
                begun = time.process_time()
                task()
                seconds[name].append(time.process_time() - begun)
    reference = median(seconds["saturable solver (Rodas4)"])
    print(f"{'n = ' + str(SUBJECTS):32}{'ms / subject':>14}{'solver / this':>15}")
    for name, values in seconds.items():
        print(f"{name:32}{1e3 * median(values) / SUBJECTS:14.3f}{reference / median(values):15.2f}")


if __name__ == "__main__":
    main()
