"""Partition coefficients of Rodgers and Rowland: limits that can be worked out by hand, and known drugs."""

import pytest
import torch

from fulmen.workloads.pbpk.simulator.body import densities_kg_per_l, organ_masses_kg
from fulmen.workloads.pbpk.simulator.partition import KINDS, rodgers_rowland
from fulmen.workloads.pbpk.simulator.physiology import INDEX, fractions


def kp(kind, log_p, pka, unbound, to_plasma):
    numbers = [torch.tensor([value], dtype=torch.float64) for value in (log_p, pka, unbound, to_plasma)]
    return rodgers_rowland(*numbers[:2], torch.tensor([KINDS.index(kind)]), *numbers[2:])[0]


def test_an_unbound_neutral_drug_that_avoids_fat_lies_in_the_water_of_muscle():
    found = kp("neutral", -2.4, 0.0, 1.0, 1.0)[INDEX["muscle"]].item()
    p = 10**-2.4
    assert found == pytest.approx(0.118 + 0.63 + p * 0.01 + (0.3 * p + 0.7) * 0.0072, rel=1e-12)


def test_a_drug_that_no_fat_dissolves_stays_outside_cells():
    assert kp("base", -7.4, 8.13, 0.88, 0.6)[INDEX["muscle"]].item() == pytest.approx(0.88 * 0.118)


def test_the_blood_has_its_own_ratio():
    assert kp("base", 3.0, 9.0, 0.1, 0.7)[INDEX["blood"]] == 0.7


def test_an_acid_binds_to_the_albumin_of_a_tissue():
    """Warfarin in the lung, all terms by hand."""
    p, ionised_plasma, ionised_cell = 10**2.7, 10 ** (7.4 - 5.03), 10 ** (7.0 - 5.03)
    lipids = (p * 0.022 + (0.3 * p + 0.7) * 0.0128) / (1 + ionised_plasma)
    plasma_lipids = (p * 0.0023 + (0.3 * p + 0.7) * 0.0013) / (1 + ionised_plasma)
    water = 0.336 + (1 + ionised_cell) / (1 + ionised_plasma) * 0.446
    by_hand = 0.0133 * (water + lipids + (1 / 0.0133 - 1 - plasma_lipids) * 0.212)
    assert kp("acid", 2.7, 5.03, 0.0133, 0.55)[INDEX["lung"]].item() == pytest.approx(by_hand, rel=1e-12)


def test_a_strong_base_binds_where_acidic_phospholipids_are():
    """Propranolol: Kp in the kidney over muscle as their acidic phospholipids, once water and fat are small."""
    found = kp("base", 1.0, 9.45, 0.13, 2.0)
    assert (found[INDEX["kidney"]] / found[INDEX["muscle"]]).item() == pytest.approx(5.03 / 1.53, rel=0.05)
    weak = kp("base", 1.0, 6.9, 0.13, 2.0)
    assert (weak[INDEX["kidney"]] / weak[INDEX["muscle"]]).item() < 2.3


@pytest.mark.parametrize(
    ("drug", "kind", "log_p", "pka", "unbound", "to_plasma", "measured", "fold"),
    [  # measured volume (L/kg) and the fold that another implementation of the equations finds, at 1 kg/L and 70 kg
        ("digoxin", "neutral", 1.26, 0.0, 0.70, 1.07, 4.1, 0.19),
        ("carbamazepine", "neutral", 2.45, 0.0, 0.25, 1.06, 1.1, 2.04),
        ("atenolol", "base", 0.16, 9.6, 0.94, 1.07, 0.95, 2.38),
        ("phenytoin", "acid", 2.47, 8.3, 0.13, 0.61, 0.43, 2.64),
        ("dapagliflozin", "neutral", 2.30, 0.0, 0.09, 0.88, 1.70, 0.39),
        ("acetaminophen", "acid", 0.46, 9.5, 0.52, 1.09, 1.0, 0.42),
    ],
)
def test_volumes_of_distribution_are_those_of_another_implementation(
    drug, kind, log_p, pka, unbound, to_plasma, measured, fold
):
    volume = (kp(kind, log_p, pka, unbound, to_plasma) * fractions().volume).sum().item()
    assert volume / measured == pytest.approx(fold, abs=0.005), drug


def test_the_volume_of_a_man_by_density_is_close_to_that_at_one_kg_per_litre():
    man = organ_masses_kg(*(torch.tensor([value]) for value in (35.0, 0, 73.0)))[0] / densities_kg_per_l() / 73
    diazepam = kp("base", 2.82, 3.4, 0.023, 0.78)
    assert (diazepam @ man).item() == pytest.approx((diazepam * fractions().volume).sum().item(), rel=0.05)
