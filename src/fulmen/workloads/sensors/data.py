"""Rows of readings, one label each, split by machine, by time or at random."""

import warnings
from collections.abc import Mapping, Sequence
from copy import copy, deepcopy
from dataclasses import asdict, replace
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import torch
from torch import Tensor

from fulmen.config.ranges import Count, between, refuses_out_of_range
from fulmen.data.cache import Arrays, cache_folder, cached, fingerprint
from fulmen.data.leaks.samples import Samples
from fulmen.data.ranges import Ranges
from fulmen.errors import FulmenError
from fulmen.io.content import Content, Recognised
from fulmen.io.options import DateOrder, Decimal, TableOptions, TimeUnit
from fulmen.io.taken import restored, stored
from fulmen.io.where import Where
from fulmen.utils.seeding import derived_seed
from fulmen.workload import Split
from fulmen.workloads.sensors import arguments, leakage, recognising, said
from fulmen.workloads.sensors.copies import copies_of
from fulmen.workloads.sensors.features.feature_set import RANGES, Features, gap_sentence
from fulmen.workloads.sensors.io.alike import Alike
from fulmen.workloads.sensors.io.checks import check_for_training, doubts_of, out_of_range
from fulmen.workloads.sensors.io.tables import Columns
from fulmen.workloads.sensors.samples import large_numbers, samples_of
from fulmen.workloads.sensors.simulator.plant import SENSORS, Fault
from fulmen.workloads.sensors.sources import Plant, TableFile
from fulmen.workloads.sensors.splits import later_than_test
from fulmen.workloads.sensors.table_data import TableData


