"""Bodies by age, sex and weight: organ masses, densities and blood flows after ICRP Publication 89 (`icrp89.csv`).

Between the ages of the table (1, 5, 10, 15 years and adults, who are 20 or older) values are interpolated linearly;
from 20 to 80 years a body is that of the table's adult, which is one of 20 to 50 years.

A weight W apart from the reference W_ref of that age and sex is a matter of fat:

    adipose = adipose_ref + W - W_ref, but 5 % to 60 % of W;

what lies beyond these bounds is shared by all other organs but the brain, in proportion to their masses.

Each organ takes the adult's flow per gram times its mass, the brain of a child its measured perfusion; the cardiac
output of the table changes with the weight as the sum of these flows does. So that all flows sum to the cardiac output,
all but those of brain and kidneys are scaled by one factor; for adults of the reference weight it is 1.
"""

import csv
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PERFUSED
from fulmen.workloads.pbpk.simulator.population import SEXES

AGE_Y, WEIGHT_KG = (1.0, 80.0), (10.0, 150.0)
WEIGHT_OF_REFERENCE = (0.5, 2.5)  # times the reference weight of the age and sex, within WEIGHT_KG
FAT_OF_WEIGHT = (0.05, 0.6)
TABLE = Path(__file__).with_name("icrp89.csv")

_AGES_Y = (1.0, 5.0, 10.0, 15.0, 20.0)
_COLUMNS = {sex: ("1 y", "5 y", "10 y", f"15 y {sex}", f"adult {sex}") for sex in SEXES}
_GUT = ("stomach", "small intestine", "large intestine")
_PARTS = {"gut": _GUT, "other": ("other", "bronchi")}  # rows of the table that one organ here consists of
_PERFUSED = [INDEX[organ] for organ in PERFUSED]
_KEPT = [INDEX["brain"], INDEX["kidney"]]  # flows that are not scaled
_SCALED = [row for row in _PERFUSED if row not in _KEPT]


def reference_weight_kg(age_y: Tensor, sex: Tensor) -> Tensor:
    """Of ages [S] in years and sexes [S], indices into `SEXES`. Shape [S]."""
    return _at(_facts()["body"], age_y, sex)


def weight_limits_kg(age_y: Tensor, sex: Tensor) -> tuple[Tensor, Tensor]:
    """The lowest and the highest weight that a body of this age and sex may have here, [S] each."""
    reference = reference_weight_kg(age_y, sex)
    low, high = (part * reference for part in WEIGHT_OF_REFERENCE)
    return low.clamp(min=WEIGHT_KG[0]), high.clamp(max=WEIGHT_KG[1])


def check_body(age_y: Tensor, sex: Tensor, weight_kg: Tensor, where: str | None = None) -> None:
    """Pass if the tables reach that far.

    Args:
        where: the weight was set, if all have one.

    Raises:
        FulmenError: it names the first subject that lies outside, and what it may have.
    """
    for n, age in enumerate(age_y.tolist()):
        if not AGE_Y[0] <= age <= AGE_Y[1]:
            raise FulmenError(f"age_y, subject {n}: {age:g}; the tables hold {AGE_Y[0]:g} to {AGE_Y[1]:g} years")
    low, high = weight_limits_kg(age_y, sex)
    bad = ~((weight_kg >= low * (1 - 1e-12)) & (weight_kg <= high * (1 + 1e-12)))
    if bad.any():
        n = int(bad.int().argmax())
        raise FulmenError(
            f"{where or f'weight_kg, subject {n}'}: {weight_kg[n]:g}; a {SEXES[int(sex[n])]} body of {age_y[n]:g} "
            f"years has {low[n]:g} to {high[n]:g} kg here{_age_of(float(weight_kg[n]))}"
        )


def organ_masses_kg(age_y: Tensor, sex: Tensor, weight_kg: Tensor) -> Tensor:
    """Masses in the order of `ORGANS`, which add up to the weight. Shape [S, 14].

    Args:
        age_y: [S], 1 to 80 years.
        sex: [S], long, indices into `SEXES`.
        weight_kg: [S], within `weight_limits_kg`.

    Raises:
        FulmenError: the tables do not reach that far.
    """
    check_body(age_y, sex, weight_kg)
    mass = _reference_masses_kg(age_y, sex)
    reference, fat, brain = reference_weight_kg(age_y, sex), mass[:, INDEX["adipose"]], mass[:, INDEX["brain"]]
    lowest, highest = (share * weight_kg for share in FAT_OF_WEIGHT)
    fat_now = (fat + (weight_kg - reference)).maximum(lowest).minimum(highest)
    lean = (weight_kg - fat_now - brain) / (reference - fat - brain)  # 1 unless fat met its bounds
    scaled = mass * lean[:, None]
    scaled[:, INDEX["adipose"]], scaled[:, INDEX["brain"]] = fat_now, brain
    return scaled


