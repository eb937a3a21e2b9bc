"""The terminal half-life is the slope of a simulated curve, and a horizon lasts until little is left in the body."""

import math
from dataclasses import replace

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import LUMEN
from fulmen.workloads.pbpk.simulator.horizon import horizon_h, terminal_half_life_h
from fulmen.workloads.pbpk.simulator.outputs import curves
from fulmen.workloads.pbpk.simulator.population import (
    ROUTES,
    hepatic_clearance_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)
from fulmen.workloads.pbpk.simulator.sampling import POPULATIONS, sample_population
from fulmen.workloads.pbpk.simulator.solvers import simulate


@pytest.mark.parametrize("population", POPULATIONS)
@pytest.mark.parametrize("route", ROUTES)
def test_in_the_end_plasma_halves_in_each_terminal_half_life(population, route):
    drawn = sample_population(6, seed=4, population=population, routes=[route], n_doses=1)
    for subject, half_life in enumerate(terminal_half_life_h(drawn)):
        one, late_h = drawn[subject], half_life * torch.tensor([40.0, 41.0, 42.0]).double()
        plasma = curves(one, simulate(one, late_h, "linear"), ["plasma"])[0, 0]
        torch.testing.assert_close(plasma[1:] / plasma[:-1], torch.full((2,), 0.5).double(), rtol=1e-3, atol=0)


def test_far_below_km_a_saturable_drug_has_this_half_life_too():
    one = sample_population(1, seed=5, routes=["bolus"], dose_mg=1e-4)
    late_h = terminal_half_life_h(one) * torch.tensor([10.0, 11.0]).double()
    plasma = curves(one, simulate(one, late_h), ["plasma"])[0, 0]
    assert plasma[1] / plasma[0] == pytest.approx(0.5, rel=1e-3)


def test_in_a_body_of_one_compartment_it_is_that_of_clearance_over_volume():
    drug = {"clint_l_per_h": 0.5, "renal_clint_l_per_h": 0.3}
    population = sample_population(
        5, seed=8, routes=["bolus"], drug=drug, body={"weight_kg": 70.0, "cardiac_output_l_per_h": 1e6}
    )
    clearance = hepatic_clearance_l_per_h(population) + renal_clearance_l_per_h(population)
    expected = math.log(2) * steady_state_volume_l(population) / clearance
    torch.testing.assert_close(terminal_half_life_h(population), expected, rtol=1e-3, atol=0)


def test_slow_absorption_and_what_is_never_eliminated_are_known():
    slow = sample_population(3, seed=0, routes=["oral"], drug={"absorption_rate_per_h": 1e-4})
    torch.testing.assert_close(terminal_half_life_h(slow), torch.full((3,), math.log(2) / 1e-4).double())
    nothing = torch.zeros(3).double()
    stays = replace(slow, route=torch.zeros(3, dtype=torch.long), clint_l_per_h=nothing, renal_clint_l_per_h=nothing)
    assert (terminal_half_life_h(stays) > 1e9).all()
    assert horizon_h(stays, "saturable").eq(168).all()


def test_a_horizon_counts_half_lives_after_the_infusion_between_its_ends():
    population = sample_population(40, seed=1, routes=["infusion"], infusion_h=3.0)
    expected = (3 + 2 * terminal_half_life_h(population)).clamp(4, 50)
    torch.testing.assert_close(horizon_h(population, "linear", half_lives=2, least_h=4, most_h=50), expected)
    assert horizon_h(population, "linear").min() == 24
    assert horizon_h(population, "linear").max() == 168


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("kinetics", ["linear", "saturable"])
def test_after_a_horizon_of_five_half_lives_a_thirtieth_is_left(kinetics, route):
    """Also of doses that saturate the liver, for which half-lives far below Km are too few hours."""
    population = sample_population(8, seed=2, routes=[route], dose_mg=3000.0, drug={"clint_l_per_h": 40.0})
    hours = horizon_h(population, kinetics, least_h=0.0, most_h=1e6)

    def left(hours, n):
        one = population[n]
        amounts = simulate(one, torch.stack([torch.zeros(()).double(), hours[n]]), kinetics)[0, -1, : LUMEN + 1]
        return float(amounts.sum() / one.dose_mg[0])

    assert max(left(hours, n) for n in range(8)) < 1.2 / 32
    if kinetics == "saturable":
        linear_h = horizon_h(population, "linear", least_h=0.0, most_h=1e6)
        assert (hours > linear_h).all()
        assert max(left(linear_h, n) for n in range(8)) > 0.1


def test_unknown_kinetics_are_refused():
    with pytest.raises(FulmenError, match="horizon: unknown kinetics 'linar'; did you mean 'linear'"):
        horizon_h(sample_population(1, seed=0), "linar")
