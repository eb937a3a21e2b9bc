"""The drugs of a population, around a broad prior."""

import math
from collections.abc import Mapping
from functools import cache
from typing import Any

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.body import densities_kg_per_l, organ_masses_kg
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, known, positive
from fulmen.workloads.pbpk.simulator.population import SEXES
from fulmen.workloads.pbpk.simulator.streams import Streams

# ln Kp = intercept + slope * lipophilicity + 0.25 * noise
_LN_KP = {
    "adipose": (0.3, 1.2),
    "brain": (-0.5, 0.9),
    "liver": (0.5, 0.5),
    "muscle": (-0.1, 0.35),
    "kidney": (0.4, 0.4),
    "heart": (0.2, 0.4),
    "lung": (0.2, 0.4),
    "gut": (0.2, 0.45),
    "skin": (0.1, 0.5),
    "bone": (-0.1, 0.5),
    "spleen": (0.2, 0.4),
    "pancreas": (0.3, 0.5),
    "other": (0.0, 0.4),
}
_LN_KP_NOISE = 0.25

_LOG_NORMAL = {  # median, standard deviation of the logarithm
    "clint_l_per_h": (60.0, 1.2),
    "renal_clint_l_per_h": (7.0, 0.8),
    "km_mg_per_l": (0.5, 1.0),
    "blood_plasma_ratio": (1.0, 0.2),
    "absorption_rate_per_h": (1.0, 0.5),
}
DRUG = (*_LOG_NORMAL, "lipophilicity", "fraction_unbound", "bioavailability", "kp")


def checked_drug(drug: Mapping[str, Any]) -> dict[str, Any]:
    """What the argument `drug` fixes; `kp` as a dict of organs.

    Raises:
        FulmenError: an unknown name, or a value that cannot be.
    """
    for name in drug:
        known(name, DRUG, "drug property", "drug")
    fixed: dict[str, Any] = {name: _checked(name, value) for name, value in drug.items() if name != "kp"}
    fixed_kp = drug.get("kp", {})
    if not isinstance(fixed_kp, Mapping):
        raise FulmenError(f"drug.kp is {fixed_kp!r}; give one value per organ: {{liver: 3.0}}")
    if "blood" in fixed_kp:
        raise FulmenError("drug.kp.blood cannot be set; set drug.blood_plasma_ratio")
    for organ, value in fixed_kp.items():
        known(organ, ORGANS, "organ", "drug.kp")
        positive(value, f"drug.kp.{organ}")
    return fixed | {"kp": dict(fixed_kp)}


def prior_drugs(streams: Streams, compounds: int, fixed: Mapping[str, Any]) -> dict[str, Tensor]:
    """Properties around a broad prior, in which all follow from lipophilicity and noise: [C] or [C, 14]."""
    z = streams.normal("lipophilicity", compounds)
    z = torch.full_like(z, fixed["lipophilicity"]) if "lipophilicity" in fixed else z
    values = {name: streams.log_normal(name, *prior, compounds) for name, prior in _LOG_NORMAL.items()}
    values["blood_plasma_ratio"] = values["blood_plasma_ratio"].clamp(0.55, 2.0)
    unbound_logit = 1.2 * streams.normal("fraction_unbound", compounds) - 0.8 * z
    values["fraction_unbound"] = unbound_logit.sigmoid().clamp(min=0.005)
    values["bioavailability"] = 0.3 + 0.7 * streams.uniform("bioavailability", compounds)
    noise = streams.normal("kp", compounds, len(ORGANS))
    kp = torch.ones_like(noise)
    for organ, (intercept, slope) in _LN_KP.items():
        kp[:, INDEX[organ]] = (intercept + slope * z + _LN_KP_NOISE * noise[:, INDEX[organ]]).exp()
    return values | {"lipophilicity": z, "kp": kp}


def with_fixed(values: dict[str, Tensor], fixed: Mapping[str, Any]) -> dict[str, Tensor]:
    """The properties with the fixed ones in the place of what was drawn; the blood's Kp is its ratio."""
    values |= {name: torch.full_like(values[name], value) for name, value in fixed.items() if name != "kp"}
    kp = values["kp"]
    kp[:, INDEX["blood"]] = values["blood_plasma_ratio"]
    for organ, value in fixed["kp"].items():
        kp[:, INDEX[organ]] = value
    return values


def of_body(values: dict[str, Tensor], fixed: Mapping[str, Any], body: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Intrinsic clearances [S], drawn for a man of 73 kg, in proportion to the mass of the subject's own organ."""
    for name, organ in (("clint_l_per_h", "liver"), ("renal_clint_l_per_h", "kidney")):
        if name not in fixed:
            values[name] = values[name] * body["volume_l"][:, INDEX[organ]] / _man_l()[INDEX[organ]]
    return values


@cache
def _man_l() -> Tensor:
    """Organ volumes [14] of the reference man of 73 kg."""
    age, sex, weight = torch.tensor([35.0]).double(), torch.tensor([SEXES.index("male")]), torch.tensor([73.0]).double()
    return organ_masses_kg(age, sex, weight)[0] / densities_kg_per_l()


def _checked(name: str, value: float) -> float:
    if name == "lipophilicity":
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise FulmenError(f"drug.lipophilicity is {value!r}; it must be a finite number")
        return float(value)
    value = positive(value, f"drug.{name}")
    if name in ("fraction_unbound", "bioavailability") and value > 1:
        raise FulmenError(f"drug.{name} is {value!r}; it must be in (0, 1]")
    return value
