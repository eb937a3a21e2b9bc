"""Mistakes in what was typed for a search, beside its settings and its space."""

from collections.abc import Iterable, Iterator
from dataclasses import fields

from fulmen.config.mistakes import Mend, Mistake, as_text, did_you_mean, key_of, nearest, put, take_back
from fulmen.config.override_values import Interval, Several, as_entry, value_of
from fulmen.config.schema import TrainConfig, choices, groups, is_group
from fulmen.config.search import SPACE, spaces_of
from fulmen.config.words import network_of
from fulmen.search.notation import EMPTY
from fulmen.search.settings import Search

TAKEN = {  # keys of a training that a search sets itself
    "test": "a search never touches the test split; the champion alone is tested, when it is over",
    "resume": "the same command again goes on with a search",
    "output_dir": "the folders of a search are named by search.folder and search.name",
}


def misspelt_experiment(overrides: list[str]) -> Iterator[Mistake]:
    """An experiment that there is not, or the word before it misspelt."""
    there = choices("experiment")
    typed = [override for override in overrides if key_of(override) == "experiment"]
    for override in typed[-1:]:
        name = override.partition("=")[2]
        if name not in ("", "null", *there) and network_of(name, overrides) is None:
            problem = f"there is no {name}{did_you_mean(name, there)}"
            meant = nearest(name, there)
            yield Mistake("experiment", problem, replaced(override, f"experiment={meant}") if meant else None)
    for override in [] if typed else overrides:
        key, _, name = override.partition("=")
        if nearest(key, ["experiment"]) and name in there:
            problem = "no such key; did you mean experiment?"
            yield Mistake(key, problem, replaced(override, f"experiment={name}"))


def taken(overrides: Iterable[str]) -> Iterator[Mistake]:
    """What a search says itself."""
    for override in overrides:
        if key_of(override) in TAKEN and override != "test=false":
            yield Mistake("", f"{override}: {TAKEN[key_of(override)]}", take_back(key_of(override)))


def meant_for_search(overrides: Iterable[str]) -> Iterator[Mistake]:
    """Keys of a search without the word before them, or with it misspelt: `trials=20`, `serach.trials=20`."""
    own = [each.name for each in fields(Search)]
    known = {*groups(), *(each.name for each in fields(TrainConfig)), "hydra"}
    for override in overrides:
        key = key_of(override)
        first, _, rest = key.partition(".")
        if first in known or is_group(key):
            continue
        meant = None
        if key == "space" and not override.partition("=")[2].startswith("{"):
            meant = SPACE
        elif first in own:
            meant = f"search.{key}"
        elif nearest(first, [*known, "search"]) == "search":
            meant = f"search.{rest}" if rest else "search"
        if meant:
            yield Mistake(
                key, f"no such key; did you mean {meant}?", replaced(override, override.replace(key, meant, 1))
            )


def swept(overrides: Iterable[str]) -> Iterator[Mistake]:
    """Several values, or an interval, of a path that the space may vary."""
    for override in overrides:
        try:
            value = value_of(override)
        except ValueError:
            continue
        key = key_of(override)
        if not isinstance(value, Several | Interval) or key == "experiment":
            continue
        instead = f"search.space.{key}={as_text(as_entry(value))}"
        yield Mistake(key, f"what a search varies stands in its space: {instead}", replaced(override, instead))


def no_space(experiment: str, overrides: list[str]) -> Mistake:
    """The mistake of searching an experiment that has no space of its name, without a space."""
    if not (there := spaces_of(experiment, overrides)):
        return Mistake("", EMPTY)
    problem = f"is empty: choose one ({', '.join(f'{SPACE}={name}' for name in there)}) or name what to vary"
    return Mistake("search.space", problem, put(SPACE, there[0]))


def replaced(override: str, instead: str) -> Mend:
    return lambda typed: [instead if each == override else each for each in typed]
