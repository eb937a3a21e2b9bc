"""The whole body as one well-mixed compartment behind the liver: a coarse model that costs almost nothing.

The body holds X mg at the blood concentration X / V, with V = Vss. The liver sees its inflow, C = X / V plus what an
oral dose brings through the portal vein, and lets out the concentration c that solves the well-stirred balance

    Q (C - c) = Vmax f c / (Km + f c),   f = fu / BP,  Vmax = CLint Km,

a quadratic in D = Km + f c. With a = Vmax f and B = Q (f C + Km) - a the extraction e = 1 - c / C is

    e = 2 a / (2 a + B + sqrt(B^2 + 4 Q a Km)),

which never divides by C and keeps its digits for any load. Then dX/dt = -k X + (1 - e) absorbed + infused with
k = (CL_r + Q e) / V. A step holds e at the middle of the step, found by a first half step, and is exact for constant e
(exponential midpoint, order 2): so linear kinetics, where e = u / (Q + u) with u = CLint f, are solved exactly.

It is too coarse to predict an organ, but it knows when a saturated liver recovers: networks are driven by it, and it
is a baseline of its own.
"""

from dataclasses import dataclass
from types import ModuleType
from typing import Any, Literal, get_args

import numpy as np
import torch
from torch import Tensor

from fulmen.workloads.pbpk.runge_kutta import runge_kutta
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    INFUSION,
    ORAL,
    Population,
    differentiated,
    liver_flow_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)

Reduced = Literal["exponential", "runge_kutta"]
REDUCED: tuple[Reduced, ...] = get_args(Reduced)
MAX_STEP_H = 0.25
_TINY = 1e-30  # stands for an exponent of 0, whose (exp(z) - 1) / z is 1
_SLOWEST_PER_H = 1e-12  # of elimination, so that a body without any has a finite half-life


def body_load(
    population: Population,
    time_h: Tensor,
    kinetics: str = "saturable",
    reduced: Reduced = "exponential",
    max_step_h: float | None = None,
) -> Tensor:
    """Body load in mg [S, T] by the reduced model of that name; see `one_compartment` and `runge_kutta`."""
    if reduced == "runge_kutta":
        return runge_kutta(population, time_h, kinetics, max_step_h)
    return one_compartment(population, time_h, kinetics, max_step_h or MAX_STEP_H)


def one_compartment(
    population: Population, time_h: Tensor, kinetics: str = "saturable", max_step_h: float = MAX_STEP_H
) -> Tensor:
    """Body load X in mg at any increasing times [T] (hours, >= 0); a dose given at that time is in. Shape [S, T].

    Differentiable by every tensor of `population` that requires a gradient. A subject does not depend on its
    neighbours.

    Args:
        max_step_h: steps end at reported times and doses, and are no longer than this.
    """
    steps = _Steps.between(time_h, population, max_step_h)
    with torch.set_grad_enabled(differentiated(population)):
        given, rates = _given(population, steps), _rates(population, kinetics)
        dose_mg = torch.where(population.route == BOLUS, population.dose_mg, 0.0)
        if dose_mg.device.type == "cpu" and not torch.is_grad_enabled():  # a small array costs NumPy a third
            entering = {name: value.numpy() for name, value in given.items()}
            constants = {name: value.numpy() for name, value in rates.items()}
            loads = np.stack(_integrate(np, steps, entering, constants, dose_mg.numpy()))
            return torch.from_numpy(loads[steps.reported]).T.contiguous()
        reported = torch.from_numpy(steps.reported).to(dose_mg.device)
        return torch.stack(_integrate(torch, steps, given, rates, dose_mg))[reported].T


def equilibrium_concentrations(population: Population, load_mg: Tensor) -> Tensor:
    """What the organs would hold if the body load [S, T] were at equilibrium everywhere: mg/L [S, 14, T]."""
    kp_blood = population.kp / population.blood_plasma_ratio[:, None]  # [S, 14]
    blood = load_mg / steady_state_volume_l(population)[:, None]  # [S, T]
    return kp_blood[:, :, None] * blood[:, None]


@dataclass(frozen=True)
class _Steps:
    """N steps from 0 h to the last reported time, shared by all subjects; hours."""

    start_h: np.ndarray  # [N]
    length_h: np.ndarray  # [N]
    doses_h: np.ndarray  # [D], those until the last reported time
    dosed: np.ndarray  # [N], whether a dose is given at the end
    reported: np.ndarray  # [T], how many steps lie before each reported time

    @classmethod
    def between(cls, time_h: Tensor, population: Population, max_step_h: float) -> "_Steps":
        times = time_h.detach().double().cpu().numpy()
        doses = population.interval_h * np.arange(population.n_doses)
        doses = doses[doses <= times[-1]]
        stops = np.union1d(times, [0.0, *doses])
        apart = np.diff(stops)
        pieces = np.ceil(apart / max_step_h - 1e-9).astype(int).clip(1)
        within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
        length = np.repeat(apart / pieces, pieces)
        last = within == np.repeat(pieces, pieces) - 1
        before = np.concatenate([[0], np.cumsum(pieces)])
        return cls(
            start_h=np.repeat(stops[:-1], pieces) + within * length,
            length_h=length,
            doses_h=doses,
            dosed=last & np.repeat(np.isin(stops[1:], doses), pieces),
            reported=before[np.searchsorted(stops, times)],
        )


