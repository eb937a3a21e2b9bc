"""Elasticities are those of closed forms and of central differences, of the solvers and of a surrogate."""

import dataclasses

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks import MLP
from fulmen.workloads.pbpk.sensitivity import EXPOSURES, INPUTS, moved, sensitivities, told
from fulmen.workloads.pbpk.simulator.outputs import from_organs
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    INFUSION,
    LABELS,
    ORAL,
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
    renal_clearance_l_per_h,
    validate,
)
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.times import time_grid

TIME_H = torch.tensor([0.0, 0.1, 0.3, 0.6, 0.9, 1.2, 1.6], dtype=torch.float64)
OF = ("auc", "cmax", "half_life")
PLACES = ("plasma", "liver")


def solved(kinetics, time_h=TIME_H, **precision):
    return lambda population: concentrations(population, simulate(population, time_h, kinetics, **precision))


def differences(population, curves, time_h, names, relative=1e-4):
    """Elasticities [S, P, E, n] by central differences of what has been computed without gradients."""
    place = torch.tensor([INPUTS.index(name) for name in names])
    step = relative * torch.eye(len(INPUTS), dtype=torch.float64)[place]
    copies = population[torch.arange(len(population)).repeat_interleave(2 * len(names))]
    asked = moved(copies, torch.cat([step, -step]).repeat(len(population), 1))
    at_places = from_organs(asked, curves(asked), PLACES)
    logs = torch.stack([EXPOSURES[name](at_places, time_h).log() for name in OF])  # [E, 2 n S, P]
    ends = logs.unflatten(1, (len(population), 2, len(names)))
    return ((ends[:, :, 0] - ends[:, :, 1]) / (2 * relative)).permute(1, 3, 0, 2)


def assert_close(found, expected, of_largest):
    """Of the largest elasticity of each exposure; what is no number is none in both."""
    off = (found - expected).abs() / expected.abs().amax(-1, keepdim=True)
    assert torch.equal(found.isnan(), expected.isnan())
    assert off[~off.isnan()].max() <= of_largest


