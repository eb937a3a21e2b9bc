"""What in the arrays of subjects and their curves cannot be, or contradicts itself: marks, units, amounts, times."""

from collections.abc import Sequence
from typing import Literal

import numpy as np

from fulmen.data.cache import Arrays
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.agreement import case_of, unlike
from fulmen.workloads.pbpk.likely_units import AS_NAMED, Fix, of_amounts, of_bodies, refusal
from fulmen.workloads.pbpk.npz import MASS_TOLERANCE, NAMES, SOLVED, population_from
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    ROUTES,
    Population,
    validate,
)

Units = Literal["checked", "as_named"]
MARKS = (-9999.0, -999.0, -99.0)
OLDEST_Y = 150.0
CLOSE_BOLUS = 0.05


def check_times(time_h: np.ndarray) -> None:
    """Pass if times [T] are hours that increase from 0 or later.

    Raises:
        FulmenError: the first that does not.
    """
    if len(time_h) < 2:
        raise FulmenError(f"time_h holds {len(time_h)} time; it needs two at least")
    if not np.isfinite(time_h).all():
        raise FulmenError(f"time_h[{int(np.argmin(np.isfinite(time_h)))}] is no finite number of hours")
    rule = "time_h must be finite, start at 0 or later and increase"
    if time_h[0] < 0 and (np.diff(time_h) > 0).all():
        raise FulmenError(f"{rule}; time_h[0] is {time_h[0]:.6g}: 0 is the first dose")
    back = np.flatnonzero(np.diff(time_h) <= 0)
    if len(back) or time_h[0] < 0:
        k = int(back[0]) + 1
        raise FulmenError(f"{rule}; time_h[{k}] is {time_h[k]:.6g} after {time_h[k - 1]:.6g}")


def refuse_marks(arrays: Arrays) -> None:
    """Pass if no number is one that marks a missing value, and ages are years."""
    for name in (*NAMES, *SOLVED):
        if name not in arrays or name == "lipophilicity":
            continue
        value = np.asarray(arrays[name], dtype=float)
        if (marked := np.isin(value, MARKS)).any():
            place = np.argwhere(np.atleast_1d(marked))[0].tolist()
            where = f"{name}{place}" if name in SOLVED else f"{name}, subject {place[0]}"
            raise FulmenError(
                f"{where}: {np.atleast_1d(value)[tuple(place)]:g} marks a missing value; every value is needed"
            )
    if "age_y" in arrays and (old := np.asarray(arrays["age_y"]) > OLDEST_Y).any():
        row = int(old.argmax())
        months = "; in months? Then save age_y / 12" if np.max(arrays["age_y"]) / 12 <= 100 else ""
        raise FulmenError(
            f"age_y, subject {row}: {arrays['age_y'][row]:g}; nobody is older than {OLDEST_Y:g} years{months}"
        )


def refuse_no_number(concentration: np.ndarray) -> None:
    bad = ~np.isfinite(concentration) | (concentration < 0)
    if bad.any():
        where = tuple(np.argwhere(bad)[0].tolist())
        raise FulmenError(f"concentration_mg_per_l{list(where)} is {concentration[where]}; it must be finite and >= 0")


def refuse_other_units(arrays: Arrays) -> None:
    """Pass unless numbers are in other units than their names say.

    Raises:
        FulmenError: all that seem to be, with what to save in their place.
    """
    plain_values = {name: arrays[name] for name in NAMES if name in arrays}
    if not all(np.isfinite(value).all() for value in plain_values.values()):
        return  # `validate` names the value
    if min(np.min(arrays[name]) for name in ("weight_kg", "volume_l", "cardiac_output_l_per_h", "dose_mg")) <= 0:
        return
    fixes, fixed, why = of_bodies(plain_values)
    if "concentration_mg_per_l" in arrays:
        absorbed = np.where(np.asarray(arrays["route"]) == ROUTES.index("oral"), fixed["bioavailability"], 1.0)
        found, reason = of_amounts(fixed, arrays["concentration_mg_per_l"], int(arrays["n_doses"]), absorbed)
        fixes, why = [*fixes, *found], why or reason
    if fixes and "concentration_mg_per_l" in arrays and "dose_mg" not in {fix.name for fix in fixes}:
        fixes += _further(arrays, fixed, [fix.name for fix in fixes])
    if fixes:
        raise FulmenError(refusal(fixes, why))