class SensorData(TableData):
    """Rows of a CSV, a Parquet or Excel file, a database or a simulated plant, with labels; split, batched.

    Three things are said by the arguments, each an object of its own: where the rows come from (`source`: csv to sheet;
    database, query and snapshot; else the plant of machines, days, lost and fault), what is made of them (`features`:
    numeric to windows) and how they are split (`splitting`: split to validation). Batches are those of `TableData`.

    Args:
        csv: a CSV, Parquet or Excel file, plain or packed; replaces the simulated plant.
        delimiter: between the columns of a CSV: one character, or comma, semicolon, tab, bar, space; auto: found out.
        columns: what a column is called here -> its name in the file: {temperature_c: Temp, machine: "Machine ID"}.
        decimal: the sign before the decimals: point or comma; auto: all cells together say it.
        dates: day_first or month_first, of dates that could be read both ways; auto: asked if no date says it.
        time_unit: of times that are numbers: hours, minutes, seconds, milliseconds, microseconds, nanoseconds, days or
            excel_days; auto: found out by range and step.
        header: names of all columns of a file without a line of names, or numbered: c1, c2, ...; auto: it has one.
        missing_values: further marks of a missing reading, such as [-999]; []: there are none, whatever it looks like.
        encoding: of a text file; auto: found out.
        sheet: of an Excel file; null: the first.
        database: SQLAlchemy URL, or $NAME for one in the environment; replaces the simulated plant, with `query`.
        query: an SQL SELECT. Its rows are kept as a snapshot.
        snapshot: null: the latest one, taken if there is none; "new": taken now; or an id.
        numeric: features: columns, or derived ones (`features.DERIVED`).
        categorical: features with levels: {Type: [L, M, H]}.
        target: column of the labels.
        labels: the labels as they stand there; of two, the second is the event.
        group: column of the machine, or null.
        alike: machines whose names differ in case, blanks or the way a number is written alone (M1, m1): one, apart, or
            ask.
        time: column of the time (dates, or numbers in `time_unit`), or null.
        missing: whether readings may be missing; else a gap is an error.
        ranges: column -> lowest and highest value that makes sense in its unit; beyond is a warning.
        forbidden: columns that give the target away and are refused as features; null: features that are the target in
            parts are looked for and refused.
        ceiling: metric -> a score above which something must leak.
        wear: columns that rise as a machine wears and fall when it is repaired; those that `ranges` lets not be
            negative by ratios, the others by differences.
        windows: statistics of the past of each of them that are added (`windows.STATISTICS`), such as mean_24h,
            rise_24h, since_fall.
        split: "auto": by group if there is one, else by time, else at random within each class.
        fold: number of the fold that tests, from 0; null for the first.
        folds: number of folds.
        validation: share of the rows that do not test; 0: none, which only `fulmen rank` can do with.
        machines: of the simulated plant.
        days: of the simulated plant.
        lost: share of its readings that are missing.
        fault: of its sensors: drift, dimming, stuck or dropout (see `plant.py`).
        permute_labels: shuffle them: whatever is then found better than chance leaks.
        batch_size: rows per training batch.
        seed: of the plant, the split and the order of the batches.
        cache: folder of the prepared arrays; `outputs/cache` by default.

    Attributes:
        source: where the rows come from.
        rows: numbers of the rows in each split, known after `setup`.
    """

    reads = "csv"

    @classmethod
    def recognises(cls, content: Content, arguments: Mapping[str, Any]) -> Recognised | None:
        return recognising.recognised(content, arguments)

    @refuses_out_of_range
    def __init__(
        self,
        csv: str | None = None,
        delimiter: str = "auto",
        columns: Mapping[str, str | None] | None = None,
        decimal: Decimal = "auto",
        dates: DateOrder = "auto",
        time_unit: TimeUnit = "auto",
        header: Literal["auto", "numbered"] | Sequence[str] = "auto",
        missing_values: Sequence[str | float] | None = None,
        encoding: str = "auto",
        sheet: str | None = None,
        database: str | None = None,
        query: str | None = None,
        snapshot: str | None = None,
        numeric: Sequence[str] = (*SENSORS, "hour_sin", "hour_cos"),
        categorical: Mapping[str, Sequence[str]] | None = None,
        target: str = "maintenance",
        labels: Sequence[str | int | bool] = (0, 1),
        group: str | None = "machine",
        alike: Alike = "ask",
        time: str | None = "time",
        missing: bool = True,
        ranges: Mapping[str, Sequence[float]] | None = None,
        forbidden: Sequence[str] | None = None,
        ceiling: Mapping[str, float] | None = None,
        wear: Sequence[str] = ("temperature_c", "vibration_mm_s"),
        windows: Sequence[str] = (),
        split: Literal["auto", "group", "time", "random"] = "auto",
        fold: int | None = None,
        folds: Annotated[int, between(2, 100)] = 5,
        validation: Annotated[float, between(0, 0.5)] = 0.2,
        machines: Annotated[int, between(1, 100_000)] = 24,
        days: Annotated[int, between(1, 3650)] = 35,
        lost: Annotated[float, between(0, 0.9)] = 0.03,
        fault: Fault | None = None,
        permute_labels: bool = False,
        batch_size: Count = 256,
        seed: int = 42,
        cache: str | None = None,
    ):
        wanted = Columns(tuple(numeric), dict(categorical or {}), target, tuple(labels), group, time, missing)
        features = Features(wanted, tuple(wear), tuple(windows), {**RANGES, **(ranges or {})})
        arguments.check_features(features, forbidden or ())
        splitting = arguments.splitting_of(split, features, fold, folds, validation, seed)
        super().__init__(batch_size, seed, features, splitting)
        self.class_names = tuple(map(str, labels))
        plant = Plant(machines, days, lost, fault, seed)
        self.options = TableOptions(
            delimiter, decimal, dates, time_unit, header if isinstance(header, str) else tuple(header),
            dict(columns or {}), missing_values if missing_values is None else tuple(missing_values), encoding, sheet,
        )  # fmt: skip
        self.source = arguments.source_of(csv, self.options, database, query, snapshot, plant, alike)
        self.forbidden = forbidden if forbidden is None else tuple(forbidden)
        self.permute_labels, self.known_ceiling = permute_labels, dict(ceiling or {})
        self.cache = Path(cache) if cache else None
        self.rows: dict[str, np.ndarray] = {}
        self._within: tuple[int, int] | None = None

    @property
    def described(self) -> str:
        if isinstance(self.source, Plant):
            return f"the simulated plant, {self.source.machines} machines, {self.source.days} days, seed {self.seed}"
        return super().described

    def inner(self, fold: int, folds: int) -> "SensorData":
        """A fold of the rows that do not test, split as all rows are."""
        found = copy(self)
        found.splits, found.rows, found.features, found._within = {}, {}, deepcopy(self.features), (fold, folds)
        return found

    def prepare_data(self) -> None:
        self._arrays()

    def setup(self, stage: str | None = None) -> None:
        if self.splits:
            return
        arrays = self._arrays()
        whole = {name: np.array(arrays[name]) for name in ("x", "category", "target", "row", "group")}
        if self.permute_labels:
            order = np.random.default_rng(derived_seed(self.seed, "labels")).permutation(len(whole["target"]))
            whole["target"] = whole["target"][order]
        x, group, time_h, target = whole["x"], whole["group"], arrays["time_h"], whole["target"]
        found = list(restored(arrays["taken"])[0].doubts)
        rows = self._rows(arrays, target, found)
        for name in ("train", "test"):
            arguments.check_classes(
                name, target, whole["row"], rows[name], self.features.columns, self.splitting.fold
            )  # fmt: skip
        train = rows["train"]
        self.features.fit(x[train], group[train], time_h[train])
        whole["x"] = self.features.with_past(x, group, time_h)
        gaps = self.features.fill(whole["x"], train)
        found += [gap_sentence(name, gone, whole["row"], self.features.filled[name]) for name, gone in gaps.items()]
        self.splits = {name: {k: torch.from_numpy(v[part]) for k, v in whole.items()} for name, part in rows.items()}
        self.rows = rows
        if self.splitting.kind == "time" and self._within is None:
            self.later = later_than_test(time_h, rows)
            self._say_unused(arrays)
        self.bayes = np.array(arrays["bayes"][rows["test"]]) if "bayes" in arrays and not self.permute_labels else None
        self.groups = arrays["group_name"].tolist()
        self.hours = {name: np.array(time_h[part]) for name, part in rows.items()}
        self.absolute, self.time_unit = bool(arrays["absolute"]), str(arrays["time_unit"])
        self.zone = str(arrays["zone"])
        self._warn(found)

    def keep(self, name: Split, rows: Tensor) -> None:
        super().keep(name, rows)
        kept = rows.numpy()
        self.rows = self.rows | {name: self.rows[name][kept]}
        self.hours = self.hours | {name: self.hours[name][kept]}

    def all_samples(self) -> Samples | None:
        return samples_of(self, self.rows, self._arrays()) if self.splits else None

    def _rows(self, arrays: Arrays, target: np.ndarray, found: list[str]) -> dict[str, np.ndarray]:
        """Numbers of the rows in each split; copies of a row stay together where that is possible, else it is found."""
        first = arrays["copy"]
        some = bool((first != np.arange(len(target))).any())
        together = some and self.splitting.can_keep_together(target, first)
        if some and not together and self.splitting.kind == "random":
            found.append("leakage: the table has so few distinct rows that copies of a row are in several splits")
        rows = self.splitting.rows(target, arrays["alike"], arrays["time_h"], first if together else None)
        return rows if self._within is None else self._inner_rows(arrays, target, rows, together)

    def _inner_rows(
        self, arrays: Arrays, target: np.ndarray, rows: dict[str, np.ndarray], together: bool
    ) -> dict[str, np.ndarray]:
        """Of the inner fold; arguments as of `_rows`, and the rows of the splits of the outer one."""
        rest = np.sort(np.concatenate([rows["train"], rows["validation"]]))
        fold, folds = self._within or (0, 2)
        copies = np.searchsorted(rest, arrays["copy"][rest]) if together else None
        splitting = replace(self.splitting, fold=fold, folds=folds)
        found = splitting.rows(target[rest], arrays["alike"][rest], arrays["time_h"][rest], copies)
        return {name: rest[part] for name, part in found.items()}

    def _warn(self, found: list[str]) -> None:
        if self.splitting.kind == "random":
            found += leakage.telling_columns(self.numeric, self.features.columns)
        self.warnings = found
        for warning in found:
            warnings.warn(warning, stacklevel=3)

    def export(self, path: str | Path) -> None:
        """Write the simulated plant as a CSV that `data.csv` reads.

        Raises:
            FulmenError: the rows are not simulated.
        """
        if not isinstance(self.source, Plant):
            raise FulmenError("export writes the simulated plant; these rows come from elsewhere")
        self.source.frame().to_csv(path, index=False)

    def _arrays(self) -> Arrays:
        """All rows, as far as they do not depend on the split, from the cache or made now."""
        rows = self.source.rows(self.cache or cache_folder())
        key = {**rows.key(), "columns": asdict(self.features.columns), "ranges": self.features.ranges,
               "forbidden": self.forbidden}  # fmt: skip
        stored = fingerprint(key, code=rows.code, files=rows.files)
        self.fingerprint = f"{stored}.permuted" if self.permute_labels else stored  # another target, other runs
        arrays = cached("sensors", stored, lambda: self._build(rows), self.cache)
        self.taken = [] if isinstance(rows, Plant) else restored(arrays["taken"])
        self._say_unused(arrays)
        return arrays

    def _say_unused(self, arrays: Arrays) -> None:
        """Add to what was taken that rows of the future of a fold are not used."""
        if self.taken and self.later:
            self.taken[0].dropped.append(said.not_used(self.later, len(arrays["target"]), self.splitting))

    def _build(self, rows: TableFile | Plant) -> Arrays:
        columns = self.features.columns
        table = check_for_training(rows.table(columns), columns, str(rows.name), self.forbidden)
        known = self.features.ranges.items()
        plausible = Ranges.of([{"name": name, "range": ends} for name, ends in known if name in table.numeric])
        where = Where(str(rows.name), table.line)
        names, group = np.unique(table.group, return_inverse=True)
        copies = copies_of(table, group, names.tolist() if columns.group else [])
        doubts = [*out_of_range(table, plausible, where), *doubts_of(table, columns)]
        took = said.taken(table, columns, str(rows.name), copies, doubts)
        best = {"bayes": rows.bayes()} if isinstance(rows, Plant) and rows.has_ceiling else {}
        large = large_numbers(table.numeric)
        return best | {
            "large": np.stack(list(large.values()), 1) if large else np.empty((len(table.line), 0)),
            "large_name": np.array(list(large), dtype=str),
            "also": np.stack(list(table.also.values()), 1) if table.also else np.empty((len(table.line), 0), np.int32),
            "also_name": np.array(list(table.also), dtype=str),
            "x": self.features.of_rows(table),
            "category": table.category,
            "target": table.target,
            "row": table.line,
            "group": group,
            "group_name": names,
            "time_h": table.time_h,
            "absolute": np.array(table.absolute),
            "time_unit": np.array(table.time_unit),
            "zone": np.array(table.zone),
            "copy": copies.row,
            "alike": copies.group,
            "taken": stored([took]),
        }
