"""The drugs of a population: around a broad prior, or as measured compounds are."""

import csv
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.body import blood_flows_l_per_h, densities_kg_per_l, organ_masses_kg
from fulmen.workloads.pbpk.simulator.partition import KINDS, rodgers_rowland
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PORTAL, known, positive
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
DRUG = (*_LOG_NORMAL, "lipophilicity", "fraction_unbound", "bioavailability", "gut_extraction", "kp")
COMPOUNDS = Path(__file__).with_name("compounds.csv")
WITHIN_FOLD = 10.0  # of the measured volume of distribution has to lie what the partition model says of a compound
LOWEST_UNBOUND = 1e-4
HIGHEST_EXTRACTION = 0.95
TYPICAL_BLOOD_PLASMA_RATIO = 0.94


@dataclass(frozen=True)
class Noise:
    """How far drawn drugs lie from measured compounds; standard deviations of logarithms (`log_p`: of log10)."""

    log_p: float = 0.3
    fraction_unbound: float = 0.2
    kp: float = 0.35  # of all organs together
    organ: float = 0.25
    clearance: float = 0.5
    km: float = 2.3
    absorption: float = 0.5
    blood_plasma_ratio: tuple[float, float] = (0.55, 1.6)
    bioavailability: tuple[float, float] = (0.3, 1.0)
    gut_extraction: tuple[float, float] = (0.0, 0.0)


WIDE = Noise(
    log_p=0.6, fraction_unbound=0.7, kp=0.7, organ=0.5, clearance=1.0, km=3.0, absorption=1.0,
    blood_plasma_ratio=(0.55, 2.5), bioavailability=(0.05, 1.0), gut_extraction=(0.0, 0.5),
)  # fmt: skip


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
    values["gut_extraction"] = torch.zeros_like(z)
    noise = streams.normal("kp", compounds, len(ORGANS))
    kp = torch.ones_like(noise)
    for organ, (intercept, slope) in _LN_KP.items():
        kp[:, INDEX[organ]] = (intercept + slope * z + _LN_KP_NOISE * noise[:, INDEX[organ]]).exp()
    return values | {"lipophilicity": z, "kp": kp}


def measured_drugs(streams: Streams, compounds: int, noise: Noise) -> dict[str, Tensor]:
    """Properties as measured compounds have them together, each drawn one of `compounds.csv` with noise: [C], [C, 14].

    Kp are those of Rodgers and Rowland, times the compound's measured volume of distribution over the predicted one.
    The clearance is split between liver and kidney, and turned into intrinsic clearances by the well-stirred model of
    a man of 73 kg, who clears at most 95 % of the flow.
    """
    table = _measured()
    row = streams.choice("compound", len(table["log_p"]), compounds)
    near = {name: value[row] for name, value in table.items()}
    log_p = near["log_p"] + noise.log_p * streams.normal("lipophilicity", compounds)
    unbound = near["fraction_unbound"] * streams.log_normal("fraction_unbound", 1.0, noise.fraction_unbound, compounds)
    unbound = unbound.clamp(LOWEST_UNBOUND, 1.0)
    to_plasma = streams.log_uniform("blood_plasma_ratio", *noise.blood_plasma_ratio, compounds)
    kp = rodgers_rowland(log_p, near["pka"], near["kind"], unbound, to_plasma)
    kp *= (near["volume_ratio"] * streams.log_normal("kp of all organs", 1.0, noise.kp, compounds))[:, None]
    kp *= (noise.organ * streams.normal("kp", compounds, len(ORGANS))).exp()

    cl_l_per_h = near["cl_l_per_h"] * streams.log_normal("clearance", 1.0, noise.clearance, compounds)
    renal = streams.beta("renal_clint_l_per_h", 0.4, 0.8, compounds)  # share
    man = _man()
    return {
        "clint_l_per_h": _intrinsic((1 - renal) * cl_l_per_h, man["liver_flow"], unbound, to_plasma),
        "renal_clint_l_per_h": _intrinsic(renal * cl_l_per_h, man["kidney_flow"], unbound, to_plasma),
        "km_mg_per_l": streams.log_normal("km_mg_per_l", 5.0, noise.km, compounds),
        "blood_plasma_ratio": to_plasma,
        "absorption_rate_per_h": streams.log_normal("absorption_rate_per_h", 1.0, noise.absorption, compounds),
        "lipophilicity": (log_p - table["log_p"].mean()) / table["log_p"].std(),
        "fraction_unbound": unbound,
        "bioavailability": _uniform(streams, "bioavailability", noise.bioavailability, compounds),
        "gut_extraction": _uniform(streams, "gut_extraction", noise.gut_extraction, compounds),
        "kp": kp,
    }


