"""A curve of a log: a column, or those of its rows that are of one part."""

from dataclasses import dataclass, field

import numpy as np

from fulmen.io.logs.table import NO_NUMBER, LogTable
from fulmen.io.logs.words import Meaning, meaning, part_of


@dataclass
class Curve:
    """A column, or its rows of one part.

    Attributes:
        name: as it is told.
        column: of the table.
        rows: positions of the cells that hold something [K].
        count: how many of them hold a number and not NaN.
        meaning: what its name says.
        summed: further columns that are added.
    """

    name: str
    column: str
    rows: np.ndarray
    count: int
    meaning: Meaning
    summed: list["Curve"] = field(default_factory=list)

    @property
    def plain(self) -> bool:
        """Whether its name says nothing but part and quantity."""
        return self.meaning.rest <= self.meaning.quantities

    def typed(self) -> str:
        return self.column


Pair = tuple[Curve | None, Curve | None]


def curve_of(table: LogTable, name: str, column: str, rows: np.ndarray, said: Meaning) -> Curve:
    """The curve of a column at `rows`, all of which hold something."""
    return Curve(name, column, rows, int(table.filled(column, NO_NUMBER)[rows].sum()), said)


def part_in(phase: str, cell: str) -> str:
    """train, val, test or "": what a cell in a column of parts says, also in one called is_train."""
    if part := part_of(cell):
        return part
    own = part_of(phase.lower().removeprefix("is"))
    said = {"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}.get(cell.strip().lower())
    return "" if said is None or not own else own if said else {"train": "val"}.get(own, "train")


def curves_by_part(table: LogTable, name: str, column: str, rows: np.ndarray, phase: str) -> list[Curve]:
    """The curves of a column at `rows`, of which another column says the part."""
    parts = np.array([part_in(phase, table.text(phase, row)) for row in rows.tolist()])
    return [
        curve_of(table, f"{name} [{part}]", column, rows[parts == part], meaning(name, part))
        for part in ("train", "val", "test")
        if (parts == part).any()
    ]
