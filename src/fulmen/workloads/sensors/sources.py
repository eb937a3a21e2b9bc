"""Where the rows of a table come from: a file, the answer of a database, or the simulated plant."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pandas as pd

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.features import features
from fulmen.workloads.sensors.io import cells, files, tables
from fulmen.workloads.sensors.io.database import snapshot
from fulmen.workloads.sensors.io.tables import Columns, Table, check_table, read_table
from fulmen.workloads.sensors.simulator import bayes_one_row, plant
from fulmen.workloads.sensors.simulator.bayes_one_row import bayes_probability
from fulmen.workloads.sensors.simulator.plant import Fault, simulate_plant


@dataclass(frozen=True)
class TableFile:
    """A CSV or Parquet file, plain or packed; `delimiter` stands between the columns of a CSV."""

    path: Path
    delimiter: str = ","
    code = (tables, cells, files, features)  # what a cache of the rows depends on

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def files(self) -> Sequence[Path]:
        return [self.path]

    def key(self) -> dict[str, Any]:
        """Plain values that tell these rows from others, beside the bytes of `files`."""
        return {"csv": self.path.name, "delimiter": self.delimiter}

    def rows(self, folder: Path) -> "TableFile":
        """These rows, which are there.

        Raises:
            FulmenError: there is no such file.
        """
        if not self.path.is_file():
            raise FulmenError(f"csv: there is no file {self.path}")
        return self

    def table(self, columns: Columns) -> Table:
        """The rows, read and checked.

        Raises:
            FulmenError: a column is not there, or a value cannot be: the message names column and row.
        """
        return read_table(self.path, columns, self.delimiter)


@dataclass(frozen=True)
class Database:
    """What an SQL query finds, kept as a file: a run must not depend on when it asked.

    Attributes:
        url: an SQLAlchemy URL, or $NAME for one in the environment.
        query: a SELECT.
        snapshot: None: the latest, taken if there is none; "new": taken now; or an id.
    """

    url: str
    query: str
    snapshot: str | None = None

    def rows(self, folder: Path) -> TableFile:
        """The rows of a snapshot, kept below `folder`.

        Raises:
            FulmenError: no such snapshot, or the database does not answer.
        """
        return TableFile(snapshot(self.url, self.query, self.snapshot, folder / "snapshots"))


@dataclass(frozen=True)
class Plant:
    """The simulated plant, see `simulator/plant.py`; `missing` is the share of its readings that are lost."""

    machines: int = 24
    days: int = 35
    missing: float = 0.03
    fault: Fault | None = None
    seed: int = 42
    name = "the simulated plant"  # what messages call it
    code = (tables, cells, features, plant, bayes_one_row)
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
        return check_table(self.frame(), columns, self.name)

    def bayes(self) -> np.ndarray:
        """The best possible prediction from a single row, the probability of the event: [N]."""
        readings = simulate_plant(**asdict(self))
        return bayes_probability(readings.time_h % 24, readings.temperature_c, readings.vibration_mm_s)


Source = TableFile | Database | Plant
