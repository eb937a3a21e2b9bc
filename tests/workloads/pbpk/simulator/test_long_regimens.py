"""Regimens up to the limits that are promised: 7 days, infusions of 24 hours, doses that overlap."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.integrate import solve_ivp

from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.simulator.compartments import (
    FIRST_TISSUE,
    LIVER,
    LUMEN,
    METABOLISED,
    OUTSIDE,
    RATE,
    UNABSORBED,
    VENOUS,
    rate_matrix,
    rates,
)
from fulmen.workloads.pbpk.simulator.population import BOLUS, INFUSION, ORAL
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, mass_error, simulate

WEEK_H = torch.linspace(0, 168, 85, dtype=torch.float64)  # every 2 hours
OVERLAPPING = {"n_doses": 28, "interval_h": 6.0, "infusion_h": 24.0}
DAILY = {"n_doses": 7, "interval_h": 24.0, "infusion_h": 24.0}
LIVER_STATE = FIRST_TISSUE + LIVER


@pytest.mark.parametrize("regimen", [DAILY, OVERLAPPING], ids=["daily", "overlapping"])
def test_linear_doses_of_a_week_add_up(regimen):
    """What 7 or 28 doses leave is the sum of what one leaves, each shifted by its time."""
    population = sample_population(12, seed=1, population="real_chemistry", **regimen)
    once = concentrations(population, simulate(replace(population, n_doses=1), WEEK_H, "linear"))
    step = int(regimen["interval_h"] / 2)
    expected = sum(
        torch.nn.functional.pad(once, (step * dose, 0))[..., : len(WEEK_H)] for dose in range(regimen["n_doses"])
    )
    found = concentrations(population, simulate(population, WEEK_H, "linear"))
    error = (found - expected).abs().amax(2) / expected.amax(2)
    assert error.max() < 1e-8


def lsoda(population, time_h):
    """Amounts [T, 19] of one subject with saturable kinetics, dose by dose, by another integrator."""
    r = rates(population)
    matrix = rate_matrix(r)[0, :RATE, :RATE].numpy().copy()
    hepatic_per_h, saturation = r.hepatic_per_h.item(), r.saturation_per_mg.item()
    matrix[LIVER_STATE, LIVER_STATE] += hepatic_per_h
    matrix[METABOLISED, LIVER_STATE] -= hepatic_per_h
    dose, route, duration_h = population.dose_mg.item(), population.route.item(), population.infusion_h.item()
    start_h = population.interval_h * np.arange(population.n_doses)

    def change(_, y, infused_mg_per_h):
        slope = matrix @ y
        cleared = hepatic_per_h * y[LIVER_STATE] / (1 + saturation * y[LIVER_STATE])
        slope[LIVER_STATE] -= cleared
        slope[METABOLISED] += cleared
        slope[VENOUS] += infused_mg_per_h
        return slope

    breaks = sorted({*start_h.tolist(), *(start_h + duration_h).tolist(), *time_h.tolist()})
    state, rows = np.zeros(RATE), []
    for now, after in zip(breaks, [*breaks[1:], None], strict=True):
        if now in start_h and route == BOLUS:
            state[VENOUS] += dose
        if now in start_h and route == ORAL:
            absorbed = dose * population.bioavailability.item()
            state[LUMEN] += absorbed
            state[UNABSORBED] += dose - absorbed
        if now in time_h.tolist():
            rows.append(state.copy())
        if after is None or len(rows) == len(time_h):
            break
        running = sum(1 for start in start_h if start <= now < start + duration_h)
        infused = running * dose / duration_h if route == INFUSION else 0.0
        state = solve_ivp(
            change, (now, after), state, "LSODA", args=(infused,), rtol=1e-9, atol=1e-12 * dose, t_eval=[after]
        ).y[:, -1]
    return torch.tensor(np.array(rows))


@pytest.mark.parametrize("route", ["bolus", "infusion", "oral"])
def test_a_week_of_saturated_doses_agrees_with_lsoda(route):
    regimen = OVERLAPPING if route == "infusion" else {"n_doses": 7, "interval_h": 24.0}
    drug = {"km_mg_per_l": 0.05}  # so that the liver is saturated
    population = sample_population(
        2, seed=4, population="real_chemistry", routes=[route], dose_mg=(100, 1000), drug=drug, **regimen
    )
    found = simulate(population, WEEK_H)
    for subject in range(len(population)):
        expected = lsoda(population[subject], WEEK_H)
        error = (found[subject, :, :RATE] - expected).abs().amax(0) / expected.amax(0).clamp(min=1e-6)
        assert error.max() < 1e-5, f"subject {subject}: {error.max():.1e}"


@pytest.mark.parametrize("population", ["real_chemistry", "wide"])
def test_no_mass_is_lost_in_a_week_and_nothing_is_negative(population):
    drawn = sample_population(20, seed=2, population=population, **OVERLAPPING)
    for kinetics in ("saturable", "linear"):
        amounts = simulate(drawn, WEEK_H, kinetics)
        assert mass_error(drawn, amounts, WEEK_H).max() < 1e-11
        assert amounts.min() >= 0


def test_an_infusion_that_never_stops_leaves_as_fast_as_it_enters():
    """After a week at a half-life of minutes to hours, a day's elimination is a day's dose."""
    population = sample_population(8, seed=0, routes=["infusion"], drug={"clint_l_per_h": 500.0}, **DAILY)
    eliminated = simulate(population, WEEK_H, "linear")[..., OUTSIDE].sum(-1)
    torch.testing.assert_close(eliminated[:, -1] - eliminated[:, -13], population.dose_mg, rtol=1e-3, atol=0)


def test_data_of_a_week_are_finite():
    data = PBPKData(
        compounds=12, validation_compounds=3, test_compounds=3, time_points=30, hours=168.0, population="wide", **DAILY
    )
    data.prepare_data()
    data.setup()
    for name, value in data.splits["train"].items():
        assert value.isfinite().all(), name
