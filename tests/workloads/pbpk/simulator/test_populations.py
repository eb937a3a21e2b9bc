"""The named populations: what they draw is spread as in people and in measured compounds, and nested by seed."""

import pytest
import torch

from benchmarks.pbpk_populations import LEVELS, MEASURED, pharmacokinetics, saturated
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.population import (
    INFUSION,
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
)
from fulmen.workloads.pbpk.simulator.sampling import POPULATIONS, sample_population

FOLD = 1.6  # that a quantile may be off


@pytest.fixture(scope="module")
def real():
    return sample_population(5000, seed=1, population="real_chemistry")


@pytest.fixture(scope="module")
def wide():
    return sample_population(2000, seed=1, population="wide")


@pytest.mark.parametrize("quantity", MEASURED)
def test_real_chemistry_is_spread_as_measured_compounds_are(real, quantity):
    levels = torch.tensor(LEVELS, dtype=torch.float64)
    found = pharmacokinetics(real)[quantity].quantile(levels).tolist()
    for level, drawn, measured in zip(LEVELS, found, MEASURED[quantity], strict=True):
        assert measured / FOLD < drawn < measured * FOLD, f"{level:.0%}: {drawn:.3g}, measured {measured}"


def test_saturation_is_the_exception_in_real_chemistry(real):
    assert saturated(real[:300]) < 0.15


def test_real_chemistry_has_adults_of_both_sexes(real):
    assert real.age_y.min() >= 20
    assert 0.45 < real.sex.double().mean() < 0.55
    for sex, weight in enumerate((73, 60)):
        assert real.weight_kg[real.sex == sex].median().item() == pytest.approx(weight, rel=0.03)
    assert real.dose_mg.min() < 0.06
    assert real.dose_mg.max() > 1400


def test_no_liver_and_no_kidney_clears_all_of_its_flow(real, wide):
    for population in (real, wide):
        extraction = hepatic_clearance_l_per_h(population) / liver_flow_l_per_h(population)
        assert extraction.max() < 0.99
        assert population.kp.isfinite().all()


def test_wide_reaches_to_the_ends_of_the_tables(wide):
    assert wide.age_y.min() < 1.1
    assert wide.age_y.max() > 75
    assert wide.weight_kg.min() < 10.1
    assert wide.weight_kg.max() > 145
    assert wide.dose_mg.min() < 0.06
    assert wide.dose_mg.max() > 4800
    infused = wide.infusion_h[wide.route == INFUSION]
    assert infused.min() < 0.12
    assert infused.max() > 23
    assert (wide.n_doses, wide.interval_h) == (4, 6.0)


def test_only_wide_has_gut_walls_that_metabolise(real, wide):
    assert real.gut_extraction.eq(0).all()
    assert sample_population(50, seed=1).gut_extraction.eq(0).all()
    levels = torch.tensor([0.1, 0.5, 0.9], dtype=torch.float64)
    torch.testing.assert_close(wide.gut_extraction.quantile(levels), 0.5 * levels, rtol=0, atol=0.03)
    assert wide.gut_extraction.max() <= 0.5
    free = sample_population(9, seed=1, population="wide").tensors()
    fixed = sample_population(9, seed=1, population="wide", drug={"gut_extraction": 0}).tensors()
    assert fixed.pop("gut_extraction").eq(0).all()
    assert all(torch.equal(value, free[name]) for name, value in fixed.items())


def test_wide_is_wider_than_the_other_populations(real, wide):
    usual = sample_population(2000, seed=1)
    ends = torch.tensor([0.05, 0.95], dtype=torch.float64)
    widest = pharmacokinetics(wide)
    for other in (usual, real):
        for quantity, values in pharmacokinetics(other).items():
            spread, reached = ((x.quantile(ends)[1] / x.quantile(ends)[0]).item() for x in (values, widest[quantity]))
            bounded = 0.9 if quantity == "fraction unbound" else 1  # which cannot pass 1
            assert reached > spread * bounded, quantity


@pytest.mark.parametrize("name", POPULATIONS)
@pytest.mark.parametrize("fewer", [1, 7, 33])
def test_a_smaller_population_is_the_start_of_a_larger_one(name, fewer):
    smaller = sample_population(fewer, 2, seed=5, population=name)
    start = sample_population(40, 2, seed=5, population=name)[: 2 * fewer]
    for field, value in smaller.tensors().items():  # vectorised functions may round the last bits by position
        torch.testing.assert_close(value, start.tensors()[field], rtol=1e-12, atol=1e-14, msg=field)


def test_what_is_given_replaces_what_the_population_says():
    given = {"dose_mg": 50.0, "infusion_h": (1.0, 2.0), "n_doses": 2, "interval_h": 12.0, "routes": ["infusion"]}
    fixed = {"km_mg_per_l": 0.5, "clint_l_per_h": 20.0, "kp": {"liver": 3.0}}
    drawn = sample_population(9, seed=0, population="wide", drug=fixed, body={"age_y": 8.0}, **given)
    free = sample_population(9, seed=0, population="wide")
    torch.testing.assert_close(drawn.dose_mg, torch.full_like(drawn.dose_mg, 50.0))
    assert drawn.infusion_h.max() <= 2
    assert (drawn.n_doses, drawn.interval_h) == (2, 12.0)
    assert drawn.clint_l_per_h.eq(20).all()
    assert drawn.age_y.eq(8).all()
    assert torch.equal(drawn.fraction_unbound, free.fraction_unbound)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"population": "real_chemestry"}, "unknown population 'real_chemestry'; did you mean 'real_chemistry'"),
        ({"population": "people"}, "known: uniform_chemistry, real_chemistry, wide"),
        ({"population": "real_chemistry", "organs": {"liver": {"flow": 0.07}}}, "data.population=uniform_chemistry"),
        ({"population": "wide", "body": {"weight_kg": 30}}, "set body.age_y too, such as body.age_y=9.23"),
        ({"population": "wide", "body": {"age_y": 90}}, "body.age_y is 90; the tables hold 1 to 80 years"),
    ],
)
def test_what_no_population_has_is_refused_with_what_works(arguments, message):
    with pytest.raises(FulmenError) as error:
        sample_population(3, seed=0, **arguments)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
