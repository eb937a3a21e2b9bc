"""What a surrogate is asked: what a file of subjects has to hold, and what the model reads of it."""

import math
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fulmen.data.batches import EVALUATION_BATCH, Batch
from fulmen.data.predicting import Inputs, Schema, joined
from fulmen.data.ranges import Outside, Ranges
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.answers import FALLBACK, TABLES
from fulmen.workloads.pbpk.baselines import reduced_physics
from fulmen.workloads.pbpk.graph import absorbed_share, inputs
from fulmen.workloads.pbpk.npz import SCALARS, WIDE, population_from
from fulmen.workloads.pbpk.npz_contradictions import Units
from fulmen.workloads.pbpk.npz_reading import read_subjects
from fulmen.workloads.pbpk.one_compartment import Reduced
from fulmen.workloads.pbpk.runge_kutta import step_h
from fulmen.workloads.pbpk.simulator.bodies import AGE_Y
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import LABELS, ROUTES, SEXES, Population, portal_share
from fulmen.workloads.pbpk.times import refuse_untrained_times, same_times
from fulmen.workloads.pbpk.trust import Trust

UNITS = {
    "l_per_h": "L/h", "mg_per_l": "mg/L", "kg_per_l": "kg/L", "per_h": "1/h", "kg": "kg", "mg": "mg", "l": "L",
    "h": "h", "y": "years",
}  # fmt: skip
NOTES = {
    "sex": f"a label, not used by the equations; in a file {', '.join(f'{n} {name}' for n, name in enumerate(SEXES))}",
    "density_kg_per_l": "by which the volumes fill the weight; 1 where it is left out",
    "gut_extraction": "a model sees bioavailability x (1 - gut_extraction), whose range stands with bioavailability; 0 "
    "where it is left out",
}


def input_schema(data: Any, trust: Trust | None = None) -> dict[str, Any]:
    """What is read and needed; ranges are those of the training split."""
    interval = "mg/L, 90 % conformal interval: holds in the domain"
    trusted = {"low_90_mg_per_l": interval, "high_90_mg_per_l": interval,
               "in_domain": "whether the subject is like those of the training, all inputs together"}  # fmt: skip
    seen = data.population[data.splits["train"]["subject"]]
    return {
        "format": ".npz of named arrays for S subjects, as PBPKData.export writes them; concentrations are not needed",
        "arrays": [_array(field.name, seen) for field in fields(Population)]
        + [{"name": "organ", "shape": [len(ORGANS)], "dtype": "text", "missing": False, "values": list(ORGANS)}],
        "routes": dict(enumerate(ROUTES)),
        "trained_routes": seen.route.unique().tolist(),
        "kinetics": data.kinetics,
        "population": data.prior["population"] if data.npz is None else None,
        "time_h": data.time_h.tolist(),
        "tables": list(TABLES),
        "fallbacks": [FALLBACK] if trust else [],
        "reduced": data.reduced,
        "reduced_step_h": float(step_h(data.population).min()) if data.reduced == "runge_kutta" else None,
        "output": {
            "subject": "place in the file, from 0",
            "organ": "",
            "time_h": "h",
            "concentration_mg_per_l": "mg/L",
            **(trusted if trust else {}),
        },
    }


def unlike_training(asked: Inputs, trust: Trust | None) -> list[str]:
    """A warning where subjects are outside the domain of a model."""
    if not trust:
        return []
    distance = trust.distance({name: value.to(trust.mean) for name, value in asked.batch.items()})
    outside = distance > trust.limit
    if not bool(outside.any()):
        return []
    subject, number = int(distance.argmax()), int(outside.sum())
    return [
        f"{number} of {asked.rows} subjects {'is' if number == 1 else 'are'} unlike those of the training, all inputs "
        f"taken together (in_domain is false); subject {subject} is the farthest, "
        f"{float(distance[subject] / trust.limit):.3g} times as far as the domain goes"
    ]


