"""Virtual subjects: the state of a population, and the clearances and volumes that follow from it."""

from dataclasses import dataclass, fields, replace
from typing import Any

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PERFUSED, PORTAL

ROUTES = ("bolus", "infusion", "oral")
BOLUS, INFUSION, ORAL = range(3)
SEXES = ("male", "female")
LABELS = ("compound", "lipophilicity", "age_y", "sex", "density_kg_per_l")  # none of them enters the equations


@dataclass(frozen=True)
class Population:
    """S subjects with one drug each. Tensors are float64 unless said; organ columns follow `ORGANS`.

    Concentrations in the equations are per litre of tissue; the unbound plasma concentration that a liver or a kidney
    clears is `fraction_unbound * C / kp`, and blood leaves a tissue at `C * blood_plasma_ratio / kp`.
    """

    weight_kg: Tensor  # [S]
    cardiac_output_l_per_h: Tensor  # [S]
    volume_l: Tensor  # [S, 14]
    flow_l_per_h: Tensor  # [S, 14], liver: hepatic artery alone; lung and blood: the whole cardiac output
    kp: Tensor  # [S, 14], tissue to plasma; the blood column is the blood to plasma ratio
    blood_plasma_ratio: Tensor  # [S]
    fraction_unbound: Tensor  # [S], in plasma
    clint_l_per_h: Tensor  # [S], hepatic, intrinsic, of unbound drug
    renal_clint_l_per_h: Tensor  # [S], of unbound drug
    km_mg_per_l: Tensor  # [S], unbound concentration at which the liver works at half its capacity
    lipophilicity: Tensor  # [S], z score
    absorption_rate_per_h: Tensor  # [S], oral only
    bioavailability: (
        Tensor  # [S], fraction absorbed from the gut lumen, before the first pass of gut wall and liver, oral
    )
    route: Tensor  # [S], long, index into ROUTES
    dose_mg: Tensor  # [S], each dose
    infusion_h: Tensor  # [S], 0 unless the route is infusion
    compound: Tensor  # [S], long
    age_y: Tensor  # [S]
    sex: Tensor  # [S], long, index into SEXES
    density_kg_per_l: Tensor  # [S, 14], by which the volumes fill the weight
    gut_extraction: Tensor  # [S], share of what is absorbed that the gut wall metabolises at once, oral only
    n_doses: int = 1
    interval_h: float = 24.0

    def __len__(self) -> int:
        return len(self.weight_kg)

    def __getitem__(self, index: int | slice | list[int] | Tensor) -> "Population":
        """The chosen subjects as a population; an integer gives a population of one."""
        if isinstance(index, int):
            index = [index]
        chosen: dict[str, Any] = {name: value[index] for name, value in self.tensors().items()}
        return replace(self, **chosen)

    def to(self, device: torch.device | str) -> "Population":
        moved: dict[str, Any] = {name: value.to(device) for name, value in self.tensors().items()}
        return replace(self, **moved)

    def tensors(self) -> dict[str, Tensor]:
        """The per-subject fields by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if isinstance(value, Tensor)}


def unsaid(subjects: int) -> dict[str, Tensor]:
    """The fields that a file may leave out: an adult man of 1 kg per litre, whose gut wall metabolises nothing."""
    return {
        "age_y": torch.full((subjects,), 35.0, dtype=torch.float64),
        "sex": torch.zeros(subjects, dtype=torch.long),
        "density_kg_per_l": torch.ones(subjects, len(ORGANS), dtype=torch.float64),
        "gut_extraction": torch.zeros(subjects, dtype=torch.float64),
    }


def differentiated(population: Population) -> bool:
    """Whether derivatives are asked for: gradients are on, and a tensor of the population requires one."""
    return torch.is_grad_enabled() and any(value.requires_grad for value in population.tensors().values())


def steady_state_volume_l(population: Population) -> Tensor:
    """Apparent volume Vss = Σ V_i·Kp_i / BP, referred to the blood concentration. Shape [S]."""
    return (population.volume_l * population.kp).sum(1) / population.blood_plasma_ratio


def portal_share(population: Population) -> Tensor:
    """Share of an oral dose that comes through the gut wall unchanged, Fa·Fg of F = Fa·Fg·Fh. Shape [S]."""
    return population.bioavailability * (1 - population.gut_extraction)


def liver_flow_l_per_h(population: Population) -> Tensor:
    """Blood through the liver: hepatic artery and portal vein. Shape [S]."""
    return population.flow_l_per_h[:, [INDEX[organ] for organ in ("liver", *PORTAL)]].sum(1)


def hepatic_clearance_l_per_h(population: Population) -> Tensor:
    """Blood clearance of the well-stirred liver far below Km (Rowland, Benet & Graham 1973). Shape [S].

    CL = Q·u / (Q + u) with u = CLint·fu / BP.
    """
    return _well_stirred(liver_flow_l_per_h(population), population.clint_l_per_h, population)


def renal_clearance_l_per_h(population: Population) -> Tensor:
    """Blood clearance of the well-stirred kidney, CL = Q·u / (Q + u) with u = CLr·fu / BP. Shape [S]."""
    return _well_stirred(population.flow_l_per_h[:, INDEX["kidney"]], population.renal_clint_l_per_h, population)


def _well_stirred(flow_l_per_h: Tensor, clint_l_per_h: Tensor, population: Population) -> Tensor:
    uptake = clint_l_per_h * population.fraction_unbound / population.blood_plasma_ratio
    return flow_l_per_h * uptake / (flow_l_per_h + uptake)


def duplicate_rows(population: Population) -> Tensor:
    """Indices of the subjects whose body, drug and dose all equal an earlier subject's, whatever the `LABELS`. [n]."""
    columns = [v for name, v in population.tensors().items() if name not in LABELS]
    rows = torch.cat([v.double().reshape(len(population), -1) for v in columns], 1)  # [S, parameters]
    _, group = torch.unique(rows, dim=0, return_inverse=True)  # [S]
    subject = torch.arange(len(population), device=group.device)
    first = torch.full_like(group, len(population)).scatter_reduce(0, group, subject, "amin")
    return subject[first[group] < subject]


