"""How a kept classifier reads a table or records that have what it needs, and the table of what it says."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from fulmen.data.batches import Batch
from fulmen.data.predicting import Answer, Inputs, Record, Schema, cells, unused
from fulmen.data.ranges import Ranges
from fulmen.errors import FulmenError
from fulmen.io.missing import Cells
from fulmen.io.options import TableOptions
from fulmen.io.taken import Taken
from fulmen.io.where import InRecords, Where
from fulmen.workloads.sensors import drift
from fulmen.workloads.sensors.features.feature_set import RANGES, Features, gap_sentence
from fulmen.workloads.sensors.features.features import source_columns
from fulmen.workloads.sensors.io.checks import numeric_of, out_of_range
from fulmen.workloads.sensors.io.reading import read_frame, read_options
from fulmen.workloads.sensors.io.tables import Columns, Table, check_cells


@dataclass(frozen=True)
class Fitted:
    """What a kept classifier reads, made once of its schema.

    Attributes:
        names: the features that the network reads.
        needed: the columns that an input has to have.
        carried: further columns, which come back with the answer.
        seen: ranges of the columns in training.
    """

    schema: Schema
    names: Sequence[str]
    features: Features
    needed: Sequence[str]
    carried: Sequence[str]
    seen: Ranges

    @classmethod
    def of(cls, schema: Schema, names: Sequence[str]) -> "Fitted":
        features, columns = as_fitted(schema), schema["columns"]
        sources = source_columns(features.columns.numeric)
        seen = Ranges.of([column for column in columns if column["name"] in sources])
        needed = [column["name"] for column in columns]
        return cls(schema, names, features, needed, schema.get("carried", ()), seen)


def read_file(path: Path, fitted: Fitted, reading: Mapping[str, str]) -> Inputs:
    """The rows of a CSV or Parquet file.

    Columns may stand in any order; further ones are not used. Readings beyond the range seen in training, or
    distributed otherwise, are a warning.

    Args:
        reading: how the file is read where that differs from the training data: values of `TableOptions` as typed.

    Raises:
        FulmenError: a column is missing, or a value cannot be; the message names column and row.
    """
    options = read_options(fitted.schema["options"].get("reading", {}), reading)
    raw = read_frame(path, fitted.features.columns, options, fitted.carried)
    table = check_cells(raw.cells, fitted.features.columns, Where(str(path), raw.line), options, "data", raw.delimiter)
    carried = {name: raw.cells[name] for name in fitted.carried if name in raw.cells}
    inputs = _inputs(table, fitted, Where(str(path), table.line), carried)
    rows = f"{inputs.rows:,} rows"
    inputs.taken = Taken(str(path), rows, guesses=[*raw.guesses, *table.guesses], dropped=list(raw.dropped))
    return inputs


def read_records(records: Sequence[Record], fitted: Fitted) -> Inputs:
    """The rows of a table in memory, `{column: value}` each; otherwise as `read_file`.

    Raises:
        FulmenError: as for a file; a message begins with the place, `rows[0].light_lux: `.
    """
    columns = cells(records, fitted.needed, fitted.carried)
    where = InRecords("rows", np.arange(len(records)))
    unit = fitted.schema["options"].get("time_unit", "hours")
    table = check_cells(columns, fitted.features.columns, where, time_unit=unit)
    _refuse_without_history(table, fitted.features, where)
    inputs = _inputs(table, fitted, where, {name: columns[name] for name in fitted.carried if name in columns})
    inputs.warnings += unused(records, [*fitted.needed, *fitted.carried])
    return inputs


def answer(inputs: Inputs, predicted: Batch, fitted: Fitted) -> Answer:
    """One row per row of the table: its number, machine and time where it has them, decision, probabilities."""
    labels = np.array([str(label) for label in fitted.features.columns.labels])
    probability = predicted["probability"].numpy()
    columns = {"row": predicted["row"].numpy()}
    columns |= {name: np.asarray(values) for name, values in inputs.about.items()}
    columns["decision"] = labels[predicted["decision"].numpy()]
    columns |= {f"p({label})": probability[:, i] for i, label in enumerate(labels)}
    return Answer(columns, {f"p({label})": "probability" for label in labels})


def as_file(records: Sequence[Record], ending: str, schema: Schema) -> bytes:
    """The rows as a CSV with the delimiter that was said for the training data, or as Parquet."""
    frame = pd.DataFrame(list(records))
    if ending == ".parquet":
        return frame.to_parquet(index=False)
    said = schema["options"].get("reading", {}).get("delimiter") or schema["options"].get("delimiter", ",")
    return frame.to_csv(index=False, sep=TableOptions(delimiter=said).character or ",").encode()


def as_fitted(schema: Schema) -> Features:
    """The features of a model's training data, of which a target is not asked for; older schemas say less."""
    options = schema["options"]
    columns = Columns(
        tuple(options["numeric"]), options.get("categorical", {}), None, tuple(options["labels"]),
        options.get("group"), options.get("time"), options["missing"],
    )  # fmt: skip
    wear, windows = tuple(options.get("wear", ())), tuple(options.get("windows", ()))
    fitted = schema.get("fitted_windows", {}), schema.get("filled", {})
    return Features(columns, wear, windows, options.get("ranges", RANGES), *fitted)


