"""Who answers for the subjects of a table: the solver, a surrogate, or both; what they refuse is told of its line."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.simulate.curves import Values, solve
from fulmen.workloads.pbpk.simulate.surrogate import INSTEAD, Surrogate
from fulmen.workloads.pbpk.simulate.table import Table
from fulmen.workloads.pbpk.simulator.outputs import curves, from_organs
from fulmen.workloads.pbpk.simulator.population import Population
from fulmen.workloads.pbpk.simulator.solvers import concentrations


class Answers:
    """Gives `Part.values` and `Part.organs`.

    Args:
        table: of the subjects.
        outputs: names of curves.
        surrogate: None: the solver answers.
        alone: whether the surrogate answers alone, and the solver is not asked.
        with_organs: whether `Part.organs` are asked for.

    Attributes:
        strangers: the rows of subjects that are unlike those of the training.
    """

    def __init__(
        self, table: Table, outputs: Sequence[str], surrogate: Surrogate | None = None, alone: bool = False,
        with_organs: bool = False,
    ):  # fmt: skip
        self.table, self.outputs, self.surrogate = table, outputs, surrogate
        self.alone, self.with_organs = alone, with_organs
        self.strangers: list[int] = []

    def __call__(self, places: Tensor, people: Population, time_h: Tensor, kinetics: str) -> tuple[Values, Values]:
        """Curves of the subjects at these places [n], who share their regimen, at times [T].

        Raises:
            FulmenError: a subject that cannot be solved, or that the surrogate does not know.
        """
        values: dict[str, Tensor] = {}
        organs: dict[str, Tensor] = {}
        if self.surrogate:
            with self._of_its_line(places, f"; {INSTEAD}"):
                said = self.surrogate.organs(people, time_h, kinetics)
            in_domain = said.pop("in_domain", None)
            values = {name: from_organs(people, value, self.outputs) for name, value in said.items()}
            organs["surrogate"] = said["surrogate"]
            if in_domain is not None:
                values["in_domain"] = in_domain
                self.strangers += places[~in_domain].tolist()
        if not self.alone:
            with self._of_its_line(places):
                amounts = solve(people, time_h, kinetics)
            values["solver"] = curves(people, amounts, self.outputs)
            organs["solver"] = concentrations(people, amounts)
        return values, organs if self.with_organs else {}

    def warning(self, asked: int, what: str = "subjects") -> str | None:
        """A sentence where some of those that were asked for are unlike those of the training."""
        if not self.strangers:
            return None
        number, first = len(self.strangers), self.table.line[min(self.strangers)]
        return (
            f"{number:,} of {asked:,} {what} {'is' if number == 1 else 'are'} unlike those of the training, all inputs "
            f"taken together (in_domain is false); the first stands in line {first}"
        )

    @contextmanager
    def _of_its_line(self, places: Tensor, instead: str = "") -> Iterator[None]:
        """What is refused of a subject, told of its line in the table, and what works instead."""

        def line(found: re.Match[str]) -> str:
            return f"line {self.table.line[int(places[int(found[1])])]}"

        try:
            yield
        except FulmenError as error:
            told = re.sub(r"subject ([0-9]+)", line, str(error))
            raise FulmenError(f"{self.table.path}, {told}{instead}") from None
