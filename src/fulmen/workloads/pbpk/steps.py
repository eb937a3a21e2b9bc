"""The steps by which the reduced model goes from one reported time to the next."""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from torch import Tensor

from fulmen.workloads.pbpk.simulator.population import Population


@dataclass(frozen=True)
class Steps:
    """N steps from 0 h to the last reported time, shared by all subjects; hours."""

    start_h: np.ndarray  # [N]
    length_h: np.ndarray  # [N]
    doses_h: np.ndarray  # [D], those until the last reported time
    dosed: np.ndarray  # [N], whether a dose is given at the end
    reported: np.ndarray  # [T], how many steps lie before each reported time

    @staticmethod
    def to(time_h: Tensor, population: Population, max_step_h: float) -> "Steps":
        """Those to the reported times [T] in hours: they end at these and at doses, and none is longer than that."""
        times = time_h.detach().double().cpu().numpy().tobytes()
        return _between(times, population.n_doses, population.interval_h, max_step_h)


@lru_cache(maxsize=16)
def _between(times_h: bytes, n_doses: int, interval_h: float, max_step_h: float) -> Steps:
    """`Steps.to` the reported times [T], the bytes of float64; a grid is asked for again and again."""
    times = np.frombuffer(times_h)
    doses = interval_h * np.arange(n_doses)
    doses = doses[doses <= times[-1]]
    stops = np.union1d(times, [0.0, *doses])
    apart = np.diff(stops)
    pieces = np.ceil(apart / max_step_h - 1e-9).astype(int).clip(1)
    within = np.arange(pieces.sum()) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    length = np.repeat(apart / pieces, pieces)
    last = within == np.repeat(pieces, pieces) - 1
    before = np.concatenate([[0], np.cumsum(pieces)])
    return Steps(
        start_h=np.repeat(stops[:-1], pieces) + within * length,
        length_h=length,
        doses_h=doses,
        dosed=last & np.repeat(np.isin(stops[1:], doses), pieces),
        reported=before[np.searchsorted(stops, times)],
    )
