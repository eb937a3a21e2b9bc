"""How what was typed about a search space would have to read: cures of mistakes, which keep all else of it."""

from collections.abc import Iterator, Mapping
from typing import Any

from fulmen.config.mistakes import Mend, as_text, is_at, join, key_of
from fulmen.config.override_values import value_of
from fulmen.config.search import ENTRY, meant_key

ROOT = "search.space"


def put_entry(path: str, entry: Any, before: Mapping[str, Any] | None = None) -> Mend:
    """Write `entry` for the parameter at `path`, whatever was typed or stands in a file there.

    Args:
        before: the entry as it was; a key of it that `entry` lacks and a file may hold is switched off.
    """
    where = f"{ROOT}.{path}"

    def mend(overrides: list[str]) -> list[str]:
        overrides = spread(overrides, path)
        of_entry = [where, *(f"{where}.{key}" for key in {*ENTRY, *(before or {})})]
        typed = [override for override in overrides if key_of(override) in of_entry]
        said = {key for override in typed for key in _keys(override, where)}
        if not isinstance(entry, Mapping):
            return _in_place(overrides, typed, f"{where}={as_text(entry)}")
        new = {key: value for key, value in entry.items() if value is not None}
        gone = [key for key, value in (before or {}).items() if value is not None and key not in {*new, *said}]
        return _in_place(overrides, typed, f"{where}={as_text(new | dict.fromkeys(gone))}")

    return mend


def move_entry(path: str, new: str, entry: Mapping[str, Any]) -> Mend:
    """Write for `new` what was typed for the parameter at `path`, or stands in a file there as `entry`."""

    def mend(overrides: list[str]) -> list[str]:
        overrides, old = spread(overrides, path), f"{ROOT}.{path}"
        if not any(is_at(override, old) for override in overrides):
            return [*overrides, f"{old}=null", f"{ROOT}.{new}={as_text(entry)}"]
        return [f"{ROOT}.{new}{override.lstrip('+')[len(old) :]}" if is_at(override, old) else override
                for override in overrides]  # fmt: skip

    return mend


def spread(overrides: list[str], path: str) -> list[str]:
    """`overrides` with one for every entry where one of them, above `path`, holds several."""
    found: list[str] = []
    for override in overrides:
        key = key_of(override)
        above = f"{ROOT}.{path}.".startswith(f"{key}.") and key.startswith(ROOT) and key != f"{ROOT}.{path}"
        try:
            value = value_of(override) if above else None
        except ValueError:
            value = None
        if isinstance(value, dict):
            start = key.removeprefix(ROOT).removeprefix(".")
            found += [f"{ROOT}.{at}={as_text(entry)}" for at, entry in entries(value, start)]
        else:
            found.append(override)
    return found


def entries(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every entry in nested (or dotted) paths, and whatever stands where one should; null switches one off."""
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    own = {key: value for key, value in tree.items() if _is_of_entry(key, value)}
    if not any(key in ENTRY for key in own) and not all(map(meant_key, own)):
        own = {}  # arguments with a value where an entry should stand
    if any(value is not None for value in own.values()):
        yield path, own
    for key, value in tree.items():
        if key not in own:
            yield from entries(value, join(path, key))


def _is_of_entry(key: str, value: Any) -> bool:
    """Whether a key is one of an entry, rightly written or not: paths lead to mappings, and to nothing else."""
    return key == "when" if isinstance(value, Mapping) else value is not None or key in ENTRY


def _keys(override: str, where: str) -> set[str]:
    """The keys of the entry at `where` that an override says."""
    if key_of(override) != where:
        return {key_of(override).removeprefix(f"{where}.")}
    try:
        value = value_of(override)
    except ValueError:
        return set()
    return set(value) if isinstance(value, dict) else set()


def _in_place(overrides: list[str], typed: list[str], new: str) -> list[str]:
    """`overrides` with `new` in the place of those that were `typed`, or at the end."""
    if not typed:
        return [*overrides, new]
    return [new if override == typed[0] else override for override in overrides
            if override == typed[0] or override not in typed]  # fmt: skip
