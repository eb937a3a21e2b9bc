"""What a surrogate answers: concentrations, a row per subject, organ and time, or what they say of pharmacokinetics.

Subjects that it does not know can be given to the solver instead: their rows then hold what the solver says, `by` says
so, and the ends of their intervals are the value itself, since nothing is left that could be guessed wrongly.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Columns, Inputs, Interval, Schema
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk import pk_table
from fulmen.workloads.pbpk.content import curves_within_dose
from fulmen.workloads.pbpk.simulator.physiology import ORGANS
from fulmen.workloads.pbpk.simulator.population import ORAL, Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations, simulate
from fulmen.workloads.pbpk.times import at_times
from fulmen.workloads.pbpk.trust import LEVEL

TABLES = ("concentrations", "pk")
FALLBACK = "solver"
BLOCK = 500  # subjects that are solved together
SOLVED, SOLUTION = "solved", "solution_mg_per_l"  # of a prediction: [S], and [n, 14, A] of those that were solved


def answer(inputs: Inputs, predicted: Batch, schema: Schema, bounded: bool = False) -> Answer:
    """One row per subject, organ and time.

    Args:
        bounded: concentrations at times of one's own are kept `within_dose` too.
    """
    said = curves_of(inputs, predicted, schema, bounded)
    subjects, organs, times = said.curves["concentration_mg_per_l"].shape
    columns = {
        "subject": np.repeat(np.arange(subjects), organs * times),
        "organ": np.tile(np.repeat(np.array(ORGANS), times), subjects),
        "time_h": np.tile(_written(said.time_h.numpy()), subjects * organs),
        **{name: value.numpy().ravel() for name, value in said.curves.items()},
        **_of_subjects(predicted, organs * times),
    }
    units = {"time_h": "h", **dict.fromkeys(said.curves, "mg/L")}
    interval = Interval("concentration_mg_per_l", LEVEL, "low_90_mg_per_l", "high_90_mg_per_l")
    return Answer(columns, units, [interval] if interval.low in columns else [])


def answer_pk(inputs: Inputs, predicted: Batch, schema: Schema, bounded: bool = False) -> Answer:
    """One row per subject and organ, and one of the plasma; see `pk_table`. `bounded` is that of `answer`."""
    said, population = curves_of(inputs, predicted, schema, bounded), inputs.about["population"]
    summaries = pk_table.pharmacokinetics(population, said.curves["concentration_mg_per_l"], said.time_h)
    places = pk_table.PLACES
    columns: Columns = {
        "subject": np.repeat(np.arange(len(population)), len(places)),
        "organ": np.tile(np.array(places), len(population)),
    }
    for name, value in summaries.items():
        columns[name] = value.float().numpy().ravel()
        if name == "clearance_l_per_h":
            told = np.where((population.route == ORAL).numpy(), "CL/F", "CL")
            columns["clearance_is"] = np.where(np.isnan(columns[name]), "", np.repeat(told, len(places)))
    columns |= {"tmax_h": _written(columns["tmax_h"]), **_of_subjects(predicted, len(places))}
    return Answer(columns, {name: unit for name, unit in pk_table.UNITS.items() if unit != "1"})


def fall_back(inputs: Inputs, predicted: Batch, schema: Schema) -> tuple[Batch, str]:
    """The prediction with the solver's curves of all subjects out of the domain, and how many these are.

    Raises:
        FulmenError: the model has no domain.
    """
    if "in_domain" not in predicted:
        raise FulmenError(
            f"fallback {FALLBACK}: the model has no domain, so nothing says which subjects it does not know; take one "
            f"that was trained with model.trusted=true"
        )
    strange = ~predicted["in_domain"]
    subjects, time_h = inputs.about["population"][strange.nonzero()[:, 0]], _times(inputs, schema)
    solution = solved(subjects, time_h, schema["kinetics"])
    number = f"{len(subjects):,} of {inputs.rows:,} subjects {'was' if len(subjects) == 1 else 'were'} solved"
    said = f"{number}, since {'it is' if len(subjects) == 1 else 'they are'} unlike those of the training"
    return predicted | {SOLVED: strange, SOLUTION: solution}, said if len(subjects) else f"{number}: all are known"


def solved(subjects: Population, time_h: Tensor, kinetics: str) -> Tensor:
    """Concentrations [S, 14, T] in mg/L by the fastest solver at increasing times [T] after 0, float32, in blocks."""
    time_h = torch.cat([torch.zeros(1, dtype=torch.float64), time_h.double()])
    blocks = [torch.zeros(0, len(ORGANS), len(time_h) - 1)]
    for start in range(0, len(subjects), BLOCK):
        block = subjects[start : start + BLOCK]
        amounts = simulate(block, time_h, kinetics, solver="fastest")
        blocks.append(concentrations(block, amounts)[..., 1:].float())
    return torch.cat(blocks)


@dataclass
class Said:
    """Curves [S, 14, A] by name in mg/L, at times [A]."""

    time_h: Tensor
    curves: dict[str, Tensor]


def curves_of(inputs: Inputs, predicted: Batch, schema: Schema, bounded: bool) -> Said:
    """The curves at the times that were asked for, with those that were solved.

    Args:
        bounded: whether the model keeps within the dose; see `content.py`.
    """
    grid_h, time_h = torch.tensor(schema["time_h"]), _times(inputs, schema)
    curves = {name: value for name, value in predicted.items() if name.endswith("_mg_per_l") and name != SOLUTION}
    if "time_h" in inputs.about:
        batch, reduced = inputs.batch, inputs.about["reduced"]
        mg_per_kg = batch["dose_mg"] / batch["weight_kg"]
        for name, value in curves.items():
            curves[name] = at_times(value, batch["reduced"], grid_h, reduced, time_h, mg_per_kg)
        if bounded:
            name = "concentration_mg_per_l"
            curves[name] = curves_within_dose(curves[name], batch, inputs.about["absorbed_share"])
    if SOLVED in predicted:
        for name, value in curves.items():
            curves[name] = value.clone()
            curves[name][predicted[SOLVED]] = predicted[SOLUTION].to(value)
    return Said(time_h, curves)


def _times(inputs: Inputs, schema: Schema) -> Tensor:
    """Those that were asked for, or those of the grid. Shape [A]."""
    asked: Tensor | None = inputs.about.get("time_h")
    return torch.tensor(schema["time_h"]) if asked is None else asked


def _written(time_h: np.ndarray) -> np.ndarray:
    """Times [A] as people write them, with six digits."""
    return np.array([float(f"{time:.6g}") for time in time_h.tolist()])


def _of_subjects(predicted: Batch, rows: int) -> Columns:
    """What is said of a subject as a whole, on each of its rows."""
    columns: Columns = {}
    if "in_domain" in predicted:
        columns["in_domain"] = np.repeat(predicted["in_domain"].numpy(), rows)
    if SOLVED in predicted:
        columns["by"] = np.repeat(np.where(predicted[SOLVED].numpy(), FALLBACK, "surrogate"), rows)
    return columns
