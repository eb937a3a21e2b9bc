"""Words that begin with `-`: the options that Hydra takes, and settings that were meant."""

import argparse
from collections.abc import Callable, Collection
from dataclasses import fields
from pathlib import Path

from hydra._internal.utils import get_args_parser  # private: `hydra.main` shows nobody else the options it takes

from fulmen.config.compose import composed, paths
from fulmen.config.mistakes import ConfigError, command, did_you_mean, key_of, nearest
from fulmen.config.places import conf_folders
from fulmen.config.schema import TrainConfig, is_group
from fulmen.errors import FulmenError


def parse(arguments: list[str], program: str, check: Callable[[list[str]], object]) -> argparse.Namespace:
    """Command-line arguments as Hydra reads them: `overrides`, `help`, `multirun`, `cfg`, `config_dir` ...

    Args:
        program: how it was called, for the command in the message.
        check: passes if overrides are without a mistake; else it raises a ConfigError.

    Raises:
        FulmenError: an option that there is not, or one without its value; the message holds a command that works.
    """
    parser = _parser()
    try:
        found, others = parser.parse_known_intermixed_args(arguments)
    except argparse.ArgumentError as error:
        raise FulmenError(f"{error}; `{program} --help` says more") from None
    strangers = [word for word in others if word.startswith("-")]
    if strangers:
        raise _not_taken(arguments, strangers, program, check)
    found.overrides += others  # what stands behind an option that takes a word or none
    return found


def refuse_missing(asked: argparse.Namespace) -> None:
    """Pass if the config, the folder and the file that options name are there.

    Raises:
        FulmenError: one is not.
    """
    if asked.config_dir and not Path(asked.config_dir).is_dir():
        raise FulmenError(f"--config-dir {asked.config_dir}: there is no such folder")
    if asked.experimental_rerun and not Path(asked.experimental_rerun).is_file():
        raise FulmenError(f"--experimental-rerun {asked.experimental_rerun}: there is no such file")
    name = asked.config_name
    if not name or asked.config_path or asked.config_dir:
        return
    there = sorted({path.stem for folder in conf_folders() for path in folder.glob("*.yaml")})
    if not any((folder / Path(name).with_suffix(".yaml")).is_file() for folder in conf_folders()):
        raise FulmenError(f"--config-name {name}: there is no conf/{name}.yaml{did_you_mean(name, there)}")


def _parser() -> argparse.ArgumentParser:
    parser = get_args_parser()
    parser.allow_abbrev, parser.exit_on_error = False, False
    return parser


def _not_taken(
    arguments: list[str], strangers: list[str], program: str, check: Callable[[list[str]], object]
) -> FulmenError:
    """What to say of options that there are not, with a command of what was meant if that is known."""
    meant, unclear = _as_meant(arguments, strangers)
    if unclear:
        return FulmenError(f"there is no option {unclear[0]}; `{program} --help` lists what can be changed")
    asked = parse(meant, program, check)
    new = {key_of(word) for word in meant if word not in arguments}
    try:
        overrides = asked.overrides if asked.help else _tried(asked, new, check)
    except FulmenError as error:
        return FulmenError(f"{strangers[0]}: settings are written name=value; {error}")
    options = [word for word in meant if word not in asked.overrides]
    settings = any("=" in word for word in meant if word not in arguments)
    rule = "options begin with -, settings are written name=value" if settings else "there is no such option"
    return FulmenError(f"{strangers[0]}: {rule}\n  this works: {command([*options, *overrides], program)}")


def _tried(asked: argparse.Namespace, names: Collection[str], check: Callable[[list[str]], object]) -> list[str]:
    """The overrides that were asked for as they work, those of `names` with their full path.

    Raises:
        FulmenError: there is no way that leaves none of them out.
    """
    if asked.multirun:  # values for several runs cannot be tried as one run
        return _in_full(asked.overrides, names, slips=True)
    refused = ConfigError([])
    for slips in (False, True):
        overrides = _in_full(asked.overrides, names, slips)
        try:
            check(overrides)
            return overrides
        except ConfigError as error:
            if error.overrides and not error.without:
                return error.overrides
            refused = refused if slips else ConfigError(error.mistakes)
    raise refused


def _as_meant(arguments: list[str], strangers: list[str]) -> tuple[list[str], list[str]]:
    """The arguments with `--name value` and `--name=value` as `name=value`, and those of which nothing is known."""
    known = [name.replace("_", "-") for name in vars(_parser().parse_args([])) if name != "overrides"]
    meant: list[str] = []
    unclear: list[str] = []
    words = iter([*arguments, ""])
    word = next(words)
    while word:
        following = next(words, "")
        name, equals, value = word.lstrip("-").partition("=")
        if word not in strangers:
            meant.append(word)
        elif equals and name:
            meant.append(f"{name}={value}")
        elif name and following and not following.startswith("-") and "=" not in following:
            meant.append(f"{name}={following}")
            following = next(words, "")
        elif option := nearest(name, known):
            meant.append(f"--{option}")
        else:
            unclear.append(word)
        word = following
    return meant, unclear


def _in_full(overrides: list[str], names: Collection[str], slips: bool) -> list[str]:
    """Overrides with `trainer.max_epochs` for max_epochs: where the config has that setting nearest to its top.

    Args:
        slips: whether a name may be a misspelt one.
    """
    known = {field.name for field in fields(TrainConfig)}
    bare = [name for name in names if "." not in name and not is_group(name) and name not in known]
    chosen = [override for override in overrides if is_group(key_of(override)) and "," not in override]
    try:
        there = sorted(paths(composed(chosen)), key=lambda path: -path.count(".")) if bare else []
    except ConfigError:
        return overrides
    by_last = {path.rpartition(".")[2]: path for path in there}
    found = {name: nearest(name, by_last) if slips else name for name in bare}
    full = {name: by_last[meant] for name, meant in found.items() if meant in by_last}
    return [full.get(key_of(each), key_of(each)) + each[len(key_of(each)) :] if key_of(each) in full else each
            for each in overrides]  # fmt: skip
