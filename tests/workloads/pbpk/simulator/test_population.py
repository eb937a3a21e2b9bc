"""Populations are reproducible, nested and physiological; what cannot be simulated is refused."""

from dataclasses import replace

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.physiology import INDEX, PERFUSED
from fulmen.workloads.pbpk.simulator.population import (
    INFUSION,
    ROUTES,
    duplicate_rows,
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
    validate,
)
from fulmen.workloads.pbpk.simulator.sampling import sample_population

DRUG_FIELDS = ("kp", "fraction_unbound", "clint_l_per_h", "km_mg_per_l", "lipophilicity", "blood_plasma_ratio")


def equal(a, b):
    return all(torch.equal(value, b.tensors()[name]) for name, value in a.tensors().items())


@pytest.fixture(scope="module")
def population():
    return sample_population(400, 2, seed=1)


def test_the_same_seed_gives_the_same_population_and_another_seed_another():
    assert equal(sample_population(20, seed=3), sample_population(20, seed=3))
    assert not torch.equal(sample_population(20, seed=3).kp, sample_population(20, seed=4).kp)


@pytest.mark.parametrize("fewer", [1, 7, 15, 16, 33])
def test_a_smaller_population_is_the_start_of_a_larger_one(fewer):
    smaller, start = sample_population(fewer, 3, seed=5), sample_population(40, 3, seed=5)[: 3 * fewer]
    for name, value in smaller.tensors().items():  # vectorised functions may round the last bit by position
        torch.testing.assert_close(value, start.tensors()[name], rtol=1e-14, atol=1e-14, msg=name)


def test_fixing_one_property_leaves_the_other_draws_alone():
    free, fixed = sample_population(9, seed=2), sample_population(9, seed=2, drug={"km_mg_per_l": 0.1})
    assert fixed.km_mg_per_l.eq(0.1).all()
    assert equal(replace(free, km_mg_per_l=fixed.km_mg_per_l), fixed)


def test_subjects_of_one_compound_share_the_drug_but_not_the_body(population):
    for name in DRUG_FIELDS:
        values = population.tensors()[name]
        assert torch.equal(values[0::2], values[1::2])
    assert not torch.equal(population.weight_kg[0::2], population.weight_kg[1::2])
    assert torch.equal(population.compound, torch.arange(400).repeat_interleave(2))


def test_volumes_fill_the_weight_and_flows_the_cardiac_output(population):
    torch.testing.assert_close(population.volume_l.sum(1), population.weight_kg)
    perfused = population.flow_l_per_h[:, [INDEX[organ] for organ in PERFUSED]].sum(1)
    torch.testing.assert_close(perfused, population.cardiac_output_l_per_h)
    torch.testing.assert_close(population.kp[:, 0], population.blood_plasma_ratio)


def test_draws_have_the_medians_and_the_bounds_of_the_prior(population):
    assert population.weight_kg.median().item() == pytest.approx(70, rel=0.04)
    assert population.weight_kg.min() >= 40
    assert population.weight_kg.max() <= 130
    assert population.clint_l_per_h.median().item() == pytest.approx(60, rel=0.25)
    assert population.fraction_unbound.min() >= 0.005
    assert population.dose_mg.min() >= 10
    assert population.dose_mg.max() <= 1000
    assert population.dose_mg.log10().mean().item() == pytest.approx(2, abs=0.1)
    assert set(population.route.tolist()) == {0, 1, 2}
    infused = population.route == INFUSION
    assert population.infusion_h[~infused].eq(0).all()
    assert population.infusion_h[infused].min() >= 0.5
    correlation = torch.corrcoef(torch.stack([population.lipophilicity, population.kp[:, INDEX["adipose"]].log()]))
    assert correlation[0, 1] > 0.95


def test_fixed_values_reach_every_subject():
    fixed = sample_population(
        5,
        2,
        seed=0,
        routes=["oral"],
        dose_mg=50,
        drug={"fraction_unbound": 0.2, "kp": {"liver": 3.0}},
        body={"weight_kg": 80, "cardiac_output_l_per_h": 400.0},
        organs={"liver": {"volume": 0.03}, "other": {"volume": 0.039}},
    )
    assert fixed.fraction_unbound.eq(0.2).all()
    assert fixed.kp[:, INDEX["liver"]].eq(3).all()
    assert fixed.weight_kg.eq(80).all()
    assert fixed.cardiac_output_l_per_h.eq(400).all()
    assert fixed.dose_mg.allclose(torch.tensor(50.0).double())
    assert fixed.route.eq(ROUTES.index("oral")).all()


