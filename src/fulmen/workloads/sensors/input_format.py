"""What an input of a kept classifier has to look like: columns with units, and ranges seen in training."""

import re
from dataclasses import asdict
from typing import Any

import numpy as np

from fulmen.workloads.sensors import drift
from fulmen.workloads.sensors.features.features import needs_time, source_columns
from fulmen.workloads.sensors.io.reading import AS_FOUND
from fulmen.workloads.sensors.table_data import TableData

UNITS = {"lux": "lux", "c": "°C", "mm_s": "mm/s", "k": "K", "w": "W", "h": "h"}


def schema(data: TableData) -> dict[str, Any]:
    """Columns with unit, kind, and range and shares seen in training, and what else a prediction depends on."""
    features, names = data.features, data.numeric
    c = features.columns
    columns = [_numeric(n, data, names.index(n) if n in names else None) for n in source_columns(c.numeric)]
    columns += [
        {"name": name, "dtype": "text", "levels": list(map(str, levels)), "missing": c.missing}
        for name, levels in c.categorical.items()
    ]
    unit_of_time = {"auto": "digits of a date", "excel_days": "days of Excel"}.get(data.time_unit, data.time_unit)
    time = c.time if needs_time(c.numeric) or features.windows else None
    group = c.group if features.windows else None
    columns += [{"name": name, "dtype": dtype, "missing": False} for name, dtype in
                ((group, "text"), (time, f"time: ISO, or {unit_of_time}")) if name]  # fmt: skip
    options = {
        "numeric": list(c.numeric), "categorical": {k: list(map(str, v)) for k, v in c.categorical.items()},
        "target": c.target, "labels": list(c.labels), "group": group, "time": time, "missing": c.missing,
        "wear": list(features.wear), "windows": list(features.windows),
        "ranges": {name: list(bounds) for name, bounds in features.ranges.items()},
        "time_unit": data.time_unit,
        "reading": {name: value for name, value in asdict(data.options).items() if value != getattr(AS_FOUND, name)},
    }  # fmt: skip
    return {"format": "csv, parquet or xlsx", "columns": columns, "labels": list(c.labels), "options": options,
            "fitted_windows": features.fitted, "filled": features.filled,
            "carried": [name for name in (c.group, c.time) if name]}  # fmt: skip


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
