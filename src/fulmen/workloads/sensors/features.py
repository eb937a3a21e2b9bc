"""Columns made of other columns: known formulas, and what a machine did in the hours before."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pandas as pd

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
STATISTICS = ("mean",)  # minima and maxima gained nothing on machines never seen


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


def feature_names(numeric: Sequence[str], rolling_hours: Sequence[int] = ()) -> list[str]:
    """The numeric features in their order: those of the row, then those of each window."""
    sensors = [name for name in numeric if name not in DERIVED]
    rolled = [f"{name}_{s}_{h}h" for name in sensors for h in rolling_hours for s in STATISTICS]
    return [*numeric, *rolled]


def rolling(
    columns: Mapping[str, np.ndarray], group: np.ndarray, time_h: np.ndarray, hours: Sequence[int]
) -> pd.DataFrame:
    """The mean (`STATISTICS`) of each column over the last `hours`, this row included, no later one.

    Args:
        columns: name -> [N]; missing values are left out of the window.
        group: machine of each row [N].
        time_h: of each row [N]; rows of a machine may stand in any order.

    Returns:
        [N, columns x hours x statistics], named as `feature_names` does.
    """
    order = np.lexsort((time_h, group))
    table = pd.DataFrame({name: values[order] for name, values in columns.items()})
    table.index = pd.to_datetime((time_h[order] * 3600).round(), unit="s")
    parts = {}
    for window in hours:
        windows = table.groupby(group[order], sort=False).rolling(f"{window}h", min_periods=1)
        for statistic in STATISTICS:
            for name, values in getattr(windows, statistic)().items():
                parts[f"{name}_{statistic}_{window}h"] = values.to_numpy()
    made = pd.DataFrame(parts)[[f"{name}_{s}_{h}h" for name in columns for h in hours for s in STATISTICS]]
    made.index = order
    return made.sort_index()
