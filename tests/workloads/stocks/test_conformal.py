"""Intervals cover what they promise."""

import pytest
import torch

from fulmen.workloads.stocks.conformal import coverage, quantiles, scale


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
