"""Split-conformal prediction intervals (Papadopoulos 2002, Lei et al. 2018), scaled by the volatility of the day.

The score of a forecast of the return over h days is |r - r_hat| / (sigma_t sqrt(h)), with sigma_t the daily volatility
known at t. If the scores of calibration and test days are exchangeable, r_hat +- q sigma_t sqrt(h) with q the
ceil((n + 1) c) / n quantile of n calibration scores covers r with a chance of at least c.

Markets change, and then scores are not exchangeable: `rolling_quantiles` calibrates on the last scores known at t.
"""

import torch
from torch import Tensor

from fulmen.utils.conformal import conformal_rank

LEVELS = (0.80, 0.95)
WINDOW_DAYS = 250  # a year of trading


def scale(volatility: Tensor, horizon: int) -> Tensor:
    """sigma_t sqrt(h): [B] -> [B, H]."""
    steps = torch.arange(1, horizon + 1, device=volatility.device, dtype=volatility.dtype)
    return volatility[:, None] * steps.sqrt()


def quantiles(scores: Tensor, levels: tuple[float, ...] = LEVELS) -> Tensor:
    """The conformal quantile of scores [n, H] for each level: [levels, H]; the largest score where n is too small."""
    n = len(scores)
    ranks = [min(conformal_rank(n, level), n) for level in levels]
    return scores.sort(0).values[[rank - 1 for rank in ranks]]


def rolling_quantiles(
    scores: Tensor, day: Tensor, now: Tensor, window_days: int = WINDOW_DAYS, levels: tuple[float, ...] = LEVELS
) -> Tensor:
    """The conformal quantiles of the scores that were known on each day `now` and are not older than the window.

    Args:
        scores: [n, H] of forecasts made on `day`; the step h ahead is known h trading days later.
        day: [n], any calendar; all days that occur count as trading days.
        now: [m] some of these days.

    Returns:
        [levels, m, H]; infinite where no score was known.
    """
    calendar = day.unique()
    made, today = torch.searchsorted(calendar, day), torch.searchsorted(calendar, now)
    found = scores.new_full((len(levels), len(now), scores.shape[1]), torch.inf)
    for position in today.unique():
        for step in range(scores.shape[1]):
            age = position - made - (step + 1)
            known = scores[(age >= 0) & (age < window_days), step]
            if len(known):
                found[:, today == position, step] = quantiles(known[:, None], levels)
    return found


def coverage(true: Tensor, predicted: Tensor, half_width: Tensor) -> Tensor:
    """Share of true values [N, H] within predicted +- half_width, per step: [H]."""
    return ((true - predicted).abs() <= half_width).double().mean(0)
