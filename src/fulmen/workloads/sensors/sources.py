"""Where the rows of a table come from: a file, the answer of a database, or the simulated plant."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, ClassVar

import numpy as np
import pandas as pd

import fulmen.io
from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.io.containers import container_of
from fulmen.io.options import TableOptions
from fulmen.io.where import Where
from fulmen.workloads.sensors import copies, said
from fulmen.workloads.sensors.features import features
from fulmen.workloads.sensors.io import alike, checks, labels, reading, roles, tables
from fulmen.workloads.sensors.io.alike import Alike
from fulmen.workloads.sensors.io.database import snapshot
from fulmen.workloads.sensors.io.reading import AS_FOUND, read_table
from fulmen.workloads.sensors.io.tables import Columns, Table, check_cells
from fulmen.workloads.sensors.simulator import bayes_one_row, plant
from fulmen.workloads.sensors.simulator.bayes_one_row import bayes_probability
from fulmen.workloads.sensors.simulator.plant import Fault, simulate_plant

CODE = (tables, labels, checks, copies, said, features)  # what a cache of any rows depends on
ROOM = tuple(import_module(f"fulmen.io.{each.name}") for each in iter_modules(fulmen.io.__path__))
FILES = (*CODE, *ROOM, reading, roles, alike)


@dataclass(frozen=True)
class TableFile:
    """A CSV, Parquet or Excel file, plain or packed, and what a person says about how it is read.

    Attributes:
        alike: what machines are whose names differ in case, blanks or how a number is written alone.
    """

    path: Path
    options: TableOptions = AS_FOUND
    alike: Alike = "ask"
    code = FILES

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def files(self) -> Sequence[Path]:
        return [self.path]

    def key(self) -> dict[str, Any]:
        """Plain values that tell these rows from others, beside the bytes of `files`."""
        return {"csv": self.path.name, "options": asdict(self.options), "alike": self.alike}

    def rows(self, folder: Path) -> "TableFile":
        """These rows, which are there.

        Raises:
            FulmenError: there is no such file, or it holds no table.
        """
        container_of(self.path)
        return self

    def table(self, columns: Columns) -> Table:
        """The rows, read and checked.

        Raises:
            FulmenError: a column is not there, or a value cannot be: the message names column and row.
        """
        return read_table(self.path, columns, self.options, alike=self.alike)


@dataclass(frozen=True)
class Database:
    """What an SQL query finds, kept as a file: a run must not depend on when it asked.

    Attributes:
        url: an SQLAlchemy URL, or $NAME for one in the environment.
        query: a SELECT.
        snapshot: None: the latest, taken if there is none; "new": taken now; or an id.
        options: how its texts are read.
        alike: as of a file.
    """

    url: str
    query: str
    snapshot: str | None = None
    options: TableOptions = AS_FOUND
    alike: Alike = "ask"

    def rows(self, folder: Path) -> TableFile:
        """The rows of a snapshot, kept below `folder`.

        Raises:
            FulmenError: no such snapshot, or the database does not answer.
        """
        path = snapshot(self.url, self.query, self.snapshot, folder / "snapshots")
        return TableFile(path, self.options, self.alike)


@dataclass(frozen=True)
class Plant:
    """The simulated plant, see `simulator/plant.py`; `missing` is the share of its readings that are lost."""

    machines: int = 24
    days: int = 35
    missing: float = 0.03
    fault: Fault | None = None
    seed: int = 42
    name = "the simulated plant"  # what messages call it
    code = (*CODE, *ROOM, plant, bayes_one_row)
    files: ClassVar[Sequence[Path]] = ()

    @property
    def has_ceiling(self) -> bool:
        """Whether the best possible prediction from a single row is known: it is, if the sensors work."""
        return not self.fault

    def key(self) -> dict[str, Any]:
        """Plain values that tell these rows from others."""
        return asdict(self)

    def rows(self, folder: Path) -> "Plant":
        """These rows."""
        return self

    def frame(self) -> pd.DataFrame:
        """The readings as a table with the columns of a CSV."""
        return pd.DataFrame(asdict(simulate_plant(**asdict(self)))).rename(columns={"time_h": "time"})

    def table(self, columns: Columns) -> Table:
        """The rows, checked."""
        frame = self.frame()
        for name in columns.named():
            if name not in frame.columns:
                raise FulmenError(f"{self.name}: no column {name}{did_you_mean(name, frame.columns)}")
        cells = {name: frame[name] for name in columns.named()}
        return check_cells(cells, columns, Where(self.name, np.arange(1, len(frame) + 1)))

    def bayes(self) -> np.ndarray:
        """The best possible prediction from a single row, the probability of the event: [N]."""
        readings = simulate_plant(**asdict(self))
        return bayes_probability(readings.time_h % 24, readings.temperature_c, readings.vibration_mm_s)


Source = TableFile | Database | Plant
