"""Laws that curves of all organs obey whatever the subject: how far those of a network, or of a solver, keep to them.

Concentrations are [S, 14, T] in mg/L at increasing times [T] in hours after 0. They say how much drug a body holds,
sum V_i C_i, and how fast liver and kidney remove it, so that three laws can be held against them:

- the body holds no more than it has absorbed so far, and no concentration is below 0;
- what it holds at the end and what it has eliminated until then are what it has absorbed, A: this is AUC CL = dose for
  any kinetics and any horizon. With linear kinetics and a dose into a vein, AUC CL = dose itself, of the blood;
- with linear kinetics AUC is proportional to the dose.

Areas are those of `pk.py`, with boluses read as `boluses.py` says. They are of a few samples, so curves that are exact
do not keep the second law exactly: what the solver's own samples give is the measure.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fulmen.data.batches import EVALUATION_BATCH
from fulmen.workloads.pbpk import pk
from fulmen.workloads.pbpk.boluses import with_boluses
from fulmen.workloads.pbpk.graph import absorbed_share
from fulmen.workloads.pbpk.pk_table import pharmacokinetics
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    ORAL,
    Population,
    hepatic_clearance_l_per_h,
    renal_clearance_l_per_h,
)

FOLD = 100.0  # times the dose that proportionality is asked for
EXTRAPOLATED = 0.2  # of the area to infinity may lie behind the last time


@dataclass(frozen=True)
class Kept:
    """How far the curves of S subjects keep to each law.

    Attributes:
        content: the most that a body holds over what it has absorbed by then [S]; at most 1.
        lowest_mg_per_l: the lowest of all concentrations.
        below: share of points below 0.
        zero: share of points at 0.
        balance: what is held or eliminated at the end over what was absorbed, less 1 [S]; 0.
        clearance: AUC CL / dose after doses into a vein, less 1 [S]; 0; NaN where `auc_clearance` has none.
        behind: share of that area that lies behind the last time [S].
    """

    content: Tensor
    lowest_mg_per_l: float
    below: float
    zero: float
    balance: Tensor
    clearance: Tensor
    behind: Tensor

    @classmethod
    def by(cls, concentration: Tensor, population: Population, time_h: Tensor, kinetics: str) -> "Kept":
        """Of concentrations [S, 14, T] in mg/L at times [T] in hours after 0."""
        c, time_h = concentration.double(), time_h.double()
        clearance = behind = torch.full_like(population.dose_mg, torch.nan)
        if kinetics == "linear":
            clearance, behind = auc_clearance(population, c, time_h)
        return cls(
            content=(content_mg(population, c) / absorbed_mg(population, time_h)).amax(1),
            lowest_mg_per_l=float(c.min()),
            below=float((c < 0).double().mean()),
            zero=float((c == 0).double().mean()),
            balance=balance_error(population, c, time_h, kinetics),
            clearance=clearance - 1,
            behind=behind,
        )


def content_mg(population: Population, concentration: Tensor) -> Tensor:
    """What the body holds, sum V_i C_i: mg [S, T]."""
    return (population.volume_l[:, :, None] * concentration).sum(1)


def absorbed_mg(population: Population, time_h: Tensor) -> Tensor:
    """What has come into the body up to each time: mg [S, T].

    Of an oral dose that is what has passed the gut wall, dose Fa Fg (1 - exp(-ka t)); of any other what was given.
    """
    return population.dose_mg[:, None] * absorbed_share(population, time_h)


def elimination_mg_per_h(population: Population, concentration: Tensor, kinetics: str) -> Tensor:
    """What liver and kidney remove: mg/h [S, T].

    With Cu = fu C / Kp the unbound concentration of each: CLint Cu / (1 + Cu / Km) of the liver, without the divisor
    for linear kinetics, and CLr Cu of the kidney.
    """
    p = population
    liver, kidney = (
        p.fraction_unbound[:, None] * concentration[:, INDEX[organ]] / p.kp[:, INDEX[organ], None]
        for organ in ("liver", "kidney")
    )
    saturation = liver / p.km_mg_per_l[:, None] if kinetics == "saturable" else 0.0
    return p.clint_l_per_h[:, None] * liver / (1 + saturation) + p.renal_clint_l_per_h[:, None] * kidney


def balance_error(population: Population, concentration: Tensor, time_h: Tensor, kinetics: str) -> Tensor:
    """(held at the end + eliminated until then) / absorbed until then - 1 [S]."""
    c = torch.cat([torch.zeros_like(concentration[..., :1]), concentration], -1).double()
    times = torch.cat([time_h.new_zeros(1), time_h]).double()
    eliminated = torch.empty_like(population.dose_mg)
    bolus = population.route == BOLUS
    groups = [part for mask in (bolus, ~bolus) for part in mask.nonzero()[:, 0].split(EVALUATION_BATCH) if len(part)]
    for part in groups:
        eliminated[part] = _eliminated_mg(population[part], c[part], times, kinetics)
    held, absorbed = content_mg(population, c[..., -1:]), absorbed_mg(population, times[-1:])
    return (held[:, 0] + eliminated) / absorbed[:, 0] - 1


def _eliminated_mg(population: Population, concentration: Tensor, time_h: Tensor, kinetics: str) -> Tensor:
    """Of subjects who all get boluses, or none of whom does, from t = 0 to the last time: mg [S]."""
    if bool((population.route == BOLUS).all()):
        concentration, time_h = with_boluses(concentration, time_h, population)
    return pk.auc_last(elimination_mg_per_h(population, concentration, kinetics), time_h)


def auc_clearance(population: Population, concentration: Tensor, time_h: Tensor) -> tuple[Tensor, Tensor]:
    """AUC CL / dose of the blood, and the share of AUC behind the last time: both [S]; the first is 1 if linear.

    NaN after a dose by mouth, and where the curve has no falling end.
    """
    found = pharmacokinetics(population, concentration, time_h)
    right = hepatic_clearance_l_per_h(population) + renal_clearance_l_per_h(population)
    seen, behind = (found[name][:, INDEX["blood"]] for name in ("clearance_l_per_h", "extrapolated_share"))
    vein = population.route != ORAL
    return torch.where(vein, right / seen, torch.nan), torch.where(vein, behind, torch.nan)


def dose_ratio(one: Tensor, many: Tensor, time_h: Tensor) -> Tensor:
    """AUC after `FOLD` times the dose over `FOLD` times the AUC after the dose, of the blood [S]: 1 if proportional.

    Args:
        one: concentrations after the dose, mg/L [S, 14, T].
        many: after `FOLD` times that, at the same times [T] in hours.
    """
    areas = [pk.auc_last(c.double()[:, INDEX["blood"]], time_h.double()) for c in (one, many)]
    return areas[1] / (FOLD * areas[0])
