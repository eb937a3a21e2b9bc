"""The solver's curves keep the laws that a report tells of, and a network that breaks one is caught."""

import functools
import warnings
from dataclasses import replace

import pytest
import torch

from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.law_table import TITLE, laws
from fulmen.workloads.pbpk.laws import Kept, absorbed_mg, auc_clearance, balance_error, elimination_mg_per_h
from fulmen.workloads.pbpk.metrics import DIRECTIONS
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP
from fulmen.workloads.pbpk.simulator.compartments import LUMEN, MASS, METABOLISED, UNABSORBED, URINE
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import INFUSION, ORAL
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.times import time_grid

GRID_H = time_grid(96.0, 400, "stretched")
LATER_H = GRID_H[1:]
KINETICS = ("saturable", "linear")
REPEATED = {"population": "wide", "dose_mg": 100.0}  # four doses


@functools.cache
def solved(kinetics, **drawn):
    """A population, its amounts [S, T, 18] and its concentrations [S, 14, T], both after 0."""
    population = sample_population(24, seed=5, **drawn)
    amounts = simulate(population, GRID_H, kinetics=kinetics)[:, 1:]
    return population, amounts, concentrations(population, amounts)


@pytest.mark.parametrize("drawn", [{}, REPEATED], ids=["one dose", "four doses"])
def test_what_is_absorbed_is_what_the_solver_has_outside_of_the_lumen(drawn):
    population, amounts, _ = solved("saturable", **drawn)
    outside = amounts[..., MASS].sum(-1) - amounts[..., LUMEN] - amounts[..., UNABSORBED]
    passed = torch.where(population.route == ORAL, 1 - population.gut_extraction, 1.0)  # the wall of the gut
    torch.testing.assert_close(absorbed_mg(population, LATER_H), passed[:, None] * outside, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("kinetics", KINETICS)
def test_the_rate_of_elimination_is_the_slope_of_what_the_solver_has_eliminated(kinetics):
    population, amounts, c = solved(kinetics)
    gone = amounts[..., METABOLISED] + amounts[..., URINE]
    slope = (gone[:, 2:] - gone[:, :-2]) / (LATER_H[2:] - LATER_H[:-2])
    rate = elimination_mg_per_h(population, c, kinetics)[:, 1:-1]
    off = (rate - slope).abs().amax(1) / rate.amax(1)
    assert off[population.route != INFUSION].max() < 0.01, "an infusion has a corner where it ends"


@pytest.mark.parametrize("kinetics", KINETICS)
@pytest.mark.parametrize("drawn", [{}, {"population": "real_chemistry"}, REPEATED], ids=["one", "real", "four"])
def test_the_solver_keeps_every_law(kinetics, drawn):
    population, _, c = solved(kinetics, **drawn)
    kept = Kept.by(c, population, LATER_H, kinetics)
    assert kept.content.max() <= 1 + 1e-5
    assert kept.lowest_mg_per_l >= 0
    assert kept.below == 0
    assert kept.balance.abs().max() < (0.01 if population.n_doses == 1 else 0.1), "few samples around later infusions"
    if kinetics == "linear":
        known = kept.clearance[kept.behind < 0.2]
        assert len(known) > 8
        assert known.abs().max() < (0.02 if population.n_doses == 1 else 0.1)
    else:
        assert kept.clearance.isnan().all()


def test_a_body_with_too_much_is_caught():
    population, _, c = solved("saturable")
    fine, broken = (Kept.by(each, population, LATER_H, "saturable") for each in (c, 1.1 * c))
    torch.testing.assert_close(broken.content, 1.1 * fine.content)
    assert (broken.content > 1.02).double().mean() > 0.5
    assert (broken.balance > 0.05).double().mean() > 0.5


def test_negative_and_vanished_concentrations_are_counted():
    population, _, c = solved("saturable")
    broken = c.clone()
    broken[0, 3, :2], broken[1, 4, 7] = 0.0, -0.25
    kept = Kept.by(broken, population, LATER_H, "saturable")
    assert kept.lowest_mg_per_l == -0.25
    assert kept.below == 1 / c.numel()
    assert kept.zero == 2 / c.numel()


def test_kidneys_that_do_not_clear_what_they_hold_are_caught():
    """Where they alone eliminate, half the concentration in them leaves half of what is gone unaccounted for."""
    population = solved("linear")[0]
    alone = replace(population, clint_l_per_h=torch.full_like(population.clint_l_per_h, 1e-12))
    amounts = simulate(alone, LATER_H, kinetics="linear")
    c = concentrations(alone, amounts)
    c[:, INDEX["kidney"]] /= 2
    gone = amounts[:, -1, URINE] / absorbed_mg(alone, LATER_H)[:, -1]
    assert gone.max() > 0.5
    torch.testing.assert_close(balance_error(alone, c, LATER_H, "linear"), -gone / 2, rtol=0, atol=0.01)


def test_a_clearance_needs_an_end_of_the_curve_and_a_dose_into_a_vein():
    population, _, c = solved("linear")
    assert auc_clearance(population, c, LATER_H)[0][population.route == ORAL].isnan().all()
    assert auc_clearance(population, c.cumsum(-1), LATER_H)[0].isnan().all()
    early = LATER_H < 0.5
    behind = auc_clearance(population, c[..., early], LATER_H[early])[1]
    assert not (behind <= 0.2).any()


def test_a_bolus_on_an_even_grid_costs_no_more_than_a_hundredth():
    population = sample_population(40, seed=2, routes=["bolus"])
    time_h = time_grid(24.0, 100)[1:]
    c = concentrations(population, simulate(population, time_h, kinetics="linear"))
    kept = Kept.by(c, population, time_h, "linear")
    assert kept.balance.abs().median() < 0.01
    assert kept.clearance[kept.behind < 0.2].abs().median() < 0.01


def held_against(kinetics, ask):
    """The laws of a network that says what `ask` does of other doses, and the truth of these."""
    population, _, c = solved(kinetics)
    return laws(ask, c, c, population, LATER_H, kinetics)


@pytest.mark.parametrize("kinetics", KINETICS)
def test_the_solver_asked_as_a_network_is_right_about_a_hundredfold_dose(kinetics):
    def ask(population):
        return concentrations(population, simulate(population, LATER_H, kinetics=kinetics)).float()

    found = held_against(kinetics, ask)
    assert found.ratio_error.abs().max() < 1e-3
    assert found.metrics()["dose_error_percent"] < 0.1
    if kinetics == "linear":
        assert (found.network_ratio - 1).abs().max() < 1e-5
    else:
        assert found.solver_ratio.median() > 1.05, "a saturated liver clears less"


@pytest.mark.parametrize("kinetics", KINETICS)
def test_a_network_that_does_not_see_the_dose_is_caught(kinetics):
    c = solved(kinetics)[2]
    found = held_against(kinetics, lambda population: c)
    assert found.network_ratio.tolist() == pytest.approx([0.01] * len(c))
    assert found.metrics()["dose_error_percent"] > 98


@pytest.mark.parametrize("value", [float("inf"), float("nan")])
def test_a_network_that_says_no_numbers_has_a_table_too(value):
    population, _, c = solved("linear")
    nothing = torch.full_like(c, value)
    found = laws(lambda population: nothing, nothing, c, population, LATER_H, "linear")
    assert len(found.rows()) == 13
    assert not found.metrics()["balance_error_percent"] < 100


@pytest.mark.parametrize("kinetics", KINETICS)
def test_the_report_of_a_network_tells_of_the_laws(kinetics, tmp_path):
    data = PBPKData(kinetics, 30, validation_compounds=5, test_compounds=12, time_points=40, cache=str(tmp_path))
    data.setup()
    module = PBPKSurrogate(MLP(times=39), figures=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        test = data.splits["test"] | {"time_h": data.time_h}
        predicted = {name: value.detach() for name, value in module.step(test, "test")[1].items()}
        summary = module.summarize(predicted, data, tmp_path)
    rows = {row["law"]: row for row in summary.tables[TITLE]}
    assert summary.counts[TITLE] == "subjects"
    assert all(row["subjects"] <= 12 for row in rows.values())
    assert rows["subjects above 1.02 (%)"]["solver"] == 0
    assert rows["points below 0 (%)"]["network"] == 0
    assert any(law.startswith("AUC CL / dose") for law in rows) == (kinetics == "linear")
    assert {"content_above_2_percent", "balance_error_percent", "dose_error_percent"} <= summary.metrics.keys()
    assert summary.metrics.keys() <= DIRECTIONS.keys()
