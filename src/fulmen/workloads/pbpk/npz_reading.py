"""Subjects, and their curves, in an `.npz` from elsewhere: names, shapes and the order of organs."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from fulmen.config.mistakes import did_you_mean
from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.io.arrays import is_npy, names_in, opened, read_arrays
from fulmen.io.hints import override
from fulmen.io.names import likely, matched, plain
from fulmen.io.taken import Guess, Taken, listed, stored
from fulmen.workloads.pbpk.npz import NAMES, NEEDED, SCALARS, SOLVED, WIDE, population_from
from fulmen.workloads.pbpk.npz_contradictions import (
    Units,
    check_times,
    disagree,
    drugs_twice,
    refuse_marks,
    refuse_no_number,
    refuse_odd_bolus,
    refuse_other_units,
    refuse_too_much,
)
from fulmen.workloads.pbpk.simulator.physiology import ORGANS, known
from fulmen.workloads.pbpk.simulator.population import (
    COUNTED,
    ROUTES,
    check_regimen,
    duplicate_rows,
    validate,
)
from fulmen.workloads.pbpk.simulator.solvers import KINETICS
from fulmen.workloads.pbpk.unit_names import other_unit, times

OTHERS = ("organ", "route_name", "kinetics")
SYNONYMS = {
    "weight_kg": ("weight", "body_weight", "bodyweight", "bw", "wt", "mass"),
    "cardiac_output_l_per_h": ("cardiac_output", "co", "qc", "qco"),
    "volume_l": ("volume", "volumes", "organ_volume", "v"),
    "flow_l_per_h": ("flow", "flows", "blood_flow", "organ_flow", "q"),
    "kp": ("partition", "partition_coefficient", "kps", "tissue_plasma"),
    "blood_plasma_ratio": ("bp", "b2p", "rbp", "blood_to_plasma"),
    "fraction_unbound": ("fu", "fup", "unbound_fraction"),
    "clint_l_per_h": ("clint", "intrinsic_clearance", "cl_int"),
    "renal_clint_l_per_h": ("renal_clint", "clr", "renal_clearance"),
    "km_mg_per_l": ("km",),
    "lipophilicity": ("logp", "log_p"),
    "absorption_rate_per_h": ("absorption_rate", "ka"),
    "bioavailability": ("f", "fa", "absorbed"),
    "dose_mg": ("dose", "doses", "amount"),
    "infusion_h": ("infusion", "infusion_time", "duration"),
    "compound": ("drug", "drug_id", "compound_id"),
    "age_y": ("age", "years"),
    "sex": ("gender",),
    "density_kg_per_l": ("density",),
    "interval_h": ("interval", "tau"),
    "n_doses": ("doses_given", "number_of_doses"),
    "time_h": ("time", "times", "t", "hours"),
    "concentration_mg_per_l": ("concentration", "concentrations", "conc", "c"),
    "organ": ("organs", "tissue", "tissues", "compartment"),
}


def read_npz(
    path: str | Path, kinetics: str, columns: Mapping[str, str] | None = None, units: Units = "checked"
) -> Arrays:
    """The arrays of an exported file, checked, and what was taken, as `taken`.

    Args:
        columns: the name of an array here -> its name in the file.
        units: "as_named" leaves out the search for numbers in other units than the names say.

    Raises:
        FulmenError: it names the file, the array and what is expected. Refused are arrays that are missing or of a
            wrong kind or shape, other organs or kinetics, NaN or negative values, times out of order, numbers in other
            units than the names say, more drug than was given, subjects that cannot be, and one subject twice.
    """
    arrays, guesses, left_out = _named(path, (*NEEDED, "organ", "kinetics", *SOLVED), columns)
    try:
        arrays = _laid_out(arrays, (*NEEDED, "organ", "kinetics", *SOLVED), kinetics, guesses)
        check_times(arrays["time_h"])
        refuse_no_number(arrays["concentration_mg_per_l"])
        if units == "checked":
            refuse_other_units(arrays)
        population = validate(population_from(arrays))
        refuse_too_much(arrays, population)
        if units == "checked":
            refuse_odd_bolus(arrays, population)
        repeated = duplicate_rows(population)
        if len(repeated):
            raise FulmenError(f"{len(repeated)} subjects repeat another one exactly (first: {repeated[0].item()})")
        doubts = [*disagree(arrays, population, units), *drugs_twice(population)]
    except FulmenError as error:
        raise FulmenError(f"{path}: {error}") from error
    dropped = [f"not used: {listed(left_out)}"] if left_out else []
    time_h = arrays["time_h"]
    rows = (
        f"{len(population):,} subjects of {len(population.compound.unique()):,} compounds, {len(time_h)} times from "
        f"{time_h[0]:g} to {time_h[-1]:g} h, {arrays['kinetics']} kinetics"
    )
    counts = [f"{name} {int((population.route == n).sum()):,}" for n, name in enumerate(ROUTES)]
    taken = Taken(str(path), rows, {"routes": ", ".join(counts)}, guesses, dropped, doubts)
    return arrays | {"taken": stored([taken])}


def read_subjects(
    path: str | Path,
    kinetics: str | None,
    columns: Mapping[str, str] | None = None,
    units: Units = "checked",
    said: list[str] | None = None,
) -> Arrays:
    """The arrays of an exported file that describe subjects, checked as in `read_npz`; concentrations are left out.

    `time_h` and `kinetics` may be missing; kinetics other than `kinetics`, those of the model, are refused. Without a
    model it is None.

    Args:
        said: gets what was decided, in words.

    Raises:
        FulmenError: it names the file, the array, the subject and what is expected.
    """
    arrays, guesses, left_out = _named(path, (*NEEDED, "organ"), columns)
    arrays.pop("concentration_mg_per_l", None)
    try:
        solved_with = str(arrays.get("kinetics", kinetics or "saturable"))
        if kinetics and solved_with != kinetics:
            raise FulmenError(
                f"its subjects have {solved_with} kinetics, the model {kinetics} ones: take a model that was trained "
                f"with data.kinetics={solved_with}"
            )
        solved_with = known(solved_with, KINETICS, "kinetics", "kinetics")
        arrays = _laid_out(arrays, (*NEEDED, "organ"), solved_with, guesses)
        if units == "checked":
            refuse_other_units(arrays)
        validate(population_from(arrays))
    except FulmenError as error:
        raise FulmenError(f"{path}: {error}") from error
    if said is not None:
        said += [f"not used: {listed(left_out, 20)}; the units are those of --explain"] if left_out else []
        said += map(str, guesses)
    return arrays


def _named(
    path: str | Path, needed: Sequence[str], columns: Mapping[str, str] | None
) -> tuple[Arrays, list[Guess], list[str]]:
    """The arrays under the names that are used here, what was decided about names, and names that are not used.

    Raises:
        FulmenError: no readable file, an array that is missing, or one that has another unit in its name.
    """
    path = Path(path)
    there = names_in(path)
    if is_npy(opened(path)):
        raise FulmenError(
            f"{path} is one array; subjects are several, by name: np.savez('{path.stem}.npz', weight_kg=...)"
        )
    wanted = [*NAMES, *SOLVED, *OTHERS]
    columns = columns or {}
    for name in there:
        if name in columns.values() or not (found := other_unit(name, wanted)) or found[0] in there:
            continue
        meant, unit, factor = found
        if round(factor, 9) == 1:
            typed = override("data.columns", {**columns, meant: name})
            raise FulmenError(f"{path}: {name} is {meant}, in a unit of the same size: {typed}")
        raise FulmenError(f"{path}: {name} is in {unit}, and {meant} is wanted: save {meant}={name} {times(factor)}")
    for name in needed:
        known_here = plain(name) in map(plain, [*there, *columns])
        if not known_here and not likely(name, there, SYNONYMS.get(name, ())):
            raise FulmenError(f"{path}: the array {name} is missing; it has {', '.join(sorted(there))}")
    optional = [name for name in wanted if name not in needed]
    names, guesses = matched(wanted, there, columns, SYNONYMS, optional, source=str(path))
    arrays = read_arrays(path, list(names.values()))
    left_out = [name for name in there if name not in names.values()]
    return {role: arrays[name] for role, name in names.items()}, guesses, left_out


def _laid_out(arrays: Arrays, needed: Sequence[str], kinetics: str, guesses: list[Guess]) -> Arrays:
    """The arrays with organs in our order and routes and sexes as numbers, of the right kinds and shapes."""
    arrays = {name: _in_own_bytes(array) for name, array in _counted(arrays, guesses).items()}
    for name in (*NAMES, *SOLVED):
        if name in arrays and arrays[name].dtype.kind not in "fiu":
            raise FulmenError(f"{name} holds {arrays[name].dtype}, expected numbers")
    if "kinetics" in arrays and str(arrays["kinetics"]) != kinetics:
        found = str(arrays["kinetics"])
        if found not in KINETICS:
            raise FulmenError(
                f"kinetics is {found!r}{did_you_mean(found, KINETICS)}; save kinetics=np.array('{kinetics}')"
            )
        raise FulmenError(f"it was solved with {found} kinetics; set data.kinetics={found}")
    if "route_name" in arrays and tuple(map(str, arrays["route_name"].ravel().tolist())) != ROUTES:
        raise FulmenError(f"route_name must be {', '.join(ROUTES)}, in this order: route counts in it")
    arrays = _ordered(arrays, guesses)
    _check_shapes(arrays)
    check_regimen(float(arrays["n_doses"]), float(arrays["interval_h"]))
    refuse_marks(arrays)
    return arrays


def _counted(arrays: Arrays, guesses: list[Guess]) -> Arrays:
    """Text for a route, sex or compound as the number it stands for."""
    changed = dict(arrays)
    for name, levels in COUNTED.items():
        if name in arrays and arrays[name].dtype.kind in "US":
            numbers = {plain(level): number for number, level in enumerate(levels)}
            texts = [str(text) for text in np.char.strip(arrays[name].astype(str)).ravel().tolist()]
            strange = next((row for row, text in enumerate(texts) if plain(text) not in numbers), None)
            if strange is not None:
                raise FulmenError(
                    f"{name}, subject {strange}: {texts[strange]!r}{did_you_mean(texts[strange], levels)}"
                )
            changed[name] = np.array([numbers[plain(text)] for text in texts]).reshape(arrays[name].shape)
            guesses.append(Guess(f"{name} as text"))
    if "compound" in arrays and arrays["compound"].dtype.kind in "US":
        names = np.char.strip(arrays["compound"].astype(str))
        changed["compound"] = np.unique(names, return_inverse=True)[1].reshape(names.shape)
        guesses.append(Guess("compound as text, one number a name"))
    return changed


def _in_own_bytes(array: np.ndarray) -> np.ndarray:
    """Numbers in the order of bytes that this machine has."""
    return array.astype(array.dtype.newbyteorder("="), copy=False) if array.dtype.kind in "fiu" else array


def _ordered(arrays: Arrays, guesses: list[Guess]) -> Arrays:
    """The arrays with the organs in the order of `ORGANS`."""
    there = [text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text)
             for text in arrays["organ"].ravel().tolist()]  # fmt: skip
    if tuple(there) == ORGANS:
        return arrays
    by_plain = {plain(name): name for name in ORGANS}
    meant = [by_plain.get(plain(name), "") for name in there]
    if unknown := [name for name, own in zip(there, meant, strict=True) if not own]:
        raise FulmenError(
            f"organ: nothing is called {unknown[0]!r} here{did_you_mean(unknown[0], ORGANS)}; organ must be "
            f"{', '.join(ORGANS)}"
        )
    if sorted(meant) != sorted(ORGANS):
        twice = [name for name in ORGANS if meant.count(name) > 1]
        absent = [name for name in ORGANS if name not in meant]
        problem = f"{listed(twice)} twice" if twice else f"no {listed(absent)}"
        raise FulmenError(f"organ has {problem}; organ must be {', '.join(ORGANS)}")
    place = np.array([meant.index(name) for name in ORGANS])
    guesses.append(
        Guess("organs brought into the order used here" if meant != list(ORGANS) else "organs by other letters")
    )
    turned = {name: arrays[name][:, place] for name in (*WIDE, "concentration_mg_per_l")
              if name in arrays and arrays[name].ndim > 1 and arrays[name].shape[1] == len(ORGANS)}  # fmt: skip
    return arrays | turned | {"organ": np.array(ORGANS)}


def _check_shapes(arrays: Arrays) -> None:
    subjects = arrays["weight_kg"].size
    if subjects == 0:
        raise FulmenError("it holds no subject")
    shapes: dict[str, tuple[int, ...]] = {
        name: (subjects, len(ORGANS)) if name in WIDE else (subjects,) for name in NAMES
    }
    shapes |= dict.fromkeys(SCALARS, ())
    if "time_h" in arrays:
        number = arrays["time_h"].size
        shapes |= {"time_h": (number,), "concentration_mg_per_l": (subjects, len(ORGANS), number)}
    for name, shape in shapes.items():
        if name in arrays and arrays[name].shape != shape:
            found = arrays[name].shape
            raise FulmenError(f"{name} has shape {found}, expected {shape}{_reshaped(name, found, shape)}")


def _reshaped(name: str, found: tuple[int, ...], shape: tuple[int, ...]) -> str:
    """The call that brings an array to its shape, where axes were exchanged or one of length 1 is too many."""
    if len(found) == len(shape) > 1 and sorted(found) == sorted(shape) and len(set(shape)) == len(shape):
        return f"; save {name}.transpose({', '.join(str(found.index(size)) for size in shape)})"
    if tuple(size for size in found if size != 1) == tuple(size for size in shape if size != 1):
        return f"; save {name}.reshape({', '.join(map(str, shape)) if shape else '()'})"
    return ""
