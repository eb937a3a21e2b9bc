"""Rows of a table as a scan for leaks looks at them: columns as they stand in the file, whatever a network reads."""

from collections.abc import Mapping, Sequence

import numpy as np

from fulmen.data.cache import Arrays
from fulmen.data.leaks.samples import LEFT_OUT, SPLITS, Samples
from fulmen.io.hints import override
from fulmen.workloads.sensors.io.checks import without
from fulmen.workloads.sensors.io.tables import Columns
from fulmen.workloads.sensors.table_data import TableData

_TOGETHER = "give those that belong together one number in a column, which data.group=COLUMN data.split=group keeps"
ADVICE = {  # where the columns that are known split by no group and no time
    "copies": f"no override removes them: drop them from the file, or {_TOGETHER} together",
    "near_copies": f"no override removes them: drop them from the file, or {_TOGETHER} together",
    "time_order": f"no column of the file is sorted as it is: add one of times (data.time=COLUMN data.split=time), or "
    f"{_TOGETHER} together",
}
EXACT = 2**24  # whole numbers above are not all float32


def large_numbers(numeric: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Columns of numbers that float32 rounds to fewer different ones: ids and times, most of them."""
    found = {}
    for name, values in numeric.items():
        known = values[~np.isnan(values)]
        if len(known) and abs(known).max() >= EXACT and (known == np.round(known)).all():
            found[name] = values
    return found


def samples_of(data: TableData, rows: Mapping[str, np.ndarray], arrays: Arrays) -> Samples:
    """All rows of data that are set up.

    Args:
        rows: numbers of the rows in each split.
        arrays: all rows, of which the splits were made.
    """
    columns = data.features.columns
    split = np.full(len(arrays["target"]), LEFT_OUT)
    target = np.array(arrays["target"])
    for number, name in enumerate(SPLITS):
        split[rows[name]] = number
        target[rows[name]] = data.splits[name]["target"].numpy()
    named: dict[str, np.ndarray] = {name: arrays["x"][:, i] for i, name in enumerate(columns.numeric)}
    large = dict(zip(arrays["large_name"].tolist(), arrays["large"].T, strict=True))
    named |= {name: values for name, values in large.items() if name in named}
    named |= {name: np.array(arrays["category"][:, i]) for i, name in enumerate(columns.categorical)}
    return Samples(
        target=target,
        kind="classes",
        split=split,
        columns=named,
        group=np.array(arrays["group"]) if columns.group else None,
        time=np.array(arrays["time_h"]) if columns.time else None,
        order=np.array(arrays["row"]),
        also=dict(zip(arrays["also_name"].tolist(), arrays["also"].T, strict=True)),
        splitting=data.splitting.kind,
        target_name=str(columns.target),
        sample="row",
        without=lambda names: left_out(columns, names),
        by_group=lambda name: [override("data.group", name), "data.split=group", *left_out(columns, [name])],
        by_time=lambda name: [override("data.time", name), "data.split=time", *left_out(columns, [name])],
        cures=cures(columns, data.splitting.kind),
        advice=ADVICE,
        line=np.array(arrays["row"]),
    )


def left_out(columns: Columns, names: Sequence[str]) -> list[str]:
    """Overrides that leave features out; [] where nothing would be left, or none is one."""
    numeric = without(columns.numeric, names)
    levels = [name for name in columns.categorical if name in names]
    if not numeric and len(levels) == len(columns.categorical):
        return []
    found = [override("data.numeric", numeric)] if len(numeric) < len(columns.numeric) else []
    kept = {name: list(known) for name, known in columns.categorical.items() if name not in levels}
    if not levels or not kept:
        return [*found, *([override("data.categorical", None)] if levels else [])]
    if all(map(str.isidentifier, levels)):
        return [*found, *(f"~data.categorical.{name}" for name in levels)]
    return [*found, override("data.categorical", None), override("data.categorical", kept)]  # one alone would be added


def cures(columns: Columns, kind: str) -> dict[str, Sequence[str]]:
    """Name of a finding -> overrides that remove such a leak."""
    by_group = ["data.split=group"] if columns.group and kind != "group" else []
    by_time = ["data.split=time"] if columns.time and kind != "time" else []
    return {
        "copies": by_group,
        "near_copies": by_group or by_time,
        "group_in_several_splits": by_group,
        "time_order": by_group or by_time,
    }
