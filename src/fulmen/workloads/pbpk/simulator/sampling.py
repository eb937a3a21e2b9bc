"""Random populations: bodies around the reference man, drugs around a broad prior, doses and routes."""

import math
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.utils.seeding import derived_seed
from fulmen.workloads.pbpk.simulator.physiology import (
    CARDIAC_OUTPUT_L_PER_H,
    INDEX,
    ORGANS,
    PERFUSED,
    fractions,
    known,
    positive,
)
from fulmen.workloads.pbpk.simulator.population import INFUSION, ROUTES, Population, validate

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
_DRUG = (*_LOG_NORMAL, "lipophilicity", "fraction_unbound", "bioavailability", "kp")
_BODY = ("weight_kg", "cardiac_output_l_per_h")
_BODY_CV, _WEIGHT_CV = 0.15, 0.2

Range = float | Sequence[float]


class _Streams:
    """One generator for each quantity, so that a quantity's draws depend on nothing but the seed and its name.

    Draws are uniform and sequential: the first rows of a longer draw are those of a shorter one, which
    `torch.randn` does not promise.
    """

    def __init__(self, seed: int):
        self.seed = seed

    def uniform(self, name: str, *shape: int) -> Tensor:
        generator = torch.Generator().manual_seed(derived_seed(self.seed, name))
        return torch.rand(shape, dtype=torch.float64, generator=generator) + 2**-54  # in (0, 1]

    def normal(self, name: str, *shape: int) -> Tensor:
        return torch.special.ndtri(self.uniform(name, *shape).clamp(max=1 - 2**-53))

    def log_normal(self, name: str, median: float, sigma: float, *shape: int) -> Tensor:
        return median * (sigma * self.normal(name, *shape)).exp()

    def log_uniform(self, name: str, low: float, high: float, *shape: int) -> Tensor:
        return low * (math.log(high / low) * self.uniform(name, *shape)).exp()


def sample_population(
    compounds: int,
    subjects_per_compound: int = 1,
    *,
    seed: int,
    dose_mg: Range = (10.0, 1000.0),
    routes: Sequence[str] = ROUTES,
    infusion_h: Range = (0.5, 4.0),
    drug: Mapping[str, float | Mapping[str, float]] | None = None,
    body: Mapping[str, float] | None = None,
    organs: Mapping[str, Mapping[str, float]] | None = None,
    n_doses: int = 1,
    interval_h: float = 24.0,
) -> Population:
    """Draw `compounds * subjects_per_compound` subjects, compound by compound.

    Drug properties belong to the compound; body, dose and route to the subject. `dose_mg` and `infusion_h` are one
    number or a range drawn log-uniformly. `drug`, `body` and `organs` fix values by their field names, as in
    `drug={"fraction_unbound": 0.2, "kp": {"liver": 3.0}}`. The same seed with more compounds gives the same first
    subjects (to the last bit but one), and fixing one quantity leaves the draws of the others as they are.
    """
    for name, count in (("compounds", compounds), ("subjects_per_compound", subjects_per_compound)):
        _positive_integer(count, name)
    streams = _Streams(seed)
    subject_shape = (compounds, subjects_per_compound)
    routes = (routes,) if isinstance(routes, str) else routes
    chosen = [ROUTES.index(known(name, ROUTES, "route", "routes")) for name in routes]
    if not chosen:
        raise FulmenError(f"routes is empty; choose from {', '.join(ROUTES)}")
    pick = (streams.uniform("route", *subject_shape) * len(chosen)).long().clamp(max=len(chosen) - 1)
    route = torch.tensor(chosen)[pick].flatten()  # [S]
    duration_h = streams.log_uniform("infusion_h", *_range(infusion_h, "infusion_h"), *subject_shape).flatten()
    compound = torch.arange(compounds).repeat_interleave(subjects_per_compound)  # [S]
    return validate(
        Population(
            **_bodies(streams, subject_shape, body or {}, organs),
            **{name: value[compound] for name, value in _drugs(streams, compounds, drug or {}).items()},
            route=route,
            dose_mg=streams.log_uniform("dose_mg", *_range(dose_mg, "dose_mg"), *subject_shape).flatten(),
            infusion_h=torch.where(route == INFUSION, duration_h, 0.0),
            compound=compound,
            n_doses=_positive_integer(n_doses, "n_doses"),
            interval_h=positive(interval_h, "interval_h"),
        )
    )