def _given(p: Population, steps: _Steps) -> dict[str, Tensor]:
    """What enters in each step, [N, S]: `mg` decay at `ka` while they last, `on_h`; `half_mg` in the first half.

    `portal` is what the liver sees of it in mg/h at the start, `middle_portal` in the middle. Where infusions overlap,
    those that end in the step are apart, as `ending_mg` and `ending_h`.
    """
    start_h, length_h, doses_h = (
        torch.from_numpy(part).to(p.dose_mg) for part in (steps.start_h, steps.length_h, steps.doses_h)
    )
    length_h, since_h = length_h[:, None], (start_h[:, None] - doses_h)[:, None]  # [N, 1], [N, 1, D]
    taken = since_h >= 0
    oral, infused = p.route == ORAL, p.route == INFUSION
    in_gut = torch.where(taken, (-p.absorption_rate_per_h[:, None] * since_h.clamp(min=0)).exp(), 0.0).sum(2)
    ka = torch.where(oral, p.absorption_rate_per_h, 0.0)
    portal = ka * p.bioavailability * p.dose_mg * in_gut  # [N, S], mg/h
    rate = torch.where(infused, p.dose_mg / torch.where(infused, p.infusion_h, 1.0), 0.0)
    left_h = torch.where(taken & infused[:, None], p.infusion_h[:, None] - since_h, -1.0)  # [N, S, D], of each infusion

    given = {"ka": ka, "oral": oral.to(ka), "portal": portal, "middle_portal": portal * (-ka * length_h / 2).exp()}
    for half, h in (("", length_h), ("half_", length_h / 2)):
        whole_h = h * (left_h >= h[..., None]).sum(2)
        ending_h = torch.where((left_h >= 0) & (left_h < h[..., None]), left_h, 0.0).sum(2)
        if p.n_doses > 1:
            given |= {f"{half}ending_mg": rate * ending_h, f"{half}ending_h": ending_h}
            given |= {f"{half}mg": portal * h + rate * whole_h, f"{half}on_h": h.expand_as(portal)}
        else:
            given[f"{half}mg"] = portal * h + rate * (whole_h + ending_h)
            given[f"{half}on_h"] = torch.where(oral | (whole_h > 0), h, ending_h)
    return given


def _rates(p: Population, kinetics: str) -> dict[str, Tensor]:
    """k = `renal` + `liver` e per hour; e = `twice_a` / (`twice_a` + B + sqrt(B^2 + `w`)), B = `b0` + `b1` C. [S]."""
    flow, volume = liver_flow_l_per_h(p), steady_state_volume_l(p)
    unbound = p.fraction_unbound / p.blood_plasma_ratio
    uptake = p.clint_l_per_h * unbound
    rates = {
        "renal": renal_clearance_l_per_h(p) / volume + _SLOWEST_PER_H,
        "liver": flow / volume,
        "per_volume": 1 / volume,
        "per_flow": 1 / flow,
    }
    if kinetics == "linear":
        return rates | {"twice_a": 2 * uptake, "b0": flow, "b1": torch.zeros_like(flow), "w": torch.zeros_like(flow)}
    a, km = uptake * p.km_mg_per_l, p.km_mg_per_l
    return rates | {"twice_a": 2 * a, "b0": flow * km - a, "b1": flow * unbound, "w": 4 * flow * a * km}


def _integrate(xp: ModuleType, steps: _Steps, given: dict[str, Any], rates: dict[str, Any], dose_mg: Any) -> list[Any]:
    """The load [S] at the start and after each step; arrays of `xp`, that is `numpy` or `torch`."""
    per_volume, renal, liver, twice_a, w = (rates[name] for name in ("per_volume", "renal", "liver", "twice_a", "w"))
    ka, oral = given["ka"], given["oral"]
    b_x = rates["b1"] * per_volume
    b_start, b_middle = (
        rates["b0"] + rates["b1"] * rates["per_flow"] * given[name] for name in ("portal", "middle_portal")
    )

    def after(x: Any, at: Any, b: Any, h: float, step: int, half: str) -> Any:
        """Load after h hours from `x`, with the extraction that the load `at` has."""
        big = at * b_x + b
        e = twice_a / (xp.sqrt(big * big + w) + big + twice_a)
        k = renal + liver * e
        z = (k - ka) * given[f"{half}on_h"][step] + _TINY
        x = x + given[f"{half}mg"][step] * (1 - e * oral) * xp.expm1(z) / z
        if f"{half}ending_mg" in given:
            z = k * given[f"{half}ending_h"][step] + _TINY
            x = x + given[f"{half}ending_mg"][step] * xp.expm1(z) / z
        return xp.exp(k * -h) * x

    x = dose_mg
    loads = [x]
    for step, (h, dosed) in enumerate(zip(steps.length_h.tolist(), steps.dosed.tolist(), strict=True)):
        middle = after(x, x, b_start[step], h / 2, step, "half_")
        x = after(x, middle, b_middle[step], h, step, "")
        if dosed:
            x = x + dose_mg
        loads.append(x)
    return loads
