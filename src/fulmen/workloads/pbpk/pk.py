"""Pharmacokinetic summaries of concentration curves: non-compartmental analysis.

Curves are [..., T] at increasing times [T] in hours, in mg/L, with t = 0 where the dose was given then. Areas rise
linearly and fall logarithmically ("linear up, log down"), as is usual since Yeh & Kwan, J Pharmacokinet Biopharm 6:79
(1978): exact where a curve falls exponentially. What a curve does not say, such as a half-life without a falling end,
is NaN. All functions are differentiable, the choice of the terminal points apart.
"""

import math

import torch
from torch import Tensor

TERMINAL_POINTS = 3  # at least, of a regression through the end of a curve
TOLERANCE = 1e-4  # of the adjusted R2: among regressions that are as good, the one with more points counts


def cmax(concentration: Tensor) -> Tensor:
    """The highest sample, mg/L [...]."""
    return concentration.amax(-1)


def tmax(concentration: Tensor, time_h: Tensor) -> Tensor:
    """The time of the highest sample, the first of equal ones, h [...]."""
    return time_h[concentration.argmax(-1)]


def auc_last(concentration: Tensor, time_h: Tensor) -> Tensor:
    """Area under the curve from the first to the last time, mg h/L [...]."""
    return _areas(concentration, time_h)[0].sum(-1)


def aumc_last(concentration: Tensor, time_h: Tensor) -> Tensor:
    """Area under t C(t) from the first to the last time, mg h^2/L [...]."""
    return _areas(concentration, time_h)[1].sum(-1)


def auc_between(concentration: Tensor, time_h: Tensor, start_h: float, end_h: float) -> Tensor:
    """Area under the curve between two times within the samples, say of a dosing interval, mg h/L [...].

    Between samples a curve is read as its area is: linear where it rises, exponential where it falls.
    """
    inner = (time_h > start_h) & (time_h < end_h)
    ends = time_h.new_tensor([start_h, end_h])
    at_ends = _read(concentration, time_h, ends)
    time_h = torch.cat([ends[:1], time_h[inner], ends[1:]])
    concentration = torch.cat([at_ends[..., :1], concentration[..., inner], at_ends[..., 1:]], -1)
    return auc_last(concentration, time_h)


def terminal_rate(concentration: Tensor, time_h: Tensor, limit: Tensor | float = 0.0) -> Tensor:
    """lambda_z, the slope of -ln C through the last points after the peak, 1/h [...].

    Of all regressions through 3 or more of the last samples the one with the highest adjusted R2 counts, with as many
    points as that allows. NaN where fewer than 3 positive samples follow the peak or where the end does not fall.

    Args:
        limit: of quantification, mg/L [...]: what follows the last sample that reaches it is left out.
    """
    limit = torch.as_tensor(limit).to(concentration)[..., None]
    place = torch.arange(concentration.shape[-1], device=concentration.device)
    last = torch.where(concentration >= limit, place, -1).amax(-1, keepdim=True)  # [..., 1], -1: there is none
    kept = place <= last
    log = concentration.clamp(min=torch.finfo(concentration.dtype).tiny).log().double()
    slope, adjusted = _regressions_to_the_end(log, time_h, kept)
    points = _from_the_end(kept.long())
    positive = _from_the_end((concentration <= 0) & kept) == 0
    after_peak = place > concentration.argmax(-1, keepdim=True)
    valid = kept & (points >= TERMINAL_POINTS) & positive & after_peak & (slope < 0)
    score = torch.where(valid, adjusted.detach(), -math.inf).flip(-1)  # by the number of points, ascending
    best_before = torch.cat([torch.full_like(score[..., :1], -math.inf), score.cummax(-1).values[..., :-1]], -1)
    better = valid & (score >= best_before - TOLERANCE).flip(-1)
    start = better.int().argmax(-1, keepdim=True)  # the first of them has the most points
    rate = -slope.gather(-1, start)[..., 0]
    return torch.where(better.any(-1), rate, math.nan).to(concentration.dtype)


def half_life(concentration: Tensor, time_h: Tensor) -> Tensor:
    """ln 2 / lambda_z, h [...]."""
    return math.log(2) / terminal_rate(concentration, time_h)


def auc_infinity(concentration: Tensor, time_h: Tensor, rate: Tensor | None = None) -> Tensor:
    """Area to infinity, mg h/L [...]: that to the last time, and C_last / lambda_z.

    Args:
        rate: lambda_z [...], where it is known already.
    """
    rate = terminal_rate(concentration, time_h) if rate is None else rate
    return auc_last(concentration, time_h) + concentration[..., -1] / rate


def extrapolated_share(concentration: Tensor, time_h: Tensor) -> Tensor:
    """The part of the area to infinity that lies behind the last time [...]; above .2 half-lives and CL are weak."""
    return 1 - auc_last(concentration, time_h) / auc_infinity(concentration, time_h)


