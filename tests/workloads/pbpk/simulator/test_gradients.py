"""Derivatives of the solvers by every input are those of central differences of the solvers themselves."""

from dataclasses import replace

import pytest
import torch

from fulmen.workloads.pbpk.simulator.compartments import MASS, RATE, VENOUS, rate_matrix, rates, schedule
from fulmen.workloads.pbpk.simulator.population import INFUSION, ROUTES
from fulmen.workloads.pbpk.simulator.propagator import propagate
from fulmen.workloads.pbpk.simulator.rosenbrock import integrate
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import KINETICS, concentrations, simulate

TIGHT = {"rtol": 1e-10, "atol_per_dose": 1e-14}
TIME_H = torch.tensor(
    [0.2, 0.6], dtype=torch.float64
)  # a second dose at 0.4 h; infusions end at 0.3 h and run at 0.6 h
INPUTS = (
    "cardiac_output_l_per_h", "volume_l", "flow_l_per_h", "kp", "blood_plasma_ratio", "fraction_unbound",
    "clint_l_per_h", "renal_clint_l_per_h", "km_mg_per_l", "absorption_rate_per_h", "bioavailability", "dose_mg",
    "infusion_h", "gut_extraction",
)  # fmt: skip


def solved(population, kinetics):
    """Amounts [S, T, 19] without the checks of a population, of which one alone can hold for one input moved."""
    plan = schedule(population, TIME_H)
    if kinetics == "linear":
        return propagate(rate_matrix(rates(population)), plan, TIME_H)[..., MASS]
    atol_mg = TIGHT["atol_per_dose"] * population.dose_mg
    return integrate(rates(population), plan, TIME_H, TIGHT["rtol"], atol_mg)[..., MASS]


def elasticities(population, kinetics):
    """d amount / d ln input [outputs, inputs] of one subject by reverse mode: a copy of it for each output."""
    outputs = len(TIME_H) * RATE
    copies = population[torch.zeros(outputs, dtype=torch.long)]
    watched = {name: getattr(copies, name).clone().requires_grad_() for name in INPUTS}
    amounts = simulate(replace(copies, **watched), TIME_H, kinetics, **TIGHT)[..., MASS].flatten(1)
    gradients = torch.autograd.grad(amounts.diagonal().sum(), watched.values(), materialize_grads=True)
    columns = [(g * v.detach()).reshape(outputs, -1) for g, v in zip(gradients, watched.values(), strict=True)]
    return torch.cat(columns, 1)


def differences(population, kinetics, relative=1e-4):
    """The same by central differences: all inputs moved at once, one in each of many subjects."""
    parts, found = [], []
    for name in INPUTS:
        value = getattr(population, name)
        entries = value[0].numel()
        up = 1 + relative * torch.eye(entries, dtype=torch.float64)
        factor = torch.cat([up, 2 - up])  # above, then below
        copies = population[torch.zeros(2 * entries, dtype=torch.long)]
        parts.append(replace(copies, **{name: value * factor.view(2 * entries, *value.shape[1:])}))
    names = parts[0].tensors()
    together = replace(parts[0], **{name: torch.cat([part.tensors()[name] for part in parts]) for name in names})
    amounts = solved(together, kinetics).flatten(1)
    for part in amounts.split([len(part) for part in parts]):
        above, below = part.chunk(2)
        found.append((above - below).T / (2 * relative))
    return torch.cat(found, 1)


@pytest.mark.parametrize(
    "kinetics", ["linear", pytest.param("saturable", marks=pytest.mark.slow)]
)  # of the latter thousands of steps
@pytest.mark.parametrize("route", ROUTES)
def test_elasticities_of_every_amount_by_every_input(route, kinetics):
    subject = sample_population(
        1, seed=3, routes=[route], dose_mg=500.0, infusion_h=0.3, n_doses=2, interval_h=0.4,
        drug={"gut_extraction": 0.3},
    )  # fmt: skip
    found, expected = elasticities(subject, kinetics), differences(subject, kinetics)
    largest = expected.abs().amax(1, keepdim=True)
    off = (found - expected).abs() - 1e-5 * largest
    assert off.max() <= 1e-9, divmod(int(off.argmax()), off.shape[1])
    assert (largest > 0).sum() >= 28  # no lumen without an oral dose


@pytest.mark.parametrize("kinetics", KINETICS)
def test_routes_are_differentiated_together_and_what_a_route_has_not_counts_nothing(kinetics):
    population = sample_population(12, seed=5)
    watched = {name: getattr(population, name).clone().requires_grad_() for name in INPUTS}
    amounts = simulate(replace(population, **watched), TIME_H, kinetics)
    assert torch.equal(amounts.detach(), simulate(population, TIME_H, kinetics))
    gradients = torch.autograd.grad(amounts.sum(), watched.values(), materialize_grads=True)
    unfit = [name for name, gradient in zip(INPUTS, gradients, strict=True) if not gradient.isfinite().all()]
    assert unfit == []
    blood = concentrations(population, simulate(replace(population, **watched), TIME_H, kinetics))[:, 0]
    (slope,) = torch.autograd.grad(blood.sum(), watched["infusion_h"])
    infused = population.route == INFUSION
    assert (slope[infused] < 0).all()  # slower, and later
    assert (slope[~infused] == 0).all()


@pytest.mark.parametrize("kinetics", KINETICS)
def test_an_infusion_that_ends_on_a_reported_time_has_there_the_slope_of_one_that_ends_before(kinetics):
    time_h = torch.tensor([1.0, 2.0], dtype=torch.float64)
    population = sample_population(1, seed=4, routes=["infusion"], infusion_h=1.0)

    def veins(infusion_h, rtol=1e-9):
        one = replace(population, infusion_h=infusion_h)
        return simulate(one, time_h, kinetics, rtol=rtol, atol_per_dose=1e-13)[0, :, VENOUS]

    infusion_h = population.infusion_h.clone().requires_grad_()
    found = [torch.autograd.grad(a, infusion_h, retain_graph=True)[0] for a in veins(infusion_h, 1e-6)]
    here, before, long_before = (veins(population.infusion_h - d) for d in (0.0, 1e-4, 2e-4))
    expected = (3 * here - 4 * before + long_before) / 2e-4  # of second order, from below
    torch.testing.assert_close(torch.cat(found), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("kinetics", KINETICS)
def test_nothing_is_recorded_unless_a_gradient_is_asked_for(kinetics):
    population = sample_population(2, seed=6)
    assert not simulate(population, TIME_H, kinetics).requires_grad
    watched = replace(population, dose_mg=population.dose_mg.clone().requires_grad_())
    assert simulate(watched, TIME_H, kinetics).requires_grad
    with torch.no_grad():
        assert not simulate(watched, TIME_H, kinetics).requires_grad
