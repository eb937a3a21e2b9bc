"""The solvers agree with an integrator and equations written apart from them, and with what can be solved by hand."""

from dataclasses import replace

import pytest
import torch
from scipy.integrate import solve_ivp
from torchdiffeq import odeint

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import (
    ARTERIAL,
    FIRST_TISSUE,
    LIVER,
    LUMEN,
    MASS,
    METABOLISED,
    N_STATES,
    OUTSIDE,
    RATE,
    UNABSORBED,
    URINE,
    VENOUS,
    rate_matrix,
    rates,
    schedule,
)
from fulmen.workloads.pbpk.simulator.compiled import available
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS
from fulmen.workloads.pbpk.simulator.population import (
    ROUTES,
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
    portal_share,
    renal_clearance_l_per_h,
)
from fulmen.workloads.pbpk.simulator.propagator import Ladder
from fulmen.workloads.pbpk.simulator.rosenbrock import factor, integrate, rodas_step, solve
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import KINETICS, administered_mg, concentrations, mass_error, simulate

needs_numba = pytest.mark.skipif(not available(), reason="Numba is not installed (pip install 'fulmen[fast]')")
DAY_H = torch.linspace(0, 24, 100, dtype=torch.float64)


def lsoda(population, time_h, kinetics):
    """Organ concentrations [14, T], and mg metabolised, excreted and not absorbed [3, T], of a population of one, from
    the equations written organ by organ in mg and L.
    """
    p = {name: value[0].tolist() for name, value in population.tensors().items()}
    volume = dict(zip(ORGANS, p["volume_l"], strict=True))
    flow = dict(zip(ORGANS, p["flow_l_per_h"], strict=True))
    kp = dict(zip(ORGANS, p["kp"], strict=True))
    cardiac_output, to_blood, free = p["cardiac_output_l_per_h"], p["blood_plasma_ratio"], p["fraction_unbound"]
    venous_l, arterial_l = 2 / 3 * volume["blood"], volume["blood"] / 3
    tissues, route = ORGANS[1:], ROUTES[p["route"]]
    liver_flow = flow["liver"] + flow["gut"] + flow["spleen"] + flow["pancreas"]

    def change(infusion_mg_per_h):
        def f(_, state):
            venous, arterial, lumen = state[0] / venous_l, state[1] / arterial_l, state[15]
            amount = dict(zip(tissues, state[2:15], strict=True))
            leaving = {o: amount[o] / volume[o] * to_blood / kp[o] for o in tissues}  # mg per L of blood
            d = {o: flow[o] * (arterial - leaving[o]) for o in tissues}
            portal = sum(flow[o] * leaving[o] for o in ("gut", "spleen", "pancreas"))
            unbound = free * amount["liver"] / volume["liver"] / kp["liver"]
            intrinsic = p["clint_l_per_h"]
            hepatic = intrinsic * unbound
            if kinetics == "saturable":
                hepatic = intrinsic * p["km_mg_per_l"] * unbound / (p["km_mg_per_l"] + unbound)
            renal = p["renal_clint_l_per_h"] * free * amount["kidney"] / volume["kidney"] / kp["kidney"]
            absorbed = p["absorption_rate_per_h"] * lumen
            d["liver"] = flow["liver"] * arterial + portal - liver_flow * leaving["liver"] - hepatic
            d["kidney"] -= renal
            d["gut"] += (1 - p["gut_extraction"]) * absorbed
            d["lung"] = cardiac_output * (venous - leaving["lung"])
            returning = liver_flow * leaving["liver"] + sum(
                flow[o] * leaving[o] for o in tissues if o not in ("lung", "liver", "gut", "spleen", "pancreas")
            )
            return [
                returning - cardiac_output * venous + infusion_mg_per_h,
                cardiac_output * (leaving["lung"] - arterial),
                *d.values(),
                -absorbed,
                hepatic + p["gut_extraction"] * absorbed,
                renal,
                0.0,
            ]

        return f

    def run(f, start_h, end_h, state):
        at = [t for t in time_h.tolist() if start_h <= t <= end_h]
        points = sorted({start_h, *at, end_h})
        if len(points) == 1:
            return [state] * len(at), state
        tolerance = {"rtol": 1e-10, "atol": 1e-12 * p["dose_mg"]}
        y = solve_ivp(f, (start_h, end_h), state, method="LSODA", t_eval=points, **tolerance).y.T
        return [y[points.index(t)] for t in at], y[-1]

    state, dose, horizon_h = [0.0] * 19, p["dose_mg"], time_h[-1].item()
    if route == "bolus":
        state[0] = dose
    if route == "oral":
        state[15], state[18] = p["bioavailability"] * dose, (1 - p["bioavailability"]) * dose
    if route == "infusion":
        first, state = run(change(dose / p["infusion_h"]), 0.0, p["infusion_h"], state)
        rest, _ = run(change(0.0), p["infusion_h"], horizon_h, state)
        rows = first + rest
    else:
        rows, _ = run(change(0.0), 0.0, horizon_h, state)
    amounts = torch.tensor([list(row) for row in rows], dtype=torch.float64)  # [T, 19]
    blood = amounts[:, 0] + amounts[:, 1]
    return (torch.cat([blood[:, None], amounts[:, 2:15]], 1) / population.volume_l).T, amounts[:, 16:].T


