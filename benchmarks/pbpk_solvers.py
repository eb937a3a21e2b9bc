"""The PBPK solvers on one thread: CPU time for one subject and for many, error, mass balance, positivity.

    python benchmarks/pbpk_solvers.py [--subjects 1000] [--references 100] [--rounds 5]
    python benchmarks/pbpk_solvers.py --population wide --hours 168 --grid graded --doses 28 --interval 6

Times are medians of interleaved rounds in one process by `time.process_time`. Errors are the largest over time and
organs, each relative to that organ's Cmax, against SciPy's LSODA at rtol 1e-11, which integrates the same rates with
their exact Jacobian. "compiled" needs Numba (`fulmen[fast]`) and is compiled before its time is taken.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import time
from collections.abc import Callable
from dataclasses import replace
from statistics import median

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.compartments import RATE, rates, schedule
from fulmen.workloads.pbpk.simulator.compiled import available
from fulmen.workloads.pbpk.simulator.lsoda import integrate_lsoda
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.sampling import POPULATIONS, sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, mass_error, simulate
from fulmen.workloads.pbpk.times import time_grid

Solve = Callable[[Population, Tensor], Tensor]


def lsoda(population: Population, time_h: Tensor, kinetics: str, rtol: float = 1e-5) -> Tensor:
    """Amounts [S, T, 20] by LSODA, which `integrate_lsoda` holds to a tenth of `rtol`; of linear kinetics too."""
    r = rates(population)
    if kinetics == "linear":
        r = replace(r, saturation_per_mg=torch.zeros_like(r.saturation_per_mg))
    return integrate_lsoda(r, schedule(population, time_h), time_h, rtol, 1e-4 * rtol * population.dose_mg)


def solvers_of(kinetics: str) -> dict[str, Solve]:
    if kinetics == "linear":
        return {
            "exponential": lambda p, t: simulate(p, t, "linear"),
            "LSODA 1e-6": lambda p, t: lsoda(p, t, "linear"),
        }
    found = {
        "rodas4": lambda p, t: simulate(p, t),
        "rodas4, gradient": gradient,
        "LSODA 1e-6": lambda p, t: simulate(p, t, solver="lsoda"),
    }
    return found | ({"compiled": lambda p, t: simulate(p, t, solver="compiled")} if available() else {})


def gradient(population: Population, time_h: Tensor) -> Tensor:
    """The amounts, after their sum was differentiated by partition coefficients and clearance."""
    names = ("kp", "clint_l_per_h")
    watched = {name: getattr(population, name).clone().requires_grad_() for name in names}
    amounts = simulate(replace(population, **watched), time_h)
    amounts.sum().backward()
    return amounts.detach()


def milliseconds(tasks: dict[str, Solve], population: Population, time_h: Tensor, rounds: int) -> dict[str, float]:
    """CPU time per subject, the median of interleaved rounds."""
    seconds: dict[str, list[float]] = {name: [] for name in tasks}
    for _ in range(rounds):
        for name, task in tasks.items():
            begun = time.process_time()
            task(population, time_h)
            seconds[name].append(time.process_time() - begun)
    return {name: 1e3 * median(values) / len(population) for name, values in seconds.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--subjects", type=int, default=1000)
    parser.add_argument("--references", type=int, default=100, help="subjects of LSODA, and for the error")
    parser.add_argument("--rounds", type=int, default=5)
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
    print(f"{len(time_h)} times, float64, 1 thread, torch {torch.__version__}; errors of n = {len(some)}")
    print(f"{args.population}, {args.hours:g} h, doses: {args.doses}, every {args.interval:g} h")
    header = ("n = 1, ms", f"n = {args.subjects}, ms", "error / Cmax", "median", "mass error", "min mg")
    print(f"{'kinetics, solver; ms per subject':36}" + "".join(f"{name:>14}" for name in header))
    for kinetics in ("linear", "saturable"):
        tasks = solvers_of(kinetics)
        exact = concentrations(some, lsoda(some, time_h, kinetics, 1e-10))  # [n, 14, T]
        results = {name: task(some, time_h) for name, task in tasks.items()}  # compiles, too
        one = milliseconds(tasks, population[:1], time_h, args.rounds)
        many = milliseconds({n: t for n, t in tasks.items() if "LSODA" not in n}, population, time_h, args.rounds)
        many |= milliseconds({n: t for n, t in tasks.items() if "LSODA" in n}, some, time_h, 1)
        for name, amounts in results.items():
            error = ((concentrations(some, amounts) - exact).abs().amax(2) / exact.amax(2)).amax(1)
            row = (one[name], many[name], error.max(), error.median())
            row = (*row, mass_error(some, amounts, time_h).max(), amounts[..., :RATE].min())
            print(f"{kinetics + ', ' + name:36}" + "".join(f"{float(value):>14.3g}" for value in row))


if __name__ == "__main__":
    main()