def _further(arrays: Arrays, fixed: Arrays, known_already: Sequence[str]) -> list[Fix]:
    """Further fixes, with which the curves follow from bodies whose units are mended."""
    if "concentration_mg_per_l" in known_already:
        return []
    mended = arrays | {name: fixed[name] for name in known_already if name in fixed}
    try:
        people = validate(population_from(mended))
    except FulmenError:
        return []
    return unlike(case_of(people, arrays["time_h"], str(arrays["kinetics"]), arrays["concentration_mg_per_l"]))[0]


def refuse_too_much(arrays: Arrays, population: Population) -> None:
    held_mg = np.einsum("sot,so->st", arrays["concentration_mg_per_l"], arrays["volume_l"]).max(1)  # [S]
    over = held_mg > (1 + MASS_TOLERANCE) * population.n_doses * arrays["dose_mg"]
    if over.any():
        subject = int(np.argmax(over))
        given = population.n_doses * float(arrays["dose_mg"][subject])
        turned = ""
        if arrays["concentration_mg_per_l"].shape[1:] == (len(ORGANS), len(ORGANS)):
            turned = "; are its axes subject, time, organ? Then save concentration_mg_per_l.transpose(0, 2, 1)"
        raise FulmenError(
            f"subject {subject} holds up to {held_mg[subject]:.4g} mg but was given {given:.4g} mg: are concentrations "
            f"in mg/L (not in umol/L) and doses in mg?{turned}"
        )


def refuse_odd_bolus(arrays: Arrays, population: Population) -> None:
    """Pass unless at time 0 one bolus is not in the organs where most others are."""
    if arrays["time_h"][0] != 0:
        return
    held_mg = (arrays["concentration_mg_per_l"][..., 0] * arrays["volume_l"]).sum(1)
    share = held_mg / arrays["dose_mg"]
    bolus = (population.route == BOLUS).numpy() & (held_mg > 0)
    whole = np.abs(share - 1) < CLOSE_BOLUS
    odd = bolus & ~whole
    if odd.any() and (bolus & whole).sum() > odd.sum():
        subject = int(np.argmax(odd))
        raise FulmenError(
            f"subject {subject} holds {share[subject]:.3g} of its bolus of {arrays['dose_mg'][subject]:.4g} mg at time "
            f"0, and {int((bolus & whole).sum())} others hold all of theirs: its dose or its curve is in another unit; "
            f"{int(odd.sum())} such subjects; if all is as its name says: {AS_NAMED}"
        )


def disagree(arrays: Arrays, population: Population, units: Units) -> list[str]:
    """A doubt where curves do not follow from their subjects.

    Raises:
        FulmenError: they would with other units.
    """
    if units != "checked":
        return []
    case = case_of(population, arrays["time_h"], str(arrays["kinetics"]), arrays["concentration_mg_per_l"])
    fixes, sentence = unlike(case)
    if fixes:
        raise FulmenError(refusal(fixes, "so its curves follow from its subjects"))
    return [sentence] if sentence else []


def drugs_twice(population: Population) -> list[str]:
    """A doubt where one drug has two numbers: its subjects may be in two splits."""
    drug = np.concatenate([population.kp[:, 1:].numpy(), population.fraction_unbound[:, None].numpy()], 1)
    pairs = np.unique(np.column_stack([drug, population.compound.double().numpy()]), axis=0)
    alike = len(pairs) - len(np.unique(drug, axis=0))
    if not alike:
        return []
    return [
        f"{alike} numbers in compound have the partition coefficients and the unbound fraction of another one: "
        f"subjects of one drug may be in training and test"
    ]