def six_subjects():
    """Two of each route, at doses where the liver saturates."""
    usual = {"dose_mg": (300, 1000), "drug": {"gut_extraction": 0.3}}
    parts = [sample_population(2, seed=11 + i, routes=[route], **usual) for i, route in enumerate(ROUTES)]
    tensors = {name: torch.cat([p.tensors()[name] for p in parts]) for name in parts[0].tensors()}
    return replace(parts[0], **tensors)


@pytest.mark.parametrize(("kinetics", "tolerance"), [("linear", 1e-7), ("saturable", 1e-5)])
def test_simulation_agrees_with_lsoda_on_equations_written_apart(kinetics, tolerance):
    population = six_subjects()
    time_h = torch.linspace(0, 24, 25, dtype=torch.float64)
    amounts = simulate(population, time_h, kinetics)
    found = torch.cat([concentrations(population, amounts), amounts[..., OUTSIDE].transpose(1, 2)], 1)  # [S, 17, T]
    for i in range(len(population)):
        expected = torch.cat(lsoda(population[i], time_h, kinetics))
        largest = expected.amax(1).clamp(min=1e-6)  # nothing is left unabsorbed of a bolus
        error = (found[i] - expected).abs().amax(1) / largest  # [17], relative to each organ's Cmax
        assert error.max() < tolerance, f"subject {i}, {ROUTES[population.route[i]]}: {error.max():.1e}"


def test_the_linear_solution_is_the_matrix_exponential():
    population = sample_population(20, seed=1, routes=["bolus"])
    amounts = simulate(population, DAY_H, "linear")
    matrix = rate_matrix(rates(population))
    for k in (1, 50, 99):
        expected = torch.matrix_exp(matrix * DAY_H[k])[:, :, VENOUS] * population.dose_mg[:, None]  # [S, 20]
        torch.testing.assert_close(amounts[:, k, MASS], expected[:, MASS], rtol=1e-7, atol=1e-8)


def test_a_ladder_of_propagators_reaches_any_time():
    population = sample_population(10, seed=2)
    matrix = rate_matrix(rates(population))
    ladder = Ladder(matrix, base_h=0.25, longest_h=2.0)
    step_h = torch.rand(10, dtype=torch.float64) * 2
    start = torch.rand(10, N_STATES, dtype=torch.float64)
    expected = (torch.matrix_exp(matrix * step_h[:, None, None]) @ start[..., None]).squeeze(2)
    torch.testing.assert_close(ladder.advance(start, step_h), expected, rtol=1e-9, atol=1e-11)


