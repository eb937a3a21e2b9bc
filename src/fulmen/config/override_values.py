"""What an override says, as plain values: one, several for a multirun, or an interval without an end of values."""

import math
from dataclasses import dataclass
from typing import Any

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep, Glob, IntervalSweep, QuotedString, RangeSweep
from hydra.errors import HydraException

from fulmen.utils.plain import Plain


@dataclass(frozen=True)
class Several:
    """The values of `1,2`, `choice(1,2)` or `range(1,3)`."""

    values: list[Plain]


@dataclass(frozen=True)
class Interval:
    """Both ends of `interval(0,1)`, and whether it is tagged `log`."""

    low: float
    high: float
    log: bool = False


def value_of(override: str) -> "Plain | Several | Interval":
    """What stands behind the `=` of an override.

    Raises:
        ValueError: it cannot be read, or holds a pattern for names.
    """
    try:
        parsed = OverridesParser.create().parse_override(override)
        value: Any = parsed.value()
        if isinstance(value, Glob):
            raise ValueError(f"{override} holds a pattern")
        if isinstance(value, IntervalSweep):
            low, high = sorted((value.start or 0.0, value.end or 0.0))
            return Interval(low, high, "log" in value.tags)
        if parsed.is_sweep_override():
            return Several([_read(text) for text in parsed.sweep_string_iterator()])
    except HydraException as error:
        raise ValueError(f"{override} cannot be read") from error
    read: Plain = plain(value)
    return read


def how_many(override: str) -> int:
    """How many values an override names: those of a range are counted and not made.

    Raises:
        ValueError: it cannot be read, or has no end of values.
    """
    try:
        parsed = OverridesParser.create().parse_override(override)
        value: Any = parsed.value()
    except HydraException as error:
        raise ValueError(f"{override} cannot be read") from error
    if isinstance(value, IntervalSweep):
        raise ValueError(f"{override} has no end of values")
    if isinstance(value, RangeSweep):
        if not value.step:
            raise ValueError(f"{override} has no end of values")
        return max(0, math.ceil(((value.stop or 0) - (value.start or 0)) / value.step))
    return len(value.list) if isinstance(value, ChoiceSweep) else 1


def as_entry(value: Several | Interval, whole: bool = False) -> dict[str, Any]:
    """What a multirun would go through as an entry of a space.

    Args:
        whole: whether an interval is one of whole numbers.
    """
    if isinstance(value, Several):
        return {"choices": value.values}
    low, high = (int(value.low), int(value.high)) if whole else (value.low, value.high)
    return {"low": low, "high": high} | ({"log": True} if value.log else {})


def plain(value: Any) -> Any:
    """What Hydra's parser gives, as the plain value it stands for."""
    if isinstance(value, QuotedString):
        return value.text
    if isinstance(value, list):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {plain(key): plain(item) for key, item in value.items()}
    return value


def _read(text: str) -> Any:
    return plain(OverridesParser.create().parse_override(f"it={text}").value())
