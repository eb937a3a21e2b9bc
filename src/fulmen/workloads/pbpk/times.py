"""Times: the grids that surrogates are trained on, and curves at other times than these."""

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.metrics import FLOOR
from fulmen.workloads.pbpk.simulator.physiology import known

GRIDS = ("uniform", "graded", "stretched")
STRETCH_H = (
    0.02  # times that are far longer are even on a logarithmic scale, times that are far shorter on a linear one
)


def time_grid(hours: float, points: int, kind: str = "uniform") -> Tensor:
    """`points` times from 0 to `hours`, float64. Shape [points]."""
    if not hours > 0 or points < 2:
        raise FulmenError(f"a time grid needs hours > 0 and at least 2 time_points, got {hours} and {points}")
    known(kind, GRIDS, "grid", "grid")
    if kind == "uniform":
        return torch.linspace(0, hours, points, dtype=torch.float64)
    if kind == "stretched":
        end = float(stretched(torch.tensor(hours, dtype=torch.float64)))
        return (STRETCH_H * torch.linspace(0, end, points, dtype=torch.float64).sinh()).clamp(max=hours)
    if hours <= 1 or points < 6:
        raise FulmenError(f"a graded grid needs hours > 1 and at least 6 time_points, got {hours} and {points}")
    early = torch.logspace(-2, 0, points // 3, dtype=torch.float64)
    late = torch.linspace(1, hours, points - len(early), dtype=torch.float64)[1:]
    return torch.cat([torch.zeros(1, dtype=torch.float64), early, late])


def stretched(time_h: Tensor) -> Tensor:
    """s = asinh(t / 0.02 h): the scale on which curves are interpolated; the same shape."""
    return (time_h / STRETCH_H).asinh()


def same_times(time_h: Tensor, grid_h: Tensor) -> bool:
    """Whether these are the times of a grid, up to single precision."""
    if time_h is grid_h:
        return True
    return time_h.shape == grid_h.shape and bool(torch.allclose(time_h.float(), grid_h.float(), rtol=1e-6, atol=0))


def untrained(time_h: Tensor, grid_h: Tensor) -> Tensor:
    """Which times [A] lie beyond the grid [T] of a training, up to single precision; 0, the first dose, does not."""
    low, high = float(grid_h[0]), float(grid_h[-1])
    return (time_h != 0) & ~((time_h >= low * (1 - 1e-6)) & (time_h <= high * (1 + 1e-6)))


def refuse_untrained_times(time_h: Tensor, grid_h: Tensor, where: str = "") -> None:
    """Pass if all times [A] are 0 or lie within the grid [T] that a model was trained on: it knows nothing beyond.

    Raises:
        FulmenError: a time that does not; or times that do not increase.
    """
    if time_h.ndim != 1 or not len(time_h):
        raise FulmenError(f"{where}time_h has to hold increasing times in hours, at least one")
    if not bool(time_h.isfinite().all()):
        raise FulmenError(f"{where}time_h[{int(time_h.isfinite().int().argmin())}] is no finite number of hours")
    if not bool((time_h.diff() > 0).all()):
        number = int((time_h.diff() <= 0).int().argmax())
        before, after = time_h[number : number + 2].tolist()
        raise FulmenError(
            f"{where}time_h[{number + 1}] is {after:.4g} h, after {before:.4g} h; it has to hold increasing times"
        )
    if not bool((time_h != 0).any()):
        raise FulmenError(
            f"{where}time_h holds 0 alone, where the concentration follows from the dose; add a later one"
        )
    outside = untrained(time_h, grid_h)
    if bool(outside.any()):
        number, low, high = int(outside.int().argmax()), float(grid_h[0]), float(grid_h[-1])
        last = float(time_h[-1])
        minutes = "; if they are minutes, save time_h / 60" if low <= last / 60 <= high < last else ""
        longer = f", train with data.hours={float(time_h[-1]):.4g}" if float(time_h[-1]) > high else ""
        raise FulmenError(
            f"{where}time_h[{number}] is {float(time_h[number]):.4g} h; the model was trained from {low:.4g} to "
            f"{high:.4g} h and knows no other times: leave it out{longer}, or solve the equations "
            f"(fulmen.workloads.pbpk.simulator.solvers.simulate){minutes}"
        )


def refuse_other_grid(grid_h: Tensor, ends_h: Tensor) -> None:
    """Pass if a grid [T] begins and ends where that of the training did, `ends_h` [2].

    Raises:
        FulmenError: it does not: curves of the network belong to the times of its training alone.
    """
    if not bool(torch.isclose(grid_h[[0, -1]].double(), ends_h.double(), rtol=1e-4, atol=0).all()):
        first, last = grid_h[[0, -1]].tolist()
        low, high = ends_h.tolist()
        raise FulmenError(
            f"the grid goes from {first:.4g} to {last:.4g} h, that of the training from {low:.4g} to {high:.4g} h: "
            "hand over grid_h=run.data.time_h; times within it are asked for by time_h"
        )


def at_times(
    curves: Tensor, reduced: Tensor, grid_h: Tensor, asked: Tensor, asked_h: Tensor, mg_per_kg: Tensor
) -> Tensor:
    """Curves of a surrogate at other times than those of its grid: mg/L, never negative. Shape [S, 14, A].

    What a network adds to the reduced model, y = log(u + 1e-3) - log(u_reduced + 1e-3) with u = C W / dose, changes
    slowly: it is interpolated on the scale of `stretched`, while the reduced model is evaluated at the asked times.

    Args:
        curves: of the network on its grid, mg/L [S, 14, T].
        reduced: of the reduced model on that grid, mg/L [S, 14, T].
        grid_h: [T], increasing.
        asked: of the reduced model at the asked times, mg/L [S, 14, A].
        asked_h: [A] within the grid; what lies just outside takes the first or the last value.
        mg_per_kg: dose over body weight [S].
    """
    floor = FLOOR * mg_per_kg[:, None, None]  # mg/L
    y = (curves.clamp(min=0) + floor).log() - (reduced + floor).log()
    grid, s = stretched(grid_h.double()), stretched(asked_h.double())
    right = torch.searchsorted(grid, s).clamp(1, len(grid) - 1)  # [A]
    share = ((s - grid[right - 1]) / (grid[right] - grid[right - 1])).clamp(0, 1).to(y)
    between = torch.lerp(y[..., right - 1], y[..., right], share)
    return (between.exp() * (asked + floor) - floor).clamp(min=0)
