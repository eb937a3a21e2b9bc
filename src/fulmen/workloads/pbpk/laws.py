"""Laws that curves of all organs obey whatever the subject: how far those of a network, or of a solver, keep to them.

Concentrations are [S, 14, T] in mg/L at increasing times [T] in hours after 0. They say how much drug a body holds,
sum V_i C_i, and how fast liver and kidney remove it, so that three laws can be held against them:

- the body holds no more than it has absorbed so far, and no concentration is below 0;
- what it holds at the end and what it has eliminated until then are what it has absorbed, A: this is AUC CL = dose for
  any kinetics and any horizon. With linear kinetics and a dose into a vein, AUC CL = dose itself, of the blood;
- with linear kinetics AUC is proportional to the dose.

Areas are those of `pk.py`. They are of a few samples, so curves that are exact do not keep the second law exactly: what
the solver's own samples give is the measure.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from fulmen.workloads.pbpk import pk
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import (
    BOLUS,
    ORAL,
    Population,
    hepatic_clearance_l_per_h,
    portal_share,
    renal_clearance_l_per_h,
)
from fulmen.workloads.pbpk.simulator.solvers import administered_mg

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
        clearance: AUC CL / dose after one dose into a vein, less 1 [S]; 0; NaN where `auc_clearance` has none.
    """

    content: Tensor
    lowest_mg_per_l: float
    below: float
    zero: float
    balance: Tensor
    clearance: Tensor

    @classmethod
    def by(cls, concentration: Tensor, population: Population, time_h: Tensor, kinetics: str) -> "Kept":
        """Of concentrations [S, 14, T] in mg/L at times [T] in hours after 0."""
        c, time_h = concentration.double(), time_h.double()
        none = torch.full_like(population.dose_mg, torch.nan)
        return cls(
            content=(content_mg(population, c) / absorbed_mg(population, time_h)).amax(1),
            lowest_mg_per_l=float(c.min()),
            below=float((c < 0).double().mean()),
            zero=float((c == 0).double().mean()),
            balance=balance_error(population, c, time_h, kinetics),
            clearance=auc_clearance(population, c, time_h) - 1 if kinetics == "linear" else none,
        )


def content_mg(population: Population, concentration: Tensor) -> Tensor:
    """What the body holds, sum V_i C_i: mg [S, T]."""
    return (population.volume_l[:, :, None] * concentration).sum(1)


def absorbed_mg(population: Population, time_h: Tensor) -> Tensor:
    """What has come into the body up to each time: mg [S, T].

    Of an oral dose that is what has passed the gut wall, dose Fa Fg (1 - exp(-ka t)); of any other what was given.
    """
    p = population
    since_h = (time_h[:, None] - p.interval_h * torch.arange(p.n_doses).to(time_h)).clamp(min=0)  # [T, D]
    doses = -(-p.absorption_rate_per_h[:, None, None] * since_h).expm1().sum(2)  # [S, T]
    oral = (p.dose_mg * portal_share(p))[:, None] * doses
    return torch.where((p.route == ORAL)[:, None], oral, administered_mg(p, time_h))


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
    rate = elimination_mg_per_h(population, concentration, kinetics)
    eliminated = pk.auc_last(*_from_zero(rate, time_h, population))
    held, absorbed = content_mg(population, concentration[..., -1:]), absorbed_mg(population, time_h[-1:])
    return (held[:, 0] + eliminated) / absorbed[:, 0] - 1


def auc_clearance(population: Population, concentration: Tensor, time_h: Tensor) -> Tensor:
    """AUC to infinity of the blood, times the blood clearance, over the dose [S]: 1 with linear kinetics.

    NaN after a dose by mouth or several doses, where the curve has no falling end, and where more than a fifth of the
    area lies behind the last time.
    """
    blood, times = _from_zero(concentration[:, INDEX["blood"]], time_h, population)
    clearance = hepatic_clearance_l_per_h(population) + renal_clearance_l_per_h(population)
    ratio = pk.auc_infinity(blood, times) * clearance / population.dose_mg
    known = (population.route != ORAL) & (pk.extrapolated_share(blood, times) <= EXTRAPOLATED)
    return torch.where(known & (population.n_doses == 1), ratio, torch.nan)


def dose_ratio(one: Tensor, many: Tensor, time_h: Tensor) -> Tensor:
    """AUC after `FOLD` times the dose over `FOLD` times the AUC after the dose, of the blood [S]: 1 if proportional.

    Args:
        one: concentrations after the dose, mg/L [S, 14, T].
        many: after `FOLD` times that, at the same times [T] in hours.
    """
    areas = [pk.auc_last(c.double()[:, INDEX["blood"]], time_h.double()) for c in (one, many)]
    return areas[1] / (FOLD * areas[0])


def _from_zero(curve: Tensor, time_h: Tensor, population: Population) -> tuple[Tensor, Tensor]:
    """A curve [S, T] and its times with t = 0 before them, if it is not there: [S, T + 1] and [T + 1].

    At t = 0 it is 0, as nothing has reached an organ, or the blood, yet. After a bolus it rises within a minute or two,
    which few grids show: there it is traced back along its first two samples, as usual of a dose into a vein.
    """
    if float(time_h[0]) == 0:
        return curve, time_h
    falls = (curve[:, 0] > curve[:, 1]) & (curve[:, 1] > 0)
    ratio = torch.where(falls, curve[:, 0], 1.0) / torch.where(falls, curve[:, 1], 1.0)
    traced = curve[:, 0] * ratio ** (time_h[0] / (time_h[1] - time_h[0]))
    start = torch.where(population.route == BOLUS, traced, 0.0)
    return torch.cat([start[:, None], curve], 1), torch.cat([time_h.new_zeros(1), time_h])
