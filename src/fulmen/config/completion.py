"""Tab completion for bash, zsh and fish: `eval "$(python train.py -sc install=bash)"`.

A shell calls the program with `-sc query=<shell>` and what was typed up to the cursor in `COMP_LINE`. Hydra's own
answer knows neither the words for the files in conf/<group>/<workload>/ nor arguments that no file names; nothing is
imported for this one that a mistake would not wait for.
"""

import os
import shlex
import typing
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from glob import escape, iglob
from itertools import pairwise
from pathlib import Path
from typing import Any

from hydra.errors import HydraException
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fulmen.config.allow_list import TargetError, locate, without_import
from fulmen.config.compose import composed_once
from fulmen.config.help import SEARCH_EXAMPLES
from fulmen.config.mistakes import join, key_of
from fulmen.config.schema import TrainConfig, choices, groups, shared_out
from fulmen.config.search import SPACE, spaces_of_workloads
from fulmen.config.signatures import parameters
from fulmen.config.words import network_of, workload
from fulmen.config.workload_verbs import verb_names, with_verbs
from fulmen.errors import FulmenError

SHELLS = Path(__file__).parent / "shells"
OPTIONS = ("-m", "--multirun", "--help", "--cfg", "--info", "--config-dir", "--hydra-help")
PROGRAMS = {"train.py": "train", "sweep.py": "sweep", "fulmen": "", "__main__.py": ""}
TAKES_EXPERIMENTS = ("rank", "compare", "runs")
SEARCH_GROUPS = ("search", SPACE)


def answer(asked: Sequence[str], verbs: Iterable[str] = ()) -> str:
    """What the program prints for `-sc install=<shell>`, `uninstall=<shell>` or `query=<shell>`.

    Args:
        verbs: of the program, where it has some.

    Raises:
        FulmenError: something else was asked for.
    """
    action, _, shell = (asked[0] if len(asked) == 1 else "").partition("=")
    script = SHELLS / f"complete.{shell}"
    if action not in ("install", "uninstall", "query") or not (shell.isalpha() and script.is_file()):
        raise FulmenError("-sc takes install=, uninstall= or query= of bash, zsh or fish: -sc install=bash")
    if action == "query":
        return "\n".join(completions(os.environ.get("COMP_LINE", ""), verbs))
    first, _, last = script.read_text(encoding="utf-8").partition("# To undo all this:\n")
    return first if action == "install" else last.replace("# ", "")


def completions(line: str, verbs: Iterable[str] = ()) -> list[str]:
    """All that the last word of a command line can be, whole words; `line` ends where the cursor stands."""
    typed = _words(line)
    word = "" if line[-1:].isspace() else typed[-1]
    before = typed if not word else typed[:-1]
    start = next((i for i, each in enumerate(before) if Path(each).name in PROGRAMS), len(before) - 1)
    verb, words = PROGRAMS.get(Path(before[start]).name, "train") if before else "", before[start + 1 :]
    if not verb:
        if not words:
            return sorted(name for name in verbs if name.startswith(word))
        verb, *words = words
    found: Iterable[str] = (name for name in choices("experiment") if verb in TAKES_EXPERIMENTS)
    if not words and verb in with_verbs():
        found = verb_names(verb)
    elif verb == "check":
        found = _of_a_check(word, words)
    elif verb in ("train", "sweep"):
        found = _of_a_training(word, [each for each in words if "=" in each], search=verb == "sweep")
    return sorted({each for each in found if each.startswith(word)})


def _of_a_check(word: str, words: list[str]) -> Iterable[str]:
    """The experiments behind --experiment, the settings of the one that was named, or files."""
    if words[-1:] == ["--experiment"]:
        return choices("experiment")
    if word.startswith("-"):
        return ["--experiment", "--json", "--strict"]
    named = [f"experiment={after}" for each, after in pairwise(words) if each == "--experiment"]
    if word.startswith("data.") or "=" in word:
        return _of_a_training(word, [*named, *(each for each in words if "=" in each)], search=False)
    return [*_files(word), *(["data."] if words and "data.".startswith(word) else [])]


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError:  # a quote that is still open
        return line.split()


