"""What a choice of one config group sets in places of another, told when it applies."""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields

from fulmen.config.choice_files import read_choice
from fulmen.config.hydra_errors import replace
from fulmen.config.mistakes import Mistake, join, key_of, nearest, take_back
from fulmen.config.overrides import implicit
from fulmen.config.schema import TrainConfig, choices, groups, is_group, leaves, shared_out
from fulmen.config.words import in_full, say_once

PARTS = ("data", "model", "trainer", "callbacks", "logger")  # groups whose choices are written to their own name


def say_what_comes_along(chosen: Mapping[str, str | None], typed: Iterable[str]) -> None:
    """One line for the recipe that a network brings, and for what any other choice sets beside its own place.

    Args:
        chosen: group -> choice, as Hydra found them in conf/.
        typed: the overrides in the words of today; only what was chosen there is news.
    """
    keys = {key_of(override) for override in typed}
    network, recipe = chosen.get("network") or "none", chosen.get("recipe")
    brought = sets_of("recipe", network) if recipe == network and "network" in keys and "recipe" not in keys else []
    if brought:
        say_once(f"network={_name(network)} is trained with {' '.join(brought)}; recipe=null leaves that out")
    for group in sorted(keys & (shared_out().keys() - {"recipe"})):
        choice = chosen.get(group) or "none"
        others = [each for each in sets_of(group, choice) if not each.startswith(f"{place(group, choice)}.")]
        if others and _name(choice) != "none":
            say_once(f"{group}={_name(choice)} sets {' '.join(others)} too")


def sets_of(group: str, choice: str) -> list[str]:
    """Every `path=value` that the file of a choice writes."""
    package, content, _ = read_choice(group, choice)
    return [f"{join(package, path)}={value}" for path, value in leaves(content)]


def misnamed(overrides: Iterable[str]) -> list[Mistake]:
    """Misspelled groups, and arguments below a group whose choices are written elsewhere: `scheduler.patience=3`."""
    found = []
    known = [*(each.name for each in fields(TrainConfig)), *groups()]
    for override in overrides:
        key = key_of(override)
        strange = re.search(r"[./@]|^(hydra|search)$", key) or is_group(key) or override.startswith("~")
        meant = None if strange else nearest(key, known)
        if key not in known and meant in groups():
            cure = replace(implicit(override), override.replace(key, str(meant), 1))
            found.append(Mistake(key, f"no such key; did you mean {meant}?", cure))
        if key in groups() and re.search(r"=\s*$", override) and key != "experiment":
            found.append(Mistake("", f"{key}= names no choice; {key}=null chooses none", take_back(key)))
        group, _, rest = key.partition(".")
        if rest and group in groups() and group not in PARTS:
            owner = next(iter(shared_out().get(group, ())), "")
            there = place(group, f"{owner}/" if owner else "")
            problem = f"the arguments of {group}= stand in {there}; did you mean {there}.{rest}?"
            instead = f"{there}.{override.partition('.')[2]}"
            found += [Mistake(key, problem, replace(implicit(override), instead))] if there else []
    return found


def undoes(mended: Collection[str], typed: Collection[str]) -> bool:
    """Whether a cure deletes something of what a choice that was typed has brought."""
    if not any(override.startswith("~") and override not in typed for override in mended):
        return False
    keys = {key_of(override) for override in typed} & set(groups())
    chosen = [override.partition("=")[::2] for override in in_full(mended) if key_of(override) in keys]
    brought = [place(group, choice) for group, choice in chosen]
    deleted = [override[1:] for override in mended if override.startswith("~") and override not in typed]
    return any(f"{path}.".startswith(f"{there}.") for path in deleted for there in brought if there)


def place(group: str, choice: str) -> str:
    """Where most of the choices that lie beside this one write to."""
    folder, _, _ = choice.rpartition("/")
    beside = [f"{folder}/{name}" if folder else name for name in choices(f"{group}/{folder}")]
    packages = [read_choice(group, each)[0] for each in beside]
    return max(set(packages), key=packages.count) if packages else group


def _name(choice: str) -> str:
    return choice.rpartition("/")[2]