def clearance(concentration: Tensor, time_h: Tensor, dose_mg: Tensor) -> Tensor:
    """CL = dose / AUC to infinity, L/h [...], of the fluid that the concentration is of; after an oral dose CL / F.

    Args:
        dose_mg: of the single dose [...].
    """
    return dose_mg / auc_infinity(concentration, time_h)


def mean_residence_time(
    concentration: Tensor, time_h: Tensor, infusion_h: Tensor | float = 0.0, rate: Tensor | None = None
) -> Tensor:
    """MRT = AUMC / AUC to infinity less half of the infusion, h [...]; absorption counts in."""
    rate = terminal_rate(concentration, time_h) if rate is None else rate
    last, end = concentration[..., -1], time_h[-1]
    area = auc_last(concentration, time_h) + last / rate
    moment = aumc_last(concentration, time_h) + last * end / rate + last / rate**2
    return moment / area - infusion_h / 2


def steady_state_volume(
    concentration: Tensor, time_h: Tensor, dose_mg: Tensor, infusion_h: Tensor | float = 0.0
) -> Tensor:
    """Vss = CL MRT, L [...], after a single intravenous dose."""
    residence = mean_residence_time(concentration, time_h, infusion_h)
    return clearance(concentration, time_h, dose_mg) * residence


def accumulation(concentration: Tensor, time_h: Tensor, interval_h: float, doses: int) -> Tensor:
    """Area over the last dosing interval by that over the first [...]; the last one has to end within the samples."""
    last = (doses - 1) * interval_h
    first_area = auc_between(concentration, time_h, 0.0, interval_h)
    return auc_between(concentration, time_h, last, last + interval_h) / first_area


def fluctuation(concentration: Tensor, time_h: Tensor, start_h: float, interval_h: float) -> Tensor:
    """(Cmax - Cmin) / Cmean over a dosing interval [...]."""
    inside = (time_h >= start_h) & (time_h <= start_h + interval_h)
    chosen = concentration[..., inside]
    mean = auc_between(concentration, time_h, start_h, start_h + interval_h) / interval_h
    return (chosen.amax(-1) - chosen.amin(-1)) / mean


def _areas(concentration: Tensor, time_h: Tensor) -> tuple[Tensor, Tensor]:
    """Areas under C and under t C of each interval between samples, both [..., T - 1]."""
    before, after, step = concentration[..., :-1], concentration[..., 1:], time_h.diff()
    start, end = time_h[:-1], time_h[1:]
    falls = (after > 0) & (after < before * (1 - 1e-9))
    ratio = torch.where(falls, before / after.where(falls, 1.0), 2.0).log()  # of what falls; harmless elsewhere
    area = torch.where(falls, step * (before - after) / ratio, step * (before + after) / 2)
    rate = ratio / step
    falling = (start * before - end * after) / rate + (before - after) / rate**2
    rising = step * (2 * (start * before + end * after) + start * after + end * before) / 6
    return area, torch.where(falls, falling, rising)


def _read(concentration: Tensor, time_h: Tensor, at_h: Tensor) -> Tensor:
    """Values [..., A] at times [A] within the samples."""
    right = torch.searchsorted(time_h, at_h).clamp(1, len(time_h) - 1)
    share = ((at_h - time_h[right - 1]) / (time_h[right] - time_h[right - 1])).to(concentration)
    before, after = concentration[..., right - 1], concentration[..., right]
    falls = (after > 0) & (after < before)
    safe = torch.where(falls, after, 1.0) / torch.where(falls, before, 1.0)
    return torch.where(falls, before * safe**share, torch.lerp(before, after, share))


def _regressions_to_the_end(y: Tensor, x: Tensor, kept: Tensor) -> tuple[Tensor, Tensor]:
    """Slope and adjusted R2 [..., T] of lines through y [..., T] over x [T], from each sample to the last one kept.

    Lines through fewer than 3 samples say nothing.
    """
    x, y = x.to(y) - x[-1].to(y), y - y[..., -1:].detach()  # sums of what is near 0 keep their digits
    weight = kept.to(y)
    n = _from_the_end(weight).clamp(min=TERMINAL_POINTS)
    x_sum, y_sum = _from_the_end(weight * x), _from_the_end(weight * y)
    xx = (_from_the_end(weight * x * x) - x_sum * x_sum / n).clamp(min=torch.finfo(y.dtype).tiny)
    xy = _from_the_end(weight * x * y) - x_sum * y_sum / n
    yy = (_from_the_end(weight * y * y) - y_sum * y_sum / n).clamp(min=torch.finfo(y.dtype).tiny)
    slope = xy / xx
    return slope, 1 - (1 - slope * xy / yy).clamp(min=0) * (n - 1) / (n - 2)


def _from_the_end(x: Tensor) -> Tensor:
    """Sums from each sample to the last, [..., T]."""
    return x.flip(-1).cumsum(-1).flip(-1)
