"""The PBPK solvers beside SciPy's LSODA on one thread: CPU seconds, error, mass balance, positivity.

    python benchmarks/pbpk_solvers.py [--subjects 1000] [--references 100]
    python benchmarks/pbpk_solvers.py --population wide --hours 168 --grid graded --doses 28 --interval 6

LSODA integrates the same rates with their exact Jacobian, one subject at a time: at rtol 1e-6 for the time, at 1e-10
for the error. The solvers' own times are the best of three, all in one process by `time.process_time`. Errors are the
largest over time and organs, each relative to that organ's Cmax.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import itertools
import time
from collections.abc import Callable

import numpy as np
import torch
from scipy.integrate import solve_ivp
from torch import Tensor

from fulmen.workloads.pbpk.data import time_grid
from fulmen.workloads.pbpk.simulator.compartments import (
    ELIMINATED,
    FIRST_TISSUE,
    LIVER,
    RATE,
    rate_matrix,
    rates,
    schedule,
)
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.sampling import POPULATIONS, sample_population
from fulmen.workloads.pbpk.simulator.solvers import KINETICS, concentrations, mass_error, simulate

LIVER_STATE = FIRST_TISSUE + LIVER


def cpu_seconds(work: Callable[[], object], repeats: int = 3) -> float:
    best = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        work()
        best = min(best, time.process_time() - start)
    return best


def lsoda(population: Population, time_h: Tensor, kinetics: str, rtol: float) -> Tensor:
    """Amounts [S, T, 18] by scipy.integrate.solve_ivp from event to event, one subject after the other."""
    r, plan, times = rates(population), schedule(population, time_h), time_h.numpy()
    matrices = rate_matrix(r).numpy()
    saturation = r.saturation_per_mg.numpy() if kinetics == "saturable" else np.zeros(len(population))
    out = np.empty((len(population), len(times), matrices.shape[-1]))
    for i, matrix in enumerate(matrices):
        linear, hepatic_per_h, sigma = matrix.copy(), float(r.hepatic_per_h[i]), float(saturation[i])
        linear[LIVER_STATE, LIVER_STATE] += hepatic_per_h
        linear[ELIMINATED, LIVER_STATE] -= hepatic_per_h

        def change(_, y, linear=linear, k=hepatic_per_h, sigma=sigma):
            dy = linear @ y
            eliminated = k * y[LIVER_STATE] / (1 + sigma * y[LIVER_STATE])
            dy[LIVER_STATE] -= eliminated
            dy[ELIMINATED] += eliminated
            return dy

        def jacobian(_, y, linear=linear, k=hepatic_per_h, sigma=sigma):
            j, slope = linear.copy(), k / (1 + sigma * y[LIVER_STATE]) ** 2
            j[LIVER_STATE, LIVER_STATE] -= slope
            j[ELIMINATED, LIVER_STATE] += slope
            return j

        state = torch.zeros(1, matrices.shape[-1], dtype=torch.float64)
        events_h = plan.time_h[i].tolist()
        for event, (start_h, next_h) in enumerate(itertools.pairwise(events_h)):
            if start_h == float("inf"):
                break
            state = plan.apply(state, torch.tensor([i]), torch.tensor([event]))
            end_h = min(next_h, times[-1])
            inside = (times >= start_h) & (times <= end_h)
            at = np.union1d(times[inside], [start_h, end_h])
            options = {"rtol": rtol, "atol": rtol * 1e-2 * float(population.dose_mg[i]), "t_eval": at}
            span, y0 = (start_h, end_h), state[0].numpy()
            y = (
                solve_ivp(change, span, y0, method="LSODA", jac=jacobian, **options).y.T
                if end_h > start_h
                else y0[None]
            )
            out[i, inside] = y[np.searchsorted(at, times[inside])]
            state = torch.from_numpy(y[-1:].copy())
    return torch.from_numpy(out)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--references", type=int, default=100, help="subjects compared with LSODA at rtol 1e-10")
    parser.add_argument("--population", default="uniform_chemistry", choices=POPULATIONS)
    parser.add_argument("--hours", type=float, default=24.0)
    parser.add_argument("--grid", default="uniform", choices=("uniform", "graded"))
    parser.add_argument("--doses", type=int, default=1)
    parser.add_argument("--interval", type=float, default=24.0, help="hours between doses")
    args = parser.parse_args()
    torch.set_num_threads(1)
    population = sample_population(
        args.subjects, seed=0, population=args.population, n_doses=args.doses, interval_h=args.interval
    )
    time_h = time_grid(args.hours, 100, args.grid)
    some = population[: args.references]

    print(f"{args.subjects} subjects x {len(time_h)} times, float64, 1 thread, torch {torch.__version__}")
    print(f"{args.population}, {args.hours:g} h, doses: {args.doses}, every {args.interval:g} h")
    n = len(some)
    print(f"LSODA: time at rtol 1e-6 on n = {n}, scaled to {args.subjects}; error against rtol 1e-10, n = {n}")
    header = (
        "kinetics",
        "CPU s",
        "LSODA CPU s",
        "ratio",
        "error / Cmax",
        "median",
        "LSODA 1e-6",
        "mass error",
        "min mg",
    )
    print("".join(f"{name:>13}" for name in header))
    for kinetics in reversed(KINETICS):
        own_s = cpu_seconds(lambda kinetics=kinetics: simulate(population, time_h, kinetics))
        lsoda_s = cpu_seconds(lambda kinetics=kinetics: lsoda(some, time_h, kinetics, 1e-6), 1) * args.subjects / n
        amounts = simulate(population, time_h, kinetics)
        exact = concentrations(some, lsoda(some, time_h, kinetics, 1e-10))  # [n, 14, T]
        cmax = exact.amax(2)
        loose = concentrations(some, lsoda(some, time_h, kinetics, 1e-6))
        found = concentrations(some, amounts[:n])
        own_error, lsoda_error = (((c - exact).abs().amax(2) / cmax).amax(1) for c in (found, loose))  # [n]
        row = (own_s, lsoda_s, lsoda_s / own_s, own_error.max(), own_error.median(), lsoda_error.max())
        row = (*row, mass_error(population, amounts, time_h).max(), amounts[..., :RATE].min())
        print(f"{kinetics:>13}" + "".join(f"{float(value):>13.3g}" for value in row))


if __name__ == "__main__":
    main()
