"""What in a table that was read speaks against learning from it: constants, contradictions, parts of the target."""

from collections.abc import Sequence

import numpy as np

from fulmen.data.ranges import Ranges
from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.io.hints import override
from fulmen.io.taken import listed
from fulmen.io.where import Where
from fulmen.workloads.sensors.features.features import DERIVED, needs_time
from fulmen.workloads.sensors.io.tables import Columns, Table

FEWEST = 5  # rows in which a column of 0 and 1 has to be 1 before it counts as a part of the target
COVER = 0.9  # share of the events that parts of the target make up together


def check_for_training(table: Table, columns: Columns, source: str, forbidden: Sequence[str] | None = ()) -> Table:
    """`table`, without rows that say all of an earlier row again, if something can be learned from it.

    Args:
        forbidden: columns that are known to give the target away; None: nobody has said, so that parts of it are
            looked for.

    Raises:
        FulmenError: a constant column, a target with one class, features that are the target in parts, or two rows
            of one machine at one time that differ.
    """
    where = Where(source, table.line)
    _refuse_constants(table, columns, where)
    present = np.unique(table.target)
    if len(present) < 2 and columns.target is not None:
        raise FulmenError(
            f"{where(0, columns.target)}: the target has one class, {columns.labels[present[0]]} here and in every row "
            f"below ({FINDINGS['constant_target']}); a classifier needs two"
        )
    if forbidden is None and len(columns.labels) == 2:
        _refuse_parts_of_target(table, columns, source)
    if not (columns.group and columns.time):
        return table
    table = without_copies(table)
    _refuse_two_at_once(table, columns, Where(source, table.line))
    return table


def without_copies(table: Table) -> Table:
    """Each reading of a machine at a time once: where all of a row is said again below, the first is kept."""
    order = np.lexsort((table.line, table.time_h, table.group))
    again = (np.diff(table.time_h[order]) == 0) & (table.group[order][1:] == table.group[order][:-1])
    for values in (*table.numeric.values(), *table.category.T, table.target):
        if not again.any():
            return table
        before, after = values[order][:-1], values[order][1:]
        again &= (before == after) | ((before != before) & (after != after))  # NaN is NaN here
    copies = np.zeros(len(order), dtype=bool)
    copies[order[1:][again]] = True
    kept = table.at(~copies)
    kept.dropped = [
        *table.dropped,
        f"{copies.sum():,} of {len(copies):,} rows that say again, in every column used, what an earlier row of the "
        f"same machine and time says (the first: row {table.line[copies.argmax()]})",
    ]
    return kept


def _refuse_constants(table: Table, columns: Columns, where: Where) -> None:
    for name, values in table.numeric.items():
        known = np.flatnonzero(~np.isnan(values))
        if len(known) == 0:
            raise FulmenError(
                f"{where(0, name)}: the column holds no number, here or below; leave it out of numeric: "
                f"{override('data.numeric', without(columns.numeric, [name]))}"
            )
        if (values[known] == values[known[0]]).all():
            raise FulmenError(
                f"{where(known[0], name)}: the column is constant, {values[known[0]]:g} here and in every row below; "
                f"leave it out of numeric: {override('data.numeric', without(columns.numeric, [name]))}"
            )
    for i, name in enumerate(columns.categorical):
        if (table.category[:, i] == table.category[0, i]).all():
            raise FulmenError(
                f"{where(0, name)}: the column is constant, here and in every row below; leave it out of categorical"
            )


def without(numeric: Sequence[str], sources: Sequence[str]) -> list[str]:
    """The features that are made of none of these columns."""
    return [name for name in numeric if not {name, *(DERIVED[name][0] if name in DERIVED else ())} & set(sources)]


def _refuse_two_at_once(table: Table, columns: Columns, where: Where) -> None:
    order = np.lexsort((table.line, table.time_h, table.group))
    twice = (np.diff(table.time_h[order]) == 0) & (table.group[order][1:] == table.group[order][:-1])
    if twice.any():
        first = order[int(twice.argmax())], order[int(twice.argmax()) + 1]
        raise FulmenError(
            f"{where(first[1], str(columns.time))}: {columns.group} {table.group[first[1]]} has a reading at this time "
            f"already, in row {table.line[first[0]]}; each machine needs one row a time ({twice.sum():,} rows are so). "
            f"If these are rows of their own all the same, do without times: data.time=null "
            f"{override('data.numeric', [name for name in columns.numeric if not needs_time([name])])}"
        )


