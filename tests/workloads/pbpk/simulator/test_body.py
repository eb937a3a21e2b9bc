"""Bodies by age, sex and weight: the tables exactly, closed, and fat where the weight leaves its reference."""

import itertools

import pytest
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.body import (
    blood_flows_l_per_h,
    densities_kg_per_l,
    organ_masses_kg,
    reference_weight_kg,
    weight_limits_kg,
)
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PERFUSED
from fulmen.workloads.pbpk.simulator.population import SEXES, hepatic_clearance_l_per_h, validate
from fulmen.workloads.pbpk.simulator.sampling import sample_population

# ICRP Publication 89, table 2.8, in g: brain, heart, kidneys, liver, lungs, pancreas, muscle, skeleton, skin, spleen,
# separable adipose tissue, walls of stomach and intestines; the body's weight (table 2.9).
NAMES = ("brain", "heart", "kidney", "liver", "lung", "pancreas", "muscle", "bone", "skin", "spleen", "adipose", "gut")
ICRP = {
    (1, "male"): (950, 50, 70, 330, 80, 20, 1900, 1170, 350, 29, 3600, 20 + 85 + 50, 10000),
    (5, "female"): (1245, 85, 110, 570, 125, 35, 5600, 2430, 570, 50, 5000, 50 + 220 + 120, 19000),
    (10, "male"): (1310, 140, 180, 830, 210, 60, 11000, 4500, 820, 80, 7500, 85 + 370 + 210, 32000),
    (15, "female"): (1300, 220, 240, 1300, 290, 100, 17000, 7180, 1700, 130, 16000, 120 + 520 + 300, 53000),
    (35, "male"): (1450, 330, 310, 1800, 500, 140, 29000, 10500, 3300, 150, 14500, 150 + 650 + 370, 73000),
    (60, "female"): (1300, 250, 275, 1400, 420, 120, 17500, 7800, 2300, 130, 19000, 140 + 600 + 360, 60000),
}
CARDIAC_OUTPUT = {1: 1.817, 5: 3.4, 10: 5.0, 15: 6.1}  # L/min


def ages(*years):
    return torch.tensor(years, dtype=torch.float64)


def sexes(*names):
    return torch.tensor([SEXES.index(name) for name in names])


def everybody():
    """Ages and sexes over all the tables, each at the lowest, the reference and the highest weight: [S] each."""
    both = list(itertools.product([1, 1.5, 3, 5, 7.7, 10, 12, 15, 17.5, 20, 44, 80], SEXES))
    age, sex = ages(*(age for age, _ in both)), sexes(*(sex for _, sex in both))
    low, high = weight_limits_kg(age, sex)
    return age.repeat(3), sex.repeat(3), torch.cat([low, reference_weight_kg(age, sex), high])


@pytest.mark.parametrize(("who", "grams"), ICRP.items(), ids=str)
def test_organ_masses_are_those_of_the_table(who, grams):
    age, sex = ages(who[0]), sexes(who[1])
    weight = reference_weight_kg(age, sex)
    assert weight.tolist() == [grams[-1] / 1000]
    mass = organ_masses_kg(age, sex, weight)[0]
    assert [mass[INDEX[name]].item() for name in NAMES] == [g / 1000 for g in grams[:-1]]


def test_blood_fills_the_litres_of_the_table():
    age, sex = ages(1, 5, 10, 35, 35), sexes("male", "male", "female", "male", "female")
    mass = organ_masses_kg(age, sex, reference_weight_kg(age, sex))
    litres = (mass / densities_kg_per_l())[:, INDEX["blood"]]
    torch.testing.assert_close(litres, ages(0.5, 1.4, 2.4, 5.3, 3.9), rtol=1e-14, atol=0)


def test_organs_fill_the_weight_at_any_age_and_weight():
    age, sex, weight = everybody()
    mass = organ_masses_kg(age, sex, weight)
    assert mass.min() > 0
    torch.testing.assert_close(mass.sum(1), weight, rtol=1e-12, atol=0)


def test_flows_fill_the_cardiac_output_at_any_age_and_weight():
    age, sex, weight = everybody()
    flow = blood_flows_l_per_h(age, sex, organ_masses_kg(age, sex, weight))
    perfused = flow[:, [INDEX[organ] for organ in PERFUSED]]
    assert perfused.min() > 0
    assert ((perfused.sum(1) / flow[:, INDEX["blood"]]) - 1).abs().max() < 1e-9
    assert torch.equal(flow[:, INDEX["lung"]], flow[:, INDEX["blood"]])


def test_children_have_the_cardiac_output_of_the_table_and_the_perfusion_of_their_brain():
    age, sex = ages(*CARDIAC_OUTPUT), sexes("male", "female", "male", "female")
    flow = blood_flows_l_per_h(age, sex, organ_masses_kg(age, sex, reference_weight_kg(age, sex)))
    torch.testing.assert_close(flow[:, INDEX["blood"]], 60 * ages(*CARDIAC_OUTPUT.values()), rtol=1e-12, atol=0)
    brain = ages(9.50 * 59, 12.45 * 71, 13.10 * 68, 13.00 * 57) * 0.06  # 100 g times mL/min per 100 g, in L/h
    torch.testing.assert_close(flow[:, INDEX["brain"]], brain, rtol=1e-12, atol=0)
    kidney = 60 * ages(6.5 * 0.19 / 310 * 70, 5.9 * 0.17 / 275 * 110, 6.5 * 0.19 / 310 * 180, 5.9 * 0.17 / 275 * 240)
    torch.testing.assert_close(flow[:, INDEX["kidney"]], kidney, rtol=1e-12, atol=0)


