"""The saturable model: RODAS with a step of its own for each subject, and organ-by-organ elimination.

RODAS is the stiffly accurate Rosenbrock method of order 4(3) with six stages by Hairer & Wanner, Solving Ordinary
Differential Equations II (1996), section VI.4 and their program RODAS; one Jacobian serves all six stages.

The only nonlinearity is the liver's elimination, so the right-hand side is f(u) = J·u - n(u)·(e_liver - e_metabolised)
with a scalar n. With g = γ·h and N = I - g·J a stage is k = N⁻¹·(r - g·n·(e_liver - e_metabolised)) - u, where
u = y + Σ a·k and r = y + Σ (a + γ·c)·k: no product with J is needed. All arrays keep the subject as the last axis.

Gradients are those of the steps that were taken, at the lengths that were taken: each is replayed on the way back
(Griewank & Walther, Evaluating Derivatives, 2nd ed., chapter 12), so that what is kept is a state per step.
"""

from dataclasses import dataclass, fields
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import (
    ARTERIAL,
    FIRST_TISSUE,
    GUT,
    KIDNEY,
    LIVER,
    LUMEN,
    LUNG,
    MASS,
    METABOLISED,
    N_STATES,
    OUTSIDE,
    RATE,
    TISSUE_STATES,
    UNABSORBED,
    URINE,
    VENOUS,
    Rates,
    Schedule,
)

GAMMA = 0.25
_A = (
    (),
    (1.544,),
    (0.9466785280815826, 0.2557011698983284),
    (3.314825187068521, 2.896124015972201, 0.9986419139977817),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895),
    (1.221224509226641, 6.019134481288629, 12.53708332932087, -0.687886036105895, 1.0),
)
_C = (
    (),
    (-5.6688,),
    (-2.430093356833875, -0.2063599157091915),
    (-0.1073529058151375, -9.594562251023355, -20.47028614809616),
    (7.496443313967647, -10.24680431464352, -33.99990352819905, 11.7089089320616),
    (8.083246795921522, -7.981132988064893, -31.52159432874371, 16.31930543123136, -6.058818238834054),
)
# Rows (u, r) over the columns (y, k1, k2, ...) for each stage.
STAGES = tuple(
    ((1.0, *a), (1.0, *(x + GAMMA * y for x, y in zip(a, c, strict=True)))) for a, c in zip(_A, _C, strict=True)
)

SAFETY, SHRINK, GROW = 0.9, 0.2, 6.0
SMALLEST_STEP_H = 1e-12


@dataclass(frozen=True)
class Arrow:
    """The factors of N = I - g·J.

    J is an arrow: but for the portal vein, tissues exchange with the blood and with nothing else. So each tissue is
    p + q·a in the arterial amount a, and only a needs an equation of its own.
    """

    pivot: Tensor  # [13, S], 1 / (1 + g·(outflow + elimination))
    to_liver: Tensor  # [13, S], g·outflow of the portal organs, 0 elsewhere
    to_veins: Tensor  # [13, S], g·outflow of the others but the lung
    q: Tensor  # [13, S]
    venous_pivot: Tensor  # [S]
    venous_q: Tensor  # [S]
    lung_gain: Tensor  # [S], lung amount per venous amount
    to_arteries: Tensor  # [S], g·outflow of the lung
    arterial_pivot: Tensor  # [S]
    lumen_pivot: Tensor  # [S]
    gut_gain: Tensor  # [S], gut amount per lumen amount
    hepatic: Tensor  # [S], g·slope of the liver's elimination
    renal: Tensor  # [S]
    gut_metabolism: Tensor  # [S]
    g_h: Tensor  # [S]


def factor(r: Rates, g_h: Tensor, hepatic_slope_per_h: Tensor) -> Arrow:
    """Eliminate the tissues from I - g·J for steps g [S]; the slope [S] is the liver's, d(elimination) / d(amount)."""
    outflow = g_h * r.outflow_per_h  # [13, S]
    hepatic, renal = g_h * hepatic_slope_per_h, g_h * r.renal_per_h
    pivot = 1 + outflow
    pivot[LIVER] += hepatic
    pivot[KIDNEY] += renal
    pivot = pivot.reciprocal_()
    to_liver, to_veins = g_h * r.to_liver_per_h, g_h * r.to_veins_per_h
    inflow = g_h * r.inflow_per_h
    q = inflow * pivot
    portal_q = (to_liver * q).sum(0)
    q = _to_change(q)
    q[LIVER] += pivot[LIVER] * portal_q
    to_lung, absorption, gut_metabolism = (
        g_h * rate for rate in (r.venous_per_h, r.absorption_per_h, r.gut_metabolism_per_h)
    )
    venous_pivot = 1 / (1 + to_lung)
    venous_q = venous_pivot * (to_veins * q).sum(0)
    lung_gain = pivot[LUNG] * to_lung
    q = _to_change(q)
    q[LUNG] = lung_gain * venous_q
    return Arrow(
        pivot=pivot,
        to_liver=to_liver,
        to_veins=to_veins,
        q=q,
        venous_pivot=venous_pivot,
        venous_q=venous_q,
        lung_gain=lung_gain,
        to_arteries=outflow[LUNG],
        arterial_pivot=1 / (1 + inflow.sum(0) - outflow[LUNG] * q[LUNG]),
        lumen_pivot=1 / (1 + absorption + gut_metabolism),
        gut_gain=pivot[GUT] * absorption,
        hepatic=hepatic,
        renal=renal,
        gut_metabolism=gut_metabolism,
        g_h=g_h,
    )


