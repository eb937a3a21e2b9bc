"""Curves between their samples where doses are given at once.

A bolus is spread by the blood within minutes, far faster than a grid of times shows: blood falls tenfold between
samples that lie a quarter of an hour apart. What happens in between is physics that nobody has to learn, and
elimination hardly matters in it: the response L of the linear model to one dose. In the gap between two samples a curve
is read as

    C(t) = B(t) + sum of L(t - t_dose) over the doses given in the gap so far,

where B, what is there apart from these doses, lies between its values at both samples, on an exponential if both are
positive and else on a line. So a curve keeps its samples, and what a saturated liver leaves is in B.
"""

from dataclasses import replace

import torch
from torch import Tensor

from fulmen.workloads.pbpk.baselines import linear_physics
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.times import STRETCH_H, stretched

BETWEEN = 24  # samples that are added after a dose, dense early
SAME_H = 1e-5  # times that are no farther apart are one: those of a grid may be in single precision


def with_boluses(concentration: Tensor, time_h: Tensor, subjects: Population) -> tuple[Tensor, Tensor]:
    """Curves with samples around every bolus, and just before it: mg/L [S, 14, A], and their times [A] in hours.

    Args:
        concentration: [S, 14, T] in mg/L, float64, just after a dose that is given at that time; what it says of t = 0
            is not looked at, since there it follows from the dose.
        time_h: [T] in hours, float64, increasing, the first one 0.
        subjects: S of them, who all get boluses.
    """
    respond = _Response(subjects, time_h)
    samples = concentration.clone()
    samples[..., 0] = respond.since_zero[..., 0]
    times, curves = [time_h], [samples]
    for k, doses_h, inner_h in respond.gaps:
        ends_h = time_h[k : k + 2]
        apart = samples[..., k : k + 2] - respond(doses_h, ends_h)
        curves.append(_between(apart, ends_h, inner_h) + respond(doses_h, inner_h))
        times.append(inner_h)
        if k and doses_h[0] == ends_h[0]:
            curves.append(apart[..., :1])
            times.append(ends_h[:1] - SAME_H)
    all_h, order = torch.cat(times).sort()
    return torch.cat(curves, -1)[..., order].clamp(min=0), all_h


class _Response:
    """What single doses of the subjects do far below saturation.

    Attributes:
        gaps: for each pair of samples with a dose between them, or at the first of them, its place, the times of
            these doses and the times between the samples that are added.
        since_zero: concentrations [S, 14, U] in mg/L at all times [U] after a dose that are asked for.
    """

    def __init__(self, subjects: Population, time_h: Tensor):
        dose_h = subjects.interval_h * torch.arange(subjects.n_doses).to(time_h)
        near = (dose_h[:, None] - time_h).abs().min(1)
        dose_h = torch.where(near.values <= SAME_H, time_h[near.indices], dose_h)
        dose_h = dose_h[dose_h < time_h[-1]]
        place = torch.searchsorted(time_h, dose_h, right=True) - 1
        self.gaps = []
        for k in place.unique().tolist():
            doses_h = dose_h[place == k]
            self.gaps.append((k, doses_h, _inner(doses_h, time_h[k : k + 2])))
        since = [u - d for k, doses_h, inner in self.gaps for u in (inner, time_h[k : k + 2]) for d in doses_h]
        since_h = torch.cat([time_h[:1], *since]).clamp(min=0).sort().values
        self._since_h = since_h[torch.cat([since_h[:1] == 0, since_h.diff() > SAME_H])]
        self.since_zero = linear_physics(replace(subjects, n_doses=1), self._since_h)

    def __call__(self, doses_h: Tensor, at_h: Tensor) -> Tensor:
        """What doses have brought by these times [A], mg/L [S, 14, A]."""
        brought = self.since_zero.new_zeros(*self.since_zero.shape[:2], len(at_h))
        for dose_h in doses_h:
            given = at_h >= dose_h
            brought[..., given] += self.since_zero[..., self._nearest(at_h[given] - dose_h)]
        return brought

    def _nearest(self, since_h: Tensor) -> Tensor:
        return torch.searchsorted(self._since_h, since_h - SAME_H)


def _inner(doses_h: Tensor, ends_h: Tensor) -> Tensor:
    """Times between two samples, apart from these: each dose, just before it, and dense after it."""
    until_h = torch.cat([doses_h[1:], ends_h[1:]])
    times = []
    for dose_h, end_h in zip(doses_h, until_h, strict=True):
        s = torch.linspace(0, 1, BETWEEN + 2).to(dose_h)[:-1] * stretched(end_h - dose_h)
        after = dose_h + STRETCH_H * s.sinh()
        times += [after[1:]] if dose_h == ends_h[0] else [dose_h[None] - SAME_H, after]
    return torch.cat(times)


def _between(values: Tensor, ends_h: Tensor, at_h: Tensor) -> Tensor:
    """Values [..., 2] at two times, read at times [A] between them: [..., A]."""
    share = (at_h - ends_h[0]) / (ends_h[1] - ends_h[0])
    first, second = values[..., :1], values[..., 1:]
    line = torch.lerp(first.expand(*values.shape[:-1], len(at_h)), second.expand(*values.shape[:-1], len(at_h)), share)
    positive = (values > 0).all(-1, keepdim=True)
    ratio = torch.where(positive, second, 1.0) / torch.where(positive, first, 1.0)
    return torch.where(positive, first * ratio**share, line)
