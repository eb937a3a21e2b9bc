"""Curves in the terms of pharmacokinetics: mass balance, superposition, and areas after boluses on coarse grids."""

import math

import pytest
import torch

from fulmen.workloads.pbpk import pk
from fulmen.workloads.pbpk.boluses import with_boluses
from fulmen.workloads.pbpk.pk_table import PLACES, UNITS, pharmacokinetics
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import (
    hepatic_clearance_l_per_h,
    liver_flow_l_per_h,
    renal_clearance_l_per_h,
)
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.times import time_grid

BLOOD, PLASMA = PLACES.index("blood"), PLACES.index("plasma")
DAY_H = time_grid(24, 100)


def solved(people, time_h, kinetics="linear"):
    return concentrations(people, simulate(people, time_h, kinetics, solver="fastest"))


def median(values):
    return values.abs().nanmedian().item()


@pytest.mark.parametrize("route", ["bolus", "infusion", "oral"])
def test_clearance_times_area_is_the_dose(route):
    """n = 40 subjects with linear kinetics for ten days: CL is that of liver and kidney, and F what passes them."""
    people, time_h = sample_population(40, seed=2, routes=[route]), time_grid(240, 200, "stretched")
    said = pharmacokinetics(people, solved(people, time_h), time_h)
    hepatic = hepatic_clearance_l_per_h(people)
    passed = people.bioavailability * (1 - hepatic / liver_flow_l_per_h(people)) if route == "oral" else 1.0
    clearance = (hepatic + renal_clearance_l_per_h(people)) / passed
    weak = said["extrapolated_share"][:, BLOOD] > 0.2
    assert weak.sum() <= 2
    torch.testing.assert_close(said["clearance_l_per_h"][~weak, BLOOD], clearance[~weak], rtol=5e-3, atol=0)
    ratio = said["clearance_l_per_h"][:, PLASMA] / said["clearance_l_per_h"][:, BLOOD]
    torch.testing.assert_close(ratio, people.blood_plasma_ratio)
    assert said["vss_l"][:, BLOOD].isnan().all() == (route == "oral")


@pytest.mark.parametrize(("doses", "interval_h"), [(1, 24.0), (4, 6.0), (3, 7.9)])
def test_areas_after_boluses_do_not_depend_on_the_grid(doses, interval_h):
    """n = 40 subjects with saturable kinetics: a quarter of an hour between samples against seconds around the doses.

    As the samples stand, the median area of the lung is 5 to 10 % off.
    """
    people = sample_population(40, seed=1, routes=["bolus"], n_doses=doses, interval_h=interval_h)
    starts = interval_h * torch.arange(doses).double()
    before = starts[1:] - 1e-9
    fine_h = torch.cat([DAY_H, before, *(start + time_grid(24, 1500, "stretched") for start in starts)]).unique()
    fine_h = fine_h[fine_h <= 24]
    exact, curves = solved(people, fine_h, "saturable"), solved(people, DAY_H, "saturable")
    said = pharmacokinetics(people, curves, DAY_H)
    for organ in ("blood", "lung", "brain", "adipose"):
        number = INDEX[organ]
        area = pk.auc_last(exact[:, number], fine_h)
        assert median(said["auc_last_mg_h_per_l"][:, number] / area - 1) < 0.01, organ
    peak = exact[:, INDEX["blood"]].amax(1)
    torch.testing.assert_close(said["cmax_mg_per_l"][:, BLOOD], peak, rtol=0.03, atol=0)
    lung, area = INDEX["lung"], pk.auc_last(exact[:, INDEX["lung"]], fine_h)
    naive = pk.auc_last(curves[:, lung], DAY_H) / area - 1
    assert median(naive) > 5 * median(said["auc_last_mg_h_per_l"][:, lung] / area - 1)