def _uniform(streams: Streams, name: str, ends: tuple[float, float], compounds: int) -> Tensor:
    return ends[0] + (ends[1] - ends[0]) * streams.uniform(name, compounds)


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
            values[name] = values[name] * body["volume_l"][:, INDEX[organ]] / _man()["volume_l"][INDEX[organ]]
    return values


def _intrinsic(clearance: Tensor, flow: Tensor, unbound: Tensor, to_plasma: Tensor) -> Tensor:
    """CLint = Q CL / (Q - CL) BP / fu of the plasma clearance [C], which counts in blood; at least 1e-6 L/h."""
    in_blood = (clearance / to_plasma).clamp(max=HIGHEST_EXTRACTION * float(flow))
    return (flow * in_blood / (flow - in_blood) * to_plasma / unbound).clamp(min=1e-6)


@cache
def _man() -> dict[str, Tensor]:
    """Volumes [14] and flows of the reference man."""
    age, sex, weight = (
        torch.full((1,), 35.0).double(),
        torch.tensor([SEXES.index("male")]),
        torch.full((1,), 73.0).double(),
    )
    mass = organ_masses_kg(age, sex, weight)
    flow = blood_flows_l_per_h(age, sex, mass)[0]
    liver = flow[[INDEX[organ] for organ in ("liver", *PORTAL)]].sum()
    volume = mass[0] / densities_kg_per_l()
    return {"weight_kg": weight[0], "volume_l": volume, "liver_flow": liver, "kidney_flow": flow[INDEX["kidney"]]}


@cache
def _measured() -> dict[str, Tensor]:
    """The compounds that the partition model is good for, by name [n]: see `WITHIN_FOLD`."""
    with COMPOUNDS.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(line for line in file if line[0] != "#"))

    def column(name: str) -> Tensor:
        return torch.tensor([float(row[name] or "nan") for row in rows], dtype=torch.float64)

    kind = torch.tensor([KINDS.index(row["kind"]) for row in rows])
    log_p, pka, unbound = column("log_p"), column("pka"), column("fraction_unbound")
    kp = rodgers_rowland(log_p, pka, kind, unbound, torch.full_like(log_p, TYPICAL_BLOOD_PLASMA_RATIO))
    man = _man()
    ratio = column("vss_l_per_kg") * man["weight_kg"] / (kp @ man["volume_l"])
    table = {"kind": kind, "log_p": log_p, "pka": pka, "fraction_unbound": unbound, "volume_ratio": ratio}
    table["cl_l_per_h"] = column("cl_ml_per_min_per_kg") * man["weight_kg"] * 0.06
    good = ratio.log().abs() <= math.log(WITHIN_FOLD)
    return {name: value[good] for name, value in table.items()}


def _checked(name: str, value: float) -> float:
    if name == "lipophilicity":
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise FulmenError(f"drug.lipophilicity is {value!r}; it must be a finite number")
        return float(value)
    if name == "gut_extraction":
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1:
            raise FulmenError(f"drug.gut_extraction is {value!r}; it must be in [0, 1)")
        return float(value)
    value = positive(value, f"drug.{name}")
    if name in ("fraction_unbound", "bioavailability") and value > 1:
        raise FulmenError(f"drug.{name} is {value!r}; it must be in (0, 1]")
    return value
