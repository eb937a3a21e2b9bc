"""Split-conformal prediction intervals (Papadopoulos 2002, Lei et al. 2018), scaled by the volatility of the day.

The score of a forecast of the return over h days is |r - r_hat| / (sigma_t sqrt(h)), with sigma_t the daily volatility
known at t. If the scores of calibration and test days are exchangeable, r_hat +- q sigma_t sqrt(h) with q the
ceil((n + 1) c) / n quantile of n calibration scores covers r with a chance of at least c.
"""

import torch
from torch import Tensor

LEVELS = (0.80, 0.95)


def scale(volatility: Tensor, horizon: int) -> Tensor:
    """sigma_t sqrt(h): [B] -> [B, H]."""
    steps = torch.arange(1, horizon + 1, device=volatility.device, dtype=volatility.dtype)
    return volatility[:, None] * steps.sqrt()


def quantiles(scores: Tensor, levels: tuple[float, ...] = LEVELS) -> Tensor:
    """The conformal quantile of scores [n, H] for each level: [levels, H]; the largest score where n is too small."""
    n = len(scores)
    ranks = [min(-(-(n + 1) * round(level * 1000) // 1000), n) for level in levels]
    return scores.sort(0).values[[rank - 1 for rank in ranks]]


def coverage(true: Tensor, predicted: Tensor, half_width: Tensor) -> Tensor:
    """Share of true values [N, H] within predicted +- half_width, per step: [H]."""
    return ((true - predicted).abs() <= half_width).double().mean(0)
