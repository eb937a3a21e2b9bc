"""What was taken from a table of readings, in words."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from fulmen.io.taken import Guess, Taken, listed
from fulmen.report.words import counted
from fulmen.workloads.sensors.copies import Copies
from fulmen.workloads.sensors.io.labels import event
from fulmen.workloads.sensors.io.tables import Columns, Table
from fulmen.workloads.sensors.splits import Splitting

STEPS = {1 / 3600: "second", 1 / 60: "minute", 1.0: "hour", 24.0: "day", 168.0: "week"}  # hours


def taken(table: Table, columns: Columns, source: str, copies: Copies, doubts: Sequence[str]) -> Taken:
    """The rows, the roles of the columns, what was decided and what is doubtful."""
    role, label, doubt = event(table.target, columns.labels, str(columns.target))
    roles = {"features": listed([*columns.numeric, *columns.categorical], 12), role: label}
    if columns.group:
        roles["machine"] = columns.group
    if columns.time:
        roles["time"] = columns.time
    if table.unused:
        roles["not used"] = listed(table.unused, 12)
    guesses = [*table.guesses, *map(Guess, copies.said)]
    return Taken(
        source, _rows(table, columns), roles, guesses, list(table.dropped),
        [*doubts, *([doubt] if doubt else []), *copies.doubts],
    )  # fmt: skip


def not_used(later: int, rows: int, splitting: Splitting) -> str:
    """Of a fold in time, how many rows lie after its test split, and what uses them."""
    return (
        f"{later:,} of {rows:,} rows lie after the test split of fold {splitting.fold} of {splitting.folds} and are "
        f"not used (data.fold={splitting.folds - 1} tests the last rows, folds={splitting.folds} all folds in turn)"
    )


def _rows(table: Table, columns: Columns) -> str:
    """`864 rows of 6 machines, 2024-03-01 00:00 to 2024-03-12 22:00, one in 2 hours`"""
    found = counted(len(table.line), "row")
    if columns.group:
        found += f" of {counted(len(np.unique(table.group)), 'machine')}"
    if not columns.time:
        return found
    first, last = (
        when(float(each), table.absolute, table.zone) for each in (np.min(table.time_h), np.max(table.time_h))
    )
    step = _step(table)
    return f"{found}, {first} to {last}{f', {every(step)}' if step > 0 else ''}"


def _step(table: Table) -> float:
    """The usual time from one row of a machine to its next, in hours; 0 where there is none."""
    order = np.lexsort((table.time_h, table.group))
    steps = np.diff(table.time_h[order])[table.group[order][1:] == table.group[order][:-1]]
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 0.0


def every(hours: float) -> str:
    """`one an hour`, `one in 2 hours`"""
    unit = max((each for each in STEPS if each <= hours * 1.0001), default=min(STEPS))
    count = hours / unit
    if abs(count - 1) < 0.001:
        return f"one {'an' if STEPS[unit] == 'hour' else 'a'} {STEPS[unit]}"
    return f"one in {count:.3g} {STEPS[unit]}s"


def when(time_h: float, absolute: bool, zone: str = "") -> str:
    """Hours since 1970 as a time, with its zone where there is one; other hours as they are."""
    if absolute:
        return f"{pd.Timestamp(0) + pd.Timedelta(hours=time_h):%Y-%m-%d %H:%M}{zone and f' {zone}'}"
    return f"{time_h:g} h"
