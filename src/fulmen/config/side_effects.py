"""What a choice of one config group sets in places of another, told when it applies."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import partial
from itertools import pairwise

from fulmen.config.choice_files import read_choice
from fulmen.config.hydra_errors import replace
from fulmen.config.mistakes import Mistake, join, key_of, nearest, take_back
from fulmen.config.overrides import implicit
from fulmen.config.schema import TrainConfig, choices, groups, is_group, leaves, shared_out
from fulmen.config.words import in_full, network_of, options, say_once

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
    brought = [each for each in brought if each.partition("=")[0] not in keys]  # what was typed wins
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


def misnamed(overrides: Collection[str]) -> list[Mistake]:
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
        if rest and group in groups() and group not in PARTS and (mistake := _of_others(group, key, overrides)):
            found.append(mistake)
        elif rest and group in groups() and group not in PARTS:
            owner = next(iter(shared_out().get(group, ())), "")
            there = place(group, f"{owner}/" if owner else "")
            problem = f"the arguments of {group}= stand in {there}; did you mean {there}.{rest}?"
            instead = f"{there}.{override.partition('.')[2]}"
            found += [Mistake(key, problem, replace(implicit(override), instead))] if there else []
    return found


def _of_others(group: str, key: str, overrides: Collection[str]) -> Mistake | None:
    """The mistake of writing to a group of another workload; None if the experiment has choices of it."""
    chosen = [value for each, _, value in (word.partition("=") for word in overrides) if each == "experiment"]
    if not chosen or group == "network" or group not in shared_out() or network_of(chosen[-1]) is None:
        return None  # any experiment may say itself what its network is
    if options(group, chosen[-1]):
        return None
    homes = " and ".join(shared_out()[group])
    return Mistake(key, f"{group}= belongs to {homes}; {chosen[-1]} has no such group", take_back(key))


def spaced(overrides: Sequence[str]) -> list[Mistake]:
    """`trainer.max_epochs 3`, two words in a row where one `key=value` is wanted."""
    found, words = [], list(overrides)
    for i, (first, second) in enumerate(pairwise(words)):
        is_value = re.fullmatch(r"[^=~+]+", second) and re.fullmatch(r"[A-Za-z_][\w.]*", first)
        if is_value and (i == 0 or "=" in words[i - 1]):
            whole = f"{first}={second}"
            cure = partial(_joined, first=first, second=second)
            found.append(Mistake(first, f"has no value; did you mean {whole}?", cure))
    return found


def _joined(overrides: list[str], first: str, second: str) -> list[str]:
    i = next((i for i, pair in enumerate(pairwise(overrides)) if pair == (first, second)), None)
    return overrides if i is None else [*overrides[:i], f"{first}={second}", *overrides[i + 2 :]]


def naming_experiment(overrides: Sequence[str]) -> list[str] | None:
    """`stocks` and `experiment stocks` with the `=` that is left out; None: no word of `overrides` is an experiment."""
    words = list(overrides)
    for mistake in spaced(words):
        words = mistake.mend(words) if mistake.mend and mistake.path == "experiment" else words
    if any(key_of(word) == "experiment" and "=" in word for word in words):
        return words if words != list(overrides) else None
    named = {word: meant for word in words if "=" not in word and (meant := nearest(word, choices("experiment")))}
    return [f"experiment={named[word]}" if word in list(named)[:1] else word for word in words] if named else None


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
