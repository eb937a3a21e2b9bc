"""Virtual subjects: the state of a population, and the clearances and volumes that follow from it."""

import math
import sys
from dataclasses import dataclass, fields, replace
from functools import cache
from typing import Any

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulator.physiology import INDEX, ORGANS, PORTAL

ROUTES = ("bolus", "infusion", "oral")
BOLUS, INFUSION, ORAL = range(3)
SEXES = ("male", "female")
COUNTED = {"route": ROUTES, "sex": SEXES}  # fields that count in names
OF_ORGANS = ("volume_l", "flow_l_per_h", "kp", "density_kg_per_l")  # [S, 14]; the other fields are [S]
SHARES = ("fraction_unbound", "bioavailability")  # in (0, 1]
_THROUGH_LIVER = torch.tensor([INDEX[organ] for organ in ("liver", *PORTAL)])
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
    return population.flow_l_per_h[:, _THROUGH_LIVER].sum(1)


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
    """The population itself if every subject can be simulated; otherwise an error with field, subject and value.

    Takes 0.1 ms for one subject and 0.4 ms for a thousand.
    """
    values = {name: value.detach() for name, value in population.tensors().items()}
    subjects = values["weight_kg"].numel()
    for name, value in values.items():
        rows = len(value) if value.ndim else 0
        if rows != subjects:
            raise FulmenError(f"{name} has {rows} rows for {subjects} subjects; give one row per subject")
        if value.shape[1:] != ((len(ORGANS),) if name in OF_ORGANS else ()):
            wanted = f"[{subjects}, {len(ORGANS)}]" if name in OF_ORGANS else f"[{subjects}]"
            raise FulmenError(f"{name} has shape {list(value.shape)}, expected {wanted}")
        if name in COUNTED and value.is_floating_point():
            _refuse(value.isfinite() & (value % 1 != 0), name, value, "a whole number")
    every = torch.cat([value.double().reshape(subjects, -1) for value in values.values()], 1)  # [S, K]
    low, high = _limits(every.device)
    if not bool(((every >= low) & (every <= high)).all()):
        _refuse_limits(values)
    check_regimen(population.n_doses, population.interval_h)
    unfit = (values["route"] == INFUSION) != (values["infusion_h"] > 0)
    _refuse(unfit, "infusion_h", values["infusion_h"], "above 0 for an infusion and 0 for any other route")
    _refuse_sums(values)
    return population


def check_regimen(n_doses: float, interval_h: float) -> None:
    """Pass if doses can be given like that.

    Raises:
        FulmenError: they cannot.
    """
    if not (n_doses >= 1 and n_doses % 1 == 0 and 0 < interval_h < math.inf):
        raise FulmenError(
            f"n_doses is {n_doses:g} and interval_h {interval_h:g}; the one is a whole number of at least 1, the other "
            f"finite and above 0"
        )


def _refuse_limits(values: dict[str, Tensor]) -> None:
    """Name the first value that is outside the limits of its field."""
    for name, value in values.items():
        value = value.double()
        low, high = _limits_of(name)
        within = "in (0, 1]" if name in SHARES else "in [0, 1)"
        if name in COUNTED:
            within = f"0 to {len(COUNTED[name]) - 1}: {', '.join(COUNTED[name])}"
        _refuse(value.isfinite() & (value > high), name, value, within)
        allowed = "finite, above 0" if low > 0 else "finite and not negative" if low == 0 else "finite"
        _refuse(~((value >= low) & (value <= high)), name, value, allowed)


def _refuse_sums(values: dict[str, Tensor]) -> None:
    """Pass if flows add up to the cardiac output and masses to the weight, and the blood's kp is the blood's ratio."""
    flow, output, weight = values["flow_l_per_h"], values["cardiac_output_l_per_h"], values["weight_kg"]
    lung, blood = flow[:, INDEX["lung"]], flow[:, INDEX["blood"]]
    mass = (values["volume_l"] * values["density_kg_per_l"]).sum(1)
    kp, ratio = values["kp"][:, INDEX["blood"]], values["blood_plasma_ratio"]
    found = torch.stack([flow.sum(1) - lung - blood, lung, blood, mass, kp])
    off = (found / torch.stack([output, output, output, weight, ratio]) - 1).abs() > 1e-6  # [5, S]
    if not bool(off.any()):
        return
    as_if = " (1 kg/L where it is left out)" if bool((values["density_kg_per_l"] == 1).all()) else ""
    names = {
        "flow_l_per_h (sum of the organs)": "the cardiac output",
        "flow_l_per_h of the lung": "the cardiac output",
        "flow_l_per_h of the blood": "the cardiac output",
        "volume_l (mass of the organs in kg)": f"weight_kg, with density_kg_per_l{as_if}",
        "kp of the blood": "blood_plasma_ratio",
    }
    for bad, value, (name, allowed) in zip(off, found, names.items(), strict=True):
        _refuse(bad, name, value, allowed)


@cache
def _limits(device: torch.device) -> tuple[Tensor, Tensor]:
    """The lowest and the highest value of each column of the fields side by side, [K] each."""
    names = [field.name for field in fields(Population) if field.name not in ("n_doses", "interval_h")]
    ends = [_limits_of(name) for name in names for _ in range(len(ORGANS) if name in OF_ORGANS else 1)]
    low, high = zip(*ends, strict=True)
    return torch.tensor(low, dtype=torch.float64).to(device), torch.tensor(high, dtype=torch.float64).to(device)


def _limits_of(name: str) -> tuple[float, float]:
    most, least = sys.float_info.max, sys.float_info.min
    if name == "lipophilicity":
        return -most, most
    if name in COUNTED:
        return 0.0, len(COUNTED[name]) - 1
    if name == "gut_extraction":
        return 0.0, math.nextafter(1.0, 0.0)
    return 0.0 if name in ("infusion_h", "compound") else least, 1.0 if name in SHARES else most


def _refuse(bad: Tensor, name: str, value: Tensor, allowed: str) -> None:
    if bad.any():
        subject, *organ = bad.nonzero()[0].tolist()
        where = f"{name} of {ORGANS[organ[0]]}" if organ else name
        raise FulmenError(f"{where}, subject {subject}: {value[subject, *organ].item():.6g}; it must be {allowed}")
