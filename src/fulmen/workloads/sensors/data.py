"""Rows of readings, one label each, split by machine, by time or at random."""

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import torch

from fulmen.data.cache import Arrays, cache_folder, cached, fingerprint
from fulmen.errors import FulmenError
from fulmen.utils.seeding import derived_seed
from fulmen.workload import WorkloadData
from fulmen.workloads.sensors import arguments, leakage, splits
from fulmen.workloads.sensors.features import features
from fulmen.workloads.sensors.features.features import DERIVED, TIME, derive, feature_names
from fulmen.workloads.sensors.features.windows import Fitted, fit_windows, longest, window_columns
from fulmen.workloads.sensors.io import cells, files, tables
from fulmen.workloads.sensors.io.database import snapshot as take_snapshot
from fulmen.workloads.sensors.io.tables import Columns, Table, check_for_training, check_table, out_of_range, read_table
from fulmen.workloads.sensors.simulator import bayes_one_row as ceilings
from fulmen.workloads.sensors.simulator import plant
from fulmen.workloads.sensors.simulator.bayes_one_row import bayes_probability
from fulmen.workloads.sensors.simulator.plant import SENSORS, Fault, simulate_plant

RANGES = {"light_lux": (0, 120_000), "temperature_c": (-40, 125), "vibration_mm_s": (0, 50)}


