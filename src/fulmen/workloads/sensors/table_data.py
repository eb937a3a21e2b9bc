"""What data of labelled rows have in common, wherever the rows come from."""

from collections.abc import Sequence

import numpy as np

from fulmen.io.options import TableOptions
from fulmen.workload import WorkloadData
from fulmen.workloads.sensors.features.feature_set import Features
from fulmen.workloads.sensors.splits import Splitting


class TableData(WorkloadData):
    """Rows of numbers and levels with one label each.

    A batch holds `x` [B, F] (NaN where missing), `category` [B, c] (level numbers, -1 where missing), `target` [B]
    (label numbers), `row` [B] (its number in the file) and `group` [B].

    Args:
        batch_size: rows per training batch.
        seed: of the order of the batches.
        features: what is made of the columns.
        splitting: how the rows are split.

    Attributes:
        options: how files are read, as a person said it.
        hours: time of each row, by split; NaN where there is none.
        groups: the machines; `group` counts in it.
        bayes: the best possible prediction for the test split [N], where it is known.
        known_ceiling: metric -> a score above which something must leak.
        absolute: whether hours count from 1970.
        time_unit: of times that are numbers in the file.
        zone: of the times, where they were converted; else "".
        warnings: what `setup` found and warned of.
        later: rows that lie after the test split of a fold in time and are in no split.
        permute_labels: whether the labels are shuffled.
    """

    permute_labels: bool = False

    def __init__(self, batch_size: int, seed: int, features: Features, splitting: Splitting):
        super().__init__(batch_size, seed)
        self.features, self.splitting = features, splitting
        self.options = TableOptions()
        self.hours: dict[str, np.ndarray] = {}
        self.groups: list[str] = []
        self.bayes: np.ndarray | None = None
        self.known_ceiling: dict[str, float] = {}
        self.absolute = False
        self.time_unit = "hours"
        self.zone = ""
        self.later = 0
        self.warnings: list[str] = []

    @property
    def labels(self) -> Sequence[str | int]:
        """As they stand in the table."""
        return self.features.columns.labels

    @property
    def numeric(self) -> list[str]:
        """The names of the columns of `x`."""
        return self.features.names

    @property
    def sensors(self) -> list[str]:
        """The numeric features that stand in the table itself."""
        return self.features.sensors
