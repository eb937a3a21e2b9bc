"""The one-compartment model against scipy and against what must hold."""

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from fulmen.workloads.pbpk.one_compartment import equilibrium_concentrations, one_compartment
from fulmen.workloads.pbpk.simulator.population import (
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)
from fulmen.workloads.pbpk.simulator.sampling import sample_population

TIMES = torch.linspace(0, 24, 100, dtype=torch.float64)


def oracle(p, subject, times):
    """LSODA on the same balance, the liver's outflow found by bisection instead of the quadratic's root."""
    one = {name: float(value[subject]) for name, value in p.tensors().items() if value.ndim == 1}
    flow, renal, volume = (
        float(f(p)[subject]) for f in (liver_flow_l_per_h, renal_clearance_l_per_h, steady_state_volume_l)
    )
    f = one["fraction_unbound"] / one["blood_plasma_ratio"]
    vmax, km = one["clint_l_per_h"] * one["km_mg_per_l"], one["km_mg_per_l"]

    def rhs(t, x):
        absorbed = one["bioavailability"] * one["dose_mg"] * one["absorption_rate_per_h"]
        absorbing = absorbed * np.exp(-one["absorption_rate_per_h"] * t) if one["route"] == 2 else 0.0
        infusing = one["dose_mg"] / one["infusion_h"] if one["route"] == 1 and t < one["infusion_h"] else 0.0
        inflow = max(x[0], 0) / volume + absorbing / flow
        outflow = brentq(lambda c: flow * (inflow - c) - vmax * f * c / (km + f * c), 0, inflow + 1e-30, xtol=1e-15)
        return [flow * (outflow - x[0] / volume) - renal * x[0] / volume + infusing]

    start = one["dose_mg"] if one["route"] == 0 else 0.0
    return solve_ivp(rhs, (0, 24), [start], "LSODA", times, rtol=1e-8, atol=1e-8, max_step=0.05).y[0]


@pytest.mark.parametrize("route", ["bolus", "infusion", "oral"])
def test_body_load_agrees_with_lsoda(route):
    p = sample_population(3, seed=5, routes=[route])
    load = one_compartment(p, TIMES).numpy()
    for subject in range(3):
        error = np.abs(load[subject] - oracle(p, subject, TIMES.numpy())).max()
        assert error < 1e-3 * load[subject].max()


def test_far_below_km_it_decays_with_the_linear_clearance():
    p = sample_population(5, seed=1, routes=["bolus"], dose_mg=1e-6)
    rate = (hepatic_clearance_l_per_h(p) + renal_clearance_l_per_h(p)) / steady_state_volume_l(p)
    expected = p.dose_mg[:, None] * torch.exp(-rate[:, None] * TIMES)
    torch.testing.assert_close(one_compartment(p, TIMES), expected, rtol=1e-4, atol=1e-12)


def test_repeated_doses_add_up_while_kinetics_are_linear():
    options = dict(seed=1, routes=["bolus"], dose_mg=1e-6)
    once, thrice = sample_population(4, **options), sample_population(4, **options, n_doses=3, interval_h=6.0)
    times = torch.arange(0, 24.5, 0.5, dtype=torch.float64)
    single = one_compartment(once, times)
    shifted = [torch.nn.functional.pad(single, (12 * dose, 0))[:, : len(times)] for dose in range(3)]
    torch.testing.assert_close(one_compartment(thrice, times), sum(shifted), rtol=1e-4, atol=1e-15)


def test_organs_at_equilibrium_hold_the_whole_load():
    p = sample_population(4, seed=2)
    load = one_compartment(p, TIMES)
    held = (equilibrium_concentrations(p, load) * p.volume_l[:, :, None]).sum(1)
    torch.testing.assert_close(held, load)
