"""Columns made of other columns by known formulas, and the order of all features."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from fulmen.workloads.sensors.features.windows import window_names

TIME = "<time>"  # stands for the table's time column, in hours

# name -> the columns it is made of, and how
DERIVED: dict[str, tuple[tuple[str, ...], Callable[..., np.ndarray]]] = {
    "hour_sin": ((TIME,), lambda time_h: np.sin(2 * np.pi * time_h / 24)),
    "hour_cos": ((TIME,), lambda time_h: np.cos(2 * np.pi * time_h / 24)),
    "power_w": (("Torque [Nm]", "Rotational speed [rpm]"), lambda torque, rpm: torque * rpm * 2 * np.pi / 60),
    "temperature_difference_k": (
        ("Process temperature [K]", "Air temperature [K]"),
        lambda process, air: process - air,
    ),
    "strain_nm_min": (("Torque [Nm]", "Tool wear [min]"), lambda torque, wear: torque * wear),
}


def source_columns(numeric: Sequence[str]) -> list[str]:
    """The columns of a file that the features `numeric` are made of, without its time column."""
    sources = [source for name in numeric for source in (DERIVED[name][0] if name in DERIVED else (name,))]
    return [source for source in dict.fromkeys(sources) if source != TIME]


def needs_time(numeric: Sequence[str]) -> bool:
    return any(TIME in DERIVED[name][0] for name in numeric if name in DERIVED)


def derive(name: str, columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """The feature `name` [N]: a column as it stands, or one of `DERIVED`."""
    if name not in DERIVED:
        return columns[name]
    sources, formula = DERIVED[name]
    return formula(*(columns[source] for source in sources))


def feature_names(numeric: Sequence[str], wear: Sequence[str] = (), windows: Sequence[str] = ()) -> list[str]:
    """The numeric features in their order: those of the row, then those of the windows over its past."""
    return [*numeric, *window_names(wear, windows)]