def test_a_moved_subject_is_one_that_can_be():
    population = sample_population(20, seed=2, drug={"bioavailability": 0.5, "fraction_unbound": 0.2})
    log_factor = 0.05 * torch.randn(20, len(INPUTS), dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    there = validate(moved(population, log_factor))
    index = INPUTS.index("dose_mg")
    torch.testing.assert_close(there.dose_mg, population.dose_mg * log_factor[:, index].exp())
    back = moved(population, torch.zeros_like(log_factor))
    for name, value in population.tensors().items():
        torch.testing.assert_close(back.tensors()[name], value, rtol=1e-14, atol=0)


def test_every_number_that_enters_the_equations_is_an_input():
    population = sample_population(2, seed=0)
    numbers = {name for name, value in population.tensors().items() if value.is_floating_point()}
    assert numbers - set(LABELS) == {name.partition(".")[0] for name in INPUTS}
    of_organs = [name for name in INPUTS if "." in name]
    assert (
        len(of_organs) == 3 * len(ORGANS) - 3
    )  # blood and lung carry the cardiac output, the kp of blood is its ratio


def test_the_exposure_of_a_linear_dose_into_a_vein_has_the_elasticities_of_the_well_stirred_model():
    """AUC = dose / (CLh + CLr) of the blood with CL = Q u / (Q + u), u = CLint fu / BP: no volume, no kp counts."""
    population = sample_population(4, seed=3, routes=["bolus"], drug={"clint_l_per_h": 80.0})
    time_h = time_grid(200, 160, "stretched")
    found = sensitivities(population, solved("linear", time_h), time_h, ["auc_infinity"], ["blood", "plasma"])
    hepatic, renal = hepatic_clearance_l_per_h(population), renal_clearance_l_per_h(population)
    total = hepatic + renal
    through, kidney = liver_flow_l_per_h(population), population.flow_l_per_h[:, INDEX["kidney"]]
    expected = {name: torch.zeros(4, dtype=torch.float64) for name in INPUTS}
    expected["dose_mg"] += 1
    expected["clint_l_per_h"] = -hepatic / total * (1 - hepatic / through)
    expected["renal_clint_l_per_h"] = -renal / total * (1 - renal / kidney)
    expected["fraction_unbound"] = expected["clint_l_per_h"] + expected["renal_clint_l_per_h"]
    expected["blood_plasma_ratio"] = -expected["fraction_unbound"]
    expected["flow_l_per_h.kidney"] = -renal / total * renal / kidney
    for organ in ("liver", "gut", "spleen", "pancreas"):
        share = population.flow_l_per_h[:, INDEX[organ]] / through
        expected[f"flow_l_per_h.{organ}"] = -hepatic / total * hepatic / through * share
    flows = [value for name, value in expected.items() if name.startswith("flow_l_per_h")]
    expected["cardiac_output_l_per_h"] = torch.stack(flows).sum(0)
    of_blood = found.elasticity[:, 0, 0]
    torch.testing.assert_close(of_blood, torch.stack(list(expected.values()), 1), rtol=1e-3, atol=1e-3)
    clearances = [INPUTS.index(name) for name in ("cardiac_output_l_per_h", "clint_l_per_h", "renal_clint_l_per_h")]
    torch.testing.assert_close(of_blood[:, clearances].sum(1), -torch.ones(4).double(), rtol=1e-3, atol=0)
    torch.testing.assert_close(found.value[:, 0, 0], population.dose_mg / total, rtol=1e-3, atol=0)
    plasma = of_blood - torch.nn.functional.one_hot(torch.tensor(INPUTS.index("blood_plasma_ratio")), len(INPUTS))
    torch.testing.assert_close(found.elasticity[:, 1, 0], plasma)


@pytest.mark.parametrize(
    ("kinetics", "names"),
    [
        ("linear", INPUTS),
        pytest.param("saturable", ("dose_mg", "km_mg_per_l", "weight_kg", "flow_l_per_h.gut"), marks=pytest.mark.slow),
    ],
)
def test_those_of_a_solver_are_central_differences_for_all_subjects_at_once(kinetics, names):
    curves = solved(kinetics, rtol=1e-7, atol_per_dose=1e-11)
    population = sample_population(3, seed=23, dose_mg=300.0)
    assert population.route.tolist() == [BOLUS, INFUSION, ORAL]
    found = sensitivities(population, curves, TIME_H, OF, PLACES).elasticity
    expected = differences(population, curves, TIME_H, names)
    assert_close(found[..., [INPUTS.index(name) for name in names]], expected, 1e-4)


def test_those_of_a_surrogate_in_double_precision_are_central_differences_of_it():
    torch.manual_seed(0)
    time_h = TIME_H[1:]
    model = PBPKSurrogate(MLP(times=len(time_h))).double()
    population = sample_population(40, seed=5, routes=["oral"])
    model.network.fit(inputs(population, time_h), torch.zeros(1))

    def curves(asked):
        return model.predict_population(asked, time_h)

    found = sensitivities(population[:2], curves, time_h, OF, PLACES).elasticity
    assert_close(found, differences(population[:2], curves, time_h, INPUTS), 1e-6)


def test_what_is_not_defined_is_not_a_number_and_spoils_nothing_else():
    time_h = torch.tensor([0.0, 0.02, 0.04], dtype=torch.float64)  # an oral dose still rises
    population = sample_population(4, seed=6, routes=["oral"])
    found = sensitivities(population, solved("linear", time_h), time_h)
    assert found.value[:, 0, 2].isnan().all()
    assert found.elasticity[:, 0, 2].isnan().all()
    assert found.elasticity[:, 0, :2].isfinite().all()


def test_inputs_that_a_route_has_not_count_nothing():
    population = sample_population(4, seed=7, routes=["bolus"])
    found = sensitivities(population, solved("linear"), TIME_H).elasticity
    idle = [INPUTS.index(name) for name in ("infusion_h", "absorption_rate_per_h", "bioavailability", "km_mg_per_l")]
    assert (found[..., idle] == 0).all()


@pytest.mark.parametrize(("asked", "said"), [({"exposures": ["acu"]}, "did you mean 'auc'"),
                                            ({"places": ["plasm"]}, "did you mean 'plasma'")])  # fmt: skip
def test_an_unknown_exposure_or_place_is_told(asked, said):
    with pytest.raises(FulmenError, match=said):
        sensitivities(sample_population(1, seed=0), solved("linear"), TIME_H, **asked)


def test_subjects_given_stay_as_they_are():
    population = sample_population(2, seed=8)
    before = dataclasses.replace(population, **{k: v.clone() for k, v in population.tensors().items()})
    sensitivities(population, solved("linear"), TIME_H)
    assert all(torch.equal(v, before.tensors()[k]) and not v.requires_grad for k, v in population.tensors().items())


def test_a_peak_that_moves_with_the_end_of_its_infusion_has_no_elasticity_by_it():
    """Plasma peaks when the infusion ends; fat, which fills slowly, peaks later, as central differences say."""
    person = sample_population(1, seed=3, routes=["infusion"], infusion_h=2.0)
    into_fat = torch.where(torch.tensor([organ == "adipose" for organ in ORGANS]), 50.0, 1.0)
    person = dataclasses.replace(person, kp=person.kp * into_fat)
    time_h = torch.linspace(0, 12, 241, dtype=torch.float64)

    def curves(subjects):
        return concentrations(subjects, simulate(subjects, time_h, rtol=1e-9))

    said = told(sensitivities(person, curves, time_h, ("cmax", "auc"), ("plasma", "adipose")))
    by_time = said.elasticity[0, :, :, INPUTS.index("infusion_h")]  # [P, E]
    assert bool(by_time[0, 0].isnan())
    assert bool(by_time[:, 1].isfinite().all())
    assert bool(said.elasticity[..., INPUTS.index("dose_mg")].isfinite().all())
    highs = [
        curves(dataclasses.replace(person, infusion_h=person.infusion_h * factor))[0, INDEX["adipose"]].max()
        for factor in (0.999, 1.001)
    ]
    slope = (highs[1].log() - highs[0].log()) / 0.002
    assert float(by_time[1, 0]) == pytest.approx(float(slope), abs=0.01)
