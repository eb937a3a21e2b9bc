"""Simulate a population: amounts and concentrations over time, and how well the mass closes."""

from typing import Literal, get_args

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import (
    ARTERIAL,
    MASS,
    SNAP_H,
    TISSUE_STATES,
    VENOUS,
    rate_matrix,
    rates,
    schedule,
)
from fulmen.workloads.pbpk.simulator.compiled import available, integrate_compiled
from fulmen.workloads.pbpk.simulator.lsoda import integrate_lsoda
from fulmen.workloads.pbpk.simulator.physiology import known
from fulmen.workloads.pbpk.simulator.population import INFUSION, Population, differentiated, validate
from fulmen.workloads.pbpk.simulator.propagator import propagate
from fulmen.workloads.pbpk.simulator.rosenbrock import integrate

KINETICS = ("saturable", "linear")
Solver = Literal["rodas4", "compiled", "lsoda", "fastest"]
SOLVERS: tuple[Solver, ...] = get_args(Solver)
_INTEGRATORS = {"rodas4": integrate, "compiled": integrate_compiled, "lsoda": integrate_lsoda}
_FEW = 30  # subjects that LSODA solves, one after the other, in the time that RODAS needs for a batch of any size
_BLOCK = 500  # subjects solved together by the propagator: their matrices stay in the processor's cache


def simulate(
    population: Population,
    time_h: Tensor,
    kinetics: str = "saturable",
    *,
    rtol: float = 1e-5,
    atol_per_dose: float = 1e-9,
    solver: Solver = "rodas4",
) -> Tensor:
    """Amounts in mg at the reported times, [S, T, 20] as laid out in `compartments`; a dose given at that time is in.

    "linear" takes the liver's clearance as constant and is exact (propagator.py). "saturable" follows Michaelis and
    Menten to the relative tolerance `rtol`, with `atol_per_dose * dose_mg` as the floor, by one of these solvers:

    - "rodas4": all subjects together, with gradients, on any device; the same bits whatever is installed
      (rosenbrock.py);
    - "compiled": one subject after the other, on a CPU, if Numba is installed (compiled.py);
    - "lsoda": that of SciPy (lsoda.py);
    - "fastest": the one of these that takes the least time where it is, so its last digits depend on what is installed.

    Differentiable, once, by every tensor of `population` that requires a gradient; times are constants. Where an
    infusion ends on a reported time, its gradient is that of an infusion which ends just before.

    Raises:
        FulmenError: a population, times, or names that cannot be; a solver that is not installed, or has no gradients.
    """
    known(kinetics, KINETICS, "kinetics", "simulate")
    known(solver, SOLVERS, "solver", "simulate")
    validate(population)
    time_h = check_times(time_h).detach().to(population.weight_kg).contiguous()
    with torch.set_grad_enabled(differentiated(population)):
        if kinetics == "linear":
            blocks = [population[i : i + _BLOCK] for i in range(0, len(population), _BLOCK)]
            return torch.cat([propagate(rate_matrix(rates(b)), schedule(b, time_h), time_h) for b in blocks])
        atol_mg = atol_per_dose * population.dose_mg.detach()
        chosen = _fastest(population) if solver == "fastest" else solver
        if chosen != "rodas4" and differentiated(population):
            raise FulmenError(f"simulate: the solver {chosen} has no gradients; take rodas4")
        return _INTEGRATORS[chosen](rates(population), schedule(population, time_h), time_h, rtol, atol_mg)


def _fastest(population: Population) -> Solver:
    if differentiated(population) or population.weight_kg.device.type != "cpu":
        return "rodas4"
    if available():
        return "compiled"
    return "lsoda" if len(population) < _FEW else "rodas4"


def concentrations(population: Population, amounts: Tensor) -> Tensor:
    """Concentrations in mg per litre of tissue, [S, 14, T] in the order of `ORGANS`; blood pools arteries and veins."""
    blood = amounts[..., VENOUS] + amounts[..., ARTERIAL]  # [S, T]
    organs = torch.cat([blood[..., None], amounts[..., TISSUE_STATES]], -1)  # [S, T, 14]
    return (organs / population.volume_l[:, None]).transpose(1, 2)


def administered_mg(population: Population, time_h: Tensor) -> Tensor:
    """What has been given up to each time, infusions in proportion. Shape [S, T]."""
    time_h = time_h.to(population.weight_kg)
    start_h = population.interval_h * torch.arange(population.n_doses).to(time_h)  # [D]
    since_h = time_h[:, None] - start_h  # [T, D]
    infusion_h = population.infusion_h[:, None, None]
    infused = (since_h / infusion_h.where(infusion_h > 0, 1.0)).clamp(0, 1)  # [S, T, D]
    at_once = (since_h >= -SNAP_H).to(time_h).expand_as(infused)
    share = torch.where((population.route == INFUSION)[:, None, None], infused, at_once)
    return population.dose_mg[:, None] * share.sum(2)


def mass_error(population: Population, amounts: Tensor, time_h: Tensor) -> Tensor:
    """Largest |mass in all states - administered| / administered over time, [S]; below one dose, against the dose."""
    given_mg = administered_mg(population, time_h)
    error_mg = (amounts[..., MASS].sum(-1) - given_mg).abs()
    return (error_mg / given_mg.maximum(population.dose_mg[:, None])).amax(1)


def check_times(time_h: Tensor) -> Tensor:
    """The time grid itself if it can be reported on."""
    if time_h.ndim != 1 or len(time_h) < 2:
        raise FulmenError(f"time_h has shape {list(time_h.shape)}; give one axis of at least 2 times in hours")
    if not time_h.isfinite().all():
        raise FulmenError(f"time_h[{int((~time_h.isfinite()).nonzero()[0])}] is not finite; give finite hours")
    if time_h[0] < 0:
        raise FulmenError(
            f"time_h starts at {time_h[0].item():.6g} h; start at 0 h, the time of the first dose, or later"
        )
    backwards = (time_h.diff() <= 0).nonzero()
    if len(backwards):
        k = int(backwards[0]) + 1
        raise FulmenError(f"time_h[{k}] is {time_h[k].item():.6g} h, not after time_h[{k - 1}]; sort and deduplicate")
    return time_h
