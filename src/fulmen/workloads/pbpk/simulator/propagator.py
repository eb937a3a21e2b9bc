"""Exact solution of the linear model by propagators that never subtract.

M + s·I is nonnegative for s = max|diag M|, so exp(M·h) = e^(-s·h) exp((M + s·I)·h) can be summed and squared without
one subtraction: no amount becomes negative and small ones keep their relative accuracy. Columns are divided by the sum
that theory gives them, which keeps the mass at rounding error however often the propagator is squared. Gradients flow
through the products, and by the time of an event through the remainder of the step that ends there.
"""

import math

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.compartments import MASS, RATE, Schedule

_COARSE, _DEGREE = 0.25, 11  # largest s·h and the degree at which Taylor's remainder is below 1e-16


class Ladder:
    """Propagators over base_h·2^j for each subject, j from where Taylor converges up to the longest step.

    A step of any length is a walk down the rungs and a Taylor remainder, so one ladder serves an irregular grid, and a
    step of exactly base_h, the most common one, is a single product.
    """

    def __init__(self, rate_matrix_per_h: Tensor, base_h: float, longest_h: float):
        n_states = rate_matrix_per_h.shape[-1]
        self.shift_per_h = rate_matrix_per_h.diagonal(dim1=1, dim2=2).abs().amax().item()
        identity = torch.eye(n_states, dtype=rate_matrix_per_h.dtype, device=rate_matrix_per_h.device)
        self.nonnegative_per_h = rate_matrix_per_h + self.shift_per_h * identity  # [S, 20, 20]
        down = max(0, math.ceil(math.log2(self.shift_per_h * base_h / _COARSE)))
        up = max(0, math.floor(math.log2(longest_h / base_h)))
        self.lengths_h = [base_h * 2.0**j for j in range(-down, up + 1)]
        self.rungs = [self._shortest(self.lengths_h[0], identity)]
        for length_h in self.lengths_h[1:]:
            self.rungs.append(_normalise(self.rungs[-1] @ self.rungs[-1], length_h))

    def _shortest(self, length_h: float, identity: Tensor) -> Tensor:
        """exp(M·h) to degree 11 in five products (Paterson & Stockmeyer, SIAM J Comput 2:60, 1973)."""
        b = self.nonnegative_per_h * length_h
        b2 = b @ b
        b3 = b2 @ b
        total = torch.zeros_like(b)
        for k in range(_DEGREE - 2, -1, -3):
            low = identity / math.factorial(k) + b / math.factorial(k + 1) + b2 / math.factorial(k + 2)
            total = low + (b3 @ total if k < _DEGREE - 2 else 0.0)
        return _normalise(total * math.exp(-self.shift_per_h * length_h), length_h)

    def advance(self, amounts: Tensor, step_h: Tensor, subjects: Tensor | slice = slice(None)) -> Tensor:
        """Amounts [n, 20] of the given subjects after their step [n]."""
        amounts, left_h = amounts.clone(), step_h.clone()
        for length_h, rung in zip(reversed(self.lengths_h), reversed(self.rungs), strict=True):
            while (due := left_h >= length_h * (1 - 1e-14)).any():
                amounts[due] = (rung[subjects][due] @ amounts[due, :, None]).squeeze(2)
                left_h = torch.where(due, left_h - length_h, left_h)
                left_h = torch.where(left_h < 0, left_h - left_h.detach(), left_h)  # 0, and the gradient of the step
        return self._taylor(amounts, left_h, subjects) if left_h.any() or left_h.requires_grad else amounts

    def _taylor(self, amounts: Tensor, step_h: Tensor, subjects: Tensor | slice) -> Tensor:
        """A step below the shortest rung: the series acts on the amounts, e^(-s·h) Σ ((M + s·I)·h)^k A / k!."""
        b = self.nonnegative_per_h[subjects] * step_h[:, None, None]
        term, rate = amounts[..., None], amounts[:, RATE]
        total = term
        for k in range(1, _DEGREE + 1):
            term = b @ term / k
            total = total + term
        total = total.squeeze(2)
        mass = amounts[:, MASS].sum(1) + rate * step_h
        total = total * (mass / total[:, MASS].sum(1).clamp(min=torch.finfo(mass.dtype).tiny))[:, None]
        total[:, RATE] = rate
        return total


def _normalise(propagator: Tensor, length_h: float) -> Tensor:
    """A mass column sums to 1 over the mass states; the infusion's column to the hours it has run."""
    exact = propagator.new_ones(propagator.shape[-1])
    exact[RATE] = length_h
    propagator = propagator * (exact / propagator[:, MASS].sum(1))[:, None]
    propagator[:, RATE, RATE] = 1.0
    return propagator


def propagate(rate_matrix_per_h: Tensor, plan: Schedule, time_h: Tensor) -> Tensor:
    """Amounts [S, T, 20] at the times [T], from an empty body and the dosing schedule."""
    steps_h, usual_h = _steps(time_h)
    ladder = Ladder(rate_matrix_per_h, usual_h, steps_h.max().item())
    usual = ladder.rungs[ladder.lengths_h.index(usual_h)]

    subject = torch.arange(len(rate_matrix_per_h), device=time_h.device)
    event = torch.zeros_like(subject)  # the next one of each subject
    amounts = rate_matrix_per_h.new_zeros(rate_matrix_per_h.shape[:2])
    out, now_h = [], 0.0
    for until_h, step_h in zip(time_h.tolist(), steps_h, strict=True):
        if step_h == usual_h:
            after = (usual @ amounts[..., None]).squeeze(2)
        else:
            after = ladder.advance(amounts, step_h.expand(len(subject)))
        dosed = (plan.time_h[subject, event] <= until_h).nonzero().squeeze(1)
        if len(dosed):
            after[dosed], next_event = _through_events(
                ladder, plan, amounts[dosed], dosed, event[dosed], now_h, until_h
            )
            event = event.index_put((dosed,), next_event)
        out.append(after)
        amounts, now_h = after, until_h
    return torch.stack(out, 1)


def _through_events(
    ladder: Ladder, plan: Schedule, amounts: Tensor, subject: Tensor, event: Tensor, now_h: float, until_h: float
) -> tuple[Tensor, Tensor]:
    """Amounts [n, 20] at `until_h` of subjects [n] with events before it, and the event that comes next for each."""
    clock_h = torch.full_like(amounts[:, 0], now_h)
    due = torch.ones_like(subject, dtype=torch.bool)
    while due.any():
        event_h = plan.time_h[subject, event]
        due = event_h <= until_h
        target_h = torch.where(due, event_h, until_h)  # at a tie with the gradient of the event
        amounts = ladder.advance(amounts, target_h - clock_h, subject)
        amounts[due] = plan.apply(amounts[due], subject[due], event[due])
        event, clock_h = event + due, target_h
    return amounts, event


def _steps(time_h: Tensor) -> tuple[Tensor, float]:
    """Steps from 0 to each time, [T], and the most common one; those that differ from it by rounding are made equal."""
    steps_h = time_h.diff(prepend=time_h.new_zeros(1))
    rounded = (steps_h * 1e9).round()
    values, count = rounded[steps_h > 0].unique(return_counts=True)
    usual_h = steps_h[rounded == values[count.argmax()]][0]
    return torch.where((steps_h - usual_h).abs() < 1e-13, usual_h, steps_h), usual_h.item()
