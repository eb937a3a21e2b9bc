"""Solved populations as named arrays with units: what the cache holds, and what an `.npz` brings from elsewhere."""

import zipfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.physiology import ORGANS, known
from fulmen.workloads.pbpk.simulator.population import (
    OF_ORGANS,
    ROUTES,
    Population,
    check_regimen,
    duplicate_rows,
    unsaid,
    validate,
)
from fulmen.workloads.pbpk.simulator.solvers import KINETICS

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


def read_npz(path: str | Path, kinetics: str) -> Arrays:
    """The arrays of an exported file, checked.

    Raises:
        FulmenError: it names the file, the array and what is expected. Refused are arrays that are missing or of a
            wrong kind or shape, another order of organs, other kinetics, NaN or negative values, times out of order,
            more drug than was given, subjects that cannot be, and one subject twice.
    """
    arrays = _load(path)
    try:
        _check_layout(arrays, (*NEEDED, "organ", "kinetics", *SOLVED), kinetics)
        population = validate(population_from(arrays))
        _check_content(arrays, population)
    except FulmenError as error:
        raise FulmenError(f"{path}: {error}") from error
    return arrays


def read_subjects(path: str | Path, kinetics: str | None) -> Arrays:
    """The arrays of an exported file that describe subjects, checked as in `read_npz`; concentrations are left out.

    `time_h` and `kinetics` may be missing; kinetics other than `kinetics`, those of the model, are refused. Without a
    model it is None.

    Raises:
        FulmenError: it names the file, the array, the subject and what is expected.
    """
    arrays = _load(path)
    arrays = {name: array for name, array in arrays.items() if name != "concentration_mg_per_l"}
    try:
        solved_with = str(arrays.get("kinetics", kinetics or "saturable"))
        if kinetics and solved_with != kinetics:
            raise FulmenError(
                f"its subjects have {solved_with} kinetics, the model {kinetics} ones: take a model that was trained "
                f"with data.kinetics={solved_with}"
            )
        _check_layout(arrays, (*NEEDED, "organ"), known(solved_with, KINETICS, "kinetics", "kinetics"))
        validate(population_from(arrays))
    except FulmenError as error:
        raise FulmenError(f"{path}: {error}") from error
    return arrays


def _load(path: str | Path) -> Arrays:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(file)
    except (OSError, ValueError, EOFError, KeyError, TypeError, zipfile.BadZipFile, zlib.error) as error:
        reason = "it holds objects, or is no archive" if "pickle" in str(error) else error
        raise FulmenError(f"{path} is no readable .npz of plain arrays: {reason}") from error


def _check_layout(arrays: Arrays, needed: Sequence[str], kinetics: str) -> None:
    for name in needed:
        if name not in arrays:
            raise FulmenError(f"the array {name} is missing; it has {', '.join(sorted(arrays))}")
    for name in (*NAMES, *SOLVED):
        if name in arrays and arrays[name].dtype.kind not in "fiu":
            raise FulmenError(f"{name} holds {arrays[name].dtype}, expected numbers")
    if tuple(arrays["organ"].ravel().tolist()) != ORGANS:
        raise FulmenError(f"organ must be {', '.join(ORGANS)}, in this order")
    if "kinetics" in arrays and str(arrays["kinetics"]) != kinetics:
        raise FulmenError(f"it was solved with {arrays['kinetics']} kinetics; set data.kinetics={arrays['kinetics']}")
    if "route_name" in arrays and tuple(arrays["route_name"].ravel().tolist()) != ROUTES:
        raise FulmenError(f"route_name must be {', '.join(ROUTES)}, in this order: route counts in it")
    subjects = arrays["weight_kg"].size
    if subjects == 0:
        raise FulmenError("it holds no subject")
    shapes: dict[str, tuple[int, ...]] = {
        name: (subjects, len(ORGANS)) if name in WIDE else (subjects,) for name in NAMES
    }
    shapes |= dict.fromkeys(SCALARS, ())
    if "time_h" in arrays:
        times = arrays["time_h"].size
        shapes |= {"time_h": (times,), "concentration_mg_per_l": (subjects, len(ORGANS), times)}
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            raise FulmenError(f"{name} has shape {arrays[name].shape}, expected {shape}")
    check_regimen(float(arrays["n_doses"]), float(arrays["interval_h"]))


def _check_content(arrays: Arrays, population: Population) -> None:
    time_h, concentration = arrays["time_h"], arrays["concentration_mg_per_l"]
    if len(time_h) < 2 or not np.isfinite(time_h).all() or (np.diff(time_h) <= 0).any() or time_h[0] < 0:
        raise FulmenError("time_h must be finite, start at 0 or later and increase")
    bad = ~np.isfinite(concentration) | (concentration < 0)
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise FulmenError(f"concentration_mg_per_l{list(where)} is {concentration[where]}; it must be finite and >= 0")
    held_mg = (concentration * arrays["volume_l"][:, :, None]).sum(1).max(1)  # [S]
    over = held_mg > (1 + MASS_TOLERANCE) * population.n_doses * arrays["dose_mg"]
    if over.any():
        subject = int(np.argmax(over))
        given = population.n_doses * float(arrays["dose_mg"][subject])
        raise FulmenError(f"subject {subject} holds up to {held_mg[subject]:.4g} mg but was given {given:.4g} mg")
    repeated = duplicate_rows(population)
    if len(repeated):
        raise FulmenError(f"{len(repeated)} subjects repeat another one exactly (first: {repeated[0].item()})")
