"""Config groups in a search: a study for each choice (`search.each`), or the group as a parameter (`search.joint`)."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from fulmen.config.mistakes import did_you_mean, key_of
from fulmen.config.schema import groups, is_group
from fulmen.config.words import options, renamed
from fulmen.errors import FulmenError


def matching(pattern: str, key: str, overrides: Sequence[str]) -> tuple[str, list[str]]:
    """The config group and its choices that `network=*`, `network=lstm_*` or `network=gru,lstm` name.

    Args:
        overrides: with the experiment whose choices are meant.

    Raises:
        FulmenError: no such group, or none of its choices fits.
    """
    group, _, wanted = pattern.partition("=")
    if not is_group(group) or group == "experiment":
        near = did_you_mean(group, [name for name in groups() if name != "experiment"])
        raise FulmenError(f"search.{key}={pattern}: there is no config group {group}{near}")
    experiment = next((o.partition("=")[2] for o in reversed(overrides) if key_of(o) == "experiment"), "")
    there = options(key_of(renamed(pattern)), experiment, overrides)
    patterns = [part.strip() for part in wanted.split(",") if part.strip()]
    found = [choice for choice in there if any(fnmatch(choice, part) for part in patterns)]
    missed = [part for part in patterns if not any(fnmatch(choice, part) for choice in there)]
    if missed or not found:
        near = did_you_mean(missed[0] if missed else "", there)
        raise FulmenError(f"search.{key}={pattern}: no {group} fits {missed[0] if missed else wanted!r}{near}")
    return group, found


def expand_each(pattern: str, overrides: Sequence[str]) -> list[str]:
    """`network=*` as one override for each choice."""
    group, found = matching(pattern, "each", overrides)
    return [f"{group}={choice}" for choice in found]


def joint_choice(pattern: str, overrides: Sequence[str]) -> str:
    """The first of the choices, to check the base config with."""
    group, found = matching(pattern, "joint", overrides)
    return f"{group}={found[0]}"


def joint_space(space: Mapping[str, Any] | None, joint: str | None, overrides: Sequence[str]) -> dict[str, Any]:
    """The space, the architecture of `search.joint` in it."""
    space = dict(space or {})
    if not joint:
        return space
    group, found = matching(joint, "joint", overrides)
    if isinstance(space.get(group), dict) and "choices" in space[group]:
        raise FulmenError(f"search.joint={joint}: search.space.{group} already names choices; keep one")
    return {group: {**(space.get(group) or {}), "choices": found}} | {k: v for k, v in space.items() if k != group}