def _bodies(streams: _Streams, shape: tuple[int, int], body: Mapping, organs: Mapping | None) -> dict[str, Tensor]:
    """Weight, cardiac output, volumes and flows of each subject, [S] or [S, 14]."""
    fixed = {known(name, _BODY, "body value", "body"): positive(value, f"body.{name}") for name, value in body.items()}
    reference = fractions(organs)
    weight = streams.log_normal("weight_kg", 70.0, _sigma(_WEIGHT_CV), *shape).flatten().clamp(40.0, 130.0)
    weight = torch.full_like(weight, fixed["weight_kg"]) if "weight_kg" in fixed else weight
    spread = streams.log_normal("cardiac_output_l_per_h", 1.0, _sigma(_BODY_CV), *shape).flatten()
    output = CARDIAC_OUTPUT_L_PER_H * weight**0.75 * spread
    if "cardiac_output_l_per_h" in fixed:
        output = torch.full_like(weight, fixed["cardiac_output_l_per_h"])

    volume = reference.volume * streams.log_normal("volume", 1.0, _sigma(_BODY_CV), *shape, len(ORGANS)).flatten(0, 1)
    flow = reference.flow * streams.log_normal("flow", 1.0, _sigma(_BODY_CV), *shape, len(ORGANS)).flatten(0, 1)
    perfused = [INDEX[organ] for organ in PERFUSED]
    flow = flow / flow[:, perfused].sum(1, keepdim=True)
    flow[:, [INDEX["blood"], INDEX["lung"]]] = 1.0
    return {
        "weight_kg": weight,
        "cardiac_output_l_per_h": output,
        "volume_l": weight[:, None] * volume / volume.sum(1, keepdim=True),  # [S, 14]
        "flow_l_per_h": output[:, None] * flow,  # [S, 14]
    }


def _drugs(streams: _Streams, compounds: int, drug: Mapping) -> dict[str, Tensor]:
    """The properties of each compound, [C] or [C, 14]."""
    for name in drug:
        known(name, _DRUG, "drug property", "drug")
    fixed = {name: _checked(name, value) for name, value in drug.items() if name != "kp"}
    z = _fix(streams.normal("lipophilicity", compounds), fixed.get("lipophilicity"))
    values = {name: streams.log_normal(name, *prior, compounds) for name, prior in _LOG_NORMAL.items()}
    values["blood_plasma_ratio"] = values["blood_plasma_ratio"].clamp(0.55, 2.0)
    unbound_logit = 1.2 * streams.normal("fraction_unbound", compounds) - 0.8 * z
    values["fraction_unbound"] = unbound_logit.sigmoid().clamp(min=0.005)
    values["bioavailability"] = 0.3 + 0.7 * streams.uniform("bioavailability", compounds)
    values = {name: _fix(value, fixed.get(name)) for name, value in values.items()}

    noise = streams.normal("kp", compounds, len(ORGANS))
    kp = values["blood_plasma_ratio"][:, None].repeat(1, len(ORGANS))  # [C, 14]
    for organ, (intercept, slope) in _LN_KP.items():
        kp[:, INDEX[organ]] = (intercept + slope * z + _LN_KP_NOISE * noise[:, INDEX[organ]]).exp()
    fixed_kp = drug.get("kp", {})
    if not isinstance(fixed_kp, Mapping):
        raise FulmenError(f"drug.kp is {fixed_kp!r}; give one value per organ: {{liver: 3.0}}")
    for organ, value in fixed_kp.items():
        if organ == "blood":
            raise FulmenError("drug.kp.blood cannot be set; set drug.blood_plasma_ratio")
        kp[:, INDEX[known(organ, ORGANS, "organ", "drug.kp")]] = positive(value, f"drug.kp.{organ}")
    return values | {"lipophilicity": z, "kp": kp}


def _checked(name: str, value: float) -> float:
    if name == "lipophilicity":
        if not isinstance(value, int | float) or not math.isfinite(value):
            raise FulmenError(f"drug.lipophilicity is {value!r}; it must be a finite number")
        return float(value)
    value = positive(value, f"drug.{name}")
    if name in ("fraction_unbound", "bioavailability") and value > 1:
        raise FulmenError(f"drug.{name} is {value!r}; it must be in (0, 1]")
    return value


def _fix(drawn: Tensor, value: float | None) -> Tensor:
    return drawn if value is None else torch.full_like(drawn, value)


def _range(value: Range, name: str) -> tuple[float, float]:
    if not isinstance(value, Sequence):
        return (positive(value, name),) * 2
    if len(value) != 2 or positive(value[0], f"{name}[0]") > positive(value[1], f"{name}[1]"):
        raise FulmenError(f"{name} is {list(value)}; give one number, or a range [low, high]")
    return float(value[0]), float(value[1])


def _positive_integer(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise FulmenError(f"{name} is {value!r}; it must be a whole number, 1 or more")
    return value


def _sigma(cv: float) -> float:
    """Standard deviation of the logarithm of a log-normal variable with this coefficient of variation."""
    return math.sqrt(math.log1p(cv**2))