def _of_a_training(word: str, overrides: list[str], search: bool) -> Iterator[str]:
    bare = word.lstrip("+~")
    mark, (key, equals, value) = word[: len(word) - len(bare)], bare.partition("=")
    if word.startswith("-"):
        yield from OPTIONS
    elif equals:
        head = value[: value.rfind(",") + 1]  # of several values the last one is completed
        last = value[len(head) :]
        there = list(_values(key, overrides, search)) or _files(last)
        yield from (f"{mark}{key}={head}{name}" for name in there)
    else:
        yield from (f"{mark}{name}" for name in _keys(key, overrides, search))


def _values(key: str, overrides: list[str], search: bool) -> Iterator[str]:
    """What a key can be given, as far as there is a list of it."""
    if key in groups() or (search and key in SEARCH_GROUPS):
        yield from _choices(key, _experiment(overrides))
    elif key in ("resume", "weights"):
        yield from (str(path.parents[1]) for path in Path().glob("outputs/runs/*/*/checkpoints/last.ckpt"))
    else:
        owner, _, name = key.rpartition(".")
        found = _arguments(_node(owner, overrides)) if owner else typing.get_type_hints(TrainConfig)
        yield from _literals(found.get(name))


def _choices(group: str, experiment: str | None) -> list[str]:
    """The choices of a group as one types them: those of the experiment's workload, or all while none is chosen."""
    homes = list(spaces_of_workloads()) if group == SPACE else shared_out().get(group, [])
    if experiment:
        homes = [home for home in homes if home == workload(network_of(experiment) or "")]
    return [*choices(group), *(name for home in homes for name in choices(f"{group}/{home}"))]


def _keys(key: str, overrides: list[str], search: bool) -> Iterator[str]:
    """Keys with `=` behind what takes a value and `.` behind what has keys below it."""
    owner, _, _ = key.rpartition(".")
    if not owner:
        experiment = _experiment(overrides)
        named = [*groups(), *(SEARCH_GROUPS if search else ())]
        yield from (f"{group}=" for group in named if _choices(group, experiment))
        plain = [each.name for each in fields(TrainConfig) if each.name not in ("data", "model", "trainer")]
        yield from (f"{name}=" for name in plain if name not in ("callbacks", "logger"))
        yield from ("search.",) if search else ()
    if search and owner == "search":
        named = [key_of(example.strip("'")) for example in SEARCH_EXAMPLES]
        yield from (f"{name}=" for name in named if name.count(".") == 1)
        return
    node = _node(owner, overrides)
    for name, value in node.items():
        yield join(owner, name) + ("." if isinstance(value, dict) else "=")
    yield from (join(owner, name) + "=" for name in _arguments(node) if name not in node)


def _experiment(overrides: Iterable[str]) -> str | None:
    named = [override.partition("=")[2] for override in overrides if key_of(override) == "experiment"]
    return named[-1] if named and named[-1] in choices("experiment") else None


def _node(path: str, overrides: list[str]) -> dict[str, Any]:
    """What stands at a path of the config that was typed so far; {} where nothing does, or it cannot be composed."""
    mine = [override for override in overrides if key_of(override).partition(".")[0] not in ("search", *SEARCH_GROUPS)]
    with suppress(FulmenError, HydraException, OmegaConfBaseException):
        cfg, _ = composed_once(tuple(mine))
        found = OmegaConf.select(cfg, path) if path else cfg
        plain = OmegaConf.to_container(found, resolve=False) if OmegaConf.is_dict(found) else {}
        return {str(key): value for key, value in plain.items()} if isinstance(plain, dict) else {}
    return {}


def _arguments(node: dict[str, Any]) -> dict[str, Any]:
    """Name -> annotation of what the target of a node takes, as far as it is known without an import."""
    target = node.get("_target_")
    if not isinstance(target, str):
        return {}
    with without_import(), suppress(TargetError):
        known = parameters(locate(target)) or {}
        return {name: each.annotation for name, each in known.items() if name != "self"}
    return {}


def _literals(annotation: Any) -> list[str]:
    """The values that an annotation lists."""
    if annotation is bool:
        return ["true", "false"]
    if annotation is type(None):
        return ["null"]
    if typing.get_origin(annotation) is typing.Literal:
        return [str(value) for value in typing.get_args(annotation)]
    parts = typing.get_args(annotation) if typing.get_origin(annotation) else ()
    found = [value for part in parts for value in _literals(part)]
    return found if set(found) != {"null"} else []


def _files(start: str) -> list[str]:
    """Files and folders whose path begins with `start`."""
    found = sorted(iglob(f"{escape(start)}*")) if start else []
    return [f"{path}/" if Path(path).is_dir() else path for path in found]
