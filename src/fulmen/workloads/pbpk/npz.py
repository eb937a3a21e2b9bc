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
ALIKE = 1e-3  # difference of the logarithms of the properties of one drug


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


def drugs_of(subjects: Population) -> np.ndarray:
    """Number of the drug of each subject, by its properties and whatever its number is [S].

    Partition coefficients and unbound fraction that agree to a thousandth are of one drug. Where all subjects have one,
    because it was fixed, their own numbers of compounds count.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components
    from scipy.spatial import cKDTree

    drug = np.column_stack([subjects.kp[:, 1:].numpy(), subjects.fraction_unbound.numpy()])
    kinds, number = np.unique(np.log(np.maximum(drug, 1e-12)), axis=0, return_inverse=True)
    near = cKDTree(kinds).query_pairs(ALIKE * np.sqrt(kinds.shape[1]), output_type="ndarray")
    joined = coo_array((np.ones(len(near)), (near[:, 0], near[:, 1])), shape=(len(kinds), len(kinds)))
    own = connected_components(joined, directed=False)[1][number.reshape(-1)]
    return own if own.max() > 0 else subjects.compound.numpy()
