"""What the populations of PBPK draw, beside what was measured in people: 5, 50 and 95 % of each quantity.

    python benchmarks/pbpk_populations.py [--subjects 20000] [--solved 1000]

Volumes, clearances and fractions are those of plasma, far below saturation; half-lives are those of the slowest decay
of the whole body and, like the share of subjects in whom saturation raises the AUC of blood in 316 hours by more than a
quarter, of the first `--solved` subjects. CPU seconds of drawing, one thread, best of three.
"""

import os

os.environ["OMP_NUM_THREADS"] = "1"

import argparse
import math
import time

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.compartments import LUMEN, rate_matrix, rates
from fulmen.workloads.pbpk.simulator.population import (
    Population,
    hepatic_clearance_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)
from fulmen.workloads.pbpk.simulator.sampling import POPULATIONS, sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

MEASURED = {  # 5, 50 and 95 % of the 1,283 compounds that real_chemistry is taken from
    "volume L/kg": (0.13, 1.0, 15.0),
    "clearance mL/min/kg": (0.35, 4.8, 33.0),
    "fraction unbound": (0.004, 0.20, 0.97),
    "half-life h": (0.55, 4.4, 49.0),
}
LEVELS = (0.05, 0.5, 0.95)


def pharmacokinetics(population: Population) -> dict[str, Tensor]:
    """The measured quantities of every subject, [S] each."""
    in_plasma = population.blood_plasma_ratio / population.weight_kg
    clearance = hepatic_clearance_l_per_h(population) + renal_clearance_l_per_h(population)
    return {
        "volume L/kg": steady_state_volume_l(population) * in_plasma,
        "clearance mL/min/kg": clearance * in_plasma * 1000 / 60,
        "fraction unbound": population.fraction_unbound,
        "half-life h": half_life_h(population),
    }


def half_life_h(population: Population) -> Tensor:
    """Of the slowest decay of the whole linear body: [S]."""
    matrix = rate_matrix(rates(population))[:, :LUMEN, :LUMEN]
    return math.log(2) / -torch.linalg.eigvals(matrix).real.amax(1)


def saturated(population: Population) -> float:
    """The share of subjects in whom saturation raises the AUC by more than a quarter."""
    time_h = torch.cat([torch.zeros(1), torch.logspace(-2, 2.5, 150)]).double()
    auc = [
        torch.trapezoid(concentrations(population, simulate(population, time_h, kinetics))[:, 0], time_h)
        for kinetics in ("saturable", "linear")
    ]
    return float(((auc[0] / auc[1]) > 1.25).double().mean())


def quantiles(values: Tensor) -> str:
    return " / ".join(f"{value:.2g}" for value in values.quantile(torch.tensor(LEVELS).double()).tolist())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, default=20000)
    parser.add_argument("--solved", type=int, default=1000)
    options = parser.parse_args()
    torch.set_num_threads(1)
    print("measured: " + "; ".join(f"{name} {' / '.join(map(str, ends))}" for name, ends in MEASURED.items()))
    for name in POPULATIONS:
        costs = []
        for _ in range(3):
            start = time.process_time()
            drawn = sample_population(options.subjects, seed=1, population=name)
            costs.append(time.process_time() - start)
        some = drawn[: options.solved]
        facts = pharmacokinetics(drawn) | {"half-life h": half_life_h(some)}
        facts |= {
            "age y": drawn.age_y,
            "weight kg": drawn.weight_kg,
            "dose mg": drawn.dose_mg,
            "Km mg/L": drawn.km_mg_per_l,
        }
        print(f"{name}: {options.subjects} subjects in {min(costs):.2f} CPU s; {saturated(some):.1%} saturated")
        for quantity, values in facts.items():
            print(f"    {quantity}: {quantiles(values)}")


if __name__ == "__main__":
    main()