def test_the_time_grid_does_not_change_the_solution():
    population = sample_population(30, seed=4)
    irregular_h = torch.tensor([0.1, 0.5, 1.0, 3.7, 12.0, 24.0], dtype=torch.float64)
    regular_h = torch.linspace(0, 24, 241, dtype=torch.float64)
    at = torch.searchsorted(regular_h, irregular_h - 1e-9)
    for kinetics, tolerance in (("linear", 1e-10), ("saturable", 1e-5)):
        coarse = simulate(population, irregular_h, kinetics)
        fine = simulate(population, regular_h, kinetics)[:, at]
        assert ((coarse - fine).abs().amax((1, 2)) / population.dose_mg).max() < tolerance


def test_clearance_times_exposure_is_the_dose():
    population = sample_population(50, seed=6, routes=["bolus"])
    matrix = rate_matrix(rates(population))[:, :METABOLISED, :METABOLISED]
    start = torch.zeros(50, METABOLISED, 1, dtype=torch.float64)
    start[:, VENOUS, 0] = population.dose_mg
    exposure = -torch.linalg.solve(matrix, start)[:, :2].sum((1, 2)) / population.volume_l[:, INDEX["blood"]]  # mg·h/L
    clearance = hepatic_clearance_l_per_h(population) + renal_clearance_l_per_h(population)
    torch.testing.assert_close(clearance * exposure, population.dose_mg, rtol=1e-9, atol=0)


def test_liver_and_kidney_share_a_dose_as_their_clearances():
    """Both are fed by the arteries, so each takes its clearance times one AUC; a saturated liver takes less."""
    drug = {"fraction_unbound": 0.5, "renal_clint_l_per_h": 40.0}
    population = sample_population(20, seed=6, routes=["bolus"], drug=drug)
    for_ever_h = torch.tensor([0.0, 1.0, 1e5], dtype=torch.float64)
    hepatic, renal = hepatic_clearance_l_per_h(population), renal_clearance_l_per_h(population)
    expected = population.dose_mg * renal / (hepatic + renal)
    linear, saturable = (simulate(population, for_ever_h, kinetics)[:, -1] for kinetics in ("linear", "saturable"))
    torch.testing.assert_close(linear[:, URINE], expected, rtol=1e-9, atol=0)
    torch.testing.assert_close(linear[:, METABOLISED], population.dose_mg - expected, rtol=1e-9, atol=0)
    assert (saturable[:, URINE] > expected * (1 - 1e-5)).all()
    assert (saturable[:, URINE] > 1.1 * expected).any()


def test_bioavailability_is_what_is_absorbed_and_passes_the_gut_wall_and_the_liver():
    """F = Fa Fg Fh, exactly where kinetics are linear."""
    population = sample_population(20, seed=6, drug={"gut_extraction": 0.4})
    matrix = rate_matrix(rates(population))[:, :METABOLISED, :METABOLISED]
    start = torch.zeros(2, 20, METABOLISED, 1, dtype=torch.float64)
    start[0, :, VENOUS, 0] = start[1, :, LUMEN, 0] = 1.0
    intravenous, oral = -torch.linalg.solve(matrix, start)[:, :, ARTERIAL, 0]
    passes_liver = 1 - hepatic_clearance_l_per_h(population) / liver_flow_l_per_h(population)
    torch.testing.assert_close(oral / intravenous, 0.6 * passes_liver, rtol=1e-9, atol=0)
    torch.testing.assert_close(portal_share(population), 0.6 * population.bioavailability)


@pytest.mark.parametrize("solver", ["rodas4", "lsoda", "linear", pytest.param("compiled", marks=needs_numba)])
def test_what_the_gut_wall_metabolises_reaches_no_organ_and_counts_as_metabolised(solver):
    population = sample_population(6, seed=7, routes=["oral"], n_doses=2, interval_h=6.0)
    wall, time_h = replace(population, gut_extraction=torch.linspace(0, 0.9, 6).double()), DAY_H[::9]
    less = replace(population, bioavailability=portal_share(wall))
    how = {"kinetics": "linear"} if solver == "linear" else {"solver": solver, "rtol": 1e-8, "atol_per_dose": 1e-12}
    found, expected = (simulate(p, time_h, **how) for p in (wall, less))
    scale = population.dose_mg[:, None, None]
    within = slice(0, LUMEN)
    torch.testing.assert_close(found[..., within] / scale, expected[..., within] / scale, rtol=0, atol=1e-7)
    torch.testing.assert_close(
        found[..., URINE] / scale[..., 0], expected[..., URINE] / scale[..., 0], rtol=0, atol=1e-7
    )
    taken = found[..., LUMEN] + found[..., UNABSORBED]
    extracted = wall.gut_extraction[:, None] * (administered_mg(wall, time_h) - taken)
    torch.testing.assert_close(found[..., METABOLISED], expected[..., METABOLISED] + extracted, rtol=1e-6, atol=1e-6)
    assert mass_error(wall, found, time_h).max() < 1e-11


