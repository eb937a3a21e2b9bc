"""Solved populations as named arrays with units: what the cache holds, and what is exported."""

from collections.abc import Mapping
from dataclasses import fields

import numpy as np
import torch
from torch import Tensor

from fulmen.data.cache import Arrays
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import LABELS, OF_ORGANS, ROUTES, Population, unsaid

SCALARS = ("n_doses", "interval_h")
WIDE = OF_ORGANS
NAMES = tuple(field.name for field in fields(Population))
NEEDED = tuple(name for name in NAMES if name not in unsaid(0))
SOLVED = ("time_h", "concentration_mg_per_l")
MASS_TOLERANCE = 1e-3


def arrays_from(subjects: Population, time_h: Tensor, concentration: Tensor, kinetics: str) -> Arrays:
    """Named arrays of a solved population: its fields, `time_h` [T] and `concentration_mg_per_l` [S, 14, T]."""
    arrays = {name: value.numpy() for name, value in subjects.tensors().items()}
    arrays |= {name: np.array(getattr(subjects, name)) for name in SCALARS}
    return arrays | {
        "organ": np.array(ORGANS),
        "route_name": np.array(ROUTES),
        "kinetics": np.array(kinetics),
        "time_h": time_h.numpy(),
        "concentration_mg_per_l": concentration.float().numpy(),
    }


def population_from(arrays: Mapping[str, np.ndarray]) -> Population:
    """The population stored in named arrays; what is left out of it is `unsaid`."""
    stored = {name: torch.tensor(arrays[name]) for name in NAMES if name in arrays and name not in SCALARS}
    tensors = unsaid(len(stored["weight_kg"])) | stored
    return Population(**tensors, n_doses=int(arrays["n_doses"]), interval_h=float(arrays["interval_h"]))


def columns_of(subjects: Population, given: bool) -> dict[str, np.ndarray]:
    """Parameters that enter the equations, or those that only label subjects: `weight_kg`, `kp.liver`, [S] each."""
    found: dict[str, np.ndarray] = {}
    for name, value in subjects.tensors().items():
        if given == (name not in LABELS):
            values = value.detach().numpy()
            many = {f"{name}.{organ}": values[:, i] for i, organ in enumerate(ORGANS)} if name in WIDE else {}
            found |= many or {name: values}
    return found