def test_clearances_follow_the_well_stirred_model(population):
    liver_flow = liver_flow_l_per_h(population)
    unbound = population.fraction_unbound / population.blood_plasma_ratio
    extraction = hepatic_clearance_l_per_h(population) / liver_flow
    torch.testing.assert_close(extraction / (1 - extraction) * liver_flow, population.clint_l_per_h * unbound)
    assert (renal_clearance_l_per_h(population) < population.flow_l_per_h[:, INDEX["kidney"]]).all()


def test_without_binding_the_volume_of_distribution_is_the_body(population):
    even = replace(
        population, kp=torch.ones_like(population.kp), blood_plasma_ratio=torch.ones(len(population)).double()
    )
    torch.testing.assert_close(steady_state_volume_l(even), population.weight_kg)


def test_an_integer_a_slice_and_a_mask_select_subjects(population):
    assert len(population[3]) == 1
    assert equal(population[3], population[3:4])
    assert population[population.route == 0].route.eq(0).all()


def test_duplicates_are_found_whatever_their_label():
    drawn = sample_population(6, seed=0)
    assert len(duplicate_rows(drawn)) == 0
    repeated = drawn[[0, 1, 2, 1, 3, 0, 1]]
    relabelled = replace(repeated, compound=torch.arange(7))
    assert duplicate_rows(relabelled).tolist() == [3, 5, 6]


def broken(population, name, index, value):
    values = population.tensors()[name].clone()
    values[index] = value
    return replace(population, **{name: values})


@pytest.mark.parametrize(
    ("name", "index", "value", "message"),
    [
        ("volume_l", (2, 1), -1.0, "volume_l of liver, subject 2: -1; it must be finite, above 0"),
        ("volume_l", (2, 1), 0.0, "volume_l of liver, subject 2: 0"),
        ("volume_l", (0, 13), float("nan"), "volume_l of other, subject 0: nan"),
        ("flow_l_per_h", (4, 2), -5.0, "flow_l_per_h of kidney, subject 4: -5"),
        ("flow_l_per_h", (4, 2), float("inf"), "flow_l_per_h of kidney, subject 4: inf"),
        ("flow_l_per_h", (4, 2), 999.0, "flow_l_per_h (sum of the organs), subject 4"),
        ("flow_l_per_h", (4, 5), 1.0, "flow_l_per_h of the lung, subject 4: 1; it must be the cardiac output"),
        ("weight_kg", 1, 0.0, "weight_kg, subject 1: 0"),
        ("dose_mg", 3, -10.0, "dose_mg, subject 3: -10"),
        ("dose_mg", 3, float("nan"), "dose_mg, subject 3: nan"),
        ("fraction_unbound", 3, 1.2, "fraction_unbound, subject 3: 1.2; it must be in (0, 1]"),
        ("fraction_unbound", 3, 0.0, "fraction_unbound, subject 3: 0"),
        ("bioavailability", 0, 1.5, "bioavailability, subject 0: 1.5"),
        ("gut_extraction", 1, 1.0, "gut_extraction, subject 1: 1; it must be in [0, 1)"),
        ("gut_extraction", 1, -0.1, "gut_extraction, subject 1: -0.1; it must be finite and not negative"),
        ("kp", (1, 3), 0.0, "kp of brain, subject 1: 0"),
        ("kp", (1, 0), 9.0, "kp of the blood, subject 1: 9; it must be blood_plasma_ratio"),
        ("lipophilicity", 1, float("nan"), "lipophilicity, subject 1: nan; it must be finite"),
        ("route", 1, 3, "route, subject 1: 3; it must be 0 to 2: bolus, infusion, oral"),
        ("infusion_h", 0, 1.0, "infusion_h, subject 0: 1; it must be above 0 for an infusion and 0 for any other"),
    ],
)
def test_a_subject_that_cannot_be_simulated_is_named(name, index, value, message):
    bad = broken(sample_population(5, seed=0, routes=["bolus"]), name, index, value)
    with pytest.raises(FulmenError) as error:
        validate(bad)
    assert message in str(error.value)


