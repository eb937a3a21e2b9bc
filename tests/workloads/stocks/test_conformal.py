"""Intervals cover what they promise."""

import pytest
import torch

from fulmen.workloads.stocks.conformal import coverage, quantiles, rolling_quantiles, scale


def test_quantile_is_the_smallest_score_that_enough_scores_reach():
    scores = torch.arange(1.0, 100.0)[torch.randperm(99)][:, None]  # n + 1 = 100
    assert quantiles(scores, (0.80, 0.95)).flatten().tolist() == [80, 95]
    assert quantiles(scores[:3], (0.95,)).item() == scores[:3].max()  # 3 scores cannot promise 95 %


@pytest.mark.parametrize("level", [0.80, 0.95])
def test_coverage_of_exchangeable_scores_is_the_level(level):
    """Averaged over calibration sets, split-conformal coverage lies between c and c + 1 / (n + 1)."""
    g = torch.Generator().manual_seed(0)
    calibration = torch.randn(200, 4000, generator=g).abs()  # 4000 repetitions as if they were steps
    q = quantiles(calibration, (level,))[0]
    covered = coverage(torch.randn(400, 4000, generator=g), torch.zeros(400, 4000), q.expand(400, -1)).mean()
    assert level - 0.002 < covered < level + 1 / 201 + 0.002


def test_width_grows_with_the_root_of_the_days_ahead():
    assert torch.allclose(scale(torch.tensor([0.02]), 4), 0.02 * torch.tensor([[1, 2**0.5, 3**0.5, 2]]))


def test_rolling_quantiles_take_the_last_scores_that_were_known():
    """A score of the step h ahead counts from h days on; the same number by hand, day by day."""
    day = torch.arange(60) * 3 + 7  # trading days need not be consecutive dates
    scores = torch.rand(60, 2, generator=torch.Generator().manual_seed(0))
    now = day[[20, 45, 59]]
    found = rolling_quantiles(scores, day, now, window_days=15, levels=(0.8,))
    for i, t in enumerate((20, 45, 59)):
        for h in (1, 2):
            known = scores[max(0, t - h - 14) : t - h + 1, h - 1]
            assert found[0, i, h - 1] == known.sort().values[min(len(known), 13) - 1]
    changed = scores.clone()
    changed[20:] = 9.0
    assert torch.equal(rolling_quantiles(changed, day, now[:1], 15), rolling_quantiles(scores, day, now[:1], 15))


def test_rolling_quantiles_follow_a_market_that_changes():
    g = torch.Generator().manual_seed(1)
    day = torch.arange(1500)
    scores = (torch.randn(1500, 1, generator=g) * torch.where(day < 700, 1.0, 3.0)[:, None]).abs()
    fixed = quantiles(scores[:500])[:, None]
    rolling = rolling_quantiles(scores, day, day[950:])  # a window after the change
    covered = [(scores[950:] <= q).double().mean((-1, -2)) for q in (fixed, rolling)]
    assert (covered[0] < torch.tensor([0.5, 0.7])).all()
    assert (covered[1] - torch.tensor([0.80, 0.95])).abs().max() < 0.03
