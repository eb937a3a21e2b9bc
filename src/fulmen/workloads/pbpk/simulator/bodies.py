"""The bodies of a population: around the reference man, or by age, sex and weight."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.body import (
    AGE_Y,
    blood_flows_l_per_h,
    check_body,
    densities_kg_per_l,
    organ_masses_kg,
    reference_weight_kg,
    weight_limits_kg,
)
from fulmen.workloads.pbpk.simulator.physiology import (
    CARDIAC_OUTPUT_L_PER_H,
    INDEX,
    ORGANS,
    PERFUSED,
    fractions,
    known,
    positive,
)
from fulmen.workloads.pbpk.simulator.population import SEXES, unsaid
from fulmen.workloads.pbpk.simulator.streams import Streams, sigma

BODY = ("weight_kg", "cardiac_output_l_per_h", "age_y", "sex")
ADULT_Y = (20.0, 80.0)
_CV, _WEIGHT_CV = 0.15, 0.2


def checked_body(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the argument `body` fixes.

    Raises:
        FulmenError: an unknown name, or a value that cannot be.
    """
    fixed: dict[str, Any] = {}
    for name, value in body.items():
        known(name, BODY, "body value", "body")
        fixed[name] = known(value, SEXES, "sex", "body.sex") if name == "sex" else positive(value, f"body.{name}")
    if not AGE_Y[0] <= fixed.get("age_y", AGE_Y[0]) <= AGE_Y[1]:
        raise FulmenError(f"body.age_y is {fixed['age_y']:g}; the tables hold {AGE_Y[0]:g} to {AGE_Y[1]:g} years")
    return fixed


def reference_bodies(
    streams: Streams, shape: tuple[int, int], fixed: Mapping[str, Any], organs: Mapping | None
) -> dict[str, Tensor]:
    """Adults around the reference man, whose organs are fractions of the weight at 1 kg/L. Fields [S] or [S, 14]."""
    reference = fractions(organs)
    weight = streams.log_normal("weight_kg", 70.0, sigma(_WEIGHT_CV), *shape).flatten().clamp(40.0, 130.0)
    weight = torch.full_like(weight, fixed["weight_kg"]) if "weight_kg" in fixed else weight
    output = CARDIAC_OUTPUT_L_PER_H * weight**0.75 * _spread(streams, "cardiac_output_l_per_h", shape)
    volume = reference.volume * _spread(streams, "volume", shape)
    return unsaid(len(weight)) | {
        "weight_kg": weight,
        "volume_l": weight[:, None] * volume / volume.sum(1, keepdim=True),  # [S, 14]
        **_flows(streams, shape, reference.flow, output, fixed),
    }


def bodies_by_age(
    streams: Streams, shape: tuple[int, int], fixed: Mapping[str, Any], ages_y: tuple[float, float], any_weight: bool
) -> dict[str, Tensor]:
    """Men and women of `body.py`, with spread around it. Fields [S] or [S, 14].

    Args:
        fixed: of `checked_body`.
        ages_y: drawn log-uniformly.
        any_weight: all that an age may have, log-uniform; else log-normal around the reference with a CV of 20 %.

    Raises:
        FulmenError: a fixed weight that an age or a sex which may be drawn does not have.
    """
    age = streams.log_uniform("age_y", *ages_y, *shape).flatten().clamp(*ages_y)
    age = torch.full_like(age, fixed["age_y"]) if "age_y" in fixed else age
    sex = streams.choice("sex", len(SEXES), *shape).flatten()
    sex = torch.full_like(sex, SEXES.index(fixed["sex"])) if "sex" in fixed else sex
    low, high = weight_limits_kg(age, sex)
    if any_weight:
        weight = low * (high / low) ** streams.uniform("weight_kg", *shape).flatten()
    else:
        weight = (
            reference_weight_kg(age, sex) * streams.log_normal("weight_kg", 1.0, sigma(_WEIGHT_CV), *shape).flatten()
        )
    weight = weight.maximum(low).minimum(high)
    if "weight_kg" in fixed:
        weight = torch.full_like(weight, fixed["weight_kg"])
        _check_for_all(fixed, ages_y)
    usual = organ_masses_kg(age, sex, weight)
    flow = blood_flows_l_per_h(age, sex, usual)
    usual_output = flow[:, INDEX["blood"]]
    mass = usual * _spread(streams, "volume", shape)
    mass = mass * (weight / mass.sum(1))[:, None]
    output = usual_output * _spread(streams, "cardiac_output_l_per_h", shape)
    return of_masses(age, sex, weight, mass) | _flows(streams, shape, flow / usual_output[:, None], output, fixed)


def of_masses(age_y: Tensor, sex: Tensor, weight_kg: Tensor, mass_kg: Tensor) -> dict[str, Tensor]:
    """The fields of bodies [S] whose organs have these masses [S, 14], but for their blood flows."""
    density = densities_kg_per_l().expand_as(mass_kg).contiguous()
    return {
        "weight_kg": weight_kg,
        "age_y": age_y,
        "sex": sex,
        "volume_l": mass_kg / density,
        "density_kg_per_l": density,
    }


def _check_for_all(fixed: Mapping[str, Any], ages_y: tuple[float, float]) -> None:
    """Pass if every age and sex that may be drawn may have the fixed weight: limits rise with age, its ends will do."""
    ages = [fixed["age_y"]] if "age_y" in fixed else ages_y
    sexes = [SEXES.index(fixed["sex"])] if "sex" in fixed else range(len(SEXES))
    age, sex = torch.cartesian_prod(torch.tensor(ages).double(), torch.tensor(list(sexes)).double()).T
    check_body(age, sex.long(), torch.full_like(age, fixed["weight_kg"]), "body.weight_kg")


def _flows(
    streams: Streams, shape: tuple[int, int], share: Tensor, output: Tensor, fixed: Mapping[str, Any]
) -> dict[str, Tensor]:
    """Cardiac output [S] and flows [S, 14] with spread around the shares [14] or [S, 14] of it."""
    flow = share * _spread(streams, "flow", shape)
    flow = flow / flow[:, [INDEX[organ] for organ in PERFUSED]].sum(1, keepdim=True)
    flow[:, [INDEX["blood"], INDEX["lung"]]] = 1.0
    if "cardiac_output_l_per_h" in fixed:
        output = torch.full_like(output, fixed["cardiac_output_l_per_h"])
    return {"cardiac_output_l_per_h": output, "flow_l_per_h": output[:, None] * flow}


def _spread(streams: Streams, name: str, shape: tuple[int, int]) -> Tensor:
    """Factors of median 1: [S], of organs [S, 14]."""
    wide = (len(ORGANS),) if name in ("volume", "flow") else ()
    return streams.log_normal(name, 1.0, sigma(_CV), *shape, *wide).flatten(0, 1)
