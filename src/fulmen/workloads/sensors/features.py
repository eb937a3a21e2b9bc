"""Columns made of other columns: known formulas, and what a machine did in the hours before."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

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


def feature_names(
    numeric: Sequence[str], rolling_hours: Sequence[int] = (), baseline_hours: Sequence[int] = ()
) -> list[str]:
    """The numeric features in their order: those of the row, then those of each window and its baselines."""
    rolled = []
    for name in numeric:
        for window in rolling_hours if name not in DERIVED else ():
            rolled.append(f"{name}_mean_{window}h")
            rolled += [f"{name}_mean_{window}h_over_lowest_{back}h" for back in baseline_hours]
    return [*numeric, *rolled]


def rolling(
    columns: Mapping[str, np.ndarray],
    group: np.ndarray,
    time_h: np.ndarray,
    hours: Sequence[int],
    baseline_hours: Sequence[int] = (),
    ratios: Sequence[str] = (),
) -> pd.DataFrame:
    """What each machine did over the last `hours`, this row included, no later one; and how far it is from its best.

    Machines differ in level, so a mean alone says little of one never seen. Its rise over the lowest such mean of its
    own last `baseline_hours` does: as a ratio for the columns in `ratios`, else as a difference.

    Args:
        columns: name -> [N]; missing values are left out of the window.
        group: machine of each row [N].
        time_h: of each row [N]; rows of a machine may stand in any order.

    Returns:
        [N, columns x hours x (1 + baselines)], named as `feature_names` does; NaN where a window is empty.
    """
    order = np.lexsort((time_h, group))
    machine, index = group[order], pd.to_datetime((time_h[order] * 3600).round(), unit="s")

    def windows(values: np.ndarray, window: int) -> Any:
        return pd.Series(values, index).groupby(machine, sort=False).rolling(f"{window}h", min_periods=1)

    made = {}
    for name, values in columns.items():
        for window in hours:
            mean = windows(values[order], window).mean().to_numpy()
            made[f"{name}_mean_{window}h"] = mean
            for back in baseline_hours:
                lowest = windows(mean, back).min().to_numpy()
                rise = mean / np.where(lowest > 0, lowest, np.nan) if name in ratios else mean - lowest
                made[f"{name}_mean_{window}h_over_lowest_{back}h"] = rise
    return pd.DataFrame(made, index=order).sort_index()