def read_file(path: Path, schema: Schema, units: Units = "checked", columns: Mapping[str, str] | None = None) -> Inputs:
    """The subjects of an `.npz`.

    Args:
        columns: the name of an array here -> its name in the file.
        units: "as_named" leaves out the search for other units than the names say.

    Raises:
        FulmenError: the file does not fit the schema; it names array, subject and value.
    """
    said: list[str] = []
    arrays = read_subjects(path, schema["kinetics"], columns, units, said)
    population = population_from(arrays)
    asked = inputs_of(population, schema, f"{path}: ")
    if "time_h" in arrays:
        ask_at(asked, population, torch.tensor(arrays["time_h"]), schema, f"{path}: ")
    asked.warnings[:0] = [f"{path}: {sentence}" for sentence in said]
    return asked


def inputs_of(population: Population, schema: Schema, where: str = "") -> Inputs:
    """Curves are asked for every subject, at the times of the training grid.

    Raises:
        FulmenError: another regimen than the model was trained on.
    """
    _refuse_other_regimen(population, schema, where)
    time_h = torch.tensor(schema["time_h"])
    groups = _groups(population, schema)
    parts = [_features(population[group], time_h, schema) for group in groups]
    back = torch.cat(groups).argsort()
    batch = {name: value[back] for name, value in joined(parts).items()} | {"subject": torch.arange(len(population))}
    _refuse_overflow(population, batch, where)
    outside, warnings = _out_of_range(population, schema)
    warnings += _unknown_ages(population)
    about = {"population": population}
    return Inputs(batch, len(population), {"time_h": time_h}, about, outside=outside, warnings=warnings)


def ask_at(asked: Inputs, population: Population, time_h: Tensor, schema: Schema, where: str = "") -> None:
    """Ask for curves at times [A] of one's own; t = 0 is left out, since there the concentration follows from the dose.

    Raises:
        FulmenError: times beyond those of the training, or that do not increase.
    """
    grid_h = torch.tensor(schema["time_h"])
    refuse_untrained_times(time_h, grid_h, where)
    time_h = time_h[time_h != 0]
    if same_times(time_h, grid_h):
        return
    reduced = reduced_physics(population, time_h, schema["kinetics"], _reduced(schema)).float()  # [S, 14, A]
    asked.about |= {"time_h": time_h, "reduced": reduced, "absorbed_share": absorbed_share(population, time_h)}


def _refuse_other_regimen(population: Population, schema: Schema, where: str) -> None:
    """Pass if doses are given as often as in training and by a route seen there: no model knows another regimen."""
    seen = {facts["name"]: facts["range"] for facts in schema["arrays"] if "range" in facts}
    one_dose = population.n_doses == 1
    for name in ("n_doses",) if one_dose else SCALARS:
        value, trained = getattr(population, name), seen.get(name, [None])[0]
        if trained is not None and value != trained:
            raise FulmenError(
                f"{where}{name} is {value:g}; the model was trained on {trained:g} and knows no other: take one that "
                f"was trained with data.{name}={value:g}"
            )
    low, high = seen.get("route", (0, len(ROUTES)))
    known = torch.tensor(schema.get("trained_routes", list(range(int(low), int(high) + 1))))
    strange = ~torch.isin(population.route, known)
    if bool(strange.any()):
        subject = int(strange.int().argmax())
        route = ROUTES[int(population.route[subject])]
        raise FulmenError(f"{where}subject {subject} has the route {route}, which the model was not trained on")


def _refuse_overflow(population: Population, batch: Batch, where: str) -> None:
    """Pass if all that the model reads is finite in single precision; the message names the most extreme value."""
    for value in batch.values():
        finite = value.isfinite().view(len(population), -1).all(1)
        if bool(finite.all()):
            continue
        subject = int(finite.int().argmin())
        values = {name: each[subject].reshape(-1).tolist() for name, each in population.tensors().items()}
        size = {name: max((abs(math.log(abs(x))) for x in each if x), default=0.0) for name, each in values.items()}
        name = max(size, key=size.__getitem__)
        worst = max((x for x in values[name] if x), key=lambda x: abs(math.log(abs(x))))
        raise FulmenError(
            f"{where}{name}, subject {subject}: {worst:.6g}; single precision does not hold what follows from it; are "
            f"the units those of --explain?"
        )