def test_adults_have_the_flows_of_the_table():
    age, sex = ages(20, 70), sexes("male", "female")
    flow = blood_flows_l_per_h(age, sex, organ_masses_kg(age, sex, reference_weight_kg(age, sex)))
    percent = {"liver": (6.5, 6.5), "kidney": (19, 17), "brain": (12, 12), "heart": (4, 5), "muscle": (17, 12)}
    percent |= {"adipose": (5, 8.5), "gut": (15, 17), "spleen": (3, 3), "bone": (5, 5), "other": (7.5, 8)}
    for organ, (man, woman) in percent.items():
        expected = ages(390 * man / 100, 354 * woman / 100)
        torch.testing.assert_close(flow[:, INDEX[organ]], expected, rtol=1e-12, atol=0)


def test_between_the_ages_of_the_table_masses_lie_on_a_line():
    age, sex = ages(5, 7, 10), sexes("male", "male", "male")
    young, middle, old = organ_masses_kg(age, sex, reference_weight_kg(age, sex))
    torch.testing.assert_close(middle, 0.6 * young + 0.4 * old)


def test_what_the_weight_has_above_or_below_its_reference_is_fat():
    age, sex = ages(40, 40, 40), sexes("male", "male", "male")
    lean, usual, fat = organ_masses_kg(age, sex, ages(65, 73, 113))
    others = [row for row, organ in enumerate(ORGANS) if organ != "adipose"]
    torch.testing.assert_close(lean[others], usual[others])
    torch.testing.assert_close(fat[others], usual[others])
    assert fat[INDEX["adipose"]].item() == pytest.approx(14.5 + 40)


def test_fat_stays_between_5_and_60_percent_of_the_weight_and_the_brain_as_it_is():
    age, sex, weight = everybody()
    mass = organ_masses_kg(age, sex, weight)
    share = mass[:, INDEX["adipose"]] / weight
    assert share.min().item() == pytest.approx(0.05)
    assert share.max().item() == pytest.approx(0.6)
    brains = mass[:, INDEX["brain"]].view(3, -1)
    torch.testing.assert_close(brains, brains[:1].expand(3, -1))


def test_a_child_of_32_kg_has_the_brain_of_a_child():
    mass = organ_masses_kg(ages(10), sexes("female"), ages(32))
    litres = (mass / densities_kg_per_l())[0, INDEX["brain"]].item()
    assert 1.2 < litres < 1.4


@pytest.mark.parametrize(
    ("age", "weight", "message"),
    [
        (0.9, 10, "age_y, subject 0: 0.9; the tables hold 1 to 80 years"),
        (81, 70, "age_y, subject 0: 81; the tables hold 1 to 80 years"),
        (float("nan"), 70, "age_y, subject 0: nan"),
        (1, 9, "weight_kg, subject 0: 9; a male body of 1 years has 10 to 25 kg here"),
        (40, 30, "a male body of 40 years has 36.5 to 150 kg here; set body.age_y too, such as body.age_y=9.23"),
        (40, 151, "36.5 to 150 kg"),
        (40, float("nan"), "weight_kg, subject 0: nan"),
    ],
)
def test_a_body_outside_the_tables_is_refused_with_what_works(age, weight, message):
    with pytest.raises(FulmenError) as error:
        organ_masses_kg(ages(age), sexes("male"), ages(weight))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_drawn_children_fill_their_weight_by_density_and_clear_with_livers_of_their_size():
    children = sample_population(50, seed=3, body={"age_y": 2.0, "sex": "female"})
    mass = (children.volume_l * children.density_kg_per_l).sum(1)
    torch.testing.assert_close(mass, children.weight_kg)
    assert children.sex.eq(SEXES.index("female")).all()
    bone = children.volume_l[:, INDEX["bone"]] * 1.3 / children.weight_kg
    assert bone.median().item() == pytest.approx(1.485 / 12.25, rel=0.1)  # a quarter of the way from 1 to 5 years
    adults = sample_population(50, seed=3, body={"age_y": 40.0, "sex": "female"})
    smaller = children.clint_l_per_h / adults.clint_l_per_h
    assert smaller.median().item() == pytest.approx(0.39 / 1.4, rel=0.15)
    assert (hepatic_clearance_l_per_h(children) < hepatic_clearance_l_per_h(adults)).double().mean() > 0.9


def test_a_wrong_density_is_refused():
    drawn = sample_population(3, seed=0, body={"sex": "male"})
    drawn.density_kg_per_l[1, INDEX["bone"]] = 1.99
    with pytest.raises(FulmenError, match=r"volume_l \(mass of the organs in kg\), subject 1: .*must be weight_kg"):
        validate(drawn)
