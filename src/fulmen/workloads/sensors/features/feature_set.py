"""From the rows of a table to the numbers that a network reads: columns, what is derived of them, and their past."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from fulmen.report.words import counted
from fulmen.workloads.sensors.features.features import DERIVED, TIME, derive, feature_names
from fulmen.workloads.sensors.features.windows import Fitted, fit_windows, longest, window_columns
from fulmen.workloads.sensors.io.tables import Columns, Table

RANGES: Mapping[str, Sequence[float]] = {
    "light_lux": (0, 120_000), "temperature_c": (-40, 125), "vibration_mm_s": (0, 50),
}  # fmt: skip


def gap_sentence(name: str, gone: np.ndarray, line: np.ndarray, median: float | None) -> str:
    """`light_lux is missing in 1 of 24 rows (row 7); in training it never was`, and what stands in its place.

    Args:
        gone: whether it is missing [N].
        line: number of each row, as a person sees it [N].
    """
    count, rows = int(gone.sum()), len(gone)
    where = f"missing in {count:,} of {counted(rows, 'row')} ({'the first: ' * (count > 1)}row {line[gone.argmax()]})"
    where = f"empty in all {rows:,} rows" if count == rows > 1 else where
    place = f": its training median, {median:.4g}, stands there" if median is not None else ""
    return f"{name} is {where}; in training it never was{place}"


@dataclass
class Features:
    """The numeric features of a row, and of its machine's past.

    Attributes:
        columns: of the table.
        wear: columns that rise as a machine wears; windows are of them.
        windows: statistics of the past of each of them, see `windows.STATISTICS`.
        ranges: column -> lowest and highest value that makes sense.
        fitted: what the windows compare readings with, taken from training rows by `fit`.
        filled: feature that no training row lacks -> its training median, which stands where another row lacks it:
            what a network would make of a gap it never saw is anything.
    """

    columns: Columns
    wear: tuple[str, ...] = ()
    windows: tuple[str, ...] = ()
    ranges: Mapping[str, Sequence[float]] = field(default_factory=lambda: RANGES)
    fitted: Fitted = field(default_factory=dict)
    filled: dict[str, float] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        """Of the columns of `x`, in their order."""
        return feature_names(self.columns.numeric, self.wear, self.windows)

    @property
    def sensors(self) -> list[str]:
        """The features that stand in the table itself."""
        return [name for name in self.columns.numeric if name not in DERIVED]

    @property
    def hours_back(self) -> int:
        """How far the windows look back."""
        return longest(self.windows)

    def of_rows(self, table: Table) -> np.ndarray:
        """The features [N, F] of single rows, without windows."""
        sources = table.numeric | {TIME: table.time_h}
        rows = len(next(iter(sources.values())))
        found = np.empty((rows, len(self.columns.numeric)), dtype=np.float32)
        for i, name in enumerate(self.columns.numeric):
            found[:, i] = derive(name, sources)
        return found

    def fit(self, x: np.ndarray, group: np.ndarray, time_h: np.ndarray) -> None:
        """Take what windows compare readings with from training rows.

        Args:
            x: features of single rows [N, F].
            group: machine of each [N].
            time_h: [N].
        """
        if self.windows:
            positive = [name for name in self.wear if name in self.ranges and self.ranges[name][0] >= 0]
            self.fitted = fit_windows(self._wear(x), group, time_h, positive)

    def fill(self, x: np.ndarray, train: np.ndarray) -> dict[str, np.ndarray]:
        """Take the medians of features that no training row lacks, and put them into the gaps of all others.

        Args:
            x: features with their past [N, F], changed in place.
            train: numbers of the training rows.

        Returns:
            Where such features had gaps, [N] each.
        """
        whole = ~np.isnan(x[train]).any(0)
        self.filled = {name: float(np.median(x[train, i])) for i, name in enumerate(self.names) if whole[i]}
        return self.fill_gaps(x)

    def fill_gaps(self, x: np.ndarray) -> dict[str, np.ndarray]:
        """Put the medians of `filled` into the gaps of rows [N, F], in place; where there were any, [N] each."""
        found = {}
        for i in np.flatnonzero(np.isnan(x).any(0)).tolist():
            if (name := self.names[i]) in self.filled:
                found[name] = np.isnan(x[:, i])
                x[found[name], i] = self.filled[name]
        return found

    def with_past(self, x: np.ndarray, group: np.ndarray, time_h: np.ndarray) -> np.ndarray:
        """Features of single rows [N, F] beside the windows over the past of their machine: [N, F + W]."""
        if not self.windows:
            return x
        made = window_columns(self._wear(x), group, time_h, self.windows, self.fitted)
        return np.hstack([x, made.astype(np.float32)])

    def _wear(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {name: x[:, self.columns.numeric.index(name)] for name in self.wear}
