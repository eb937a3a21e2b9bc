"""Subjects as records: plain numbers by name, one record a subject."""

import io
import math
import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from fulmen.config.mistakes import did_you_mean
from fulmen.data.predicting import Record, Schema, cells, unused
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.npz import NAMES, SCALARS, WIDE, population_from
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import LABELS, ROUTES, SEXES, Population, unsaid, validate
from fulmen.workloads.pbpk.simulator.sampling import sample_population

NUMBERED = {"route": ROUTES, "sex": SEXES}  # a name stands for a number
NUMBERS_ONLY = ("compound", "lipophilicity")  # labels that an example has no use for
SOME = 64  # subjects of which an example is one
OF_SUBJECT = re.compile(r"(\w+)(.*), subject (\d+): (.*)", re.DOTALL)


def population_of(records: Sequence[Record], schema: Schema) -> tuple[Population, list[str]]:
    """The subjects, and warnings.

    A record names every array of the schema: a number, or one for each organ, as a list in the order of `organ` or as
    an object; `route` and `sex` may be names. Labels, `gut_extraction` and what all subjects share (`n_doses`,
    `interval_h`) may be left out.

    Raises:
        FulmenError: a value that cannot be; the message begins with its place, `rows[2].weight_kg: `.
    """
    optional = {*SCALARS, *LABELS, *unsaid(0)}
    columns = cells(
        records, [name for name in NAMES if name not in optional], [name for name in NAMES if name in optional]
    )
    trained = {facts["name"]: facts["range"][0] for facts in schema["arrays"] if facts["name"] in SCALARS}
    arrays = {name: _array(name, column) for name, column in columns.items()}
    for name in SCALARS:
        arrays[name] = _shared(name, arrays[name]) if name in arrays else np.array(trained[name])
    left_out = {name: value.numpy() for name, value in unsaid(len(records)).items()}
    arrays = {name: np.zeros(len(records)) for name in NUMBERS_ONLY} | left_out | arrays
    arrays |= {name: arrays[name].astype(np.int64) for name in (*NUMBERED, "compound")}
    try:
        population = validate(population_from(arrays))
    except FulmenError as error:
        if found := OF_SUBJECT.fullmatch(str(error)):
            raise FulmenError(
                f"rows[{found[3]}].{found[1]}: {found[2].strip()}{' ' * bool(found[2])}{found[4]}"
            ) from None
        raise
    return population, unused(records, NAMES)


def whole_subject(record: Record, given: Collection[str], schema: Schema) -> dict[str, Any]:
    """A subject of whom some values were chosen, and the others follow as far as they have to.

    Organs add up to the weight and the cardiac output, the blood's kp is the blood-plasma ratio, and an infusion takes
    its time, which any other route does not.

    Args:
        given: names of the values that were chosen.
    """
    whole = dict(record)
    if _follows("weight_kg", "volume_l", whole, given):
        density = whole.get("density_kg_per_l", {})
        mass_kg = sum(volume * density.get(organ, 1.0) for organ, volume in whole["volume_l"].items())
        whole["volume_l"] = _scaled(whole["volume_l"], whole["weight_kg"] / mass_kg)
    if _follows("cardiac_output_l_per_h", "flow_l_per_h", whole, given):
        flow = whole["flow_l_per_h"]
        whole["flow_l_per_h"] = _scaled(flow, whole["cardiac_output_l_per_h"] / flow["blood"])
    if _follows("blood_plasma_ratio", "kp", whole, given):
        whole["kp"] = whole["kp"] | {"blood": whole["blood_plasma_ratio"]}
    if "route" in given and "infusion_h" not in given:
        infused = whole["route"] in ("infusion", ROUTES.index("infusion"))
        whole["infusion_h"] = (whole["infusion_h"] or usual_infusion_h(schema)) if infused else 0.0
    return whole


def usual_infusion_h(schema: Schema) -> float:
    """Half of the longest infusion of the training."""
    seen: dict[str, Any] = next(facts for facts in schema["arrays"] if facts["name"] == "infusion_h")
    return float(max(seen["range"][1] / 2, 0.5))


def _follows(total: str, organs: str, record: Record, given: Collection[str]) -> bool:
    return total in given and organs not in given and isinstance(record[total], int | float)


def _scaled(organs: Mapping[str, float], factor: float) -> dict[str, float]:
    return {organ: factor * value for organ, value in organs.items()}


def subjects_file(records: Sequence[Record], schema: Schema) -> bytes:
    """The bytes of an `.npz` of subjects, as `read_subjects` takes it.

    Raises:
        FulmenError: a value that cannot be, as for `population_of`.
    """
    population, _ = population_of(records, schema)
    arrays = {name: value.numpy() for name, value in population.tensors().items()}
    arrays |= {name: np.array(getattr(population, name)) for name in SCALARS}
    file = io.BytesIO()
    np.savez(file, allow_pickle=False, organ=np.array(ORGANS), kinetics=np.array(schema["kinetics"]), **arrays)
    return file.getvalue()