def validate(population: Population) -> Population:
    """The population itself if every subject can be simulated; otherwise an error with field, subject and value."""
    may_be_zero, free = ("infusion_h", "route", "compound", "sex", "gut_extraction"), ("lipophilicity",)
    for name, value in population.tensors().items():
        if len(value) != len(population):
            raise FulmenError(f"{name} has {len(value)} rows for {len(population)} subjects; give one row per subject")
        value = value.double()
        lowest_ok = value >= 0 if name in may_be_zero else value > 0
        allowed = "finite" if name in free else "finite and not negative" if name in may_be_zero else "finite, above 0"
        _refuse(~(value.isfinite() & (lowest_ok | (name in free))), name, value, allowed)
    for name in ("fraction_unbound", "bioavailability"):
        value = getattr(population, name)
        _refuse(value > 1, name, value, "in (0, 1]")
    _refuse(population.gut_extraction >= 1, "gut_extraction", population.gut_extraction, "in [0, 1)")
    _refuse(population.route >= len(ROUTES), "route", population.route, f"0 to {len(ROUTES) - 1}: {', '.join(ROUTES)}")
    _refuse(population.sex >= len(SEXES), "sex", population.sex, f"0 to {len(SEXES) - 1}: {', '.join(SEXES)}")
    unfit = (population.route == INFUSION) != (population.infusion_h > 0)
    _refuse(unfit, "infusion_h", population.infusion_h, "above 0 for an infusion and 0 for any other route")

    output = population.cardiac_output_l_per_h
    perfused = population.flow_l_per_h[:, [INDEX[organ] for organ in PERFUSED]].sum(1)
    _refuse((perfused / output - 1).abs() > 1e-6, "flow_l_per_h (sum of the organs)", perfused, "the cardiac output")
    for organ in ("lung", "blood"):
        flow = population.flow_l_per_h[:, INDEX[organ]]
        _refuse((flow / output - 1).abs() > 1e-6, f"flow_l_per_h of the {organ}", flow, "the cardiac output")
    mass = (population.volume_l * population.density_kg_per_l).sum(1)
    allowed = f"weight_kg, with density_kg_per_l{_as_if(population)}"
    _refuse((mass / population.weight_kg - 1).abs() > 1e-6, "volume_l (mass of the organs in kg)", mass, allowed)
    blood = population.kp[:, INDEX["blood"]]
    _refuse((blood / population.blood_plasma_ratio - 1).abs() > 1e-6, "kp of the blood", blood, "blood_plasma_ratio")
    return population


def _as_if(population: Population) -> str:
    return " (1 kg/L where it is left out)" if bool((population.density_kg_per_l == 1).all()) else ""


def _refuse(bad: Tensor, name: str, value: Tensor, allowed: str) -> None:
    if bad.any():
        subject, *organ = bad.nonzero()[0].tolist()
        where = f"{name} of {ORGANS[organ[0]]}" if organ else name
        raise FulmenError(f"{where}, subject {subject}: {value[subject, *organ].item():.6g}; it must be {allowed}")
