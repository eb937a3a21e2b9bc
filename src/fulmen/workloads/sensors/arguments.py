"""What can be wrong with the arguments of `data.SensorData`, said before any work begins."""

from collections.abc import Mapping, Sequence

from fulmen.errors import FulmenError
from fulmen.mistakes import did_you_mean
from fulmen.workloads.sensors.features import source_columns
from fulmen.workloads.sensors.tables import Columns
from fulmen.workloads.sensors.windows import parse


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
