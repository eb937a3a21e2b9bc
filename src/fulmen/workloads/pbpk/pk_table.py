"""What the curves of a population say in the terms of pharmacokinetics, for every organ and the plasma.

Curves begin at t = 0, where they follow from the dose: a bolus is in the blood, and all else is empty. Between samples
a bolus is read as `boluses.py` says. The plasma is the blood over the blood to plasma ratio.
"""

import math

import torch
from torch import Tensor

from fulmen.data.batches import EVALUATION_BATCH
from fulmen.workloads.pbpk import pk
from fulmen.workloads.pbpk.boluses import SAME_H, with_boluses
from fulmen.workloads.pbpk.metrics import FLOOR
from fulmen.workloads.pbpk.simulator.outputs import FROM_ORGANS, from_organs
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import BOLUS, ORAL, Population

PLACES = FROM_ORGANS
UNITS = {
    "auc_last_mg_h_per_l": "mg h/L",
    "auc_infinity_mg_h_per_l": "mg h/L",
    "extrapolated_share": "1",
    "auc_interval_mg_h_per_l": "mg h/L",
    "cmax_mg_per_l": "mg/L",
    "tmax_h": "h",
    "half_life_h": "h",
    "clearance_l_per_h": "L/h",
    "vss_l": "L",
    "accumulation": "1",
    "fluctuation": "1",
}
_FLUIDS = torch.tensor([place in ("blood", "plasma") for place in PLACES])


def pharmacokinetics(subjects: Population, concentration: Tensor, time_h: Tensor) -> dict[str, Tensor]:
    """Summaries of curves by name, as in `UNITS`: [S, 15] each, float64, in the order of `PLACES`.

    NaN is what a curve does not say: the half-life where no end falls, and all that rests on it; CL and Vss of organs;
    Vss after oral or repeated doses; all that lies behind the last time while doses are still to come; the last
    dosing interval and what is compared with it, unless there are several doses and the last interval ends in time.

    - CL is all that is given over AUC to infinity, after oral doses CL / F.
    - The half-life is that of samples until the last one of at least a thousandth of dose / body weight: what lies
      below, no surrogate has learned.
    - Cmax and tmax are those of the samples, a bolus apart, whose peak in the blood is known.

    Args:
        subjects: S of them.
        concentration: [S, 14, T] in mg/L.
        time_h: [T] in hours, increasing; a time 0 says nothing new and may be left out.
    """
    bolus = subjects.route == BOLUS
    groups = [part for mask in (bolus, ~bolus) for part in mask.nonzero()[:, 0].split(EVALUATION_BATCH) if len(part)]
    parts = [_of_a_group(subjects[group], concentration[group], time_h) for group in groups]
    back = torch.cat(groups).argsort()
    return {name: torch.cat([part[name] for part in parts])[back] for name in UNITS}


def _of_a_group(subjects: Population, concentration: Tensor, time_h: Tensor) -> dict[str, Tensor]:
    """Of subjects who all get boluses, or none of whom does."""
    zero, later = torch.zeros_like(concentration[..., :1]), time_h > 0
    samples = torch.cat([zero, concentration[..., later]], -1).double()
    time_h = torch.cat([torch.zeros_like(time_h[:1]), time_h[later]]).double()
    floor = FLOOR * (subjects.dose_mg / subjects.weight_kg)[:, None, None].expand(-1, len(ORGANS), 1)
    limit = from_organs(subjects, floor, PLACES)[..., 0]
    rate = pk.terminal_rate(from_organs(subjects, samples, PLACES), time_h, limit)
    end_h = float(time_h[-1])
    if bool((subjects.route == BOLUS).all()):
        samples, time_h = with_boluses(samples, time_h, subjects)
    curves = from_organs(subjects, samples, PLACES)
    last_dose_h = (subjects.n_doses - 1) * subjects.interval_h
    ended = (last_dose_h + subjects.infusion_h <= end_h)[:, None]
    rate_of_all = torch.where(ended, rate, math.nan)
    auc_last = pk.auc_last(curves, time_h)
    auc_infinity = pk.auc_infinity(curves, time_h, rate_of_all)
    fluid = _FLUIDS.to(curves.device)
    clearance = torch.where(fluid, subjects.n_doses * subjects.dose_mg[:, None] / auc_infinity, math.nan)
    residence_h = pk.mean_residence_time(curves, time_h, subjects.infusion_h[:, None], rate_of_all)
    intravenous = (subjects.route != ORAL)[:, None] & (subjects.n_doses == 1)
    return {
        "auc_last_mg_h_per_l": auc_last,
        "auc_infinity_mg_h_per_l": auc_infinity,
        "extrapolated_share": 1 - auc_last / auc_infinity,
        "cmax_mg_per_l": pk.cmax(curves),
        "tmax_h": pk.tmax(curves, time_h),
        "half_life_h": math.log(2) / rate,
        "clearance_l_per_h": clearance,
        "vss_l": torch.where(intravenous, clearance * residence_h, math.nan),
        **_of_intervals(curves, time_h, subjects, end_h),
    }


def _of_intervals(curves: Tensor, time_h: Tensor, subjects: Population, end_h: float) -> dict[str, Tensor]:
    """What repeated doses do: the area of the last interval, over that of the first, and how far it swings."""
    names = ("auc_interval_mg_h_per_l", "accumulation", "fluctuation")
    start_h, interval_h = (subjects.n_doses - 1) * subjects.interval_h, subjects.interval_h
    if subjects.n_doses == 1 or start_h + interval_h > end_h * (1 + 1e-6):
        return dict.fromkeys(names, torch.full_like(curves[..., 0], math.nan))
    last = pk.auc_between(curves, time_h, start_h, min(start_h + interval_h, end_h))
    first = pk.auc_between(curves, time_h, 0.0, interval_h - 2 * SAME_H)
    return dict(zip(names, (last, last / first, pk.fluctuation(curves, time_h, start_h, interval_h)), strict=True))