def solve(n: Arrow, b: Tensor) -> Tensor:
    """x with N·x = b, [20, S]: down the tissues with a = 0, then the arteries, then back."""
    lumen = b[LUMEN] * n.lumen_pivot
    p = b[TISSUE_STATES] * n.pivot  # [13, S]
    p[GUT] += n.gut_gain * lumen
    portal = (n.to_liver * p).sum(0)
    p = _to_change(p)
    p[LIVER] += n.pivot[LIVER] * portal
    venous_p = (b[VENOUS] + n.g_h * b[RATE] + (n.to_veins * p).sum(0)) * n.venous_pivot
    p = _to_change(p)
    p[LUNG] += n.lung_gain * venous_p
    arterial = (b[ARTERIAL] + n.to_arteries * p[LUNG]) * n.arterial_pivot
    tissues = p + n.q * arterial
    x = torch.empty_like(b)
    x[ARTERIAL] = arterial
    x[VENOUS] = venous_p + n.venous_q * arterial
    x[TISSUE_STATES] = tissues
    x[LUMEN] = lumen
    x[METABOLISED] = b[METABOLISED] + n.hepatic * tissues[LIVER] + n.gut_metabolism * lumen
    x[URINE] = b[URINE] + n.renal * tissues[KIDNEY]
    x[UNABSORBED] = b[UNABSORBED]
    x[RATE] = b[RATE]
    return x


def _to_change(values: Tensor) -> Tensor:
    """A copy where gradients are recorded, since what was computed from the values needs them as they are."""
    return values.clone() if torch.is_grad_enabled() else values


def rodas_step(r: Rates, amounts: Tensor, step_h: Tensor) -> tuple[Tensor, Tensor]:
    """One step of each subject: amounts [20, S] of order 4 and their difference from order 3."""
    saturation = 1 + r.saturation_per_mg * amounts[FIRST_TISSUE + LIVER].abs()
    slope = r.hepatic_per_h / saturation**2
    g_h = GAMMA * step_h
    n = factor(r, g_h, slope)
    basis = amounts.new_empty(len(STAGES), *amounts.shape)  # y, k1 ... k5
    basis[0] = amounts
    for i, weights in enumerate(STAGES, start=1):
        stage = (amounts.new_tensor(weights) @ basis[:i].flatten(1)).view(2, *amounts.shape)
        u, b = stage[0], _to_change(stage[1])
        liver = u[FIRST_TISSUE + LIVER]
        bent = r.hepatic_per_h * liver / (1 + r.saturation_per_mg * liver.abs()) - slope * liver  # [S]
        b[FIRST_TISSUE + LIVER] -= g_h * bent
        b[METABOLISED] += g_h * bent
        x = solve(n, b)
        if i < len(STAGES) and torch.is_grad_enabled():
            basis[i] = x - u
        elif i < len(STAGES):
            torch.sub(x, u, out=basis[i])
    return x, x - u


