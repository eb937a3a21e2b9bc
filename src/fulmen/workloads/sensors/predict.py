"""How a kept classifier says what it needs, and reads a table that has it."""

import re
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from fulmen.errors import FulmenError
from fulmen.workloads.sensors import drift
from fulmen.workloads.sensors.arguments import one_character
from fulmen.workloads.sensors.features.feature_set import RANGES, Features
from fulmen.workloads.sensors.features.features import needs_time, source_columns
from fulmen.workloads.sensors.io.files import read_frame
from fulmen.workloads.sensors.io.tables import Columns, check_table, out_of_range
from fulmen.workloads.sensors.table_data import TableData

UNITS = {"lux": "lux", "c": "°C", "mm_s": "mm/s", "k": "K", "w": "W", "h": "h"}
ROWS = 4096  # predicted at once


def schema(data: TableData) -> dict[str, Any]:
    """Columns with unit, kind, and range and shares seen in training, and what else a prediction depends on."""
    features, names = data.features, data.numeric
    c = features.columns
    columns = [_numeric(n, data, names.index(n) if n in names else None) for n in source_columns(c.numeric)]
    columns += [
        {"name": name, "dtype": "text", "levels": list(map(str, levels)), "missing": c.missing}
        for name, levels in c.categorical.items()
    ]
    time = c.time if needs_time(c.numeric) or features.windows else None
    group = c.group if features.windows else None
    columns += [{"name": name, "dtype": dtype, "missing": False} for name, dtype in
                ((group, "text"), (time, "time: ISO, or hours")) if name]  # fmt: skip
    options = {
        "numeric": list(c.numeric), "categorical": {k: list(map(str, v)) for k, v in c.categorical.items()},
        "target": c.target, "labels": list(c.labels), "group": group, "time": time, "missing": c.missing,
        "wear": list(features.wear), "windows": list(features.windows),
        "ranges": {name: list(bounds) for name, bounds in features.ranges.items()},
        "delimiter": "tab" if data.delimiter == "\t" else data.delimiter,
    }  # fmt: skip
    return {"format": "csv or parquet", "columns": columns, "labels": list(c.labels), "options": options,
            "fitted_windows": features.fitted, "carried": [name for name in (c.group, c.time) if name]}  # fmt: skip


def predict_file(module: Any, path: Path, schema: dict[str, Any], reading: Mapping[str, str]) -> pd.DataFrame:
    """One row per row of the file: its row number, machine and time where it has them, decision, probabilities.

    Columns may stand in any order; further ones are not used. Readings beyond the range seen in training, or
    distributed otherwise, are a warning.

    Args:
        reading: how the file is read where that differs from the training data: `delimiter`.

    Raises:
        FulmenError: a column is missing, or a value cannot be; the message names column and row.
    """
    options = schema["options"] | ({"delimiter": reading["delimiter"]} if "delimiter" in reading else {})
    features = as_fitted(schema)
    columns = features.columns
    frame, first_line = read_frame(path, one_character(options.get("delimiter", ",")), columns.named())
    needed = [column["name"] for column in schema["columns"]]
    if missing := [name for name in needed if name not in frame.columns]:
        raise FulmenError(
            f"{path}: no column {', '.join(missing)}; the model needs {', '.join(needed)}, "
            f"the file has {', '.join(map(str, frame.columns[:20]))}"
        )
    table = check_table(frame, columns, path, first_line)
    limits = {c["name"]: c["range"] for c in schema["columns"] if c.get("range")}
    unlike = drift.alarms_of_file(schema["columns"], table.numeric, path)
    for warning in [*out_of_range(table, limits, path, "the range seen in training,"), *unlike]:
        warnings.warn(warning, stacklevel=2)
    batch = {
        "x": torch.from_numpy(features.with_past(features.of_rows(table), table.group, table.time_h)),
        "category": torch.from_numpy(table.category),
        "row": torch.from_numpy(table.line),
    }
    if len(module.network.inputs.names) != batch["x"].shape[1]:
        raise FulmenError(
            f"the schema has {batch['x'].shape[1]} features, the model {len(module.network.inputs.names)}"
        )
    module.eval()
    with torch.no_grad():
        parts = [
            module.predict_step({k: v[i : i + ROWS] for k, v in batch.items()}) for i in range(0, len(table.line), ROWS)
        ]
    made = {name: torch.cat([part[name] for part in parts]).numpy() for name in parts[0]}
    labels = np.array([str(label) for label in columns.labels])
    found = {"row": made["row"]}
    found |= {name: frame[name].to_numpy() for name in schema.get("carried", ()) if name in frame.columns}
    found["decision"] = labels[made["decision"]]
    return pd.DataFrame(found | {f"p({label})": made["probability"][:, i] for i, label in enumerate(labels)})


def as_fitted(schema: Mapping[str, Any]) -> Features:
    """The features of a model's training data, of which a target is not asked for; older schemas say less."""
    options = schema["options"]
    columns = Columns(
        tuple(options["numeric"]), options.get("categorical", {}), None, tuple(options["labels"]),
        options.get("group"), options.get("time"), options["missing"],
    )  # fmt: skip
    wear, windows = tuple(options.get("wear", ())), tuple(options.get("windows", ()))
    return Features(columns, wear, windows, options.get("ranges", RANGES), schema.get("fitted_windows", {}))


def _numeric(name: str, data: TableData, position: int | None) -> dict[str, Any]:
    missing = data.features.columns.missing
    column: dict[str, Any] = {"name": name, "dtype": "number", "unit": unit(name), "missing": missing}
    if position is not None:
        seen = data.splits["train"]["x"][:, position].numpy()
        column["range"] = [float(np.nanmin(seen)), float(np.nanmax(seen))]
        column["bins"] = drift.bins_of(seen)
    return column


def unit(name: str) -> str | None:
    """Of a column whose name ends in one: `Torque [Nm]`, `light_lux`."""
    in_brackets = re.search(r"\[([^\]]+)\]\s*$", name)
    if in_brackets:
        return in_brackets[1]
    return next((UNITS[end] for end in UNITS if name.lower().endswith(f"_{end}")), None)
