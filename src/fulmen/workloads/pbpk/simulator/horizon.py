"""How long a simulation has to run: until little of the last dose is left in the body."""

import math
from dataclasses import replace

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.compartments import LUMEN, Rates, rate_matrix, rates
from fulmen.workloads.pbpk.simulator.physiology import known
from fulmen.workloads.pbpk.simulator.population import INFUSION, ORAL, Population, portal_share
from fulmen.workloads.pbpk.simulator.solvers import KINETICS

_SLOWEST_PER_H = 1e-12  # what is not eliminated at all has a half-life of 80 million years


def terminal_half_life_h(population: Population) -> Tensor:
    """The half-life at which all concentrations fall in the end, with linear kinetics, [S].

    It is ln 2 over the slowest rate of the linear system, an eigenvalue of its matrix, and so exact: that of the body,
    or of the absorption of an oral dose where that is slower. A saturable drug reaches it once it is far below Km.
    """
    return _half_life_h(rates(population), population.route == ORAL)


def horizon_h(
    population: Population,
    kinetics: str,
    half_lives: float = 5.0,
    least_h: float = 24.0,
    most_h: float = 168.0,
) -> Tensor:
    """Hours from the last dose on that a simulation should cover, [S]: its infusion, and this many half-lives.

    With saturable kinetics half-lives far below Km would be too few hours, since a saturated liver is slower. So they
    are lengthened by the hours in which the liver would metabolise all that was given at its full capacity CLint Km,
    but to no more than as many half-lives of a body without a liver. Both bounds are those of one well-mixed
    compartment, and only estimates in a body of many.

    Args:
        half_lives: terminal ones; after 5 of them a thirtieth is left.
        least_h: the result is never less.
        most_h: nor more, however slow the drug.

    Raises:
        FulmenError: kinetics of another name.
    """
    p, r, oral = population, rates(population), population.route == ORAL
    wanted_h = half_lives * _half_life_h(r, oral)
    if known(kinetics, KINETICS, "kinetics", "horizon") == "saturable":
        given_mg = p.n_doses * p.dose_mg * torch.where(oral, portal_share(p), 1.0)
        without_liver = replace(r, hepatic_per_h=torch.zeros_like(r.hepatic_per_h))
        longer_h = wanted_h + given_mg / (p.clint_l_per_h * p.km_mg_per_l)
        wanted_h = torch.minimum(longer_h, half_lives * _half_life_h(without_liver, oral))
    return (torch.where(p.route == INFUSION, p.infusion_h, 0.0) + wanted_h).clamp(least_h, most_h)


@torch.no_grad()
def _half_life_h(r: Rates, oral: Tensor) -> Tensor:
    body = rate_matrix(r)[:, :LUMEN, :LUMEN]
    slowest_per_h = -torch.linalg.eigvals(body).real.amax(1)  # that one is real: off the diagonal nothing is negative
    absorbed_per_h = r.absorption_per_h + r.gut_metabolism_per_h
    slowest_per_h = torch.where(oral, slowest_per_h.minimum(absorbed_per_h), slowest_per_h)
    return math.log(2) / slowest_per_h.clamp(min=_SLOWEST_PER_H)
