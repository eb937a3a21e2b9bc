"""Non-compartmental analysis against closed forms, and against a case worked by hand."""

import math

import numpy as np
import pytest
import torch

from fulmen.workloads.pbpk import pk

HOURS = torch.linspace(0, 40, 401, dtype=torch.float64)


def exponential(dose=100.0, volume=20.0, rate=0.2):
    return dose / volume * (-rate * HOURS).exp()


def oral(dose=100.0, volume=20.0, rate=0.1, absorption=1.0):
    return dose * absorption / (volume * (absorption - rate)) * ((-rate * HOURS).exp() - (-absorption * HOURS).exp())


def test_one_compartment_after_a_bolus_has_its_closed_form():
    c, dose = exponential(), torch.tensor(100.0)
    near = {"rel": 1e-9}
    assert pk.auc_infinity(c, HOURS).item() == pytest.approx(100 / (20 * 0.2), **near)
    assert pk.half_life(c, HOURS).item() == pytest.approx(math.log(2) / 0.2, **near)
    assert pk.clearance(c, HOURS, dose).item() == pytest.approx(4.0, **near)
    assert pk.mean_residence_time(c, HOURS).item() == pytest.approx(5.0, **near)
    assert pk.steady_state_volume(c, HOURS, dose).item() == pytest.approx(20.0, **near)
    assert pk.extrapolated_share(c, HOURS).item() == pytest.approx(math.exp(-8), **near)
    assert pk.cmax(c) == 5.0
    assert pk.tmax(c, HOURS) == 0.0


def test_an_oral_dose_has_its_closed_form():
    c = oral()
    assert pk.tmax(c, HOURS).item() == pytest.approx(math.log(1 / 0.1) / (1 - 0.1), abs=0.05)
    assert pk.auc_infinity(c, HOURS).item() == pytest.approx(100 / (20 * 0.1), rel=1e-3)
    assert pk.half_life(c, HOURS).item() == pytest.approx(math.log(2) / 0.1, rel=5e-3)
    assert pk.mean_residence_time(c, HOURS).item() == pytest.approx(1 / 0.1 + 1 / 1.0, rel=1e-3)


def test_an_infusion_shortens_the_residence_by_half_of_its_time():
    rate, hours = 0.2, 3.0
    built = (1 - (-rate * HOURS.clamp(max=hours)).exp()) * (-rate * (HOURS - hours).clamp(min=0)).exp()
    assert pk.mean_residence_time(built, HOURS, hours).item() == pytest.approx(1 / rate, rel=2e-4)


def test_samples_of_a_case_worked_by_hand():
    """Rising to 4 in one hour, then halved every two hours: 2 + 2 (4 - 2) / ln 2 + 2 (2 - 1) / ln 2."""
    time_h = torch.tensor([0.0, 1.0, 3.0, 5.0])
    c = torch.tensor([0.0, 4.0, 2.0, 1.0])
    assert pk.auc_last(c, time_h).item() == pytest.approx(2 + 6 / math.log(2))
    assert pk.auc_between(c, time_h, 1.0, 5.0).item() == pytest.approx(6 / math.log(2))
    assert pk.auc_between(c, time_h, 0.5, 4.0).item() == pytest.approx(1.5 + (8 - 2 * math.sqrt(2)) / math.log(2))


def test_the_terminal_points_are_those_that_lie_on_a_line():
    """Two phases: the regression leaves the fast one out, though it falls too."""
    c = 10 * (-2.0 * HOURS).exp() + 1 * (-0.1 * HOURS).exp()
    sparse = [0, 5, 10, 20, 40, 80, 120, 160, 240, 320, 400]
    assert pk.half_life(c[sparse], HOURS[sparse]).item() == pytest.approx(math.log(2) / 0.1, rel=1e-3)


def by_all_regressions(c, time_h, limit):
    """lambda_z of one curve by NumPy: every regression through the last samples, one after the other."""
    end = 1 + max((place for place, value in enumerate(c) if value >= limit), default=-1)
    best, rate = -math.inf, math.nan
    for start in range(end - 3, int(np.argmax(c)), -1):
        if (c[start:end] <= 0).any():
            break
        x, y, n = time_h[start:end], np.log(c[start:end]), end - start
        slope, _ = np.polyfit(x, y, 1)
        adjusted = 1 - (1 - np.corrcoef(x, y)[0, 1] ** 2) * (n - 1) / (n - 2)
        if slope < 0 and adjusted >= best - pk.TOLERANCE:
            best, rate = max(best, adjusted), -slope
    return rate


@pytest.mark.parametrize("limit", [0.0, 0.05, 3.0])
def test_the_slope_is_the_one_that_all_regressions_choose(limit):
    """200 noisy curves of two phases, some with zeros or a late rise."""
    random = np.random.default_rng(0)
    time_h = np.sort(random.uniform(0.1, 24, 30))
    fast, slow = random.uniform(0.3, 3, 200), random.uniform(0.01, 0.3, 200)
    curves = 5 * np.exp(-np.outer(fast, time_h)) + random.uniform(0.1, 1, (200, 1)) * np.exp(-np.outer(slow, time_h))
    curves *= np.exp(random.normal(0, 0.1, curves.shape))
    curves[:20, random.integers(5, 30)] = 0.0
    curves[20:40, -1] *= 3
    found = pk.terminal_rate(torch.tensor(curves), torch.tensor(time_h), limit)
    expected = [by_all_regressions(curve, time_h, limit) for curve in curves]
    np.testing.assert_allclose(found, expected, rtol=1e-8)
    assert found.isfinite().sum() > (150 if limit < 1 else 0)


def test_repeated_doses_accumulate_as_superposition_says():
    interval, doses, rate = 6.0, 5, 0.2
    c = sum(torch.where(n * interval <= HOURS, (-rate * (HOURS - n * interval)).exp(), 0.0) for n in range(doses))
    expected = (1 - math.exp(-rate * interval * doses)) / (1 - math.exp(-rate * interval))
    assert pk.accumulation(c, HOURS, interval, doses).item() == pytest.approx(expected, rel=0.03)  # jumps are sampled
    assert pk.fluctuation(c, HOURS, 24.0, interval).item() == pytest.approx(rate * interval, rel=0.03)


def test_what_a_curve_does_not_say_is_nan():
    rising = HOURS.clone()
    assert pk.half_life(rising, HOURS).isnan()
    assert pk.auc_infinity(torch.zeros(401), HOURS).isnan()
    assert pk.half_life(torch.tensor([0.0, 4.0, 2.0, 1.0])[:3], torch.tensor([0.0, 1.0, 2.0])).isnan()


def test_curves_of_many_subjects_and_organs_are_read_at_once():
    many = torch.stack([exponential(volume=v) for v in (10.0, 20.0, 40.0)])[:, None].expand(3, 14, -1)
    assert pk.half_life(many, HOURS).shape == (3, 14)
    torch.testing.assert_close(pk.auc_infinity(many, HOURS)[:, 5], torch.tensor([50.0, 25.0, 12.5]).double())


def test_gradients_are_those_of_the_closed_form():
    rate = torch.tensor(0.2, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(pk.auc_infinity(5 * (-rate * HOURS).exp(), HOURS), rate)
    assert slope.item() == pytest.approx(-5 / 0.2**2, rel=1e-6)
