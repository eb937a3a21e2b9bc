"""The one-compartment model against scipy, against closed forms, and its gradients against differences."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp
from scipy.optimize import brentq

from fulmen.workloads.pbpk.one_compartment import REDUCED, body_load, equilibrium_concentrations, one_compartment
from fulmen.workloads.pbpk.runge_kutta import runge_kutta
from fulmen.workloads.pbpk.simulator.population import (
    ROUTES,
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)
from fulmen.workloads.pbpk.simulator.sampling import POPULATIONS, sample_population

TIMES = torch.linspace(0, 24, 100, dtype=torch.float64)
IRREGULAR = torch.tensor([0.0, 0.07, 0.5, 1.0, 1.3, 3.0, 7.9, 24.0, 60.0], dtype=torch.float64)
INPUTS = (
    "cardiac_output_l_per_h", "volume_l", "flow_l_per_h", "kp", "blood_plasma_ratio", "fraction_unbound",
    "clint_l_per_h", "renal_clint_l_per_h", "km_mg_per_l", "absorption_rate_per_h", "bioavailability", "dose_mg",
    "infusion_h", "gut_extraction",
)  # fmt: skip


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


def closed_form(p, times):
    """Load [S, T] of a linear drug: one exponential per dose, by Bateman where it is absorbed."""
    hepatic, volume = hepatic_clearance_l_per_h(p).numpy(), steady_state_volume_l(p).numpy()
    k = ((hepatic + renal_clearance_l_per_h(p).numpy()) / volume)[:, None]
    ka, dose, long = (v.numpy()[:, None] for v in (p.absorption_rate_per_h, p.dose_mg, p.infusion_h))
    passed = p.bioavailability.numpy() * (1 - hepatic / liver_flow_l_per_h(p).numpy())
    load = 0.0
    for number in range(p.n_doses):
        t = np.maximum(times.numpy() - number * p.interval_h, 0.0)
        bolus = dose * np.exp(-k * t) * (times.numpy() >= number * p.interval_h)
        infusion = dose / np.maximum(long, 1e-9) / k * (np.exp(-k * np.maximum(t - long, 0)) - np.exp(-k * t))
        oral = passed[:, None] * dose * ka / (ka - k) * (np.exp(-k * t) - np.exp(-ka * t))
        load = load + np.select([(p.route == r).numpy()[:, None] for r in range(3)], [bolus, infusion, oral])
    return torch.from_numpy(load)


@pytest.mark.parametrize("route", ROUTES)
def test_body_load_agrees_with_lsoda(route):
    p = sample_population(3, seed=5, routes=[route])
    load, fine = one_compartment(p, TIMES).numpy(), one_compartment(p, TIMES, max_step_h=0.02).numpy()
    for subject in range(3):
        expected = oracle(p, subject, TIMES.numpy())
        assert np.abs(load[subject] - expected).max() < 5e-3 * expected.max()
        assert np.abs(fine[subject] - expected).max() < 5e-5 * expected.max()


def test_the_error_falls_with_the_square_of_the_step():
    p = sample_population(60, seed=6, infusion_h=1.0)
    exact = one_compartment(p, TIMES[::33], max_step_h=0.002)
    error = [(one_compartment(p, TIMES[::33], max_step_h=h) - exact).abs().amax(1) for h in (0.1, 0.05)]
    ratio = (error[0] / error[1])[error[1] > 1e-6 * p.dose_mg]
    assert 3.5 < ratio.median() < 4.5


def test_the_runge_kutta_of_before_says_the_same():
    p = sample_population(100, seed=7)
    before, now = (body_load(p, TIMES, "saturable", name) for name in ("runge_kutta", "exponential"))
    assert ((before - now).abs().amax(1) / before.amax(1)).quantile(0.9) < 5e-3
    assert torch.equal(before, runge_kutta(p, TIMES))


@pytest.mark.parametrize(("n_doses", "interval_h"), [(1, 24.0), (3, 6.0), (4, 0.8)])
@pytest.mark.parametrize("route", ROUTES)
def test_linear_kinetics_are_solved_exactly_at_any_times(route, n_doses, interval_h):
    """Infusions of 1 h end on a reported time and at others; every 0.8 h they overlap."""
    p = sample_population(20, seed=1, routes=[route], infusion_h=1.0, n_doses=n_doses, interval_h=interval_h)
    found = one_compartment(p, IRREGULAR, "linear")
    torch.testing.assert_close(found, closed_form(p, IRREGULAR), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("route", ROUTES)
def test_far_below_km_kinetics_are_linear(route):
    p = sample_population(5, seed=1, routes=[route], dose_mg=1e-6)
    torch.testing.assert_close(one_compartment(p, TIMES), closed_form(p, TIMES), rtol=1e-5, atol=1e-12)


@pytest.mark.parametrize("kinetics", ["linear", "saturable"])
def test_a_body_that_clears_nothing_keeps_all_that_has_entered(kinetics):
    p = sample_population(9, seed=2, n_doses=2, interval_h=10.0)
    nothing = torch.zeros_like(p.dose_mg)
    load = one_compartment(replace(p, clint_l_per_h=nothing, renal_clint_l_per_h=nothing), TIMES, kinetics)
    entered = 0.0
    for t in (TIMES, TIMES - 10.0):
        share = [(t >= 0) + 0 * p.dose_mg[:, None], (t / p.infusion_h[:, None].clamp(min=1e-9)).clamp(0, 1)]
        share += [p.bioavailability[:, None] * -torch.expm1(-p.absorption_rate_per_h[:, None] * t.clamp(min=0))]
        entered = entered + p.dose_mg[:, None] * torch.stack(share)[p.route, torch.arange(9)]
    torch.testing.assert_close(load, entered, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kinetics", ["linear", "saturable"])
@pytest.mark.parametrize("population", POPULATIONS)
def test_a_subject_does_not_depend_on_its_neighbours_nor_on_their_number(population, kinetics):
    """A few are solved as plain numbers, many as arrays: by the same equations, to the last of 15 digits."""
    p = sample_population(60, seed=20, population=population)
    together = one_compartment(p, IRREGULAR, kinetics)
    assert torch.equal(together[20:50], one_compartment(p[20:50], IRREGULAR, kinetics))
    few, one = one_compartment(p[5:10], IRREGULAR, kinetics), one_compartment(p[7], IRREGULAR, kinetics)
    assert torch.equal(few[2:3], one)
    torch.testing.assert_close(few, together[5:10], rtol=1e-12, atol=0)


@pytest.mark.filterwarnings("ignore:.*encountered:RuntimeWarning")
def test_rates_that_no_body_has_are_answered_alike_by_numbers_and_arrays():
    p = sample_population(20, seed=2, routes=["oral"])
    p = replace(p, volume_l=p.volume_l * 1e-6)
    load = one_compartment(p, TIMES)
    assert load.isnan().any()
    torch.testing.assert_close(one_compartment(p[3], TIMES), load[3:4], equal_nan=True)


@pytest.mark.parametrize("subjects", [1, 40])
def test_a_load_is_the_same_where_it_is_differentiated(subjects):
    p = sample_population(subjects, seed=20)
    together = one_compartment(p, TIMES)
    watched = one_compartment(replace(p, dose_mg=p.dose_mg.clone().requires_grad_()), TIMES)
    torch.testing.assert_close(together, watched.detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kinetics", ["linear", "saturable"])
@pytest.mark.parametrize("route", ROUTES)
def test_gradients_by_every_input_are_those_of_central_differences(route, kinetics):
    drug = {"gut_extraction": 0.3}
    p = sample_population(4, seed=3, routes=[route], n_doses=2, interval_h=5.0, infusion_h=0.7, drug=drug)
    times = torch.tensor([0.3, 1.0, 4.0, 9.0], dtype=torch.float64)
    values = {name: getattr(p, name) for name in INPUTS}
    watched = {name: value.clone().requires_grad_() for name, value in values.items()}
    load = one_compartment(replace(p, **watched), times, kinetics)
    for t in range(len(times)):
        gradients = torch.autograd.grad(load[:, t].sum(), watched.values(), retain_graph=True, materialize_grads=True)
        found = torch.cat([(g * v).reshape(4, -1) for g, v in zip(gradients, values.values(), strict=True)], 1)
        expected = torch.cat([differences(p, name, times[: t + 1], kinetics) for name in INPUTS], 1)
        off = (found - expected).abs().amax(1) / expected.abs().amax(1)
        assert off.max() < 1e-6, (t, off)


def differences(p, name, times, kinetics, relative=1e-4):
    """d load / d ln input at the last time by central differences, [S, entries]."""
    entries = getattr(p, name)[0].numel()
    moved = p[torch.arange(len(p)).repeat(2 * entries)]  # of each entry all subjects above, then all below
    signs = torch.tensor([1.0, -1.0], dtype=torch.float64).repeat_interleave(len(p)).repeat(entries)
    column = torch.arange(entries).repeat_interleave(2 * len(p))
    factor = 1 + relative * signs[:, None] * (column[:, None] == torch.arange(entries))
    value = getattr(moved, name)
    load = one_compartment(replace(moved, **{name: value * factor.view_as(value)}), times, kinetics)[:, -1]
    above, below = load.view(entries, 2, len(p)).unbind(1)
    return ((above - below) / (2 * relative)).T


def test_an_infusion_that_ends_on_a_reported_time_counts_once_in_its_gradient():
    p = sample_population(3, seed=4, routes=["infusion"], infusion_h=1.0)
    times = torch.tensor([0.5, 1.0, 2.0], dtype=torch.float64)
    infusion_h = p.infusion_h.clone().requires_grad_()
    load = one_compartment(replace(p, infusion_h=infusion_h), times, "linear")[:, 2]
    (found,) = torch.autograd.grad(load.sum(), infusion_h)
    ends = [one_compartment(replace(p, infusion_h=p.infusion_h + d), times, "linear")[:, 2] for d in (1e-4, -1e-4)]
    torch.testing.assert_close(found, (ends[0] - ends[1]) / 2e-4, rtol=1e-6, atol=0)


@pytest.mark.parametrize("reduced", REDUCED)
def test_what_the_gut_wall_metabolises_is_as_good_as_not_absorbed(reduced):
    p = sample_population(9, seed=2, drug={"gut_extraction": 0.3})
    less = replace(p, bioavailability=0.7 * p.bioavailability, gut_extraction=torch.zeros(9).double())
    loads = [body_load(each, TIMES[:9], "saturable", reduced) for each in (p, less)]
    torch.testing.assert_close(*loads, rtol=1e-12, atol=0)


def test_organs_at_equilibrium_hold_the_whole_load():
    p = sample_population(4, seed=2)
    load = one_compartment(p, TIMES)
    held = (equilibrium_concentrations(p, load) * p.volume_l[:, :, None]).sum(1)
    torch.testing.assert_close(held, load)
