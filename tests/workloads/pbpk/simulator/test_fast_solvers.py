"""The compiled solver and LSODA give what the batched solver gives, faster; which one is taken is said."""

import re
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.simulator import compiled, solvers
from fulmen.workloads.pbpk.simulator.compartments import MASS, N_STATES, OUTSIDE, RATE, VENOUS, rates, schedule
from fulmen.workloads.pbpk.simulator.lsoda import integrate_lsoda
from fulmen.workloads.pbpk.simulator.population import ROUTES
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, mass_error, simulate

needs_numba = pytest.mark.skipif(not compiled.available(), reason="Numba is not installed (pip install 'fulmen[fast]')")
FAST = [pytest.param("compiled", marks=needs_numba), "lsoda"]
DAY_H = torch.linspace(0, 24, 100, dtype=torch.float64)
EXACT = {"rtol": 1e-7, "atol_per_dose": 1e-12}  # a hundred times as strict


def stressed():
    """Subjects far from any prior: a name, factors of their fields, and arguments of the population."""
    factors = {
        "km_mg_per_l": 1e-6, "clint_l_per_h": 1e3, "kp": 0.02, "fraction_unbound": 1e-3, "absorption_rate_per_h": 20.0,
    }  # fmt: skip
    for name, factor in factors.items():
        yield f"{name} x {factor:g}", {name: factor}, {}
    yield "kp x 100", {"kp": 100.0}, {}
    yield "a week", {}, {"hours": 168.0}
    yield "infusions of 2 h that overlap", {}, {"n_doses": 5, "interval_h": 0.7, "infusion_h": 2.0}
    yield "30 doses", {}, {"n_doses": 30, "interval_h": 0.75}


STRESSED = {name: case for name, *case in stressed()}


@cache
def case(name):
    """A subject of each route, times, and concentrations of a stressed case by LSODA at a tolerance of 1e-10."""
    factors, options = STRESSED[name]
    time_h = torch.linspace(0, options.get("hours", 24.0), 60, dtype=torch.float64)
    options = {key: value for key, value in options.items() if key != "hours"}
    parts = [
        sample_population(1, seed=22 + i, dose_mg=(300, 1000), routes=[r], **options) for i, r in enumerate(ROUTES)
    ]
    fields = {field: torch.cat([part.tensors()[field] for part in parts]) for field in parts[0].tensors()}
    fields |= {field: fields[field] * factor for field, factor in factors.items()}
    fields["kp"][:, 0] = fields["blood_plasma_ratio"]
    population = replace(parts[0], **fields)
    plan = schedule(population, time_h)
    amounts = integrate_lsoda(rates(population), plan, time_h, 1e-9, 1e-13 * population.dose_mg)  # at a tenth of 1e-9
    return population, time_h, concentrations(population, amounts)


def exactly(population, time_h):
    return concentrations(population, simulate(population, time_h, **EXACT))


def error(population, amounts, exact):
    """The largest error of any organ and time beside the organ's Cmax."""
    return ((concentrations(population, amounts) - exact).abs().amax(2) / exact.amax(2)).max()


@pytest.mark.parametrize("solver", FAST)
@pytest.mark.parametrize("n_doses", [1, 4])
def test_curves_are_within_a_hundred_thousandth_of_the_peak(solver, n_doses):
    population = sample_population(12, seed=21, n_doses=n_doses, interval_h=6.0)
    amounts = simulate(population, DAY_H, solver=solver)
    exact = simulate(population, DAY_H, **EXACT)
    assert error(population, amounts, concentrations(population, exact)) < 1e-5
    off = (amounts - exact).abs()[..., OUTSIDE] / exact[:, -1:, OUTSIDE].clamp(min=1e-6)  # of what each is in the end
    assert off.max() < 1e-5
    assert mass_error(population, amounts, DAY_H).max() < 1e-11
    assert amounts.min() >= 0


@pytest.mark.parametrize("solver", ["rodas4", *FAST])
@pytest.mark.parametrize("name", STRESSED)
def test_stressed_subjects_of_each_route_are_within_twice_that(solver, name):
    population, time_h, exact = case(name)
    amounts = simulate(population, time_h, solver=solver)
    assert error(population, amounts, exact) < 2e-5
    assert mass_error(population, amounts, time_h).max() < 1e-11
    assert amounts.min() >= 0


@pytest.mark.parametrize("solver", FAST)
def test_any_times_may_be_asked_for(solver):
    population = sample_population(9, seed=23, infusion_h=1.0)
    time_h = torch.tensor([1e-4, 0.011, 1.0, 1.0001, 7.7, 23.0], dtype=torch.float64)
    assert error(population, simulate(population, time_h, solver=solver), exactly(population, time_h)) < 1e-5


