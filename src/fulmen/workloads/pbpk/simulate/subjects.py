"""The subjects of a table: bodies by age, sex and weight, with their drugs and regimens."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulate.drugs import drugs_of, of_bodies, regimens_of
from fulmen.workloads.pbpk.simulate.table import Table
from fulmen.workloads.pbpk.simulator.bodies import of_masses
from fulmen.workloads.pbpk.simulator.body import (
    blood_flows_l_per_h,
    organ_masses_kg,
    reference_weight_kg,
)
from fulmen.workloads.pbpk.simulator.physiology import INDEX
from fulmen.workloads.pbpk.simulator.population import Population, unsaid, validate

AGE_Y = 35.0  # where a row says none
REFUSED = re.compile(r"(\w+)(?: of \w+)?, subject (\d+): (.*)", re.DOTALL)  # what the simulator says of a subject


@dataclass(frozen=True)
class Subjects:
    """N subjects, each with a regimen of its own.

    Attributes:
        name: of each.
        compound: of each.
        population: all of them, with one dose.
        n_doses: [N], long.
        interval_h: [N].
        linear: [N], whether the liver never saturates.
    """

    name: list[str]
    compound: list[str]
    population: Population
    n_doses: Tensor
    interval_h: Tensor
    linear: Tensor

    def __len__(self) -> int:
        return len(self.name)

    def groups(self, start: int = 0, end: int | None = None) -> Iterator[tuple[Tensor, Population, str]]:
        """Those of a range who share their regimen and kinetics: their places [n], the population, the kinetics."""
        places = torch.arange(start, len(self) if end is None else end)
        keys = torch.stack([self.n_doses, self.interval_h, self.linear.double()], 1)[places]
        unique, group = torch.unique(keys, dim=0, return_inverse=True)
        for number, (doses, interval_h, linear) in enumerate(unique.tolist()):
            chosen = places[group == number]
            people = replace(self.population[chosen], n_doses=int(doses), interval_h=interval_h)
            yield chosen, people, "linear" if linear else "saturable"


def subjects_of(table: Table) -> Subjects:
    """The subjects that a table describes, one a row.

    Raises:
        FulmenError: it names file, line and column.
    """
    names, compounds = names_of(table)
    regimens, drugs, body = regimens_of(table), drugs_of(table), bodies_of(table)
    n_doses, interval_h = regimens.pop("n_doses"), regimens.pop("interval_h")
    fields: dict[str, Any] = unsaid(len(table)) | body | of_bodies(drugs, body["volume_l"]) | regimens
    people = Population(
        **fields,
        compound=torch.arange(len(table)),
        lipophilicity=torch.zeros(len(table), dtype=torch.float64),
    )
    try:
        validate(people)
    except FulmenError as error:
        refuse_as_row(table, error)
    return Subjects(names, compounds, people, n_doses, interval_h, drugs["linear"])


def names_of(table: Table) -> tuple[list[str], list[str]]:
    """The names of subjects and compounds; a subject without one has the number of its row.

    Raises:
        FulmenError: two rows have both in common.
    """
    names = [cell or str(number) for number, cell in enumerate(table.texts("subject"), 1)]
    compounds = table.texts("compound")
    first: dict[tuple[str, str], int] = {}
    for row, pair in enumerate(zip(names, compounds, strict=True)):
        if (before := first.setdefault(pair, row)) != row:
            also = f"line {table.line[before]} is of the subject {pair[0]!r} and the same compound too"
            table.refuse(row, "subject" if "subject" in table.cells else "compound", f"{also}; name them apart")
    return names, compounds


def bodies_of(table: Table) -> dict[str, Tensor]:
    """Fields of `Population` that describe bodies, [N] and [N, 14], after ICRP Publication 89.

    Raises:
        FulmenError: the tables do not reach that far; it names file, line and column.
    """
    age = torch.from_numpy(table.numbers("age_y")).nan_to_num(AGE_Y)
    sex = torch.from_numpy(np.maximum(table.levels("sex"), 0))
    weight = torch.from_numpy(table.numbers("weight_kg"))
    weight = torch.where(weight.isnan(), reference_weight_kg(age, sex), weight)
    try:
        mass = organ_masses_kg(age, sex, weight)
    except FulmenError as error:
        refuse_as_row(table, error)
    flow = blood_flows_l_per_h(age, sex, mass)
    return of_masses(age, sex, weight, mass) | {
        "cardiac_output_l_per_h": flow[:, INDEX["blood"]],
        "flow_l_per_h": flow,
    }


def refuse_as_row(table: Table, error: FulmenError) -> NoReturn:
    """What the simulator says of a subject, told of its line.

    Raises:
        FulmenError: always.
    """
    found = REFUSED.fullmatch(str(error))
    if found is None:
        raise error
    table.refuse(int(found[2]), found[1], found[3].partition("; set body.age_y")[0])
