"""The equations: compartments, the rates between them, and what is given when.

States are amounts in mg: venous blood, arterial blood, the 13 tissues of `ORGANS[1:]`, the gut lumen (oral depot), then
what is no longer in the body (metabolised, excreted in urine, and what of an oral dose is not absorbed), and last the
infusion rate in mg/h, which is constant between the events of the dosing schedule.
"""

from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from fulmen.workloads.pbpk.simulator.physiology import ARTERIAL_SHARE, INDEX, ORGANS, PORTAL
from fulmen.workloads.pbpk.simulator.population import BOLUS, INFUSION, ORAL, Population, liver_flow_l_per_h

TISSUES = ORGANS[1:]
LIVER, KIDNEY, LUNG, GUT = (TISSUES.index(organ) for organ in ("liver", "kidney", "lung", "gut"))
_PORTAL_ROWS = [TISSUES.index(organ) for organ in PORTAL]
_VENOUS_ROWS = [i for i, organ in enumerate(TISSUES) if organ not in (*PORTAL, "lung")]  # drain into the veins

VENOUS, ARTERIAL, FIRST_TISSUE = 0, 1, 2
LUMEN = FIRST_TISSUE + len(TISSUES)
METABOLISED, URINE, UNABSORBED, RATE, N_STATES = range(LUMEN + 1, LUMEN + 6)
TISSUE_STATES = slice(FIRST_TISSUE, LUMEN)
OUTSIDE = slice(METABOLISED, RATE)  # what has left the body, or never entered it
MASS = slice(0, RATE)  # every state but the infusion rate

SNAP_H = 1e-12  # events this close to a reported time are moved onto it


@dataclass(frozen=True)
class Rates:
    """First-order rates per hour. The subject is the last axis, so that an organ is one contiguous row."""

    inflow_per_h: Tensor  # [13, S], of the arterial amount: Q / V_arterial; 0 for the lung
    outflow_per_h: Tensor  # [13, S], of the tissue amount: Q·BP / (Kp·V)
    to_liver_per_h: Tensor  # [13, S], the outflow of the portal organs; 0 elsewhere
    to_veins_per_h: Tensor  # [13, S], the outflow of all others but the lung; 0 elsewhere
    venous_per_h: Tensor  # [S], veins to lung: CO / V_venous
    hepatic_per_h: Tensor  # [S], elimination far below Km: CLint·fu / (Kp·V)
    saturation_per_mg: Tensor  # [S], the liver eliminates at hepatic_per_h / (1 + saturation_per_mg·A): fu / (Kp·V·Km)
    renal_per_h: Tensor  # [S]
    absorption_per_h: Tensor  # [S], lumen to gut
    gut_metabolism_per_h: Tensor  # [S], of the lumen amount: absorbed, but metabolised by the gut wall at once

    def __getitem__(self, subjects: Tensor | slice) -> "Rates":
        return replace(self, **{field.name: getattr(self, field.name)[..., subjects] for field in fields(self)})


def rates(population: Population) -> Rates:
    """The rate constants of every subject; the liver's outflow is the hepatic artery and the portal vein together."""
    volume_l, kp = population.volume_l.T[1:].contiguous(), population.kp.T[1:].contiguous()  # [13, S]
    flow_l_per_h = population.flow_l_per_h.T[1:].contiguous()
    blood_l = population.volume_l[:, INDEX["blood"]]
    outflow_l_per_h = flow_l_per_h.clone()  # [13, S]
    outflow_l_per_h[LIVER] = liver_flow_l_per_h(population)
    inflow_per_h = flow_l_per_h / (ARTERIAL_SHARE * blood_l)
    inflow_per_h[LUNG] = 0.0
    unbound_per_l = population.fraction_unbound / (kp * volume_l)  # [13, S], unbound mg/L in plasma per mg in tissue
    outflow_per_h = outflow_l_per_h * population.blood_plasma_ratio / (kp * volume_l)
    return Rates(
        inflow_per_h=inflow_per_h,
        outflow_per_h=outflow_per_h,
        to_liver_per_h=_only(_PORTAL_ROWS, outflow_per_h),
        to_veins_per_h=_only(_VENOUS_ROWS, outflow_per_h),
        venous_per_h=population.cardiac_output_l_per_h / ((1 - ARTERIAL_SHARE) * blood_l),
        hepatic_per_h=population.clint_l_per_h * unbound_per_l[LIVER],
        saturation_per_mg=unbound_per_l[LIVER] / population.km_mg_per_l,
        renal_per_h=population.renal_clint_l_per_h * unbound_per_l[KIDNEY],
        absorption_per_h=population.absorption_rate_per_h * (1 - population.gut_extraction),
        gut_metabolism_per_h=population.absorption_rate_per_h * population.gut_extraction,
    )


