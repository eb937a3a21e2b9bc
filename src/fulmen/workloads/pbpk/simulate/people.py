"""The drug and regimen of a row, given to many drawn people."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.utils.seeding import derived_seed
from fulmen.workloads.pbpk.simulate.drugs import drugs_of, of_bodies, regimens_of
from fulmen.workloads.pbpk.simulate.subjects import names_of
from fulmen.workloads.pbpk.simulate.table import Table
from fulmen.workloads.pbpk.simulator.bodies import ADULT_Y, bodies_by_age
from fulmen.workloads.pbpk.simulator.population import SEXES, Population, unsaid
from fulmen.workloads.pbpk.simulator.streams import Streams

TOGETHER = 2000  # people who are drawn and solved at once; who is drawn hangs on it
FIXED = ("age_y", "sex", "weight_kg")


@dataclass(frozen=True)
class Trial:
    """One row of a table, as a drug that is given to people.

    Attributes:
        row: its place.
        name: of the row.
        compound: of the drug.
        fixed: what the row says of the bodies: age_y, sex, weight_kg; the rest is drawn.
        drug: fields of one drug, [1] or [1, 14]; see `drugs_of`.
        regimen: route, dose_mg and infusion_h, [1].
    """

    row: int
    name: str
    compound: str
    fixed: Mapping[str, Any]
    drug: Mapping[str, Tensor]
    regimen: Mapping[str, Tensor]
    n_doses: int
    interval_h: float
    kinetics: str

    def people(self, number: int, seed: int) -> Iterator[Population]:
        """That many people who get it, in blocks: men and women of 20 to 80 years where the row says nothing else.

        A seed draws the same people for every row, as far as rows leave that open. All clearances are those of a man
        of 73 kg; each of the people clears in proportion to the mass of liver and kidneys.

        Raises:
            FulmenError: a weight that some of them cannot have.
        """
        for block in range(0, number, TOGETHER):
            size = min(TOGETHER, number - block)
            streams = Streams(derived_seed(seed, f"people {block}"))
            body = bodies_by_age(streams, (1, size), self.fixed, ADULT_Y, any_weight=False)
            drug = {name: value.expand(size, *value.shape[1:]).contiguous() for name, value in self.drug.items()}
            same = {name: value.expand(size).contiguous() for name, value in self.regimen.items()}
            fields: dict[str, Any] = (
                unsaid(size) | body | of_bodies(drug, body["volume_l"], all_of_an_adult=True) | same
            )
            yield Population(
                **fields,
                compound=torch.full((size,), self.row),
                lipophilicity=torch.zeros(size, dtype=torch.float64),
                n_doses=self.n_doses,
                interval_h=self.interval_h,
            )


def trials_of(table: Table) -> list[Trial]:
    """Every row of a table as a drug for many people.

    Raises:
        FulmenError: it names file, line and column.
    """
    names, compounds = names_of(table)
    regimens, drugs = regimens_of(table), drugs_of(table)
    age, sex, weight = table.numbers("age_y"), table.levels("sex"), table.numbers("weight_kg")
    trials = []
    for row, (name, compound) in enumerate(zip(names, compounds, strict=True)):
        told = {
            "age_y": float(age[row]),
            "sex": SEXES[sex[row]] if sex[row] >= 0 else "",
            "weight_kg": float(weight[row]),
        }
        fixed = {key: value for key, value in told.items() if value == value and value != ""}
        regimen = {key: value[row : row + 1] for key, value in regimens.items()}
        doses, interval_h = int(regimen.pop("n_doses")), float(regimen.pop("interval_h"))
        kinetics = "linear" if bool(drugs["linear"][row]) else "saturable"
        drug = {key: value[row : row + 1] for key, value in drugs.items()}
        trials.append(Trial(row, name, compound, fixed, drug, regimen, doses, interval_h, kinetics))
        _check_weight(table, trials[-1])
    return trials


def _check_weight(table: Table, trial: Trial) -> None:
    """Pass if all who may be drawn can have the weight of the row."""
    try:
        next(trial.people(1, seed=0))
    except FulmenError as error:
        said = str(error).partition(": ")[2].partition("; set body.age_y")[0]
        table.refuse(trial.row, "weight_kg", f"{said}; fill age_y and sex too")
