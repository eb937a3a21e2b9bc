"""What the report of a network says of the laws of `laws.py`: the network beside the solver at the same times."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from fulmen.report.document import Rows
from fulmen.workloads.pbpk.laws import EXTRAPOLATED, FOLD, Kept, dose_ratio
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate

Ask = Callable[[Population], Tensor]  # what a network says of S subjects: mg/L [S, 14, T] at the times of its data

MOST = 200  # subjects that are dosed anew
ABOVE = 1.02  # times what was absorbed, beyond which a content counts as wrong
TITLE = "Laws"
NOTES = (
    "Laws: held is the sum of volume times concentration over all organs, absorbed what has passed the gut by then, or "
    "was given into a vein. The balance is AUC CL = dose in its general form: what is held at the end and was "
    "eliminated until then, over what was absorbed; areas are of the samples, so the solver, read at the same times, "
    f"is off too. AUC is of the blood; {FOLD:.0f} times the dose may be more than any training held.",
)


@dataclass(frozen=True)
class Laws:
    """A network and the solver beside each other.

    Attributes:
        network: how far its curves keep to the laws.
        solver: how far those of the solver do, at the same times.
        kinetics: "linear" or "saturable".
        network_ratio: AUC after a hundredfold dose over a hundred AUCs, of the network [n].
        solver_ratio: the same of the solver [n]; 1 with linear kinetics.
        of_simulator: whether the solver is our simulator; of other equations no balance is known.
    """

    network: Kept
    solver: Kept
    kinetics: str
    network_ratio: Tensor
    solver_ratio: Tensor
    of_simulator: bool = True

    @property
    def ratio_error(self) -> Tensor:
        """How far the network's answer to the dose is from the solver's, as a share [n]."""
        return self.network_ratio / self.solver_ratio - 1

    def metrics(self) -> dict[str, float]:
        """Those of the network that one may compare: all are better low."""
        balance = {"balance_error_percent": _percent(self.network.balance, 0.5)} if self.of_simulator else {}
        return {
            "content_above_2_percent": _above(self.network),
            **balance,
            "dose_error_percent": _percent(self.ratio_error, 0.5),
        }

    def rows(self) -> Rows:
        """A law, the network, the solver at the same times, what is right, and how many subjects that is of."""
        both, count = (self.network, self.solver), len(self.network.content)
        rows = [
            *_twice("held / absorbed, highest", [each.content for each in both], "≤ 1", count, times=1),
            _row(f"subjects above {ABOVE} (%)", [_above(each) for each in both], "0", count),
            _row("lowest concentration (mg/L)", [each.lowest_mg_per_l for each in both], "≥ 0", count),
            _row("points below 0 (%)", [100 * each.below for each in both], "0", count),
            _row("points at 0 (%)", [100 * each.zero for each in both], "0", count),
        ]
        if self.of_simulator:
            rows += _twice("balance, off by (%)", [each.balance for each in both], "0", count)
        known = self.solver.behind <= EXTRAPOLATED
        if self.of_simulator and bool(known.any()):
            ends = [each.clearance[known].nan_to_num(torch.inf) for each in both]
            rows += _twice("AUC CL / dose, off by (%)", ends, "0", int(known.sum()))
        ratios = [_quantile(each, 0.5) for each in (self.network_ratio, self.solver_ratio)]
        right, dosed = "1" if self.kinetics == "linear" else "as solver", len(self.network_ratio)
        rows.append(_row(f"AUC at {FOLD:.0f} x dose / {FOLD:.0f} AUC: median", ratios, right, dosed))
        errors = [self.ratio_error, torch.zeros_like(self.ratio_error)]
        return rows + _twice("that ratio, off by (%)", errors, "0", dosed)


def laws(
    ask: Ask,
    predicted: Tensor,
    true: Tensor,
    population: Population,
    time_h: Tensor,
    kinetics: str,
    of_simulator: bool = True,
) -> Laws:
    """What a network keeps and what the solver keeps.

    Args:
        ask: the network.
        predicted: what it says of the subjects, mg/L [S, 14, T].
        true: what the solver says, [S, 14, T].
        population: the S subjects.
        time_h: [T], after 0.
        kinetics: "linear" or "saturable".
        of_simulator: whether the solver is our simulator.
    """
    subjects = torch.linspace(0, len(population) - 1, min(MOST, len(population))).round().long()
    one = population[subjects]
    many = replace(one, dose_mg=FOLD * one.dose_mg)
    network = dose_ratio(ask(one), ask(many), time_h)
    if kinetics == "linear":
        solver = torch.ones_like(network)
    else:
        solver = dose_ratio(true[subjects], concentrations(many, simulate(many, time_h)), time_h)
    kept = [Kept.by(c, population, time_h, kinetics) for c in (predicted, true)]
    return Laws(kept[0], kept[1], kinetics, network, solver, of_simulator)


def _twice(name: str, values: list[Tensor], right: str, subjects: int, times: float = 100) -> Rows:
    """Median and 95th percentile of the sizes of what network and solver have, times a factor."""
    return [
        _row(f"{name}: {said}", [times * _quantile(each.abs(), share) for each in values], right, subjects)
        for said, share in (("median", 0.5), ("95th percentile", 0.95))
    ]


def _row(law: str, values: list[float], right: str, subjects: int) -> dict[str, str | float | int]:
    return {"law": law, "network": values[0], "solver": values[1], "right": right, "subjects": subjects}


def _above(kept: Kept) -> float:
    return float(100 * (kept.content > ABOVE).double().mean())


def _percent(error: Tensor, share: float) -> float:
    return 100 * _quantile(error.abs(), share)


def _quantile(values: Tensor, share: float) -> float:
    return float(values.double().quantile(share, interpolation="nearest"))  # between, infinity would be no number
