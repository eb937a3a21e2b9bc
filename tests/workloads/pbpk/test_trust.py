"""The domain is that of a Mahalanobis distance, and intervals cover what they say on subjects like those of before."""

import numpy as np
import pytest
import torch
from scipy.spatial.distance import mahalanobis

from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.simulator.sampling import sample_population
from fulmen.workloads.pbpk.trust import FEATURES, IN_DOMAIN, RIDGE, Trust, bounds, conformal_quantile, flat, hats

GRID_H = torch.linspace(0.5, 24, 30, dtype=torch.float64)


@pytest.fixture(scope="module")
def parts():
    return [inputs(sample_population(400, seed=seed), GRID_H) for seed in (1, 2, 3)]


@pytest.fixture(scope="module")
def trust(parts):
    made = Trust()
    made.fit(parts[0], parts[1], GRID_H)
    return made


def test_the_distance_is_that_of_scipy(parts, trust):
    x, asked = (flat(part).double().numpy() for part in parts[::2])
    sd = x.std(0, ddof=1)
    sd = np.where(sd > 1e-6, sd, 1e-3)
    inverse = np.linalg.inv(np.cov((x / sd).T) + RIDGE * np.eye(FEATURES))
    expected = [mahalanobis(one / sd, x.mean(0) / sd, inverse) / FEATURES**0.5 for one in asked[:20]]
    np.testing.assert_allclose(trust.distance(parts[2])[:20], expected, rtol=1e-3)


def test_the_domain_holds_what_is_like_the_training(parts, trust):
    assert (trust.distance(parts[1]) <= trust.limit).double().mean().item() == pytest.approx(IN_DOMAIN, abs=0.01)
    assert (trust.distance(parts[2]) <= trust.limit).double().mean() > 0.85


STRANGERS = {
    "infusions of half a day": {"routes": ["infusion"], "infusion_h": (8.0, 16.0)},
    "infants' weights": {"body": {"weight_kg": 10.0}},
    "another number of doses": {"n_doses": 4, "interval_h": 6.0},
}


@pytest.mark.parametrize("kind", STRANGERS)
def test_the_domain_leaves_out_what_is_not(trust, kind):
    asked = inputs(sample_population(100, seed=4, **STRANGERS[kind]), GRID_H)
    assert (trust.distance(asked) > trust.limit).double().mean() > 0.9


def errors_of(distance, seed):
    """Errors that grow with the distance, and differ by organ and time: [S, 14, T]."""
    scale = torch.linspace(1, 3, 14)[:, None] * torch.linspace(2, 1, len(GRID_H))
    noise = torch.randn(len(distance), 14, len(GRID_H), generator=torch.Generator().manual_seed(seed))
    return (0.02 * noise * scale * distance[:, None, None] ** 2).abs()


def test_intervals_cover_nine_of_ten_points_near_and_far(parts, trust):
    """n = 400 subjects to calibrate, 400 others to count."""
    distance = [trust.distance(part) for part in parts[1:]]
    trust.calibrate(errors_of(distance[0], 0), distance[0], GRID_H)
    covered = errors_of(distance[1], 1) <= trust.log_half_width(distance[1], GRID_H)
    far = distance[1] > distance[1].median()
    assert covered.double().mean().item() == pytest.approx(0.9, abs=0.02)
    assert covered[far].double().mean().item() == pytest.approx(0.9, abs=0.03)
    assert covered[~far].double().mean().item() == pytest.approx(0.9, abs=0.03)


def test_ends_of_an_interval_hold_its_concentration():
    concentration, half = torch.tensor([[[0.0, 0.01, 5.0]]]), torch.full((1, 1, 3), 0.1)
    low, high = bounds(concentration, half, torch.tensor([2.0]))
    assert (low <= concentration).all()
    assert (concentration <= high).all()
    assert low.min() == 0
    assert high[0, 0, 2].item() == pytest.approx((5 + 2e-3) * np.exp(0.1) - 2e-3)


def test_a_quantile_needs_enough_scores():
    assert conformal_quantile(torch.arange(1.0, 10)).item() == 9
    assert conformal_quantile(torch.arange(1.0, 9)).isinf()
    assert conformal_quantile(torch.zeros(0)).isinf()


def test_the_weights_of_the_knots_sum_to_one():
    weights = hats(GRID_H, GRID_H[[0, -1]])
    torch.testing.assert_close(weights.sum(1), torch.ones(30).double())
    assert (weights >= 0).all()
