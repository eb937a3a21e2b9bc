"""Overrides as people type them and as Hydra reads them, and what `hydra.main` knows of the run it has started."""

import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from hydra import initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import CompactHydraException, HydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf, open_dict

from fulmen.config.mistakes import key_of, quoted
from fulmen.config.multirun import register
from fulmen.config.places import conf_folder, use_own_project
from fulmen.config.schema import is_group, shared_out
from fulmen.errors import FulmenError

LIKE_A_PATH = re.compile(r"^[^\[{'\"$]*(/|\.[A-Za-z]\w{0,7}$)")  # a folder in it, or an ending
ODD = re.compile(r"[=,()\[\]{}:;!&<>#'\"]|[^ -~]")  # what Hydra's grammar reads as more than text

register()


@contextmanager
def hydra_on_conf() -> Iterator[None]:
    """Hydra set up to compose from conf/, also where `hydra.main` has set it up for itself."""
    use_own_project()
    instance = GlobalHydra.instance()
    by_main, instance.hydra = instance.hydra, None
    try:
        with initialize_config_dir(str(conf_folder()), job_name="train", version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = by_main


def listed(overrides: Iterable[str | Iterable[str]], function: str) -> list[str]:
    """What a function of Python is called with, overrides or lists of them, as one list.

    Args:
        function: its name, for the message.

    Raises:
        FulmenError: an option of the command line, or what is no text.
    """
    found: list[str] = []
    for each in overrides:
        found += [each] if isinstance(each, str) or not isinstance(each, Iterable) else each
    for each in found:
        if not isinstance(each, str):
            raise FulmenError(f'{function}() takes texts such as "trainer.max_epochs=3", not {each!r}')
        if each.startswith("-"):
            raise FulmenError(f"{function}() is of one run and takes no options such as {each}: call it for each run")
    return found


def explicit(override: str) -> str:
    """`key=value` as `++key=value`: any argument of a target may be given, whether or not a file names it already.

    What no target takes, `check` finds. Choices of a group, deletions, Hydra's own keys and switching off a callback
    or logger (`callbacks.progress=null`: the name must exist) stay as they are; `callbacks=null` is `~callbacks`.
    """
    override = as_file_name(override)
    key = key_of(override)
    off = re.fullmatch(r"(callbacks|logger)\.[^.=]+=\s*null\s*", override)
    if "=" not in override or override.startswith(("~", "++")) or off or re.match(r"[^=]*@", override):
        return override
    if is_group(key) and override.partition("=")[2].strip() == "null":
        return f"~{key}"
    if is_group(key) or re.match(r"hydra\b", key) or (override.startswith("+") and "." not in key):
        return override
    return f"++{override.lstrip('+')}"


def as_file_name(override: str) -> str:
    """`data.csv=px=2024.csv` with the name of the file in quotes, where Hydra's grammar has no other meaning for it.

    A name with a comma would be two values: it is taken as typed if there is such a file, as is one that is like no
    name of a file.
    """
    key, equals, value = override.partition("=")
    if equals and value and not value.strip():  # a tab between the columns
        return f"{key}={quoted(value)}"
    odd = ODD.search(value) or value.startswith("~")
    if not equals or not odd or is_group(key.lstrip("+~")):
        return override
    if not LIKE_A_PATH.search(value) and not _is_there(value):
        return override
    if value.startswith("~/") and (at_home := Path(value).expanduser()).exists():
        return f"{key}={quoted(str(at_home))}"
    try:
        sweep = OverridesParser.create().parse_override(override.lstrip("+")).is_sweep_override()
    except HydraException:
        return f"{key}={quoted(value)}"
    return f"{key}={quoted(value)}" if sweep and _is_there(value) else override


def _is_there(value: str) -> bool:
    try:
        return Path(value).exists()
    except (OSError, ValueError):  # no name of a file
        return False


def implicit(override: str) -> str:
    """An override as a person types it: without `++`, and a choice without the folder of its workload."""
    override = override.removeprefix("++")
    key, equals, value = override.partition("=")
    folder, slash, name = value.partition("/")
    return f"{key}={name}" if equals and slash and folder in shared_out().get(key, ()) else override


def apply(overrides: Iterable[Override], cfg: DictConfig) -> None:
    """Write parsed overrides into a config that is composed already, as Hydra does while it composes one.

    Raises:
        HydraException: what shall be deleted is not there, or what shall be added is.
    """
    for override in overrides:
        key, value = override.key_or_group, override.value()
        if override.package is not None:
            raise HydraException(f"{override.input_line}: there is no config group {key}")
        # what stands there may lead to a value that is known later, such as the run folder; `+key` has to know now
        there = OmegaConf.select(cfg, key, throw_on_missing=False, throw_on_resolution_failure=override.is_add())
        if override.is_delete():
            if there is None or (value is not None and value != there):
                raise HydraException(f"Could not delete from config. '{key}' is {there}.")
            owner, _, name = key.rpartition(".")
            with open_dict(cfg):
                del (OmegaConf.select(cfg, owner) if owner else cfg)[name]
            continue
        if override.is_add() and there is not None and not isinstance(value, dict | list):
            raise HydraException(f"Could not append to config. An item is already at '{key}'.")
        OmegaConf.update(cfg, key, value, merge=True, force_add=override.is_add() or override.is_force_add())


def typed_overrides() -> list[str]:
    """The overrides of the run that `hydra.main` has started; outside one, what the program was called with."""
    typed = HydraConfig.get().overrides.task if HydraConfig.initialized() else sys.argv[1:]
    return [implicit(override) for override in typed]


def in_multirun() -> bool:
    """Whether this is one of several runs that `hydra.main` goes through."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def run_failed(message: str) -> Exception:
    """An exception that lets a multirun go on and makes it end with `message` and exit code 1."""
    return CompactHydraException(message)