def blood_flows_l_per_h(age_y: Tensor, sex: Tensor, mass_kg: Tensor) -> Tensor:
    """Flows in the order of `ORGANS` for organs of these masses [S, 14]; blood and lung carry the cardiac output.

    The liver's flow is the hepatic artery alone. Shape [S, 14].
    """
    facts = _facts()

    def wanted(mass: Tensor) -> Tensor:
        flow = facts["flow per kg"][sex] * mass
        flow[:, INDEX["brain"]] = _at(facts["brain perfusion"], age_y, sex) * mass[:, INDEX["brain"]]
        return flow

    flow = wanted(mass_kg)
    growth = flow[:, _PERFUSED].sum(1) / wanted(_reference_masses_kg(age_y, sex))[:, _PERFUSED].sum(1)
    output = _at(facts["cardiac output"], age_y, sex) * growth
    left = output - flow[:, _KEPT].sum(1)
    flow[:, _SCALED] = flow[:, _SCALED] * (left / flow[:, _SCALED].sum(1))[:, None]
    flow[:, [INDEX["blood"], INDEX["lung"]]] = output[:, None]
    return flow


def densities_kg_per_l() -> Tensor:
    """Of the organs in the order of `ORGANS`. Shape [14]."""
    return _facts()["density"]


def _reference_masses_kg(age_y: Tensor, sex: Tensor) -> Tensor:
    return _at(_facts()["mass"], age_y, sex)


def _at(values: Tensor, age_y: Tensor, sex: Tensor) -> Tensor:
    """Values [2, 5, ...] of each sex at the ages of the table, interpolated: [S, ...]."""
    ages = torch.tensor(_AGES_Y, dtype=torch.float64)
    before = (torch.searchsorted(ages, age_y.contiguous(), right=True) - 1).clamp(0, len(ages) - 2)
    part = ((age_y - ages[before]) / (ages[before + 1] - ages[before])).clamp(max=1.0)
    part = part.view(-1, *[1] * (values.ndim - 2))
    return torch.lerp(values[sex, before], values[sex, before + 1], part)


def _age_of(weight_kg: float) -> str:
    """The advice to set an age at which the weight is that of the table's man, or the nearest there is."""
    if not WEIGHT_KG[0] <= weight_kg <= WEIGHT_KG[1]:
        return ""
    age_y = float(np.interp(weight_kg, _facts()["body"][0], _AGES_Y))
    return f"; set body.age_y too, such as body.age_y={age_y:.3g}"


@cache
def _facts() -> dict[str, Tensor]:
    """The table in kg, L and h: [2, 5] and [2, 5, 14] by sex and age, `flow per kg` [2, 14], `density` [14]."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = {row["quantity"]: row for row in csv.DictReader(line for line in file if line[0] != "#")}
    density = {
        organ: float(rows.get(f"density {organ}", rows["density other organs"])["adult male"]) for organ in ORGANS
    }
    body = _by_age(rows["body"]) / 1000
    masses = {organ: _mass_kg(rows, organ) for organ in ORGANS if organ not in ("blood", "other")}
    masses["blood"] = _by_age(rows["blood"]) / 1000 * density["blood"]
    masses["other"] = body - torch.stack(list(masses.values())).sum(0)
    mass = torch.stack([masses[organ] for organ in ORGANS], -1)  # [2, 5, 14]
    output = _by_age(rows["cardiac output"]) * 60  # L/h
    share = torch.tensor([[_flow_share(rows, organ, sex) for organ in ORGANS] for sex in SEXES], dtype=torch.float64)
    flow_per_kg = share * output[:, -1:] / mass[:, -1]
    perfusion = _by_age(rows["brain perfusion"]) * 0.6  # L/h per kg
    perfusion[:, -1] = flow_per_kg[:, INDEX["brain"]]
    return {
        "body": body,
        "mass": mass,
        "cardiac output": output,
        "brain perfusion": perfusion,
        "flow per kg": flow_per_kg,
        "density": torch.tensor(list(density.values()), dtype=torch.float64),
    }


def _by_age(row: Mapping[str, str]) -> Tensor:
    values = [[float(row[column] or "nan") for column in _COLUMNS[sex]] for sex in SEXES]
    return torch.tensor(values, dtype=torch.float64)  # [2, 5]


def _mass_kg(rows: Mapping[str, Mapping[str, str]], organ: str) -> Tensor:
    return torch.stack([_by_age(rows[part]) for part in _PARTS.get(organ, (organ,))]).sum(0) / 1000


def _flow_share(rows: Mapping[str, Mapping[str, str]], organ: str, sex: str) -> float:
    """Of the adult's cardiac output; 0 for blood and lung, which carry all of it."""
    if organ not in PERFUSED:
        return 0.0
    return sum(float(rows[f"flow {part}"][f"adult {sex}"]) for part in _PARTS.get(organ, (organ,))) / 100
