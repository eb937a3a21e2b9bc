"""Two curves one below the other, without a column known to count: all of the training, then all of the validation."""

import numpy as np

from fulmen.io.logs.numbers_of import counts
from fulmen.io.logs.options import Ask
from fulmen.io.logs.order import Points
from fulmen.io.logs.table import LogTable
from fulmen.io.logs.words import plain

COUNTERS = ("id", "index", "idx", "i", "n", "no", "nr", "number", "num", "x")


def in_blocks(table: LogTable, train: Points, val: Points) -> tuple[np.ndarray, str, str] | None:
    """What counts the rows [rows] of two blocks, its kind and name; None if the curves do not stand in blocks.

    A column such as `id` that begins again counts them; else the n-th value of one goes with the n-th of the other.

    Raises:
        Ask: nothing counts them and one is longer.
    """
    if len(train) < 2 or len(val) < 2 or not (train.rows[-1] < val.rows[0] or val.rows[-1] < train.rows[0]):
        return None
    for name in table.columns:
        if plain(name) in COUNTERS and (at := _again(table, name, train, val)) is not None:
            return at, "step", name
    if len(train) != len(val):
        raise Ask(
            f"{table.source}: {len(train)} training losses stand in one block and {len(val)} validation losses in "
            "another, and no column says of which steps; to take one of the columns: --epoch COLUMN",
            [],
        )
    at = np.full(len(table), np.nan)
    at[train.rows] = at[val.rows] = np.arange(len(train), dtype=float)
    return at, "row", "the n-th value of each curve"


def _again(table: LogTable, name: str, train: Points, val: Points) -> np.ndarray | None:
    """A column of whole numbers that rises in both blocks and begins again in the second."""
    rows = [*train.rows.tolist(), *val.rows.tolist()]
    if not all(table.text(name, row).isdigit() for row in rows):
        return None
    at = counts(table, name, table.filled(name))
    rises = all((np.diff(at[each.rows]) > 0).all() for each in (train, val))
    both = np.intersect1d(at[train.rows], at[val.rows])
    return at if rises and len(both) else None
