"""The saturable model by the same RODAS, compiled: one subject after the other, and its dense output between steps.

The method, its tolerance and its elimination organ by organ are those of `rosenbrock.py`, but steps end on events only:
what is reported inside a step is its continuous extension of order 3 (Hairer & Wanner, Solving Ordinary Differential
Equations II, section VI.4, and their program RODAS), so that the number of steps does not grow with the reports. Since
the extension is of a lower order than the steps, these are held to a third of the tolerance.

Numba is asked for at the first call. Without it nothing here can be used.
"""

from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.compartments import N_STATES, Rates, Schedule

KERNEL = Path(__file__).with_name("kernel.py")
_STRICTER = 0.3


@cache
def available() -> bool:
    """Whether Numba is installed; it is imported no earlier than needed, since that takes a while."""
    return find_spec("numba") is not None


def integrate_compiled(r: Rates, plan: Schedule, time_h: Tensor, rtol: float, atol_mg: Tensor) -> Tensor:
    """Amounts [S, T, 20] at the times [T], as `rosenbrock.integrate` gives them within the tolerance; no gradients.

    Raises:
        FulmenError: Numba is not installed, or a subject cannot be integrated.
    """
    if not available():
        raise FulmenError(
            "the compiled solver needs Numba: pip install 'fulmen[fast]', or take another solver, such as rodas4"
        )
    from fulmen.workloads.pbpk.simulator.kernel import integrate_all

    organs = torch.stack([r.inflow_per_h, r.outflow_per_h, r.to_liver_per_h, r.to_veins_per_h])  # [4, 13, S]
    single = torch.stack([
        r.venous_per_h, r.hepatic_per_h, r.saturation_per_mg, r.renal_per_h, r.absorption_per_h, r.gut_metabolism_per_h,
    ])  # [6, S]  # fmt: skip
    out = np.empty((len(atol_mg), len(time_h), N_STATES))
    rtol *= _STRICTER
    subject, at_h = integrate_all(
        _plain(organs.permute(2, 0, 1)), _plain(single.T), _plain(plan.time_h), _plain(plan.doses),
        _plain(plan.rate_mg_per_h), _plain(plan.dose_amounts_mg), _plain(time_h), rtol, _plain(atol_mg), out,
    )  # fmt: skip
    if subject >= 0:
        raise FulmenError(
            f"subject {subject}: the step fell below 1e-12 h at {at_h:.6g} h; check its volumes, flows and clearances, "
            f"or raise rtol above {rtol:g}"
        )
    return torch.from_numpy(out)


def _plain(values: Tensor) -> Any:
    return values.detach().contiguous().numpy()