def test_curves_around_boluses_keep_their_samples():
    people = sample_population(5, seed=3, routes=["bolus"], n_doses=3, interval_h=6.0)
    time_h = time_grid(24, 97)  # doses at three of its times
    curves = solved(people, time_h, "saturable")
    more, more_h = with_boluses(curves, time_h, people)
    assert (more_h.diff() > 0).all()
    torch.testing.assert_close(more[..., torch.searchsorted(more_h, time_h)], curves)
    blood_l = people.volume_l[:, INDEX["blood"]]
    torch.testing.assert_close(more[:, INDEX["blood"], 0], people.dose_mg / blood_l)
    just_before = torch.searchsorted(more_h, torch.tensor(6.0).double()) - 1
    step = more[:, INDEX["blood"], just_before + 1] - more[:, INDEX["blood"], just_before]
    torch.testing.assert_close(step, people.dose_mg / blood_l, rtol=1e-6, atol=0)


@pytest.mark.parametrize("route", ["bolus", "infusion", "oral"])
def test_repeated_doses_accumulate_by_superposition(route):
    """With linear kinetics the last interval of n doses holds what one dose leaves in n intervals."""
    regimen = {"routes": [route], "infusion_h": 1.0}
    many = sample_population(10, seed=4, n_doses=4, interval_h=6.0, **regimen)
    one = sample_population(10, seed=4, n_doses=1, interval_h=6.0, **regimen)
    time_h = time_grid(24, 400)
    said = pharmacokinetics(many, solved(many, time_h), time_h)
    single = pharmacokinetics(one, solved(one, time_h), time_h)["auc_last_mg_h_per_l"]
    short = time_h[time_h <= 6]
    first = pharmacokinetics(one, solved(one, time_h)[..., : len(short)], short)["auc_last_mg_h_per_l"]
    torch.testing.assert_close(said["auc_interval_mg_h_per_l"], single, rtol=0.02, atol=0)
    torch.testing.assert_close(said["accumulation"][:, BLOOD], (single / first)[:, BLOOD], rtol=0.03, atol=0)
    assert (said["fluctuation"] > 0).all()
    assert said["vss_l"].isnan().all()


def test_the_half_life_is_that_of_samples_a_surrogate_can_have_learned():
    """Below a thousandth of dose / weight there is noise: a flat floor leaves the half-life as it is."""
    people = sample_population(1, seed=5, routes=["infusion"], infusion_h=0.5)
    time_h = time_grid(24, 100)
    floor = 1e-3 * (people.dose_mg / people.weight_kg).item()
    falling = 500 * floor * (-time_h).exp()
    noisy = falling.clamp(min=floor / 2).expand(1, 14, -1).clone()
    said = pharmacokinetics(people, noisy, time_h)
    torch.testing.assert_close(said["half_life_h"][0, :14], torch.full((14,), math.log(2)).double(), rtol=1e-6, atol=0)
    assert pharmacokinetics(people, noisy / 1e4, time_h)["half_life_h"].isnan().all()


def test_what_a_curve_does_not_say_is_nan():
    people = sample_population(6, seed=6, n_doses=4, interval_h=12.0)
    time_h = time_grid(24, 60)
    said = pharmacokinetics(people, solved(people, time_h), time_h)  # two doses are still to come
    for name in ("auc_infinity_mg_h_per_l", "clearance_l_per_h", "vss_l", "accumulation", "auc_interval_mg_h_per_l"):
        assert said[name].isnan().all(), name
    assert said["auc_last_mg_h_per_l"].isfinite().all()
    single = sample_population(6, seed=6)
    organs = pharmacokinetics(single, solved(single, time_h), time_h)["clearance_l_per_h"][:, 1:14]
    assert organs.isnan().all()


def test_nobody_depends_on_who_else_is_asked_about():
    people = sample_population(9, seed=7)
    curves = solved(people, DAY_H, "saturable")
    whole = pharmacokinetics(people, curves, DAY_H)
    for number in range(len(people)):
        alone = pharmacokinetics(people[number], curves[[number]], DAY_H)
        for name in UNITS:
            torch.testing.assert_close(alone[name][0], whole[name][number], equal_nan=True, rtol=1e-9, atol=1e-12)
    without_start = pharmacokinetics(people, curves[..., 1:], DAY_H[1:])
    torch.testing.assert_close(without_start, whole, equal_nan=True)