def _inputs(table: Table, fitted: Fitted, where: Where, carried: Mapping[str, Cells]) -> Inputs:
    """The features of checked rows, and what about them is unlike the training data."""
    features, names, seen = fitted.features, fitted.names, fitted.seen
    x = features.with_past(features.of_rows(table), table.group, table.time_h)
    if len(names) != x.shape[1]:
        raise FulmenError(f"the schema has {x.shape[1]} features, the model {len(names)}")
    missing = _gaps(fitted, table, x) if np.isnan(x).any() else []
    unlike = drift.alarms_of_file(fitted.schema["columns"], table.numeric, where.source)
    return Inputs(
        {
            "x": torch.from_numpy(x),
            "category": torch.from_numpy(table.category),
            "row": torch.from_numpy(table.line),
        },
        rows=len(table.line),
        about={name: values if isinstance(values, list) else values.to_numpy() for name, values in carried.items()},
        outside=seen.outside(numeric_of(table, seen.names)),
        warnings=[*missing, *out_of_range(table, seen, where, "the range seen in training,"), *unlike],
    )


def _gaps(fitted: Fitted, table: Table, x: np.ndarray) -> list[str]:
    """A sentence for each column that is missing where in training it never was, or is empty altogether.

    Args:
        x: features [N, F]; in place of those that were never missing in training stands their median then.
    """
    filled = fitted.features.filled
    told = fitted.features.fill_gaps(x)
    found = [gap_sentence(name, gone, table.line, filled[name]) for name, gone in told.items()]
    for column in fitted.schema["columns"]:
        name, values = column["name"], table.numeric.get(column["name"])
        if name in told or values is None or "bins" not in column or not (gone := np.isnan(values)).any():
            continue
        share = column["bins"]["shares"][-1]
        if share == 0:
            found.append(gap_sentence(name, gone, table.line, None))
        elif gone.all() and len(gone) > 1:
            found.append(f"{name} is empty in all {len(gone):,} rows; in training it was in {share:.1%} of them")
    return found


def _refuse_without_history(table: Table, features: Features, where: Where) -> None:
    """Pass unless the model looks at the past of a machine and no machine has any."""
    if features.windows and len(np.unique(table.group)) == len(table.group):
        column = features.columns.group
        raise FulmenError(
            f"{where.source}: the model looks at the {features.hours_back} hours before each reading, and no {column} "
            f"has more than one row; give the earlier readings of the {column} too"
        )


def example_records(schema: Schema, kept: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows that were kept with the model, where their columns are features; else rows in the middle of the ranges."""
    features = as_fitted(schema)
    columns = features.columns
    if features.windows or set(source_columns(columns.numeric)) - set(columns.numeric):
        return _typical(schema, rows=48 if features.windows else 1)
    time = next((each["name"] for each in schema["columns"] if each["name"] == columns.time), None)
    rows = []
    for x, level in zip(kept["x"].tolist(), kept["category"].tolist(), strict=True):
        value = dict(zip(features.names, x, strict=True))
        row: dict[str, Any] = {
            name: None if value[name] != value[name] else value[name] for name in source_columns(columns.numeric)
        }
        names = zip(columns.categorical.items(), level, strict=True)
        row |= {name: str(levels[number]) if number >= 0 else None for (name, levels), number in names}
        rows.append(row | ({time: _clock(value)} if time else {}))
    return rows


def _typical(schema: Schema, rows: int) -> list[dict[str, Any]]:
    """An hourly series of middling readings."""
    row = {column["name"]: _middle(column) for column in schema["columns"]}
    group, time = schema["options"].get("group"), schema["options"].get("time")
    fixed = row | ({group: "M1"} if group in row else {})
    return [fixed | ({time: f"2024-01-{1 + i // 24:02}T{i % 24:02}:00"} if time in row else {}) for i in range(rows)]


def _middle(column: Mapping[str, Any]) -> Any:
    if column.get("levels"):
        return str(column["levels"][0])
    borders = (column.get("bins") or {}).get("borders") or column.get("range") or [0.0]
    return borders[len(borders) // 2]


def _clock(features: Mapping[str, float]) -> str:
    """The hour of the day that sine and cosine tell of, on some day."""
    hour = np.arctan2(features.get("hour_sin", 0.0), features.get("hour_cos", 1.0)) / (2 * np.pi) * 24 % 24
    minutes = round(hour * 60) % 1440
    return f"2024-01-31T{minutes // 60:02}:{minutes % 60:02}"
