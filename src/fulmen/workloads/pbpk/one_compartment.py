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

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
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
    portal_share,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)
from fulmen.workloads.pbpk.steps import Steps

Row = Sequence[Any]
Reduced = Literal["exponential", "runge_kutta"]
REDUCED: tuple[Reduced, ...] = get_args(Reduced)
MAX_STEP_H = 0.25
_FEW = 12  # subjects for which plain numbers are as fast as arrays
_CACHED = 32768  # numbers of an array that stays in the processor's cache
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

    Differentiable by every tensor of `population` that requires a gradient. A subject depends neither on its neighbours
    nor, but for rounding in the last of 15 digits, on their number.

    Args:
        max_step_h: steps end at reported times and doses, and are no longer than this.
    """
    steps = Steps.to(time_h, population, max_step_h)
    recorded = differentiated(population)
    if recorded or population.dose_mg.device.type != "cpu":
        with torch.set_grad_enabled(recorded):
            rates = _rates(torch, population, kinetics)
            given = _given(torch, population, rates, steps.doses_h, steps.start_h, steps.length_h)
            loads = torch.stack(_integrate(torch, steps, _rows(*given), rates))
            return loads[torch.from_numpy(steps.reported).to(loads.device)].T
    if 0 < len(population) <= _FEW:
        with suppress(OverflowError):  # by rates that no body has, and to which arrays answer nan
            return torch.from_numpy(_one_by_one(population, steps, kinetics))
    return torch.from_numpy(_together(population, steps, kinetics))


def equilibrium_concentrations(population: Population, load_mg: Tensor, like: Tensor | None = None) -> Tensor:
    """What the organs would hold if the body load [S, T] were at equilibrium everywhere: mg/L [S, 14, T].

    Args:
        like: multiplied in its precision and on its device; a third of the time in single precision.
    """
    kp_blood = population.kp / population.blood_plasma_ratio[:, None]  # [S, 14]
    blood = load_mg / steady_state_volume_l(population)[:, None]  # [S, T]
    if like is not None:
        kp_blood, blood = kp_blood.to(like), blood.to(like)
    return kp_blood[:, :, None] * blood[:, None]


def _together(p: Population, steps: Steps, kinetics: str) -> np.ndarray:
    """Load [S, T] without gradients, a step of all subjects at a time: NumPy takes a third of what PyTorch does."""
    with torch.no_grad():
        rates = _rates(torch, p, kinetics)
        constants = {name: value.numpy() for name, value in rates.items()}
        loads = np.stack(_integrate(np, steps, _in_blocks(p, steps, rates), constants))
    return np.ascontiguousarray(loads[steps.reported].T)


def _in_blocks(p: Population, steps: Steps, rates: Mapping[str, Any]) -> Iterator[tuple[Row, Row]]:
    """What `_given` says, a few steps at a time, so that it stays in the processor's cache."""
    at_once = max(1, _CACHED // max(len(p), 1))
    for first in range(0, len(steps.length_h), at_once):
        block = slice(first, first + at_once)
        given = _given(torch, p, rates, steps.doses_h, steps.start_h[block], steps.length_h[block])
        half, whole = ([each.numpy() for each in part] for part in given)
        yield from _rows(half, whole)


def _one_by_one(p: Population, steps: Steps, kinetics: str) -> np.ndarray:
    """The same by plain numbers, one subject after the other: a tenth of the time for one, as much for `_FEW`."""
    arrays: dict[str, Any] = {k: (v.detach() if v.requires_grad else v).numpy() for k, v in p.tensors().items()}
    p = replace(p, **arrays)
    rates = _rates(np, p, kinetics)
    given = _given(np, p, rates, steps.doses_h, steps.start_h, steps.length_h)
    loads = []
    for s in range(len(p)):
        half, whole = ([each[:, s].tolist() for each in part] for part in given)
        loads.append(
            _integrate(math, steps, _rows(half, whole), {name: float(value[s]) for name, value in rates.items()})
        )
    return np.array(loads)[:, steps.reported]


def _rates(xp: ModuleType, p: Population, kinetics: str) -> dict[str, Any]:
    """What stays as it is, [S]; the tensors of `p` are arrays of `xp`, as all results are.

    k = `renal` + `liver` e per hour; e = `twice_a` / (`twice_a` + B + sqrt(B^2 + `w`)), B = `b0` + `b_x` X + `b_portal`
    times what comes through the portal vein, mg/h.
    """
    flow, volume = liver_flow_l_per_h(p), steady_state_volume_l(p)
    unbound = p.fraction_unbound / p.blood_plasma_ratio
    uptake = p.clint_l_per_h * unbound
    oral = p.route == ORAL
    rates = {
        "renal": renal_clearance_l_per_h(p) / volume + _SLOWEST_PER_H,
        "liver": flow / volume,
        "ka": xp.where(oral, p.absorption_rate_per_h, 0.0),
        "oral": xp.where(oral, xp.ones_like(flow), 0.0),
        "bolus_mg": xp.where(p.route == BOLUS, p.dose_mg, 0.0),
    }
    if kinetics == "linear":
        nothing = xp.zeros_like(flow)
        return rates | {"twice_a": 2 * uptake, "b0": flow, "b_x": nothing, "b_portal": nothing, "w": nothing}
    a, km = uptake * p.km_mg_per_l, p.km_mg_per_l
    b1 = flow * unbound
    rates |= {"twice_a": 2 * a, "b0": flow * km - a, "w": 4 * flow * a * km}
    return rates | {"b_x": b1 * (1 / volume), "b_portal": b1 * (1 / flow)}


def _given(
    xp: ModuleType, p: Population, rates: Mapping[str, Any], doses_h: Any, start_h: Any, length_h: Any
) -> tuple[Row, Row]:
    """What enters in the first half of each step, and in the whole step: arrays [N, S].

    B without the load, by what the liver sees through the portal vein, at the start of the step for the half and in the
    middle for the whole; mg that enter; and how long they do, h. Where infusions overlap, those that end in the step
    are apart, as two arrays more: their mg, and how long they last.

    Args:
        doses_h: [D].
        start_h: of the steps [N].
        length_h: of the steps [N].
    """
    if xp is torch:
        doses_h, start_h, length_h = (torch.from_numpy(part).to(p.dose_mg) for part in (doses_h, start_h, length_h))
    length_h, since_h = length_h[:, None], (start_h[:, None] - doses_h)[:, None]  # [N, 1], [N, 1, D]
    ka, oral, infused = rates["ka"], p.route == ORAL, p.route == INFUSION
    in_gut = xp.where(since_h >= 0, xp.exp(-p.absorption_rate_per_h[:, None] * xp.clip(since_h, 0, None)), 0.0)
    left_h = xp.where((since_h >= 0) & infused[:, None], p.infusion_h[:, None] - since_h, -1.0)  # of each infusion
    portal = ka * portal_share(p) * p.dose_mg * in_gut.sum(2)  # [N, S], mg/h
    middle_portal = portal * xp.exp(-ka * length_h / 2)
    rate = xp.where(infused, p.dose_mg / xp.where(infused, p.infusion_h, 1.0), 0.0)

    def within(h: Any, portal_then: Any) -> Row:
        b = rates["b0"] + rates["b_portal"] * portal_then
        if p.n_doses == 1:
            left = left_h[..., 0]
            infused_h = xp.where(left < h, xp.where(left >= 0, left, 0.0), h)
            return b, portal * h + rate * infused_h, xp.where(oral, h, infused_h)
        whole_h = h * (left_h >= h[..., None]).sum(2)
        ending_h = xp.where((left_h >= 0) & (left_h < h[..., None]), left_h, 0.0).sum(2)
        return b, portal * h + rate * whole_h, xp.broadcast_to(h, portal.shape), rate * ending_h, ending_h

    return within(length_h / 2, portal), within(length_h, middle_portal)


def _rows(half: Row, whole: Row) -> Iterator[tuple[Row, Row]]:
    """Step by step, what enters in its first half and in the whole."""
    return zip(zip(*half, strict=True), zip(*whole, strict=True), strict=True)


def _integrate(xp: ModuleType, steps: Steps, given: Iterable[tuple[Row, Row]], rates: Mapping[str, Any]) -> list[Any]:
    """The load at the start and after each step; of all subjects [S] by `numpy` or `torch`, of one by `math`."""
    renal, liver, twice_a, w, b_x, ka, oral, dose_mg = (
        rates[name] for name in ("renal", "liver", "twice_a", "w", "b_x", "ka", "oral", "bolus_mg")
    )

    def after(
        x: Any, at: Any, h: float, b: Any, mg: Any, on_h: Any, ending_mg: Any = None, ending_h: Any = None
    ) -> Any:
        """Load after h hours from `x`, with the extraction that the load `at` has."""
        big = at * b_x + b
        e = twice_a / (xp.sqrt(big * big + w) + big + twice_a)
        k = renal + liver * e
        z = (k - ka) * on_h + _TINY
        x = x + mg * (1 - e * oral) * xp.expm1(z) / z
        if ending_mg is not None:
            z = k * ending_h + _TINY
            x = x + ending_mg * xp.expm1(z) / z
        return xp.exp(k * -h) * x

    x = dose_mg
    loads = [x]
    for h, dosed, (half, whole) in zip(steps.length_h.tolist(), steps.dosed.tolist(), given, strict=True):
        middle = after(x, x, h / 2, *half)
        x = after(x, middle, h, *whole)
        if dosed:
            x = x + dose_mg
        loads.append(x)
    return loads
