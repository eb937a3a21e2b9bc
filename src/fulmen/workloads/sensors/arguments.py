"""What can be wrong with the arguments of `data.SensorData`, said before work begins, or with a part of its rows."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from fulmen.config.mistakes import did_you_mean
from fulmen.diagnosis.findings import FINDINGS
from fulmen.errors import FulmenError
from fulmen.io.options import TableOptions
from fulmen.workloads.sensors.features.feature_set import Features
from fulmen.workloads.sensors.features.features import source_columns
from fulmen.workloads.sensors.features.windows import parse
from fulmen.workloads.sensors.io.alike import Alike
from fulmen.workloads.sensors.io.tables import Columns
from fulmen.workloads.sensors.sources import Database, Plant, Source, TableFile
from fulmen.workloads.sensors.splits import Kind, Splitting, choose


def check_features(features: Features, forbidden: Sequence[str]) -> None:
    """Pass if all that is said of the features can be.

    Args:
        forbidden: columns that give the target away.

    Raises:
        FulmenError: names the argument and what is wrong with it.
    """
    check_columns(features.columns, forbidden)
    check_windows(features.columns, features.wear, features.windows)
    check_ranges(features.ranges)


def check_columns(c: Columns, forbidden: Sequence[str]) -> None:
    """Pass if there are features, each named once, none of which is the target or gives it away."""
    if not c.numeric and not c.categorical:
        raise FulmenError("numeric: name at least one feature")
    for name in [*c.numeric, *source_columns(c.numeric), *c.categorical]:
        if name in forbidden:
            raise FulmenError(f"numeric: {name} gives the target away and cannot be a feature; leave it out")
        if name == c.target:
            raise FulmenError(f"numeric: {name} is the target and cannot be a feature; leave it out")
    for name in {*c.numeric, *c.categorical}:
        if [*c.numeric, *c.categorical].count(name) > 1:
            raise FulmenError(f"numeric: {name} is named twice")
    if len(set(map(str, c.labels))) < max(2, len(c.labels)):
        raise FulmenError(f"labels are {list(c.labels)}; give two or more that differ")
    for name, levels in c.categorical.items():
        if len(levels) < 2:
            raise FulmenError(f"categorical.{name}: name two levels or more")


def source_of(
    csv: str | None, options: TableOptions, database: str | None, query: str | None, snapshot: str | None, plant: Plant,
    alike: Alike = "ask",
) -> Source:  # fmt: skip
    """Where the rows come from: a file or a database, where one is named, else the plant.

    Raises:
        FulmenError: two of them are named, or a database without a query.
    """
    if bool(database) != bool(query):
        raise FulmenError(
            "database and query belong together: data.database=sqlite:///plant.db 'data.query=SELECT ...'"
        )
    if csv and database:
        raise FulmenError("csv and database exclude each other: choose one source of readings")
    if database and query:
        return Database(database, query, snapshot, options, alike)
    return TableFile(Path(csv), options, alike) if csv else plant


def splitting_of(
    split: Kind | Literal["auto"], features: Features, fold: int | None, folds: int, validation: float, seed: int
) -> Splitting:
    """How the rows are split; "auto": by machine if there are some, else by time, else at random within each class.

    Raises:
        FulmenError: there is no such fold, or no column of what is split by.
    """
    if fold is not None and not 0 <= fold < folds:
        raise FulmenError(f"fold is {fold}; with folds={folds} it runs from 0 to {folds - 1}")
    columns = features.columns
    kind = choose(bool(columns.group), bool(columns.time)) if split == "auto" else split
    for name, column in (("group", columns.group), ("time", columns.time)):
        if kind == name and not column:
            raise FulmenError(f"split is {name}, but no column is named: data.{name}=<column>")
    return Splitting(kind, fold or 0, folds, validation, seed, features.hours_back)


def check_classes(part: str, target: np.ndarray, line: np.ndarray, rows: np.ndarray, c: Columns, fold: int) -> None:
    """Pass if every label is among `target` [N] in the `rows` of the part; `line`: of each row in the file [N]."""
    for number in range(len(c.labels)):
        if not (target[rows] == number).any():
            where = np.flatnonzero(target == number)
            code = f"{FINDINGS['one_class_in_a_split']}; " if len(c.labels) == 2 else ""
            there = f"its {len(where)} rows begin with row {line[where[0]]}" if len(where) else "no row has it"
            raise FulmenError(
                f"column {c.target}: class {c.labels[number]} is not in the {part} split of fold {fold} "
                f"({code}{there}); take other folds, data.split=random, or data.labels without it"
            )


def check_windows(c: Columns, wear: Sequence[str], windows: Sequence[str]) -> None:
    for window in windows:
        parse(window)
    if len(set(windows)) < len(windows):
        raise FulmenError(f"windows are {list(windows)}; name each once")
    if not windows:
        return
    if not (c.group and c.time):
        raise FulmenError("windows need data.group=<column> and data.time=<column>")
    sensors = [name for name in c.numeric if name in source_columns([name])]
    if not wear:
        raise FulmenError(f"wear: windows are of columns that rise with wear; name one or more of {', '.join(sensors)}")
    for name in wear:
        if name not in sensors:
            raise FulmenError(f"wear: {name} is no column among numeric{did_you_mean(name, sensors)}")


def check_ranges(ranges: Mapping[str, Sequence[float]]) -> None:
    for name, bounds in ranges.items():
        if len(bounds) != 2 or bounds[0] >= bounds[1]:
            raise FulmenError(f"ranges.{name} is {list(bounds)}; give the lowest and the highest value")
