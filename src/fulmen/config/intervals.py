"""`model.optimizer.lr=interval(1e-4,1e-2)` has no end of values: no multirun goes through it, a search does."""

from collections.abc import Callable, Sequence
from typing import Any

from fulmen.config.mistakes import ConfigError, Mistake, as_text, key_of
from fulmen.config.override_values import Interval, Several, as_entry, value_of
from fulmen.config.places import SWEEP
from fulmen.config.schema import is_group

Check = Callable[[list[str]], Any]


def refuse_intervals(typed: Sequence[str], check: Check) -> None:
    """Pass if nothing that was typed for trainings is an interval.

    Args:
        check: raises a ConfigError if a training cannot have some overrides.

    Raises:
        ConfigError: with every other mistake in what was typed, and a command that searches the interval.
    """
    swept = {override: value for override in typed if isinstance(value := _value(override), Interval | Several)}
    ends = {override: value for override, value in swept.items() if isinstance(value, Interval)}
    if not ends:
        return
    found = [Mistake(key_of(o), _problem(key_of(o), value)) for o, value in ends.items()]
    if any(is_group(key_of(override)) for override in ends) or any(key_of(o) == "experiment" for o in swept):
        raise ConfigError(found)
    rest: list[str] | None = [override for override in typed if override not in swept]
    space: list[str] = []
    for override, value in swept.items():
        if rest is not None:
            more, rest, entry = _searched(key_of(override), value, rest, check)
            found += [mistake for mistake in more if mistake not in found]
            space.append(entry)
    raise ConfigError(found, None if rest is None else [*rest, *space], SWEEP)


def _problem(key: str, value: Interval) -> str:
    ends = f"{key}={as_text(value.low)},{as_text(value.high)}"
    return f"an interval has no end of values: name some with -m, as in -m {ends}, or search it"


def _searched(
    key: str, value: Interval | Several, rest: list[str], check: Check
) -> tuple[list[Mistake], list[str] | None, str]:
    """Other mistakes, the rest without them, and what a search types for `key`: whole numbers if it takes no others."""
    one = value.low if isinstance(value, Interval) else value.values[0]
    try:
        check([*rest, f"{key}={as_text(one)}"])
        return [], rest, f"search.space.{key}={as_text(as_entry(value))}"
    except ConfigError as error:
        if error.overrides is None:
            return error.mistakes, None, ""
        last = error.overrides[-1]
        whole = isinstance(_value(last), int) and isinstance(value, Interval)
        told = [mistake for mistake in error.mistakes if not (whole and mistake.path == key_of(last))]
        entry = f"search.space.{key_of(last)}={as_text(as_entry(value, whole))}"
        return told, error.overrides[:-1], entry


def _value(override: str) -> Any:
    try:
        return value_of(override)
    except ValueError:
        return None
