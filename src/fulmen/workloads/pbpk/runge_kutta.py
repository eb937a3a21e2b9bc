"""The one-compartment model as networks trained before format 2 know it: by the classical Runge-Kutta method.

The equations are those of `one_compartment.py`, which is some 80 times faster and has gradients. A network predicts
what it has learned only beside the reduced model that it has learned from, so this one stays for what was kept with it
(`reduced: runge_kutta` in its config), to the bit.
"""

import math

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    INFUSION,
    ORAL,
    Population,
    liver_flow_l_per_h,
    portal_share,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)

MAX_STEP_H = 0.06


def step_h(population: Population) -> Tensor:
    """The longest step that each subject's fastest rate allows, at most `MAX_STEP_H`. Shape [S]."""
    rate = (liver_flow_l_per_h(population) + renal_clearance_l_per_h(population)) / steady_state_volume_l(population)
    return (1 / rate).clamp(max=MAX_STEP_H)


@torch.no_grad()
def runge_kutta(
    population: Population, time_h: Tensor, kinetics: str = "saturable", max_step_h: float | None = None
) -> Tensor:
    """Body load X in mg at increasing times [T] (hours, >= 0), by the classical Runge-Kutta method. Shape [S, T].

    Args:
        max_step_h: shared by all subjects; what the fastest of them needs by default.
    """
    p = population
    flow, renal, volume = liver_flow_l_per_h(p), renal_clearance_l_per_h(p), steady_state_volume_l(p)  # [S]
    unbound = p.fraction_unbound / p.blood_plasma_ratio
    capacity = p.clint_l_per_h * p.km_mg_per_l * unbound  # Vmax f, mg/h
    oral, infused = p.route == ORAL, p.route == INFUSION
    infusion_rate = torch.where(infused, p.dose_mg / p.infusion_h.clamp(min=1e-6), 0.0)  # mg/h
    max_step_h = max_step_h or float(step_h(p).min())

    def slope(x: Tensor, infusing: Tensor, absorbing: Tensor) -> Tensor:
        concentration = x / volume
        inflow = concentration + absorbing / flow  # mg/L entering the liver
        if kinetics == "linear":
            outflow = inflow * flow / (flow + p.clint_l_per_h * unbound)
            return flow * (outflow - concentration) - renal * concentration + infusing
        half = (flow * (p.km_mg_per_l - unbound * inflow) + capacity) / 2
        root = (half**2 + flow**2 * unbound * p.km_mg_per_l * inflow).sqrt()
        outflow = torch.where(half > 0, flow * p.km_mg_per_l * inflow / (half + root), (root - half) / (flow * unbound))
        return flow * (outflow - concentration) - renal * concentration + infusing

    def since(t: float) -> Tensor:
        hours = t + 1e-9 - p.interval_h * torch.arange(p.n_doses).to(volume)
        return hours[hours >= 0]  # [doses given by t]

    def infusing(t: float, h: float) -> Tensor:
        """Mean rate over the step, mg/h: an infusion may end inside it."""
        running = (p.infusion_h - since(t)[:, None]).clamp(0, h).sum(0) / h  # [S]
        return running * infusion_rate

    def absorbing(t: float) -> Tensor:
        amount = torch.exp(-p.absorption_rate_per_h * since(t)[:, None]).sum(0)  # share of a dose still in the gut
        return torch.where(oral, portal_share(p) * p.dose_mg * p.absorption_rate_per_h * amount, 0.0)

    times = time_h.double().tolist()
    given = [dose * p.interval_h for dose in range(p.n_doses) if dose * p.interval_h <= times[-1]]
    stops = sorted({0.0, *times, *given})
    x = torch.zeros_like(volume)
    loads = {}
    for start, stop in zip([0.0, *stops], stops, strict=False):
        steps = max(1, math.ceil((stop - start) / max_step_h)) if stop > start else 0
        h = (stop - start) / max(steps, 1)
        for step in range(steps):
            t = start + step * h
            infused_mg_per_h = infusing(t, h)
            start_mg_per_h, middle_mg_per_h, end_mg_per_h = absorbing(t), absorbing(t + h / 2), absorbing(t + h)
            k1 = slope(x, infused_mg_per_h, start_mg_per_h)
            k2 = slope(x + h / 2 * k1, infused_mg_per_h, middle_mg_per_h)
            k3 = slope(x + h / 2 * k2, infused_mg_per_h, middle_mg_per_h)
            k4 = slope(x + h * k3, infused_mg_per_h, end_mg_per_h)
            x = (x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)).clamp(min=0)
        if stop in given:
            x = x + torch.where(p.route == BOLUS, p.dose_mg, 0.0)
        loads[stop] = x
    return torch.stack([loads[t] for t in times], 1)