def _unknown_ages(population: Population) -> list[str]:
    """A warning where an age lies beyond the tables of bodies: it enters no equation, and the organs may not fit it."""
    strange = (population.age_y < AGE_Y[0]) | (population.age_y > AGE_Y[1])
    if not bool(strange.any()):
        return []
    subject = int(strange.int().argmax())
    return [
        f"age_y is {float(population.age_y[subject]):.4g} for subject {subject}, beyond the tables of {AGE_Y[0]:g} to "
        f"{AGE_Y[1]:g} years; it enters no equation, only weight, volumes and flows do ({int(strange.sum())} of "
        f"{len(population)} subjects)"
    ]


def _features(part: Population, time_h: Tensor, schema: Schema) -> Batch:
    """What the model reads of subjects that share the step of the reduced model."""
    if _reduced(schema) == "exponential":
        return inputs(part, time_h, schema["kinetics"])
    longest_h = min(schema["reduced_step_h"], float(step_h(part).min()))
    return inputs(part, time_h, schema["kinetics"], "runge_kutta", longest_h)


def _reduced(schema: Schema) -> Reduced:
    """The reduced model that a network has learned from; schemas that do not say are from before there were two."""
    return "exponential" if schema.get("reduced") == "exponential" else "runge_kutta"


def _groups(population: Population, schema: Schema) -> list[Tensor]:
    """Subject numbers that go together, so that nobody's prediction depends on who else is in the file.

    By the method of Runge and Kutta, all who are well served by the step of the reduced model in training share it;
    who needs a finer one stays alone.
    """
    if _reduced(schema) == "exponential":
        return list(torch.arange(len(population)).split(EVALUATION_BATCH))
    alone = step_h(population) < schema["reduced_step_h"] * (1 - 1e-9)
    together = (~alone).nonzero()[:, 0].split(EVALUATION_BATCH)
    return [group for group in (*together, *alone.nonzero()[:, 0].split(1)) if len(group)]


def _array(name: str, seen: Population) -> dict[str, Any]:
    value = _counting(name, seen)
    unit = next((unit for suffix, unit in UNITS.items() if name.endswith(f"_{suffix}")), "1")
    facts: dict[str, Any] = {
        "name": name,
        "shape": [] if name in SCALARS else ["S", len(ORGANS)] if name in WIDE else ["S"],
    }
    facts |= {"dtype": "number", "unit": unit, "missing": False}
    noted = name in LABELS or name in NOTES
    if noted:
        facts["note"] = NOTES.get(name, "a label, not used by the equations")
    if name in WIDE:
        low, high = value.amin(0).tolist(), value.amax(0).tolist()
        return facts | {"range_by_organ": {organ: [low[i], high[i]] for i, organ in enumerate(ORGANS)}}
    if noted:
        return facts | ({"levels": list(SEXES)} if name == "sex" else {})
    return facts | {"range": [float(value.min()), float(value.max())] if isinstance(value, Tensor) else [value, value]}


def _counting(name: str, population: Population) -> Any:
    """What a model sees of a field: of the bioavailability, the share that passes the gut wall."""
    return portal_share(population) if name == "bioavailability" else getattr(population, name)


def _out_of_range(population: Population, schema: Schema) -> tuple[list[Outside], list[str]]:
    """What leaves the range seen in training, and a warning for each array, which names the worst."""
    outside, found = [], []
    for facts in schema["arrays"]:
        name, seen = facts["name"], _ranges(facts)
        if name in LABELS or not seen.names:
            continue
        value = torch.as_tensor(_counting(name, population)).double().reshape(-1, len(seen.names)).numpy()
        far = seen.beyond(value)  # [S, 14] or [S, 1]; of a scalar of all subjects [1, 1]
        if far.any():
            outside += seen.outside(value)
            subject, column = divmod(int(far.argmax()), len(seen.names))
            found.append(
                f"{seen.names[column]} is {value[subject, column]:.4g} for subject {subject}, outside "
                f"{seen.low[column]:.4g} to {seen.high[column]:.4g}, the range in training "
                f"({int(far.any(1).sum())} of {len(value)} subjects are outside)"
            )
    return outside, found


def _ranges(facts: Mapping[str, Any]) -> Ranges:
    """Of an array, those of each organ, or that of all subjects, if it has one."""
    by_organ = facts.get("range_by_organ", {})
    wide = [{"name": f"{facts['name']} of {organ}", "range": ends} for organ, ends in by_organ.items()]
    return Ranges.of([each | {"unit": facts["unit"]} for each in wide] or [facts], slack=1e-9)