@pytest.mark.parametrize("route", ROUTES)
def test_what_is_not_absorbed_is_neither_metabolised_nor_excreted(route):
    population = sample_population(8, seed=7, routes=[route], n_doses=3, interval_h=6.0)
    found = simulate(population, DAY_H)[..., UNABSORBED]
    lost = 1 - population.bioavailability if route == "oral" else torch.zeros(8).double()
    expected = lost[:, None] * administered_mg(population, DAY_H)
    torch.testing.assert_close(found, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("kinetics", KINETICS)
def test_in_the_end_all_that_was_given_is_eliminated(kinetics):
    population = sample_population(30, seed=6, drug={"renal_clint_l_per_h": 100.0, "fraction_unbound": 0.5})
    amounts = simulate(population, torch.tensor([0.0, 1.0, 1e5], dtype=torch.float64), kinetics)
    eliminated_mg = amounts[:, -1, OUTSIDE].sum(1)
    torch.testing.assert_close(eliminated_mg, population.dose_mg, rtol=1e-9, atol=0)


def test_a_bolus_in_a_body_of_one_compartment_decays_at_clearance_over_volume():
    """Fast flow and slow elimination make the body one well-stirred pool."""
    drug = {"clint_l_per_h": 0.5, "renal_clint_l_per_h": 0.3, "fraction_unbound": 0.5}
    body = {"weight_kg": 70.0, "cardiac_output_l_per_h": 1e6}
    population = sample_population(5, seed=8, routes=["bolus"], drug=drug, body=body)
    time_h = torch.linspace(0, 240, 25, dtype=torch.float64)
    found = concentrations(population, simulate(population, time_h, "linear"))[:, INDEX["blood"]]  # [S, T]
    volume_l = (population.volume_l * population.kp).sum(1) / population.blood_plasma_ratio
    rate_per_h = (0.5 + 0.3) * 0.5 / population.blood_plasma_ratio / volume_l
    expected = (population.dose_mg / volume_l)[:, None] * torch.exp(-rate_per_h[:, None] * time_h)
    torch.testing.assert_close(found[:, 1:], expected[:, 1:], rtol=1e-3, atol=0)


def test_linear_amounts_are_proportional_to_the_dose_and_saturable_ones_are_not():
    population = sample_population(20, seed=9)
    tenfold = replace(population, dose_mg=10 * population.dose_mg)
    linear = [simulate(p, DAY_H, "linear")[..., MASS] for p in (population, tenfold)]
    torch.testing.assert_close(linear[1], 10 * linear[0], rtol=1e-11, atol=1e-300)
    saturable = [simulate(p, DAY_H)[..., OUTSIDE].sum(-1) for p in (population, tenfold)]
    assert (saturable[1] <= 10 * saturable[0] * (1 + 1e-4)).all()
    assert (saturable[1] < 8 * saturable[0]).any()


def test_far_below_km_the_saturable_model_is_the_linear_one():
    population = sample_population(30, seed=10, dose_mg=1e-6)
    amounts = [simulate(population, DAY_H, kinetics)[..., MASS] for kinetics in KINETICS]
    assert (amounts[0] - amounts[1]).abs().max() < 1e-5 * 1e-6


@pytest.mark.parametrize("kinetics", KINETICS)
@pytest.mark.parametrize("n_doses", [1, 3])
def test_mass_closes_and_no_amount_is_negative(kinetics, n_doses):
    population = sample_population(250, seed=12, n_doses=n_doses, interval_h=7.5)
    amounts = simulate(population, DAY_H, kinetics)
    assert amounts.isfinite().all()
    assert amounts.min() >= 0
    assert mass_error(population, amounts, DAY_H).max() < 1e-12


@pytest.mark.parametrize("kinetics", KINETICS)
def test_an_infusion_ends_on_time_between_two_reports(kinetics):
    infused = sample_population(8, seed=13, routes=["infusion"], infusion_h=1.1)
    time_h = torch.tensor([0.0, 1.0, 2.0, 3.0], dtype=torch.float64)
    amounts = simulate(infused, time_h, kinetics)
    share = (amounts[..., MASS].sum(2) / infused.dose_mg[:, None]).mean(0)
    torch.testing.assert_close(share, torch.tensor([0, 1 / 1.1, 1, 1], dtype=torch.float64), rtol=1e-12, atol=0)
    through = simulate(infused, torch.tensor([0.0, 1.0, 1.1, 2.0, 3.0], dtype=torch.float64), kinetics)[:, [0, 1, 3, 4]]
    assert ((amounts - through).abs().amax((1, 2)) / infused.dose_mg).max() < 1e-5
    assert amounts[:, 1, RATE].gt(0).all()
    assert amounts[:, 2, RATE].eq(0).all()


@pytest.mark.parametrize("route", ROUTES)
def test_repeated_doses_of_a_linear_drug_superpose(route):
    """Doses at 0, 0.3 and 0.6 h: 3·0.1 is not 0.3 in floating point, and infusions of 0.5 h overlap."""
    once = sample_population(6, seed=14, routes=[route], infusion_h=0.5)
    thrice = replace(once, n_doses=3, interval_h=0.3)
    time_h = torch.arange(0, 31, dtype=torch.float64) * 0.1
    single = simulate(once, time_h, "linear")
    expected = single.clone()
    expected[:, 3:] += single[:, :-3]
    expected[:, 6:] += single[:, :-6]
    torch.testing.assert_close(simulate(thrice, time_h, "linear"), expected, rtol=1e-9, atol=1e-10)
    assert mass_error(thrice, simulate(thrice, time_h), time_h).max() < 1e-12


@pytest.mark.parametrize("kinetics", KINETICS)
def test_a_dose_given_at_a_reported_time_is_in_the_report(kinetics):
    population = sample_population(3, seed=15, routes=["bolus"], n_doses=2, interval_h=12.0)
    amounts = simulate(population, torch.tensor([0.0, 12.0, 13.0], dtype=torch.float64), kinetics)
    assert torch.equal(amounts[:, 0, VENOUS], population.dose_mg)
    assert (amounts[:, 1, VENOUS] >= population.dose_mg).all()
    assert torch.equal(administered_mg(population, torch.tensor([11.0, 12.0]))[:, 1], 2 * population.dose_mg)


def test_an_explicit_integrator_agrees_where_the_model_is_not_stiff():
    body, even_kp = {"cardiac_output_l_per_h": 5.0}, {"kp": dict.fromkeys(ORGANS[1:], 5.0)}
    population = sample_population(4, seed=16, routes=["bolus"], body=body, drug=even_kp)
    r, time_h = rates(population), torch.linspace(0, 4, 5, dtype=torch.float64)
    matrix = rate_matrix(replace(r, hepatic_per_h=torch.zeros_like(r.hepatic_per_h)))

    def f(_, amounts):
        liver = amounts[:, FIRST_TISSUE + LIVER]
        eliminated = r.hepatic_per_h * liver / (1 + r.saturation_per_mg * liver)
        change = (matrix @ amounts[..., None]).squeeze(2)
        change[:, FIRST_TISSUE + LIVER] -= eliminated
        change[:, METABOLISED] += eliminated
        return change

    found = simulate(population, time_h, rtol=1e-8)
    expected = odeint(f, found[:, 0], time_h, rtol=1e-9, atol=1e-9, method="dopri5").transpose(0, 1)
    assert ((found - expected).abs().amax((1, 2)) / population.dose_mg).max() < 1e-7


def test_elimination_organ_by_organ_solves_the_dense_system():
    r = rates(sample_population(40, seed=17))
    g_h, slope = torch.rand(40).double(), 0.3 * r.hepatic_per_h
    matrix = rate_matrix(replace(r, hepatic_per_h=slope))
    b = torch.rand(N_STATES, 40, dtype=torch.float64)
    dense = torch.linalg.solve(torch.eye(N_STATES).double() - g_h[:, None, None] * matrix, b.T).T
    torch.testing.assert_close(solve(factor(r, g_h, slope), b), dense, rtol=1e-10, atol=1e-12)


def test_rodas_converges_with_order_four():
    drug = {"km_mg_per_l": 0.05, "fraction_unbound": 0.5}
    r = rates(sample_population(5, seed=18, body={"cardiac_output_l_per_h": 5.0}, drug=drug))
    start = torch.linspace(1, 10, N_STATES * 5, dtype=torch.float64).view(N_STATES, 5)

    def run(steps):
        amounts = start
        for _ in range(steps):
            amounts, _ = rodas_step(r, amounts, torch.full((5,), 1.0 / steps, dtype=torch.float64))
        return amounts

    exact = run(512)
    errors = torch.stack([(run(n) - exact).abs().amax(0) for n in (16, 32, 64)])  # [3, S]
    order = (errors[:-1] / errors[1:]).log2()
    assert (order - 4).abs().max() < 0.3, order


def test_the_tolerance_controls_the_error():
    population, time_h = sample_population(20, seed=19), DAY_H[::9]
    exact = simulate(population, time_h, rtol=1e-8, atol_per_dose=1e-11)
    errors = [(simulate(population, time_h, rtol=rtol) - exact).abs().amax() for rtol in (1e-2, 1e-4, 1e-6)]
    assert errors[0] > 10 * errors[1] > 100 * errors[2]


def test_a_subject_does_not_depend_on_its_neighbours():
    population = sample_population(40, seed=20)
    together, alone = simulate(population, DAY_H), simulate(population[7], DAY_H)
    torch.testing.assert_close(together[7:8], alone, rtol=1e-9, atol=1e-9)


def test_a_subject_that_cannot_be_integrated_is_named():
    population = sample_population(3, seed=0)
    r = rates(population)
    r.hepatic_per_h[1] = torch.nan
    with pytest.raises(FulmenError, match=r"subject 1: the step fell below 1e-12 h at 0 h"):
        integrate(r, schedule(population, DAY_H), DAY_H, 1e-5, 1e-9 * population.dose_mg)


@pytest.mark.parametrize(
    ("time_h", "message"),
    [
        ([[0.0, 1.0]], "time_h has shape [1, 2]"),
        ([0.0], "time_h has shape [1]"),
        ([0.0, float("nan")], "time_h[1] is not finite"),
        ([-1.0, 1.0], "time_h starts at -1 h"),
        ([0.0, 2.0, 2.0], "time_h[2] is 2 h, not after time_h[1]"),
        ([0.0, 2.0, 1.0], "time_h[2] is 1 h, not after time_h[1]"),
    ],
)
def test_a_time_grid_that_cannot_be_reported_on_is_refused(time_h, message):
    with pytest.raises(FulmenError) as error:
        simulate(sample_population(1, seed=0), torch.tensor(time_h))
    assert message in str(error.value)


def test_unknown_kinetics_are_refused_with_the_nearest():
    with pytest.raises(FulmenError, match="did you mean 'saturable'"):
        simulate(sample_population(1, seed=0), DAY_H, "saturated")


def test_the_liver_receives_its_artery_and_the_portal_vein():
    population = sample_population(4, seed=0)
    r = rates(population)
    leaving = r.outflow_per_h[LIVER] * population.volume_l[:, 1] * population.kp[:, 1] / population.blood_plasma_ratio
    torch.testing.assert_close(leaving, liver_flow_l_per_h(population))
