"""Random populations: bodies, drugs, doses and routes, drawn from one of three named populations."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.bodies import ADULT_Y, bodies_by_age, checked_body, reference_bodies
from fulmen.workloads.pbpk.simulator.body import AGE_Y
from fulmen.workloads.pbpk.simulator.drugs import (
    WIDE,
    Noise,
    checked_drug,
    measured_drugs,
    of_body,
    prior_drugs,
    with_fixed,
)
from fulmen.workloads.pbpk.simulator.physiology import known, positive
from fulmen.workloads.pbpk.simulator.population import INFUSION, ROUTES, Population, validate
from fulmen.workloads.pbpk.simulator.streams import Streams

Range = float | Sequence[float]


@dataclass(frozen=True)
class Prior:
    """What a population is drawn from.

    Attributes:
        dose_mg: range, log-uniform.
        infusion_h: range, log-uniform.
        noise: around measured compounds; None draws around a broad prior.
        ages_y: range of bodies by age; None takes adults around the reference man.
        any_weight: all weights that an age may have, instead of those around its reference.
        n_doses: how often the dose is given.
        interval_h: between doses.
    """

    dose_mg: tuple[float, float]
    infusion_h: tuple[float, float] = (0.5, 4.0)
    noise: Noise | None = None
    ages_y: tuple[float, float] | None = None
    any_weight: bool = False
    n_doses: int = 1
    interval_h: float = 24.0


POPULATIONS = {
    "uniform_chemistry": Prior(dose_mg=(10.0, 1000.0)),
    "real_chemistry": Prior(dose_mg=(0.05, 1500.0), noise=Noise(), ages_y=ADULT_Y),
    "wide": Prior(
        dose_mg=(0.05, 5000.0), infusion_h=(0.1, 24.0), noise=WIDE, ages_y=AGE_Y, any_weight=True, n_doses=4,
        interval_h=6.0,
    ),
}  # fmt: skip


def sample_population(
    compounds: int,
    subjects_per_compound: int = 1,
    *,
    seed: int,
    population: str = "uniform_chemistry",
    dose_mg: Range | None = None,
    routes: Sequence[str] = ROUTES,
    infusion_h: Range | None = None,
    drug: Mapping[str, float | Mapping[str, float]] | None = None,
    body: Mapping[str, float | str] | None = None,
    organs: Mapping[str, Mapping[str, float]] | None = None,
    n_doses: int | None = None,
    interval_h: float | None = None,
) -> Population:
    """Draw `compounds * subjects_per_compound` subjects, compound by compound.

    Drug properties belong to the compound; body, dose and route to the subject. `dose_mg` and `infusion_h` are one
    number or a range drawn log-uniformly; None takes what `POPULATIONS` says of `population`. `drug`, `body` and
    `organs` fix values by their field names, as in `drug={"fraction_unbound": 0.2, "kp": {"liver": 3.0}}`;
    `body={"age_y": 5}` takes bodies by age and sex in any population, and then `organs` is refused. The same seed with
    more compounds gives the same first subjects (to the last bit but one), and fixing one quantity leaves the draws of
    the others as they are.
    """
    for name, count in (("compounds", compounds), ("subjects_per_compound", subjects_per_compound)):
        _positive_integer(count, name)
    prior = POPULATIONS[known(population, POPULATIONS, "population", "population")]
    streams = Streams(seed)
    subject_shape = (compounds, subjects_per_compound)
    routes = (routes,) if isinstance(routes, str) else routes
    chosen = [ROUTES.index(known(name, ROUTES, "route", "routes")) for name in routes]
    if not chosen:
        raise FulmenError(f"routes is empty; choose from {', '.join(ROUTES)}")
    route = torch.tensor(chosen)[streams.choice("route", len(chosen), *subject_shape)].flatten()  # [S]
    doses_mg = _range(dose_mg, prior.dose_mg, "dose_mg")
    durations_h = _range(infusion_h, prior.infusion_h, "infusion_h")
    duration_h = streams.log_uniform("infusion_h", *durations_h, *subject_shape).flatten()
    compound = torch.arange(compounds).repeat_interleave(subjects_per_compound)  # [S]
    return validate(
        Population(
            **_body_and_drug(streams, prior, compound, subject_shape, body or {}, drug or {}, organs),
            route=route,
            dose_mg=streams.log_uniform("dose_mg", *doses_mg, *subject_shape).flatten(),
            infusion_h=torch.where(route == INFUSION, duration_h, 0.0),
            compound=compound,
            n_doses=_positive_integer(prior.n_doses if n_doses is None else n_doses, "n_doses"),
            interval_h=positive(prior.interval_h if interval_h is None else interval_h, "interval_h"),
        )
    )


def _body_and_drug(
    streams: Streams,
    prior: Prior,
    compound: torch.Tensor,
    shape: tuple[int, int],
    body: Mapping[str, Any],
    drug: Mapping[str, Any],
    organs: Mapping | None,
) -> dict[str, torch.Tensor]:
    """The fields of both, [S] or [S, 14]."""
    fixed_body, fixed = checked_body(body), checked_drug(drug)
    drawn = (
        prior_drugs(streams, shape[0], fixed) if prior.noise is None else measured_drugs(streams, shape[0], prior.noise)
    )
    drugs = {name: value[compound] for name, value in with_fixed(drawn, fixed).items()}
    if prior.ages_y is None and not {"age_y", "sex"} & set(fixed_body):
        return reference_bodies(streams, shape, fixed_body, organs) | drugs
    if organs:
        raise FulmenError(
            "organs are fractions of a body without age; leave them out, or take data.population=uniform_chemistry "
            "without body.age_y and body.sex"
        )
    bodies = bodies_by_age(streams, shape, fixed_body, prior.ages_y or ADULT_Y, prior.any_weight)
    return bodies | of_body(drugs, fixed, bodies)


def _range(value: Range | None, usual: tuple[float, float], name: str) -> tuple[float, float]:
    if value is None:
        return usual
    if not isinstance(value, Sequence):
        return (positive(value, name),) * 2
    if len(value) != 2 or positive(value[0], f"{name}[0]") > positive(value[1], f"{name}[1]"):
        raise FulmenError(f"{name} is {list(value)}; give one number, or a range [low, high]")
    return float(value[0]), float(value[1])


def _positive_integer(value: int, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise FulmenError(f"{name} is {value!r}; it must be a whole number, 1 or more")
    return value
