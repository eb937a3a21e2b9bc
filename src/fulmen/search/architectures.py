"""Config groups in a search: a study for each choice (`search.each`), or the group as a parameter (`search.joint`)."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatch
from typing import Any

from fulmen.config.mistakes import ConfigError, Mistake, did_you_mean, key_of, nearest, put, take_back
from fulmen.config.schema import groups, is_group
from fulmen.config.words import options, renamed


def matching(pattern: str, key: str, overrides: Sequence[str]) -> tuple[str, list[str]]:
    """The config group and its choices that `network=*`, `network=lstm_*` or `network=gru,lstm` name.

    Args:
        overrides: with the experiment whose choices are meant.

    Raises:
        ConfigError: no such group, or none of its choices fits.
    """
    group, _, wanted = pattern.partition("=")
    if not is_group(group) or group == "experiment":
        there = [name for name in groups() if name != "experiment"]
        meant = nearest(group, there)
        cure = put(f"search.{key}", f"{meant}={wanted}") if meant else None
        raise ConfigError([Mistake("", f"search.{key}={pattern}: there is no config group {group}"
                                       f"{did_you_mean(group, there)}", cure)])  # fmt: skip
    experiment = next((o.partition("=")[2] for o in reversed(overrides) if key_of(o) == "experiment"), "")
    there = options(key_of(renamed(pattern)), experiment, overrides)
    patterns = [part.strip() for part in wanted.split(",") if part.strip()]
    found = [choice for choice in there if any(fnmatch(choice, part) for part in patterns)]
    missed = [part for part in patterns if not any(fnmatch(choice, part) for choice in there)]
    if missed or not found:
        near = did_you_mean(missed[0] if missed else "", there)
        fitting = [nearest(part, there) if part in missed else part for part in patterns]
        right = ",".join(dict.fromkeys(filter(None, fitting)))
        cure = put(f"search.{key}", f"{group}={right}") if right else None
        raise ConfigError([Mistake("", f"search.{key}={pattern}: no {group} fits {missed[0] if missed else wanted!r}"
                                       f"{near}", cure)])  # fmt: skip
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
    if isinstance(space.get(group), dict) and space[group].get("choices") is not None:
        problem = f"search.joint={joint}: search.space.{group} names choices too; the command keeps the space"
        raise ConfigError([Mistake("", problem, take_back("search.joint"))])
    return {group: {**(space.get(group) or {}), "choices": found}} | {k: v for k, v in space.items() if k != group}