class SensorData(WorkloadData):
    """Rows of a CSV, a Parquet file, a database or a simulated plant, with labels; split, batched.

    A batch holds `x` [B, F] (NaN where missing), `category` [B, c] (level numbers, -1 where missing), `target` [B]
    (label numbers), `row` [B] (its number in the file) and `group` [B].

    Args:
        csv: a CSV or Parquet file; replaces the simulated plant.
        delimiter: between the columns of a CSV: one character, or comma, semicolon, tab, bar.
        database: SQLAlchemy URL, or $NAME for one in the environment; replaces the simulated plant, with `query`.
        query: an SQL SELECT. Its rows are kept as a snapshot.
        snapshot: null: the latest one, taken if there is none; "new": taken now; or an id.
        numeric: features: columns, or derived ones (`features.DERIVED`).
        categorical: features with levels: {Type: [L, M, H]}.
        target: column of the labels.
        labels: the labels as they stand there; of two, the second is the event.
        group: column of the machine, or null.
        time: column of the time (ISO, or hours), or null.
        missing: whether readings may be missing; else a gap is an error.
        ranges: column -> lowest and highest value that makes sense in its unit; beyond is a warning.
        forbidden: columns that give the target away and are refused as features.
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
    """

    def __init__(
        self,
        csv: str | None = None,
        delimiter: str = ",",
        database: str | None = None,
        query: str | None = None,
        snapshot: str | None = None,
        numeric: Sequence[str] = (*SENSORS, "hour_sin", "hour_cos"),
        categorical: Mapping[str, Sequence[str]] | None = None,
        target: str = "maintenance",
        labels: Sequence[str | int] = (0, 1),
        group: str | None = "machine",
        time: str | None = "time",
        missing: bool = True,
        ranges: Mapping[str, Sequence[float]] | None = None,
        forbidden: Sequence[str] = (),
        ceiling: Mapping[str, float] | None = None,
        wear: Sequence[str] = ("temperature_c", "vibration_mm_s"),
        windows: Sequence[str] = (),
        split: Literal["auto", "group", "time", "random"] = "auto",
        fold: int | None = None,
        folds: int = 5,
        validation: float = 0.2,
        machines: int = 24,
        days: int = 35,
        lost: float = 0.03,
        fault: Fault | None = None,
        permute_labels: bool = False,
        batch_size: int = 256,
        seed: int = 42,
        cache: str | None = None,
    ):
        super().__init__(batch_size, seed)
        self.columns = Columns(tuple(numeric), dict(categorical or {}), target, tuple(labels), group, time, missing)
        self.wear, self.windows = tuple(wear), tuple(windows)
        self.fitted_windows: Fitted = {}
        self.ranges = {**RANGES, **(ranges or {})}
        arguments.check_columns(self.columns, forbidden)
        arguments.check_windows(self.columns, self.wear, self.windows)
        arguments.check_ranges(self.ranges)
        arguments.check_source(csv, database, query)
        arguments.between("validation", validation, 0.0, 0.5)
        arguments.between("folds", folds, 2, 100)
        if fold is not None and not 0 <= fold < folds:
            raise FulmenError(f"fold is {fold}; with folds={folds} it runs from 0 to {folds - 1}")
        arguments.between("machines", machines, 1, 100_000)
        arguments.between("days", days, 1, 3650)
        arguments.between("lost", lost, 0.0, 0.9)
        self.csv, self.delimiter = csv, arguments.one_character(delimiter)
        self.database, self.query, self.snapshot = database, query, snapshot
        self.plant = {"machines": machines, "days": days, "missing": lost, "fault": fault, "seed": seed}
        self.kind = splits.choose(bool(group), bool(time)) if split == "auto" else split
        for name, column in (("group", group), ("time", time)):
            if self.kind == name and not column:
                raise FulmenError(f"split is {name}, but no column is named: data.{name}=<column>")
        self.fold, self.folds, self.validation = fold or 0, folds, validation
        self.permute_labels, self.known_ceiling = permute_labels, dict(ceiling or {})
        self.cache = Path(cache) if cache else None
        self.fingerprint = ""
        self.warnings: list[str] = []

    @property
    def labels(self) -> tuple:
        return self.columns.labels

    @property
    def numeric(self) -> list[str]:
        """The names of the columns of `x`."""
        return feature_names(self.columns.numeric, self.wear, self.windows)

    @property
    def sensors(self) -> list[str]:
        """The numeric features that stand in the table itself."""
        return [name for name in self.columns.numeric if name not in DERIVED]

    @property
    def simulated(self) -> bool:
        return not (self.csv or self.database)

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
        self.groups = arrays["group_name"].tolist()
        rows = splits.split(
            self.kind, whole["target"], whole["group"], arrays["time_h"],
            self.fold, self.folds, self.validation, self.seed, longest(self.windows),
        )  # fmt: skip
        for name in ("train", "test"):
            arguments.check_classes(name, whole["target"], whole["row"], rows[name], self.columns, self.fold)
        if self.windows:
            x, group, time_h, train = whole["x"], whole["group"], arrays["time_h"], rows["train"]
            self.fitted_windows = fit_windows(self._wear(x[train]), group[train], time_h[train], self._positive())
            whole["x"] = self.with_windows(x, group, time_h)
        self.splits = {name: {k: torch.from_numpy(v[part]) for k, v in whole.items()} for name, part in rows.items()}
        self.bayes = np.array(arrays["bayes"][rows["test"]]) if self.has_ceiling else None
        self.hours = {name: np.array(arrays["time_h"][part]) for name, part in rows.items()}
        self.warnings = arrays["warnings"].tolist()
        if self.kind == "random":
            self.warnings += leakage.telling_columns(whole["x"], self.numeric, self.columns)
        for warning in self.warnings:
            warnings.warn(warning, stacklevel=2)

    @property
    def has_ceiling(self) -> bool:
        """Whether the best possible prediction from a single row is known: the plant's, if its sensors work."""
        return self.simulated and not self.plant["fault"] and not self.permute_labels

    def export(self, path: str | Path) -> None:
        """Write the simulated plant as a CSV that `data.csv` reads."""
        self._plant_frame().to_csv(path, index=False)

    def encode(self, table: Table) -> np.ndarray:
        """The features [N, F] of a table's rows, without windows."""
        sources = table.numeric | {TIME: table.time_h}
        return np.stack([derive(name, sources) for name in self.columns.numeric], 1).astype(np.float32)

    def with_windows(self, x: np.ndarray, group: np.ndarray, time_h: np.ndarray) -> np.ndarray:
        """`encode`d rows [N, F] and the statistics of their past, as `fitted_windows` has them."""
        if not self.windows:
            return x
        made = window_columns(self._wear(x), group, time_h, self.windows, self.fitted_windows)
        return np.hstack([x, made.astype(np.float32)])

    def _wear(self, x: np.ndarray) -> dict[str, np.ndarray]:
        return {name: x[:, self.columns.numeric.index(name)] for name in self.wear}

    def _positive(self) -> list[str]:
        return [name for name in self.wear if name in self.ranges and self.ranges[name][0] >= 0]

    def _arrays(self) -> Arrays:
        file = self._file()
        source = {"csv": file.name, "delimiter": self.delimiter} if file else self.plant
        key = {**source, "columns": asdict(self.columns), "ranges": self.ranges}
        code = (tables, cells, files, features) if file else (tables, cells, features, plant, ceilings)
        self.fingerprint = fingerprint(key, code=code, files=[file] if file else [])
        return cached("sensors", self.fingerprint, lambda: self._build(file), self.cache)

    def _file(self) -> Path | None:
        if self.database:
            return take_snapshot(self.database, self.query, self.snapshot, (self.cache or cache_folder()) / "snapshots")
        if self.csv and not Path(self.csv).is_file():
            raise FulmenError(f"csv: there is no file {self.csv}")
        return Path(self.csv) if self.csv else None

    def _build(self, file: Path | None) -> Arrays:
        source = str(file) if file else "the simulated plant"
        if file:
            table = read_table(file, self.columns, self.delimiter if self.csv else ",")
        else:
            table = check_table(self._plant_frame(), self.columns, source)
        check_for_training(table, self.columns, source)
        names, group = np.unique(table.group, return_inverse=True)
        best = {}
        if self.simulated and not self.plant["fault"]:
            r = simulate_plant(**self.plant)
            best = {"bayes": bayes_probability(r.time_h % 24, r.temperature_c, r.vibration_mm_s)}
        return best | {
            "x": self.encode(table),
            "category": table.category,
            "target": table.target,
            "row": table.line,
            "group": group,
            "group_name": names,
            "time_h": table.time_h,
            "warnings": np.array(out_of_range(table, self.ranges, source), dtype=np.str_),
        }

    def _plant_frame(self) -> pd.DataFrame:
        return pd.DataFrame(asdict(simulate_plant(**self.plant))).rename(columns={"time_h": "time"})
