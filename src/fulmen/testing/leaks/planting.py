"""What a planter hands on."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from fulmen.errors import FulmenError
from fulmen.testing.leaks.sources import Curves, Pictures, Prices, Source, Table

T = TypeVar("T", Table, Pictures, Prices, Curves)

if TYPE_CHECKING:
    from fulmen.workload import WorkloadData


@dataclass(frozen=True)
class Planting:
    """A source with a leak, and the same without it.

    Attributes:
        leaky: with the leak.
        honest: what its score is compared with: without the column or the copies, or with the split that keeps apart.
        columns: that leak, or that tell what belongs together.
        rows: numbers of the rows, pictures or subjects that leak; of pictures those of the test part.
        expected: names of findings that say so, the most exact first; any of them is right.
        hook: the data class to read `leaky` with, where the leak lies in what it fits.
        honest_hook: the same, fitted on the training split alone.
    """

    leaky: Source
    honest: Source
    columns: tuple[str, ...] = ()
    rows: np.ndarray = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    expected: tuple[str, ...] = ()
    hook: "type[WorkloadData] | None" = None
    honest_hook: "type[WorkloadData] | None" = None


def table_of(source: Source) -> Table:
    """The source, which has to be a table."""
    return _as(Table, source)


def pictures_of(source: Source) -> Pictures:
    """The source, which has to be pictures."""
    return _as(Pictures, source)


def prices_of(source: Source) -> Prices:
    """The source, which has to be prices."""
    return _as(Prices, source)


def curves_of(source: Source) -> Curves:
    """The source, which has to be curves."""
    return _as(Curves, source)


def _as(kind: type[T], source: Source) -> T:
    if not isinstance(source, kind):
        raise FulmenError(f"this planter takes {kind.__name__}, not {type(source).__name__}")
    return source
