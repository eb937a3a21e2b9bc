"""What can be wrong with the arguments of `data.SensorData`, said before any work begins."""

import math
from collections.abc import Mapping, Sequence

from fulmen.errors import FulmenError
from fulmen.workloads.sensors.features import source_columns
from fulmen.workloads.sensors.tables import Columns


def between(name: str, value: float, low: float, high: float) -> None:
    if not low <= value <= high:
        raise FulmenError(f"{name} is {value}; it must lie between {low} and {high}")


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


def check_windows(c: Columns, rolling_hours: Sequence[int], baseline_hours: Sequence[int]) -> None:
    if rolling_hours and not (c.group and c.time):
        raise FulmenError("rolling_hours: windows need data.group=<column> and data.time=<column>")
    for name, hours in (("rolling_hours", rolling_hours), ("baseline_hours", baseline_hours)):
        if any(each < 1 for each in hours):
            raise FulmenError(f"{name} are {list(hours)}; each must be 1 or more")
    if baseline_hours and min(baseline_hours) <= max(rolling_hours, default=math.inf):
        raise FulmenError(
            f"baseline_hours are {list(baseline_hours)}; they need rolling_hours, and each must be longer than all of "
            f"them, {list(rolling_hours)}"
        )


def check_ranges(ranges: Mapping[str, Sequence[float]]) -> None:
    for name, bounds in ranges.items():
        if len(bounds) != 2 or bounds[0] >= bounds[1]:
            raise FulmenError(f"ranges.{name} is {list(bounds)}; give the lowest and the highest value")
