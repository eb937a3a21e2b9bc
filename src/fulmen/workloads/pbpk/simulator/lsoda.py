"""The saturable model by SciPy's LSODA, from event to event and one subject after the other, in milliseconds each."""

import itertools
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import (
    FIRST_TISSUE,
    LIVER,
    METABOLISED,
    N_STATES,
    Rates,
    Schedule,
    rate_matrix,
)
from fulmen.workloads.pbpk.simulator.rosenbrock import nonnegative

_LIVER_STATE = FIRST_TISSUE + LIVER
_STRICTER = 0.1  # it controls the error of a step, and what adds up should be within rtol
_LOWER = 0.01  # floor: an organ that never holds more than a millionth of the dose is to be right too


def integrate_lsoda(r: Rates, plan: Schedule, time_h: Tensor, rtol: float, atol_mg: Tensor) -> Tensor:
    """Amounts [S, T, 20] at the times [T], from an empty body and the dosing schedule; no gradients.

    Raises:
        FulmenError: a subject cannot be integrated.
    """
    matrices, times = rate_matrix(r).numpy(), time_h.numpy()
    out = torch.empty(len(matrices), len(times), N_STATES, dtype=torch.float64)
    for i, matrix in enumerate(matrices):
        liver = {"k": float(r.hepatic_per_h[i]), "sigma": float(r.saturation_per_mg[i])}
        tolerance = {"rtol": _STRICTER * rtol, "atol": _LOWER * float(atol_mg[i])}
        state = torch.zeros(1, N_STATES, dtype=torch.float64)
        for event, (start_h, next_h) in enumerate(itertools.pairwise(plan.time_h[i].tolist())):
            if start_h == float("inf"):
                break
            state = plan.apply(state, torch.tensor([i]), torch.tensor([event]))
            end_h = min(next_h, times[-1])
            inside = (times >= start_h) & (times <= end_h)
            at_h = np.union1d(times[inside], [start_h, end_h])
            amounts = state if end_h == start_h else _solved(matrix, liver, at_h, state[0].numpy(), tolerance, i)
            out[i, torch.from_numpy(inside)] = amounts[np.searchsorted(at_h, times[inside])]
            state = amounts[-1:].clone()
    return out


def _solved(
    matrix: np.ndarray, liver: dict[str, float], at_h: np.ndarray, start: np.ndarray, tolerance: Any, subject: int
) -> Tensor:
    """Amounts [n, 20] at the increasing times `at_h` [n], the first of which is that of `start` [20]."""
    k, sigma = liver["k"], liver["sigma"]
    linear = matrix.copy()
    linear[_LIVER_STATE, _LIVER_STATE] += k
    linear[METABOLISED, _LIVER_STATE] -= k

    def change(_: float, y: np.ndarray) -> np.ndarray:
        dy = linear @ y
        eliminated = k * y[_LIVER_STATE] / (1 + sigma * abs(y[_LIVER_STATE]))
        dy[_LIVER_STATE] -= eliminated
        dy[METABOLISED] += eliminated
        return dy

    def jacobian(_: float, y: np.ndarray) -> np.ndarray:
        j, slope = linear.copy(), k / (1 + sigma * abs(y[_LIVER_STATE])) ** 2
        j[_LIVER_STATE, _LIVER_STATE] -= slope
        j[METABOLISED, _LIVER_STATE] += slope
        return j

    from scipy.integrate import solve_ivp

    found = solve_ivp(change, at_h[[0, -1]], start, method="LSODA", jac=jacobian, t_eval=at_h, **tolerance)
    if not found.success:
        raise FulmenError(f"subject {subject}: LSODA gave up at {found.t[-1] if len(found.t) else at_h[0]:.6g} h")
    found.y[:, 0] = start  # where its polynomial is off by a rounding
    return nonnegative(torch.from_numpy(np.ascontiguousarray(found.y))).T