def example_records(schema: Schema) -> list[dict[str, Any]]:
    """The most usual of some subjects of the virtual population, with a dose and a route of the training."""
    seen = {facts["name"]: facts["range"] for facts in schema["arrays"] if "range" in facts}
    route = int(seen["route"][0])
    dose_mg = math.exp(sum(map(math.log, seen["dose_mg"])) / 2)
    subjects = sample_population(
        compounds=SOME, subjects_per_compound=1, seed=0, dose_mg=dose_mg, routes=(ROUTES[route],),
        population=schema.get("population") or "uniform_chemistry",
        infusion_h=usual_infusion_h(schema), n_doses=int(seen["n_doses"][0]),
        interval_h=seen["interval_h"][0],
    )  # fmt: skip
    asked = {facts["name"] for facts in schema["arrays"]} - {*NUMBERS_ONLY}
    arrays = {name: value.numpy() for name, value in subjects.tensors().items() if name in asked}
    told = [facts for facts in schema["arrays"] if facts["name"] in arrays and facts["name"] not in LABELS]
    outside = [_outside(arrays[facts["name"]], facts) for facts in told]
    usual = int(np.sum(outside, axis=0).argmin())
    values: dict[str, Any] = {name: value[usual].tolist() for name, value in arrays.items()}
    values |= {name: dict(zip(ORGANS, values[name], strict=True)) for name in WIDE if name in values}
    values |= {name: names[values[name]] for name, names in NUMBERED.items() if name in values}
    return [values | {"n_doses": subjects.n_doses, "interval_h": subjects.interval_h}]


def _outside(values: np.ndarray, facts: Mapping[str, Any]) -> np.ndarray:
    """How many values of each subject lie outside what was seen in training: [S] of values [S] or [S, 14]."""
    values = values.reshape(len(values), -1)
    ends = list(facts.get("range_by_organ", {}).values()) or [facts.get("range") or (-np.inf, np.inf)]
    low, high = np.transpose(ends)
    return ((values < low) | (values > high)).sum(1)


def _array(name: str, column: list[Any]) -> np.ndarray:
    """float64 [S], or [S, 14] of what each organ has."""
    read = _organs if name in WIDE else partial(_named, name) if name in NUMBERED else _number
    return np.array([read(value, f"rows[{subject}].{name}") for subject, value in enumerate(column)], dtype=np.float64)


def _organs(value: Any, where: str) -> list[float]:
    if isinstance(value, Mapping):
        if missing := [organ for organ in ORGANS if organ not in value]:
            raise FulmenError(f"{where}.{missing[0]}: it is missing; each of the {len(ORGANS)} organs needs a number")
        if strange := [str(organ) for organ in value if organ not in ORGANS]:
            raise FulmenError(f"{where}.{strange[0]}: there is no such organ{did_you_mean(strange[0], ORGANS)}")
        return [_number(value[organ], f"{where}.{organ}") for organ in ORGANS]
    if not isinstance(value, list) or len(value) != len(ORGANS):
        raise FulmenError(f"{where}: it has to hold {len(ORGANS)} numbers: {', '.join(ORGANS)}")
    return [_number(each, f"{where}.{organ}") for organ, each in zip(ORGANS, value, strict=True)]


def _named(kind: str, value: Any, where: str) -> float:
    names = NUMBERED[kind]
    if isinstance(value, str):
        if value not in names:
            raise FulmenError(f"{where}: {value[:60]!r} is no {kind}; there is {', '.join(names)}")
        return float(names.index(value))
    number = _number(value, where)
    if number % 1:
        raise FulmenError(f"{where}: {number:g} is no {kind}; there is {', '.join(names)}")
    return number


def _number(value: Any, where: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FulmenError(f"{where}: {str(value)[:60]!r} is no number")
    if not abs(value) < 1e300:
        raise FulmenError(f"{where}: {str(value)[:20]} is not finite")
    return float(value)


def _shared(name: str, values: np.ndarray) -> np.ndarray:
    """The one value of all subjects."""
    other = np.flatnonzero(values != values[0])
    if len(other):
        raise FulmenError(
            f"rows[{other[0]}].{name}: {values[other[0]]:g}; all rows have to have one, row 0 has {values[0]:g}"
        )
    if not values[0] > 0 or (name == "n_doses" and values[0] % 1):
        raise FulmenError(
            f"rows[0].{name}: {values[0]:g}; it must be above 0{', a whole number' * (name == 'n_doses')}"
        )
    return values[0]