def integrate(r: Rates, plan: Schedule, time_h: Tensor, rtol: float, atol_mg: Tensor) -> Tensor:
    """Amounts [S, T, 20] at the times [T], from an empty body and the dosing schedule.

    Steps end exactly on reported times and on events. Subjects that are done leave the batch. Differentiable once by
    rates and schedule; times and tolerances are constants.
    """
    n_subjects, device = len(atol_mg), time_h.device
    grid_h = torch.cat([time_h, time_h.new_full((1,), torch.inf)]).detach()
    fastest_per_h = r.outflow_per_h.amax(0).maximum(r.venous_per_h) + r.hepatic_per_h
    first_step_h = rtol**0.25 / fastest_per_h.detach()  # [S]
    subject = torch.arange(n_subjects, device=device)
    event, report = torch.zeros_like(subject), torch.zeros_like(subject)
    y = time_h.new_zeros(N_STATES, n_subjects)
    now_h, step_h = torch.zeros_like(first_step_h), first_step_h.clone()
    found = []  # subjects, reports and amounts [n, 20]
    while len(subject):
        next_event_h, next_report_h = plan.time_h[subject, event], grid_h[report]
        target_h = torch.where(next_event_h <= next_report_h, next_event_h, next_report_h)
        pieces = ((target_h - now_h) / step_h).detach().ceil().clamp(min=1)
        trial_h = (target_h - now_h) / pieces
        with torch.no_grad():
            y_new, error = rodas_step(r, y, trial_h)
            norm = _error_norm(error, y, y_new, atol_mg, rtol)
            accepted = norm <= 1  # a norm that is not a number is a rejection
            unfinished = report < len(time_h)
            _refuse_stuck(unfinished & ~accepted & ~(trial_h >= SMALLEST_STEP_H), subject, now_h, rtol)
            after = torch.where(accepted, nonnegative(y_new), y)
            change = (SAFETY * norm.clamp(min=1e-12) ** -0.25).nan_to_num(SHRINK).clamp(SHRINK, GROW)
            step_h = torch.where(trial_h == 0, step_h, trial_h * change)
        y = _Replayed.apply(after, y, torch.where(accepted, trial_h, 0.0), *_parts(r)) if _recorded(r, plan) else after
        arrived = accepted & (pieces == 1)
        now_h = torch.where(arrived, target_h, torch.where(accepted, now_h + trial_h, now_h))

        at_event = arrived & (target_h == next_event_h)
        dosed = at_event.nonzero().squeeze(1)
        if len(dosed):
            y = _to_change(y)
            y[:, dosed] = plan.apply(y[:, dosed].T, subject[dosed], event[dosed]).T
            event = event + at_event
            step_h[dosed] = first_step_h[dosed]
        settled = plan.time_h[subject, event] > target_h  # no second event at this very time
        if plan.time_h.requires_grad:
            settled &= ~at_event  # a step of no length, which has a slope, leads from the event to the report
        reported = (arrived & settled & (target_h == next_report_h)).nonzero().squeeze(1)
        if len(reported):
            found.append((subject[reported], report[reported], y[:, reported].T))
            report[reported] += 1
            running = report < len(time_h)
            if running.sum() <= 0.75 * len(subject):
                keep = running.nonzero().squeeze(1)
                subject, event, report = subject[keep], event[keep], report[keep]
                y, now_h, step_h = y[:, keep], now_h[keep], step_h[keep]
                first_step_h, atol_mg, r = first_step_h[keep], atol_mg[keep], r[keep]
    subjects, reports, amounts = (torch.cat(part) for part in zip(*found, strict=True))
    return time_h.new_empty(n_subjects, len(time_h), N_STATES).index_put((subjects, reports), amounts)


class _Replayed(torch.autograd.Function):
    """A step that was taken: its result is known, and its derivatives are those of the step done again."""

    @staticmethod
    def forward(ctx: Any, after: Tensor, before: Tensor, step_h: Tensor, *parts: Tensor) -> Tensor:
        """`after` [20, S]; `step_h` [S] is 0 for those who stayed, whose step is then the identity."""
        ctx.save_for_backward(before, step_h, *parts)
        return after.view_as(after)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, upstream: Tensor) -> tuple[Tensor | None, ...]:
        needed = ctx.needs_input_grad[1:]
        with torch.enable_grad():
            inputs = [
                saved.detach().requires_grad_(wanted) for saved, wanted in zip(ctx.saved_tensors, needed, strict=True)
            ]
            before, step_h, *parts = inputs
            again = nonnegative(rodas_step(Rates(*parts), before, step_h)[0])
            wanted = [each for each in inputs if each.requires_grad]
            gradients = iter(torch.autograd.grad(again, wanted, upstream, allow_unused=True))
        return None, *(next(gradients) if each else None for each in needed)


def _parts(r: Rates) -> list[Tensor]:
    return [getattr(r, field.name) for field in fields(r)]


def _recorded(r: Rates, plan: Schedule) -> bool:
    """Whether derivatives are asked for."""
    watched = [*_parts(r), plan.time_h, plan.rate_mg_per_h, plan.dose_amounts_mg]
    return torch.is_grad_enabled() and any(part.requires_grad for part in watched)


def _error_norm(error: Tensor, before: Tensor, after: Tensor, atol_mg: Tensor, rtol: float) -> Tensor:
    """Root mean square of the error over atol + rtol·amount, [S]; what is outside of the body counts as one state."""

    def squared(error: Tensor, before: Tensor, after: Tensor) -> Tensor:
        return (error / (atol_mg + rtol * torch.maximum(before.abs(), after.abs()))).square()

    body = squared(*(x[:METABOLISED] for x in (error, before, after))).sum(0)
    outside = squared(*(x[OUTSIDE].sum(0) for x in (error, before, after)))
    return ((body + outside) / (METABOLISED + 1)).sqrt()


def _refuse_stuck(stuck: Tensor, subject: Tensor, now_h: Tensor, rtol: float) -> None:
    if stuck.any():
        who = stuck.nonzero()[0]
        raise FulmenError(
            f"subject {subject[who].item()}: the step fell below {SMALLEST_STEP_H} h at {now_h[who].item():.6g} h; "
            f"check its volumes, flows and clearances, or raise rtol above {rtol:g}"
        )


def nonnegative(amounts: Tensor) -> Tensor:
    """Clip rounding below zero and give the mass it made back in proportion."""
    clipped = amounts.clamp(min=0)
    tiny = torch.finfo(amounts.dtype).tiny
    kept = clipped[MASS] * (amounts[MASS].sum(0) / clipped[MASS].sum(0).clamp(min=tiny))
    clipped = _to_change(clipped)
    clipped[MASS] = kept
    return clipped