def parts_of_target(table: Table, columns: Columns, names: Sequence[str] | None = None) -> tuple[list[str], float]:
    """Features of 0 and 1 that are 1 in events alone, and the share of the events that they make up together.

    Args:
        names: of features that are looked at; None: all.
    """
    event = table.target == 1
    parts, together = [], np.zeros(len(event), dtype=bool)
    for name, values in table.numeric.items():
        if name in (columns.numeric if names is None else names) and ((values == 0) | (values == 1)).all():
            on = values == 1
            if on.sum() >= FEWEST and not (on & ~event).any():
                parts.append(name)
                together |= on
    return parts, float(together.sum() / max(1, event.sum()))


def _refuse_parts_of_target(table: Table, columns: Columns, source: str) -> None:
    same = same_as_target(table, columns)
    parts, share = parts_of_target(table, columns)
    kinds = [name for name in parts if name not in same]
    if not same and (not kinds or share < COVER):
        return
    told = []
    if same:
        told.append(f"{listed(same)} {'is' if len(same) == 1 else 'are'} {columns.target} under another name")
    if kinds:
        one = len(kinds) == 1
        told.append(
            f"{listed(kinds)} {'is a kind' if one else 'are kinds'} of {columns.target}: the rows in which "
            f"{'it is' if one else 'one of them is'} 1 have the label {columns.labels[1]} alone, and are "
            f"{parts_of_target(table, columns, kinds)[1]:.0%} of the rows that have it"
        )
    leaky = [*same, *kinds]
    rest = without(columns.numeric, leaky)
    cure = override("data.numeric", rest) if rest else "name other columns in data.numeric"
    raise FulmenError(
        f"{source}: {FINDINGS['target_copy']}: {'; '.join(told)}; leave {'it' if len(leaky) == 1 else 'them'} out: "
        f"{cure} (data.forbidden=[] says that nothing gives the target away)"
    )


def same_as_target(table: Table, columns: Columns) -> list[str]:
    """Features of two values that say which label each row has."""
    found, event = [], table.target == 1
    for name, values in table.numeric.items():
        if name in columns.numeric and not np.isnan(values).any():
            first = values == values[0]
            if ((first == event).all() or (first == ~event).all()) and len(np.unique(values[~first])) == 1:
                found.append(name)
    return found


def doubts_of(table: Table, columns: Columns) -> list[str]:
    """What is read as it stands and looks wrong: columns with the same content, parts of the target, single classes."""
    found: list[str] = []
    seen: dict[int, str] = {}
    for name, values in table.numeric.items():
        first = seen.setdefault(hash(np.nan_to_num(values, nan=-1e300).tobytes()), name)
        if first != name:
            found.append(f"{name} holds the same numbers as {first} in every row")
    if len(columns.labels) == 2 and columns.target:
        parts, share = parts_of_target(table, columns)
        if parts and share < COVER:
            found.append(
                f"leakage: {listed(parts)} {'is' if len(parts) == 1 else 'are'} 1 in rows with the label "
                f"{columns.labels[1]} alone ({share:.0%} of them); is it known before the event?"
            )
    return found


def numeric_of(table: Table, names: Sequence[str]) -> np.ndarray:
    """Some of the numeric columns, [N, C]."""
    return np.array([table.numeric[name] for name in names]).reshape(-1, len(table.line)).T


def out_of_range(table: Table, ranges: Ranges, where: Where, what: str = "") -> list[str]:
    """A warning for each column with values outside its range (`what` says which range), which names the first."""
    found, rows = [], len(table.line)
    for i, outside in enumerate(ranges.beyond(numeric_of(table, ranges.names)).T > 0):
        if outside.any():
            name, first = ranges.names[i], int(outside.argmax())
            found.append(
                f"{where(first, name)}: {table.numeric[name][first]:g} lies outside {what}{' ' * bool(what)}"
                f"{ranges.low[i]:g} to {ranges.high[i]:g} ({outside.sum()} of {rows} rows); is the unit right?"
            )
    return found