def test_a_field_of_the_wrong_length_is_refused():
    drawn = sample_population(5, seed=0)
    with pytest.raises(FulmenError, match="dose_mg has 4 rows for 5 subjects"):
        validate(replace(drawn, dose_mg=drawn.dose_mg[:4]))


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"kp": torch.ones(5, 3)}, r"kp has shape \[5, 3\], expected \[5, 14\]"),
        ({"dose_mg": torch.ones(5, 1)}, r"dose_mg has shape \[5, 1\], expected \[5\]"),
        ({"dose_mg": torch.tensor(3.0)}, "dose_mg has 0 rows for 5 subjects"),
        ({"route": torch.tensor([0, 0.5, 0, 0, 0])}, r"route, subject 1: 0\.5; it must be a whole number"),
        ({"sex": torch.tensor([0, 1, 2, 0, 0])}, "sex, subject 2: 2; it must be 0 to 1: male, female"),
        ({"sex": torch.tensor([0, 1, -1, 0, 0])}, "sex, subject 2: -1; it must be finite and not negative"),
        ({"n_doses": 0}, "n_doses is 0 and interval_h 24"),
        ({"n_doses": 2.5}, "n_doses is 2.5"),
        ({"interval_h": float("nan")}, "interval_h nan"),
    ],
)
def test_fields_of_another_kind_are_named(changes, message):
    with pytest.raises(FulmenError, match=message):
        validate(replace(sample_population(5, seed=0, routes=["bolus"]), **changes))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"compounds": 0}, "compounds is 0"),
        ({"subjects_per_compound": 1.5}, "subjects_per_compound is 1.5"),
        ({"n_doses": 0}, "n_doses is 0"),
        ({"interval_h": -1.0}, "interval_h is -1.0"),
        ({"routes": ["orl"]}, "unknown route 'orl'; did you mean 'oral'"),
        ({"routes": []}, "routes is empty"),
        ({"dose_mg": 0}, "dose_mg is 0"),
        ({"dose_mg": (100, 10)}, "dose_mg is [100, 10]; give one number, or a range [low, high]"),
        ({"infusion_h": (1, 2, 3)}, "infusion_h is [1, 2, 3]"),
        (
            {"drug": {"fraction_unbond": 0.2}},
            "unknown drug property 'fraction_unbond'; did you mean 'fraction_unbound'",
        ),
        ({"drug": {"fraction_unbound": 1.2}}, "drug.fraction_unbound is 1.2; it must be in (0, 1]"),
        ({"drug": {"km_mg_per_l": 0}}, "drug.km_mg_per_l is 0"),
        ({"drug": {"gut_extraction": 1}}, "drug.gut_extraction is 1; it must be in [0, 1)"),
        ({"drug": {"gut_extraction": "half"}}, "drug.gut_extraction is 'half'; it must be in [0, 1)"),
        ({"drug": {"lipophilicity": float("inf")}}, "drug.lipophilicity is inf"),
        ({"drug": {"kp": 3.0}}, "drug.kp is 3.0; give one value per organ"),
        ({"drug": {"kp": {"lver": 3.0}}}, "drug.kp: unknown organ 'lver'; did you mean 'liver'"),
        ({"drug": {"kp": {"liver": -3.0}}}, "drug.kp.liver is -3.0"),
        ({"drug": {"kp": {"blood": 1.0}}}, "set drug.blood_plasma_ratio"),
        ({"body": {"weight": 70}}, "unknown body value 'weight'; did you mean 'weight_kg'"),
        ({"body": {"weight_kg": float("nan")}}, "body.weight_kg is nan"),
        ({"organs": {"liver": {"volume": 0.03}}}, "other.volume = 0.039 would close it"),
    ],
)
def test_an_argument_that_makes_no_sense_is_refused_by_name(arguments, message):
    with pytest.raises(FulmenError) as error:
        sample_population(**{"compounds": 3, "seed": 0} | arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