def _only(rows: list[int], values: Tensor) -> Tensor:
    kept = torch.zeros_like(values)
    kept[rows] = values[rows]
    return kept


def rate_matrix(r: Rates) -> Tensor:
    """M of the linear system dA/dt = M·A in 1/h, [S, 20, 20]; `hepatic_per_h` is taken as it stands.

    Off-diagonal entries are not negative and the columns of the mass states sum to zero, so amounts stay nonnegative
    and their sum changes only by the infusion.
    """
    m = r.venous_per_h.new_zeros(len(r.venous_per_h), N_STATES, N_STATES)
    m[:, TISSUE_STATES, ARTERIAL] = r.inflow_per_h.T
    m[:, FIRST_TISSUE + LUNG, VENOUS] = r.venous_per_h
    m[:, ARTERIAL, FIRST_TISSUE + LUNG] = r.outflow_per_h[LUNG]
    m[:, VENOUS, TISSUE_STATES] = r.to_veins_per_h.T
    m[:, FIRST_TISSUE + LIVER, TISSUE_STATES] = r.to_liver_per_h.T
    m[:, METABOLISED, FIRST_TISSUE + LIVER] = r.hepatic_per_h
    m[:, URINE, FIRST_TISSUE + KIDNEY] = r.renal_per_h
    m[:, FIRST_TISSUE + GUT, LUMEN] = r.absorption_per_h
    m[:, METABOLISED, LUMEN] = r.gut_metabolism_per_h
    m.diagonal(dim1=1, dim2=2).copy_(-m.sum(1))
    m[:, VENOUS, RATE] = 1.0
    return m


@dataclass(frozen=True)
class Schedule:
    """When a dose is given and when an infusion ends, for each subject in order; unused places are at infinity."""

    time_h: Tensor  # [S, E + 1], the last one infinite
    doses: Tensor  # [S, E + 1], doses given at once at this event: 1 or 0
    rate_mg_per_h: Tensor  # [S, E + 1], infusion rate from this event on
    dose_amounts_mg: Tensor  # [S, 20], what one dose given at once adds to each state

    def apply(self, amounts: Tensor, subjects: Tensor, event: Tensor) -> Tensor:
        """Amounts [n, 20] of the given subjects [n] just after their event [n]."""
        amounts = amounts + self.doses[subjects, event, None] * self.dose_amounts_mg[subjects]
        amounts[:, RATE] = self.rate_mg_per_h[subjects, event]
        return amounts


def schedule(population: Population, time_h: Tensor) -> Schedule:
    """The dosing events of every subject; those that coincide with a reported time share its exact value."""
    infused = (population.route == INFUSION)[:, None]  # [S, 1]
    start_h = population.interval_h * torch.arange(population.n_doses, device=time_h.device, dtype=time_h.dtype)
    start_h = _snap(start_h.expand(len(population), -1), time_h)  # [S, D]
    end_h = torch.where(infused, _snap(start_h + population.infusion_h[:, None], time_h), torch.inf)
    event_h, order = torch.cat([start_h, end_h, torch.full_like(end_h[:, :1], torch.inf)], 1).sort(dim=1, stable=True)
    event_h = torch.where(
        event_h <= time_h[-1], event_h, torch.inf
    )  # what comes after the last report is never reached
    started = (start_h[:, None] <= event_h[..., None]).sum(2)  # [S, E + 1]
    running = started - (end_h[:, None] <= event_h[..., None]).sum(2)
    rate = population.dose_mg / torch.where(infused[:, 0], population.infusion_h, 1.0)

    dose = population.dose_mg
    absorbed = dose * population.bioavailability
    amounts = dose.new_zeros(len(population), N_STATES)
    amounts[:, VENOUS] = torch.where(population.route == BOLUS, dose, 0.0)
    amounts[:, LUMEN] = torch.where(population.route == ORAL, absorbed, 0.0)
    amounts[:, UNABSORBED] = torch.where(population.route == ORAL, dose - absorbed, 0.0)
    return Schedule(
        time_h=event_h,
        doses=((order < population.n_doses) & ~infused).to(dose),
        rate_mg_per_h=torch.where(infused & event_h.isfinite(), running * rate[:, None], 0.0),
        dose_amounts_mg=amounts,
    )


def _snap(event_h: Tensor, time_h: Tensor) -> Tensor:
    right = torch.searchsorted(time_h, event_h.contiguous()).clamp(max=len(time_h) - 1)
    left = (right - 1).clamp(min=0)
    nearest = torch.where((time_h[right] - event_h).abs() < (time_h[left] - event_h).abs(), time_h[right], time_h[left])
    nearest = nearest + (event_h - event_h.detach())  # that time, and the gradient of the event
    return torch.where((nearest - event_h).abs() <= SNAP_H, nearest, event_h)
