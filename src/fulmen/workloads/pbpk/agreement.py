"""Do the curves of a file follow from its subjects? A few are solved again, and where they differ, so are other units.

Times in minutes or rates by the minute look like any other numbers. But a subject says what its curves are: the
equations of `simulator` with its body, drug and dose. Where these give other curves, and would give those of the file
with one array in another unit, that is the unit.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.likely_units import Fix, scaled
from fulmen.workloads.pbpk.simulator.population import ROUTES, Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

EACH = 20  # subjects of each route that are solved
FEW = 2  # with other units
CLOSE = 0.2  # median difference of logarithms, of curves that agree
ALIKE = 0.02  # median difference of logarithms, of curves that are alike but for a factor
ROUNDS = 4  # arrays that may be in other units
LOW = 1e-4  # of the highest concentration of a subject: what lies below is not compared


@dataclass(frozen=True)
class Case:
    """What is solved: subjects, times [T], kinetics, and the concentrations [S, 14, T] they are held against."""

    people: Population
    time_h: Tensor
    kinetics: str
    concentration: Tensor


Change = Callable[[Case], Case]


def unlike(case: Case) -> tuple[list[Fix], str]:
    """Fixes with which the curves follow from the subjects, and a sentence where they do not at all."""
    chosen, places = _some(case, EACH)
    fits = _fits(chosen)
    if bool(fits.all()):
        return [], ""
    fixes: list[Fix] = []
    now, _ = _some(case, FEW)
    best = _fits(now)
    for _ in range(ROUNDS if not bool(best.all()) else 0):
        tried = [(fix, changed, _fits(changed)) for fix, change in _changes(now) if (changed := _or_none(change, now))]
        better = max(tried, key=lambda each: int(each[2].sum()), default=None)
        if better is None or int(better[2].sum()) <= int(best.sum()):
            break
        fixes += better[0]
        now, best = better[1], better[2]
        if bool(best.all()):
            break
    if fixes and int(best.sum()) > len(best) / 2:
        return fixes, ""
    wrong = int((~fits).sum())
    if not bool(fits.any()) and (factor := _one_factor(chosen)):
        return [], (
            f"the concentrations are {factor:.4g} times those of the equations here, in all organs and at all times: "
            f"another unit of the dose or the concentration (such as umol/L), or a salt"
        )
    return [], (
        f"the concentrations are not those of the equations here: {wrong} of {len(fits)} subjects that were solved "
        f"again have other curves, the first of them subject {int(places[~fits][0])} (other equations, measured, or in "
        f"other units)"
    )


def _some(case: Case, each: int) -> tuple[Case, Tensor]:
    """So many subjects of each route, and their places."""
    places: list[int] = []
    for route in range(len(ROUTES)):
        own = (case.people.route == route).nonzero()[:, 0].tolist()
        places += own[:: max(1, len(own) // each)][:each]
    rows = torch.tensor(sorted(places))
    return replace(case, people=case.people[rows], concentration=case.concentration[rows]), rows


def _fits(case: Case) -> Tensor:
    """Which subjects [S] have the curves of the case."""
    nobody = torch.zeros(len(case.people), dtype=torch.bool)
    try:
        amounts = simulate(case.people, case.time_h, case.kinetics, solver="fastest")
    except (FulmenError, RuntimeError, ValueError):
        return nobody
    solved, given = concentrations(case.people, amounts).double().flatten(1), case.concentration.double().flatten(1)
    high = torch.maximum(given, solved)
    counts = high > LOW * high.amax(1, keepdim=True)
    tiny = (1e-12 * high.amax(1, keepdim=True)).clamp(min=1e-300)
    apart = ((solved + tiny).log() - (given + tiny).log()).abs()
    for row in range(len(nobody)):
        own = apart[row][counts[row]]
        nobody[row] = bool(len(own)) and float(own.median()) < CLOSE
    return nobody


def _one_factor(case: Case) -> float | None:
    """By what all curves are higher than those of the equations; None where that differs."""
    try:
        amounts = simulate(case.people, case.time_h, case.kinetics, solver="fastest")
    except (FulmenError, RuntimeError, ValueError):
        return None
    solved, given = concentrations(case.people, amounts).double().flatten(1), case.concentration.double().flatten(1)
    counts = solved > LOW * solved.amax(1, keepdim=True)
    apart = (given.clamp(min=1e-300) / solved.clamp(min=1e-300)).log()[counts]
    middle = apart.median()
    return float(middle.exp()) if float((apart - middle).abs().median()) < ALIKE else None


def _or_none(change: Change, case: Case) -> Case | None:
    try:
        return change(case)
    except (FulmenError, RuntimeError, ValueError):
        return None


def _changes(case: Case) -> list[tuple[list[Fix], Change]]:
    """What arrays could be in place of what their names say, each with the case that it would make."""
    found: list[tuple[list[Fix], Change]] = []

    def field(name: str, unit: str, factor: float) -> None:
        def change(case: Case) -> Case:
            said: dict[str, Any] = {name: getattr(case.people, name) * factor}
            return replace(case, people=replace(case.people, **said))

        found.append(([scaled(name, unit, factor)], change))

    for unit, factor in (("minutes", 1 / 60), ("seconds", 1 / 3600), ("days", 24.0)):
        found.append(([scaled("time_h", unit, factor)], _with_times(factor)))
    for unit, factor in (("1/min", 60.0), ("1/s", 3600.0), ("1/day", 1 / 24)):
        field("absorption_rate_per_h", unit, factor)
    for unit, factor in (("minutes", 1 / 60), ("seconds", 1 / 3600), ("days", 24.0)):
        field("infusion_h", unit, factor)
    if case.people.n_doses > 1:
        field("interval_h", "minutes", 1 / 60)
        field("interval_h", "days", 24.0)
    for name in ("clint_l_per_h", "renal_clint_l_per_h"):
        for unit, factor in (("mL/min", 0.06), ("L/min", 60.0), ("mL/h", 1e-3)):
            field(name, unit, factor)
    for name in ("fraction_unbound", "bioavailability"):
        field(name, "percent", 0.01)
    if len(case.time_h) == case.concentration.shape[1]:
        name = "concentration_mg_per_l"
        turned = Fix(name, "the order subject, time, organ", f"{name}.transpose(0, 2, 1)")
        found.append(([turned], lambda case: replace(case, concentration=case.concentration.transpose(1, 2))))
    for unit, factor in (("ug/L (ng/mL)", 1e-3), ("g/L (mg/mL)", 1e3)):
        found.append(([scaled("concentration_mg_per_l", unit, factor)], _with_concentration(factor)))
    for unit, factor in (("ug/L", 1e-3), ("g/L", 1e3)):
        field("km_mg_per_l", unit, factor)
    other = "linear" if case.kinetics == "saturable" else "saturable"
    kinetics = Fix("kinetics", other, f"np.array('{other}')")
    found.append(([kinetics], lambda case: replace(case, kinetics=other)))
    found.append(_all_in_minutes())
    return found


def _all_in_minutes() -> tuple[list[Fix], Change]:
    """Times, and all that is by the hour but the flows of blood, whose unit the weight tells."""
    factors = {"infusion_h": 1 / 60, "absorption_rate_per_h": 60.0, "clint_l_per_h": 60.0, "renal_clint_l_per_h": 60.0}

    def change(case: Case) -> Case:
        said: dict[str, Any] = {name: getattr(case.people, name) * factor for name, factor in factors.items()}
        return replace(case, time_h=case.time_h / 60, people=replace(case.people, **said))

    units = {"infusion_h": "minutes", "absorption_rate_per_h": "1/min"}
    fixes = [scaled(name, units.get(name, "L/min"), factor) for name, factor in factors.items()]
    return [scaled("time_h", "minutes", 1 / 60), *fixes], change


def _with_times(factor: float) -> Change:
    return lambda case: replace(case, time_h=case.time_h * factor)


def _with_concentration(factor: float) -> Change:
    return lambda case: replace(case, concentration=case.concentration * factor)


def case_of(people: Population, time_h: np.ndarray, kinetics: str, concentration: np.ndarray) -> Case:
    """Of the arrays of a file."""
    return Case(people, torch.tensor(time_h, dtype=torch.float64), kinetics, torch.tensor(concentration))
