"""Random populations: bodies, drugs around a broad prior, doses and routes."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.bodies import ADULT_Y, bodies_by_age, checked_body, reference_bodies
from fulmen.workloads.pbpk.simulator.drugs import (
    checked_drug,
    of_body,
    prior_drugs,
    with_fixed,
)
from fulmen.workloads.pbpk.simulator.physiology import known, positive
from fulmen.workloads.pbpk.simulator.population import INFUSION, ROUTES, Population, validate
from fulmen.workloads.pbpk.simulator.streams import Streams

Range = float | Sequence[float]


def sample_population(
    compounds: int,
    subjects_per_compound: int = 1,
    *,
    seed: int,
    dose_mg: Range = (10.0, 1000.0),
    routes: Sequence[str] = ROUTES,
    infusion_h: Range = (0.5, 4.0),
    drug: Mapping[str, float | Mapping[str, float]] | None = None,
    body: Mapping[str, float | str] | None = None,
    organs: Mapping[str, Mapping[str, float]] | None = None,
    n_doses: int = 1,
    interval_h: float = 24.0,
) -> Population:
    """Draw `compounds * subjects_per_compound` subjects, compound by compound.

    Drug properties belong to the compound; body, dose and route to the subject. `dose_mg` and `infusion_h` are one
    number or a range drawn log-uniformly. `drug`, `body` and `organs` fix values by their field names, as in
    `drug={"fraction_unbound": 0.2, "kp": {"liver": 3.0}}`; `body={"age_y": 5}` takes bodies by age and sex, and then
    `organs` is refused. The same seed with more compounds gives the same first subjects (to the last bit but one), and
    fixing one quantity leaves the draws of the others as they are.
    """
    for name, count in (("compounds", compounds), ("subjects_per_compound", subjects_per_compound)):
        _positive_integer(count, name)
    streams = Streams(seed)
    subject_shape = (compounds, subjects_per_compound)
    routes = (routes,) if isinstance(routes, str) else routes
    chosen = [ROUTES.index(known(name, ROUTES, "route", "routes")) for name in routes]
    if not chosen:
        raise FulmenError(f"routes is empty; choose from {', '.join(ROUTES)}")
    route = torch.tensor(chosen)[streams.choice("route", len(chosen), *subject_shape)].flatten()  # [S]
    doses_mg = _range(dose_mg, "dose_mg")
    durations_h = _range(infusion_h, "infusion_h")
    duration_h = streams.log_uniform("infusion_h", *durations_h, *subject_shape).flatten()
    compound = torch.arange(compounds).repeat_interleave(subjects_per_compound)  # [S]
    return validate(
        Population(
            **_body_and_drug(streams, compound, subject_shape, body or {}, drug or {}, organs),
            route=route,
            dose_mg=streams.log_uniform("dose_mg", *doses_mg, *subject_shape).flatten(),
            infusion_h=torch.where(route == INFUSION, duration_h, 0.0),
            compound=compound,
            n_doses=_positive_integer(n_doses, "n_doses"),
            interval_h=positive(interval_h, "interval_h"),
        )
    )


def _body_and_drug(
    streams: Streams,
    compound: torch.Tensor,
    shape: tuple[int, int],
    body: Mapping[str, Any],
    drug: Mapping[str, Any],
    organs: Mapping | None,
) -> dict[str, torch.Tensor]:
    """The fields of both, [S] or [S, 14]."""
    fixed_body, fixed = checked_body(body), checked_drug(drug)
    drawn = prior_drugs(streams, shape[0], fixed)
    drugs = {name: value[compound] for name, value in with_fixed(drawn, fixed).items()}
    if not {"age_y", "sex"} & set(fixed_body):
        return reference_bodies(streams, shape, fixed_body, organs) | drugs
    if organs:
        raise FulmenError(
            "organs are fractions of a body without age; leave them out, or leave out body.age_y and body.sex"
        )
    bodies = bodies_by_age(streams, shape, fixed_body, ADULT_Y)
    return bodies | of_body(drugs, fixed, bodies)


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