@pytest.mark.parametrize("solver", FAST)
@pytest.mark.parametrize("route", ROUTES)
def test_a_report_at_an_event_holds_what_the_event_brings(solver, route):
    population = sample_population(2, seed=24, routes=[route], infusion_h=1.0, n_doses=2, interval_h=12.0)
    time_h = torch.tensor([0.0, 1.0, 12.0, 13.0], dtype=torch.float64)
    amounts, batched = simulate(population, time_h, solver=solver), simulate(population, time_h)
    torch.testing.assert_close(amounts[..., RATE], batched[..., RATE], rtol=1e-12, atol=0)
    torch.testing.assert_close(amounts[..., MASS].sum(2), batched[..., MASS].sum(2), rtol=1e-11, atol=1e-11)
    if route == "bolus":
        assert torch.equal(amounts[:, 0, VENOUS], population.dose_mg)


@needs_numba
def test_between_steps_the_compiled_solution_is_of_order_three():
    from fulmen.workloads.pbpk.simulator.kernel import interpolate, take_step

    r = rates(sample_population(1, seed=18, body={"cardiac_output_l_per_h": 5.0}, drug={"km_mg_per_l": 0.05}))
    organs = torch.stack([r.inflow_per_h, r.outflow_per_h, r.to_liver_per_h, r.to_veins_per_h])[..., 0].numpy()
    names = ("venous_per_h", "hepatic_per_h", "saturation_per_mg", "renal_per_h", "absorption_per_h")
    names = (*names, "gut_metabolism_per_h")
    single = np.array([float(getattr(r, name)) for name in names])
    start = np.linspace(1, 10, N_STATES)

    def at(h, share):
        k, pieces = (
            np.empty((6, N_STATES)),
            [np.empty(13), np.empty(13), np.empty(8), *(np.empty(N_STATES) for _ in range(2))],
        )
        end, row = np.empty(N_STATES), np.empty(N_STATES)
        take_step(organs.copy(), single, start.copy(), h, k, *pieces, end)
        interpolate(start.copy(), end, k, share, row)
        return row

    errors = []
    for h in (0.1, 0.05, 0.025):  # a step of half the length ends in the middle, with an error of order 5
        fine = at(h / 2, 1.0)
        errors.append(np.abs(at(h, 0.5) - fine).max())
    order = np.log2(np.array(errors[:-1]) / errors[1:])
    assert (order > 3.5).all(), order  # of one step: one more than of many


@needs_numba
def test_the_compiled_solver_names_who_cannot_be_integrated():
    population = sample_population(3, seed=0)
    r = rates(population)
    r.hepatic_per_h[1] = torch.nan
    with pytest.raises(FulmenError, match=r"subject 1: the step fell below 1e-12 h at 0 h"):
        compiled.integrate_compiled(r, schedule(population, DAY_H), DAY_H, 1e-5, 1e-9 * population.dose_mg)


@pytest.mark.parametrize(
    ("installed", "subjects", "watched", "taken"),
    [(True, 1, False, "compiled"), (True, 500, False, "compiled"), (True, 1, True, "rodas4"),
     (False, 1, False, "lsoda"), (False, 29, False, "lsoda"), (False, 500, False, "rodas4")],
)  # fmt: skip
def test_the_fastest_is_what_is_fastest_here(installed, subjects, watched, taken, monkeypatch):
    monkeypatch.setattr(solvers, "available", lambda: installed)
    monkeypatch.setattr(solvers, "_INTEGRATORS", {name: lambda *_, name=name: name for name in solvers.SOLVERS})
    population = sample_population(subjects, seed=0)
    if watched:
        population = replace(population, dose_mg=population.dose_mg.clone().requires_grad_())
    assert simulate(population, DAY_H, solver="fastest") == taken


@pytest.mark.parametrize("solver", ["compiled", "lsoda"])
def test_gradients_of_a_solver_that_has_none_are_refused(solver):
    population = sample_population(1, seed=0)
    watched = replace(population, dose_mg=population.dose_mg.clone().requires_grad_())
    with pytest.raises(FulmenError, match=f"the solver {solver} has no gradients; take rodas4"):
        simulate(watched, DAY_H, solver=solver)


def test_without_numba_the_compiled_solver_says_what_to_install(monkeypatch):
    monkeypatch.setattr(compiled, "available", lambda: False)
    needed = re.escape("pip install 'fulmen[fast]'")
    with pytest.raises(FulmenError, match=needed):
        simulate(sample_population(1, seed=0), DAY_H, solver="compiled")
    with pytest.raises(FulmenError, match=needed):
        PBPKData(solver="compiled")


@needs_numba
def test_data_of_the_compiled_solver_are_their_own():
    small = dict(compounds=12, validation_compounds=3, test_compounds=3, time_points=8)
    batched, fast = PBPKData(**small), PBPKData(**small, solver="compiled")
    for data in (batched, fast):
        data.prepare_data()
        data.setup()
    assert batched.fingerprint != fast.fingerprint
    mine, theirs = (data.splits["test"]["concentration"] for data in (fast, batched))
    torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-5 * float(theirs.max()))
