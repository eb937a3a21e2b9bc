"""How a file of prices is read, and for what."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fulmen.io.hints import override
from fulmen.io.options import TableOptions
from fulmen.workloads.stocks.features import FEATURES, columns_read
from fulmen.workloads.stocks.steps import Limits


@dataclass(frozen=True)
class Reading:
    """How a file of prices is read.

    Attributes:
        table: how its cells are.
        limits: what is taken for a step from one day to the next.
        features: what the prices are read for; a column that none of them is made of may be absent.
        free: whether other features may be chosen: those of a kept model stay.
        remembered: as `columns` of `table`, for columns that are there: what those of a kept model were called.
    """

    table: TableOptions = field(default_factory=TableOptions)
    limits: Limits = field(default_factory=Limits)
    features: Sequence[str] = FEATURES
    free: bool = True
    remembered: Mapping[str, str | None] = field(default_factory=dict)

    def needs(self, column: str) -> bool:
        """Whether the dates, the target or a feature is made of a column: `Open`."""
        read = {name for feature in self.features for name in columns_read(feature)}
        return column in ("Date", "Close") or column.lower() in read

    def without(self, columns: Sequence[str]) -> str:
        """The override that goes on without some columns: the features that are made of none of them."""
        lost = {column.lower() for column in columns}
        left = [name for name in self.features if not lost & set(columns_read(name))]
        return override("data.features", left or ["return"])
