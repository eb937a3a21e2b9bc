"""Concentrations for a file of subjects: what it has to hold, and one row per subject, organ and time."""

import warnings
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import torch
from torch import Tensor

from fulmen.data.batches import EVALUATION_BATCH
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.graph import inputs
from fulmen.workloads.pbpk.npz import NAMES, SCALARS, WIDE, population_from, read_subjects
from fulmen.workloads.pbpk.one_compartment import step_h
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import ROUTES, Population

UNITS = {"l_per_h": "L/h", "mg_per_l": "mg/L", "per_h": "1/h", "kg": "kg", "mg": "mg", "l": "L", "h": "h"}
LABELS = ("compound", "lipophilicity")  # neither enters the equations


def input_schema(data: Any) -> dict[str, Any]:
    """What `predict_file` reads and needs; ranges are those of the training split."""
    seen = data.population[data.splits["train"]["subject"]]
    return {
        "format": ".npz of named arrays for S subjects, as PBPKData.export writes them; concentrations are not needed",
        "arrays": [_array(field.name, seen) for field in fields(Population)]
        + [{"name": "organ", "shape": [len(ORGANS)], "dtype": "text", "missing": False, "values": list(ORGANS)}],
        "routes": dict(enumerate(ROUTES)),
        "kinetics": data.kinetics,
        "time_h": data.time_h.tolist(),
        "reduced_step_h": float(step_h(data.population).min()),
        "output": {
            "subject": "place in the file, from 0",
            "organ": "",
            "time_h": "h",
            "concentration_mg_per_L": "mg/L",
        },
    }


def predict_file(model: Any, path: Path, schema: dict[str, Any]) -> pandas.DataFrame:
    """Concentrations of every subject at the times of the training grid.

    Raises:
        FulmenError: the file does not fit the schema; it names array, subject and value.
    """
    time_h = torch.tensor(schema["time_h"])
    arrays = read_subjects(path, schema["kinetics"])
    if "time_h" in arrays and not _same_times(arrays["time_h"], time_h):
        raise FulmenError(
            f"{path}: time_h is not the grid the model was trained on ({len(time_h)} times from {time_h[0]:.4g} to "
            f"{time_h[-1]:.4g} h); leave the array out, or interpolate the predictions"
        )
    population = population_from(arrays)
    _refuse_other_regimen(population, schema, path)
    if unused := sorted(set(arrays) - {*NAMES, "organ", "route_name", "kinetics", "time_h"}):
        warnings.warn(f"{path}: not used: {', '.join(unused)}; the units are those of --explain", stacklevel=2)
    _warn_of_ranges(population, schema)
    concentration = torch.cat([_predicted(model, part, time_h, schema) for part in _parts(population, schema)])
    back = torch.cat(_groups(population, schema)).argsort()
    subjects, organs, times = concentration.shape
    return pandas.DataFrame(
        {
            "subject": np.repeat(np.arange(subjects), organs * times),
            "organ": np.tile(np.repeat(np.array(ORGANS), times), subjects),
            "time_h": np.tile(time_h.numpy(), subjects * organs),
            "concentration_mg_per_L": concentration[back].numpy().ravel(),
        }
    )


def _refuse_other_regimen(population: Population, schema: dict[str, Any], path: Path) -> None:
    """Pass if doses are given as often as in training and by a route seen there: no model knows another regimen."""
    seen = {facts["name"]: facts["range"] for facts in schema["arrays"] if "range" in facts}
    one_dose = population.n_doses == 1
    for name in ("n_doses",) if one_dose else SCALARS:
        value, trained = getattr(population, name), seen.get(name, [None])[0]
        if trained is not None and value != trained:
            raise FulmenError(
                f"{path}: {name} is {value:g}; the model was trained on {trained:g} and knows no other: take one that "
                f"was trained with data.{name}={value:g}"
            )
    low, high = seen.get("route", (0, len(ROUTES)))
    strange = (population.route < low) | (population.route > high)
    if bool(strange.any()):
        subject = int(strange.int().argmax())
        route = ROUTES[int(population.route[subject])]
        raise FulmenError(f"{path}: subject {subject} has the route {route}, which the model was not trained on")


def _predicted(model: Any, part: Population, time_h: Tensor, schema: dict[str, Any]) -> Tensor:
    """Concentrations [s, 14, T] of subjects that share the step of the reduced model."""
    step = min(schema["reduced_step_h"], float(step_h(part).min()))
    batch = inputs(part, time_h, schema["kinetics"], step) | {"time_h": time_h, "subject": torch.arange(len(part))}
    return model.predict_step(batch)["concentration_mg_per_l"]


def _groups(population: Population, schema: dict[str, Any]) -> list[Tensor]:
    """Subject numbers that go together, so that nobody's prediction depends on who else is in the file.

    All who are well served by the step of the reduced model in training share it; who needs a finer one stays alone.
    """
    alone = step_h(population) < schema["reduced_step_h"] * (1 - 1e-9)
    together = (~alone).nonzero()[:, 0].split(EVALUATION_BATCH)
    return [group for group in (*together, *alone.nonzero()[:, 0].split(1)) if len(group)]


def _parts(population: Population, schema: dict[str, Any]) -> list[Population]:
    return [population[group] for group in _groups(population, schema)]


def _same_times(stored: np.ndarray, time_h: Tensor) -> bool:
    later = stored[stored > 0].astype(np.float32)
    return later.shape == tuple(time_h.shape) and bool(np.allclose(later, time_h.numpy(), rtol=1e-6))


def _array(name: str, seen: Population) -> dict[str, Any]:
    value = getattr(seen, name)
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(f"_{suffix}")), "1")
    facts: dict[str, Any] = {
        "name": name,
        "shape": [] if name in SCALARS else ["S", len(ORGANS)] if name in WIDE else ["S"],
    }
    facts |= {"dtype": "number", "unit": unit, "missing": False}
    if name in WIDE:
        low, high = value.amin(0).tolist(), value.amax(0).tolist()
        return facts | {"range_by_organ": {organ: [low[i], high[i]] for i, organ in enumerate(ORGANS)}}
    if name in LABELS:
        return facts | {"note": "a label, not used by the equations"}
    return facts | {"range": [float(value.min()), float(value.max())] if isinstance(value, Tensor) else [value, value]}


def _warn_of_ranges(population: Population, schema: dict[str, Any]) -> None:
    """Say which arrays leave what the model has seen in training, and where most."""
    for facts in schema["arrays"]:
        ranges = facts.get("range_by_organ") or ({"": facts["range"]} if "range" in facts else {})
        if not ranges:
            continue
        value = (
            torch.as_tensor(getattr(population, facts["name"])).double().reshape(-1, len(ranges))
        )  # [S, 14] or [S, 1]
        low, high = torch.tensor(list(ranges.values()), dtype=torch.float64).T
        beyond = torch.maximum(low - value, value - high) / torch.maximum(low.abs(), high.abs()).clamp(min=1e-12)
        outside = beyond > 1e-9
        if bool(outside.any()):
            subject, column = divmod(int(beyond.argmax()), len(ranges))
            organ = list(ranges)[column]
            warnings.warn(
                f"{facts['name']}{f' of {organ}' if organ else ''} is {value[subject, column].item():.4g} for subject "
                f"{subject}, outside {low[column].item():.4g} to {high[column].item():.4g}, the range in training "
                f"({int(outside.any(1).sum())} of {len(value)} subjects are outside)",
                stacklevel=3,
            )
