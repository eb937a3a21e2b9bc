"""The times of curves: as they were asked for, or as far and as dense as the half-lives of the drugs want them."""

import math
from collections.abc import Iterator

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.population import (
    INFUSION,
    ORAL,
    Population,
    hepatic_clearance_l_per_h,
    renal_clearance_l_per_h,
    steady_state_volume_l,
)

STEPS_H = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 6.0, 12.0, 24.0)
FIRST_STEP_H, FINEST_STEP_H = 0.025, 0.0025
SHORTEST_H, LONGEST_H = 24.0, 168.0  # after the last dose
HALF_LIVES = 5
POINTS = 100
POINTS_OF_A_DOSE = 6  # at least
DURATIONS = 10  # of infusions whose ends are among the times, at most


def times_of(text: str) -> Tensor:
    """Times in hours [T], of numbers between commas.

    Raises:
        FulmenError: they are no numbers, negative or do not increase.
    """
    values: list[float] = []
    for word in text.split(","):
        try:
            value = float(word)
        except ValueError:
            raise FulmenError(f"--times {text}: {word.strip()!r} is no number; write hours as in 0.5,1,2,4") from None
        if not math.isfinite(value) or value < 0:
            raise FulmenError(f"--times {text}: {word.strip()} is no time; the first dose is given at 0 h")
        if values and value <= values[-1]:
            raise FulmenError(f"--times {text}: {value:g} is not after {values[-1]:g}; they have to increase")
        values.append(value)
    return torch.tensor(values, dtype=torch.float64)


def usual_times(people: Population, points: int = POINTS, first_h: float = FIRST_STEP_H) -> Tensor:
    """About `points` times [T] in hours for subjects with one regimen, dense after every dose.

    They end 5 half-lives after the last dose, but no sooner than 24 h and no later than 7 days.

    Args:
        points: more where doses repeat, so that each dose has some.
        first_h: the first step after a dose; a bolus is spread within minutes.
    """
    doses, interval_h = people.n_doses, people.interval_h
    wanted_h = HALF_LIVES * float(half_lives_h(people).max())
    after_h = min(max(24.0 * math.ceil(wanted_h / 24), SHORTEST_H), LONGEST_H)
    last_h = (doses - 1) * interval_h
    of_last = max(points // 2 if doses > 1 else points, POINTS_OF_A_DOSE)
    hours = set(_graded(last_h, max(after_h, interval_h), of_last, first_h))
    for dose in range(doses - 1):
        hours.update(_graded(dose * interval_h, interval_h, max(points // (2 * doses), POINTS_OF_A_DOSE), first_h))
    ends_h = people.infusion_h[people.route == INFUSION].unique().tolist()
    if len(ends_h) <= DURATIONS:
        hours.update(round(dose * interval_h + end_h, 9) for dose in range(doses) for end_h in ends_h)
    return torch.tensor(sorted(hours), dtype=torch.float64)


def half_lives_h(people: Population) -> Tensor:
    """ln 2 Vss / CL of unsaturated clearance, and that of the absorption of an oral dose: the longer one. Shape [S]."""
    clearance = hepatic_clearance_l_per_h(people) + renal_clearance_l_per_h(people)
    elimination = math.log(2) * steady_state_volume_l(people) / clearance
    absorption = math.log(2) / people.absorption_rate_per_h
    return torch.where(people.route == ORAL, elimination.maximum(absorption), elimination)


def _graded(start_h: float, hours: float, points: int, first_h: float) -> Iterator[float]:
    """About `points` round times from `start_h` on for `hours`, both ends included, denser at the beginning."""
    sparse, dense = 2.0, 1e-3  # shares of the time since the start that a step may be
    for _ in range(30):
        share = math.sqrt(sparse * dense)
        sparse, dense = (sparse, share) if len(_steps(hours, share, first_h)) > points else (share, dense)
    return (round(start_h + each, 9) for each in _steps(hours, sparse, first_h))


def _steps(hours: float, share: float, first_h: float) -> list[float]:
    """0, times whose step is the largest of `STEPS_H` within that share of the time or the first step, and `hours`."""
    found, time_h = [0.0], 0.0
    while True:
        step_h = max(step for step in STEPS_H if step <= max(share * time_h, first_h))
        time_h = step_h * math.floor(time_h / step_h + 1 + 1e-9)
        if time_h >= hours * (1 - 1e-9):
            return [*found, hours]
        found.append(time_h)
