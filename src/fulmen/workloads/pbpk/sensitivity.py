"""Local sensitivities: by how many per cent does an exposure change where an input of a subject rises by one per cent?

An elasticity is d ln(exposure) / d ln(input), by reverse mode through a solver or a surrogate. Subjects do not depend
on each other, so one backward pass of a sum over all of them gives every input of every subject; each exposure that is
asked for has copies of the subjects of its own, and all are in that one pass.

A subject that is moved stays one that can be, so what is defined by an input moves along, and all else is held:

    weight_kg                 all volumes, in proportion
    cardiac_output_l_per_h    all flows, in proportion
    volume_l of an organ      the weight, by what the organ gains
    flow_l_per_h of an organ  the cardiac output, by what the organ gains
    blood_plasma_ratio        the kp of the blood, which is the same number

Nothing else follows: a heavier body keeps its flows and clearances here, a larger organ its clearance. Times of samples
are fixed. A peak at the end of an infusion moves along with that end, which fixed samples cannot follow: see `told`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from fulmen.workloads.pbpk import pk
from fulmen.workloads.pbpk.simulator.outputs import from_organs
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PERFUSED, known
from fulmen.workloads.pbpk.simulator.population import Population

Curves = Callable[[Population], Tensor]  # concentrations in mg/L [S, 14, T] of S subjects

EXPOSURES: Mapping[str, Callable[[Tensor, Tensor], Tensor]] = {  # of concentrations [..., T] at times [T]
    "auc": pk.auc_last,
    "auc_infinity": pk.auc_infinity,
    "cmax": lambda concentration, time_h: pk.cmax(concentration),
    "half_life": pk.half_life,
}
UNITS = {"auc": "mg h/L", "auc_infinity": "mg h/L", "cmax": "mg/L", "half_life": "h"}

ALONE = (
    "fraction_unbound", "clint_l_per_h", "renal_clint_l_per_h", "km_mg_per_l", "absorption_rate_per_h",
    "bioavailability", "gut_extraction", "dose_mg", "infusion_h",
)  # fmt: skip
OF_ORGANS = {
    "volume_l": ORGANS,
    "flow_l_per_h": PERFUSED,
    "kp": tuple(organ for organ in ORGANS if organ != "blood"),
}
TOGETHER = ("weight_kg", "cardiac_output_l_per_h", "blood_plasma_ratio")
INPUTS = (*TOGETHER, *ALONE, *(f"{name}.{organ}" for name, organs in OF_ORGANS.items() for organ in organs))


@dataclass(frozen=True)
class Sensitivities:
    """Of S subjects; NaN where an exposure is not defined, such as the half-life of a curve that does not fall."""

    places: tuple[str, ...]  # P organs, or "plasma"
    exposures: tuple[str, ...]  # E of `EXPOSURES`
    value: Tensor  # [S, P, E] in `UNITS`
    elasticity: Tensor  # [S, P, E, I], inputs as in `INPUTS`
    peak_moves: Tensor  # [S, P], whether the highest sample lies at the end of an infusion


def sensitivities(
    population: Population,
    curves: Curves,
    time_h: Tensor,
    exposures: Sequence[str] = ("auc", "cmax", "half_life"),
    places: Sequence[str] = ("plasma",),
) -> Sensitivities:
    """Elasticities of exposures in some places by every input of every subject.

    Args:
        population: of S subjects.
        curves: makes concentrations [S, 14, T] of subjects, by a solver or a surrogate, with gradients.
        time_h: the times of these curves, [T].
        exposures: of `EXPOSURES`.
        places: organs, or "plasma", see `simulator.outputs`.

    Raises:
        FulmenError: an unknown exposure or place.
    """
    for name in exposures:
        known(name, EXPOSURES, "exposure", "of")
    asked = [(place, name) for place in places for name in exposures]
    log_factor = torch.zeros(len(asked) * len(population), len(INPUTS), dtype=torch.float64).requires_grad_()
    copies = moved(population[torch.arange(len(population)).repeat(len(asked))], log_factor)  # one for each exposure
    at_places = from_organs(copies, curves(copies), places).unflatten(0, (len(asked), -1))  # [P E, S, P, T]
    values = [
        EXPOSURES[name](curve[:, places.index(place)], time_h.to(curve))
        for (place, name), curve in zip(asked, at_places, strict=True)
    ]
    value = torch.stack(values)  # [P E, S]
    (slope,) = torch.autograd.grad(value.sum(), log_factor)
    value, shape = value.detach(), (len(places), len(exposures))
    elasticity = slope.unflatten(0, value.shape) / value[..., None]  # [P E, S, I]
    return Sensitivities(
        places=tuple(places),
        exposures=tuple(exposures),
        value=value.T.unflatten(1, shape),
        elasticity=elasticity.transpose(0, 1).unflatten(1, shape),
        peak_moves=peaks_with_the_infusion(population, at_places[0].detach(), time_h),
    )


def told(found: Sensitivities) -> Sensitivities:
    """Without elasticities of Cmax by the duration of an infusion, NaN, where the peak moves with the end of it."""
    elasticity = found.elasticity.clone()
    if "cmax" in found.exposures:
        of_cmax = elasticity[:, :, found.exposures.index("cmax"), INPUTS.index("infusion_h")]  # [S, P]
        of_cmax[found.peak_moves] = torch.nan
    return replace(found, elasticity=elasticity)


def peaks_with_the_infusion(population: Population, concentration: Tensor, time_h: Tensor) -> Tensor:
    """Whether the highest sample of [S, P, T] at times [T] lies where an infusion ends: bool [S, P]."""
    time_h = time_h.to(concentration)
    before_h = time_h[(concentration.argmax(-1) - 1).clamp(min=0)]  # the peak lies after this sample
    doses = (before_h / population.interval_h).floor().clamp(max=population.n_doses - 1)
    infusion_h = population.infusion_h[:, None]
    return (infusion_h > 0) & (before_h <= doses * population.interval_h + infusion_h)


def moved(population: Population, log_factor: Tensor) -> Population:
    """The subjects with their inputs times exp(log_factor) [S, I], and what has to move along; differentiable by it."""
    p = population
    factor = dict(zip(INPUTS, log_factor.exp().unbind(1), strict=True))
    volume = p.volume_l * factor["weight_kg"][:, None] * _by_organ("volume_l", factor)
    flow = p.flow_l_per_h * factor["cardiac_output_l_per_h"][:, None] * _by_organ("flow_l_per_h", factor)
    perfused = [INDEX[organ] for organ in PERFUSED]
    more_mass = (volume * p.density_kg_per_l).sum(1) / (p.volume_l * p.density_kg_per_l).sum(1)
    more_flow = flow[:, perfused].sum(1) / p.flow_l_per_h[:, perfused].sum(1)
    through = torch.tensor([organ in PERFUSED for organ in ORGANS])
    to_plasma = factor["blood_plasma_ratio"]
    is_blood = torch.tensor([organ == "blood" for organ in ORGANS])
    changed: dict[str, Any] = {name: getattr(p, name) * factor[name] for name in ALONE}
    return replace(
        p,
        weight_kg=p.weight_kg * more_mass,
        volume_l=volume,
        cardiac_output_l_per_h=p.cardiac_output_l_per_h * more_flow,
        flow_l_per_h=torch.where(through, flow, p.flow_l_per_h * more_flow[:, None]),
        blood_plasma_ratio=p.blood_plasma_ratio * to_plasma,
        kp=p.kp * torch.where(is_blood, to_plasma[:, None], _by_organ("kp", factor)),
        **changed,
    )


def _by_organ(name: str, factor: Mapping[str, Tensor]) -> Tensor:
    """Factors [S, 14]; 1 where an organ has none of its own."""
    one = torch.ones_like(factor["weight_kg"])
    return torch.stack([factor.get(f"{name}.{organ}", one) for organ in ORGANS], 1)
