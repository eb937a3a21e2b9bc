"""What a surrogate has to beat: predictions that need no training.

Each takes training and test splits as dicts of tensors (see `data.PBPKData.splits`) and returns mg/L [S, 14, T].
"""

import torch
from torch import Tensor

from fulmen.workloads.pbpk.metrics import FLOOR, normalized
from fulmen.workloads.pbpk.one_compartment import Reduced, body_load, equilibrium_concentrations
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

Part = dict[str, Tensor]


def mean_curve(train: Part, test: Part) -> Tensor:
    """The geometric mean of the dose-normalised training curves, per organ and time, for everyone."""
    curve = _log_normalized(train).mean(0, keepdim=True)  # [1, 14, T]
    return _to_mg_per_l(curve.expand(len(test["dose_mg"]), -1, -1), test)


def nearest_neighbours(train: Part, test: Part, k: int = 5) -> Tensor:
    """The mean of the k training subjects whose standardised features lie nearest (Euclidean), on the log scale."""
    inputs = [torch.cat([part["node"].flatten(1), part["context"]], 1).double() for part in (train, test)]
    mean, sd = inputs[0].mean(0), inputs[0].std(0)
    keep = sd > 1e-6
    near = [((x - mean) / sd)[:, keep] for x in inputs]
    nearest = torch.cdist(near[1], near[0]).topk(k, largest=False).indices  # [S, k]
    return _to_mg_per_l(_log_normalized(train)[nearest].mean(1), test)


def linear_physics(population: Population, time_h: Tensor) -> Tensor:
    """The exact solution with the hepatic clearance taken as linear: all the physics except saturation."""
    return concentrations(population, simulate(population, time_h, kinetics="linear"))


def reduced_physics(population: Population, time_h: Tensor, kinetics: str, reduced: Reduced) -> Tensor:
    """One compartment, every organ at equilibrium with the blood: elimination without distribution."""
    return equilibrium_concentrations(population, body_load(population, time_h, kinetics, reduced))


def _log_normalized(part: Part) -> Tensor:
    return (normalized(part["concentration"].double(), part["dose_mg"], part["weight_kg"]) + FLOOR).log()


def _to_mg_per_l(log_normalized: Tensor, part: Part) -> Tensor:
    u = (log_normalized.exp() - FLOOR).clamp(min=0)
    return u * (part["dose_mg"] / part["weight_kg"])[:, None, None]
