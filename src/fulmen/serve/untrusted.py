"""What overrides from the network may not say: judged word by word, before any config is composed of them.

Whoever asks over HTTP chooses among what the configs offer and changes values. Nothing that is asked may name Hydra's
own settings, read the environment, build what is no part of a training, write to a place of its own, open a database
or an address that the server was not told of, or read a file outside the data folders and uploads.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fulmen.config.allow_list import TargetError, locate_untrusted, without_import
from fulmen.config.mistakes import ConfigError, Mistake, key_of, nearest
from fulmen.config.outside import LOGGERS, OPENS, READS, WRITES
from fulmen.config.override_values import Interval, Several, how_many, value_of
from fulmen.config.overrides import explicit
from fulmen.config.schema import is_group
from fulmen.errors import FulmenError
from fulmen.launch.commands import places_of
from fulmen.serve.readable import files_in, is_within

MOST_OVERRIDES, MOST_LETTERS, MOST_RUNS = 200, 4000, 500
CHOSEN_BY_THE_QUEUE = ("output_dir", "search.folder", "search.name", "resume", "defaults")
NO_DATABASE = ("search.storage",)
GROUP_VALUE = re.compile(r"[\w\-,*?!\[\]()=:'\" /|]*")
MODEL = re.compile(r"[\w.-]+([:@][\w.-]+)?")


@dataclass(frozen=True)
class Places:
    """What overrides from the network may lead to.

    Attributes:
        readable: folders of data and uploads.
        outputs: the folder of results; runs in it may be started from.
        opened: keys that may open a database or an address, such as `data.download`.
    """

    readable: tuple[Path, ...]
    outputs: Path
    opened: frozenset[str] = frozenset()


def refuse_untrusted(overrides: Sequence[str], places: Places) -> None:
    """Pass if nothing is said that nobody may say over the network.

    Raises:
        ConfigError: every word that may not, with what may.
    """
    if len(overrides) > MOST_OVERRIDES:
        raise ConfigError([Mistake("overrides", f"{len(overrides)} are too many: at most {MOST_OVERRIDES}")])
    found = [mistake for override in overrides for mistake in mistakes_in(override, places)]
    if found:
        raise ConfigError(found)
    runs = 1
    for override in overrides:
        runs *= _count(override)
        if runs > MOST_RUNS:
            raise ConfigError([Mistake(key_of(override), f"asks for more than {MOST_RUNS} runs")])


def mistakes_in(override: str, places: Places) -> Iterator[Mistake]:
    """What one override says that may not be said."""
    key = key_of(override)
    if problem := _form(override, key):
        yield Mistake(key[:80] or "overrides", problem)
        return
    if is_group(key) or key in ("search", "search/space"):
        value = override.partition("=")[2]
        if not GROUP_VALUE.fullmatch(value) or ".." in value or re.search(r"(^|[\[(,'\"\s])/", value):
            yield Mistake(key, "is a choice among files of the configs, and no path")
        return
    if override.startswith("~"):
        return
    for name, leaf in _leaves(key, _value(override)):
        if problem := _problem(key, name, leaf, places):
            yield Mistake(key, problem)


def _form(override: str, key: str) -> str | None:
    """What is wrong with an override as a whole."""
    if len(override) > MOST_LETTERS:
        return f"is longer than {MOST_LETTERS} letters"
    if not override.isprintable():
        return "holds letters that cannot be printed"
    if override.startswith("-"):
        return f"{override[:40]} is an option and no override; an override reads key=value"
    if "=" not in override and not override.startswith("~"):
        return f"{override[:40]} is no override; an override reads key=value"
    if "${" in override:
        return "${...} may not be said over the network; write the value itself"
    if "@" in key or "@" in override.partition("=")[0]:
        return "a package (@) may not be named over the network"
    if re.match(r"hydra\b", key):
        return "Hydra's own settings may not be changed over the network"
    if key in CHOSEN_BY_THE_QUEUE:
        return "is chosen by the queue; leave it out"
    if key == "experiment":
        return "is a field of its own beside the overrides; leave it out here"
    return None


def _value(override: str) -> Any:
    """What it says, as plain values; of one that cannot be read, the text, which nothing will be composed of."""
    read = explicit(override)
    try:
        if how_many(read) > MOST_RUNS:
            return None
        value = value_of(read)
    except (ValueError, RecursionError):
        return override.partition("=")[2]
    return value.values if isinstance(value, Several) else None if isinstance(value, Interval) else value


def _count(override: str) -> int:
    try:
        return how_many(explicit(override))
    except (ValueError, RecursionError):
        return 1


def _leaves(key: str, value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every plain value with all names on the way to it."""
    names = tuple(key.split("."))

    def within(names: tuple[str, ...], value: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
        if isinstance(value, dict):
            for name, item in value.items():
                yield from within((*names, *str(name).split(".")), item)
        elif isinstance(value, list | tuple):
            for item in value:
                yield from within(names, item)
        else:
            yield names, value

    yield from within(names, value)


def _problem(key: str, names: tuple[str, ...], value: Any, places: Places) -> str | None:
    """Why a plain value may not stand where `names` lead to; None: it may."""
    opening = next((name for name in names if name in OPENS), None)
    if (opening or key in NO_DATABASE) and value not in (None, False) and key not in places.opened:
        return f"{OPENS.get(opening or '', 'opens a database')}; the server allows it with --allow {key}"
    if not isinstance(value, str):
        return None
    if names[-1] == "_target_":
        return _target_problem(value)
    if names[0] == "weights" or key == "search.warm_start":
        return _start_problem(value, places)
    if any(name in READS for name in names):
        return _file_problem(value, places)
    if any(name in WRITES for name in names):
        return "names a place to write to; a job writes into its own folder, leave it out"
    if "://" in value and key not in places.opened:
        return f"{value[:60]} is an address; the server allows it with --allow {key}"
    if value.startswith(("/", "~", "\\")) or ".." in re.split(r"[/\\]", value):
        return _file_problem(value, places)
    return None


def _target_problem(target: str) -> str | None:
    """Why nobody may have this class built by a request."""
    if target.startswith(f"{LOGGERS}."):
        return f"{target} is no logger that a request may choose"
    try:
        with without_import():
            locate_untrusted(target)
    except TargetError as error:
        return str(error)
    return None


def _start_problem(value: str, places: Places) -> str | None:
    """Why a training may not start from `value`: neither a run of ours nor the name of a kept model."""
    if value in ("", "null") or is_within(Path(value), [places.outputs, places.outputs / "runs"]):
        return None
    if MODEL.fullmatch(value) and not Path(value).exists():
        return None
    return f"{value[:80]} is neither a run in {places.outputs.name} nor a kept model"


def _file_problem(value: str, places: Places) -> str | None:
    """Why a file may not be read: it lies in no folder of data, or is not there."""
    if value in ("", "null"):
        return None
    if not is_within(Path(value), places.readable):
        near = nearest(Path(value).name, [path.name for path in files_in(places.readable)])
        hint = f"; did you mean the file {near} there?" if near else "; GET /api/data lists what may be read"
        return f"{value[:80]} lies in no folder of data that the server was told of{hint}"
    return None if Path(value).exists() else f"there is no file {value[:80]}"


def run_inside(name: str, outputs: Path) -> str:
    """`name`, if it is a folder below `outputs`.

    Raises:
        FulmenError: it lies elsewhere, or there is none.
    """
    for path in places_of(name, outputs):
        if is_within(path, [outputs]) and path.is_dir():
            return str(path)
    raise FulmenError(f"there is no run {name[:80]}")
