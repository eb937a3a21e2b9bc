"""Overrides as people type them and as Hydra reads them, and what `hydra.main` knows of the run it has started."""

import argparse
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from hydra import initialize_config_dir
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra._internal.utils import get_args_parser
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.plugins import Plugins
from hydra.errors import CompactHydraException
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from fulmen.config.mistakes import key_of
from fulmen.config.places import conf_folder
from fulmen.config.schema import groups

MULTIRUN = "hydra.mode=MULTIRUN"  # Hydra's own word for -m


@contextmanager
def hydra_on_conf() -> Iterator[None]:
    """Hydra set up to compose from conf/, also where `hydra.main` has set it up for itself."""
    instance = GlobalHydra.instance()
    by_main, instance.hydra = instance.hydra, None
    try:
        with initialize_config_dir(str(conf_folder()), job_name="train", version_base="1.3"):
            yield
    finally:
        GlobalHydra.instance().hydra = by_main


def parse(arguments: list[str]) -> argparse.Namespace:
    """Command-line arguments as Hydra reads them: `overrides`, `help`, `multirun`, `cfg`, `config_dir` ..."""
    return get_args_parser().parse_intermixed_args(arguments)


def explicit(override: str) -> str:
    """`key=value` as `++key=value`: any argument of a target may be given, whether or not a file names it already.

    What no target takes, `check` finds. Choices of a group, deletions, Hydra's own keys and switching off a callback
    or logger (`callbacks.progress=null`: the name must exist) stay as they are; `callbacks=null` is `~callbacks`.
    """
    key = key_of(override)
    off = re.fullmatch(r"(callbacks|logger)\.[^.=]+=\s*null\s*", override)
    if "=" not in override or override.startswith(("~", "++")) or off or re.match(r"[^=]*@", override):
        return override
    if key in groups() and override.partition("=")[2].strip() == "null":
        return f"~{key}"
    if key in groups() or re.match(r"hydra\b", key) or (override.startswith("+") and "." not in key):
        return override
    return f"++{override.lstrip('+')}"


def implicit(override: str) -> str:
    """An override as a person types it: the opposite of `explicit`."""
    return override.removeprefix("++")


def typed_overrides() -> list[str]:
    """The overrides of the run that `hydra.main` has started; outside one, what the program was called with."""
    typed = HydraConfig.get().overrides.task if HydraConfig.initialized() else sys.argv[1:]
    return [implicit(override) for override in typed]


def in_multirun() -> bool:
    """Whether this is one of several runs that `hydra.main` goes through."""
    return HydraConfig.initialized() and HydraConfig.get().mode == RunMode.MULTIRUN


def trust_multirun(composed: dict[tuple[str, ...], DictConfig]) -> None:
    """Let Hydra start the runs of a multirun as they were composed and checked; it would compose each twice more.

    Args:
        composed: overrides of a run, as Hydra reads them -> its config; taken out as the run starts.
    """
    Plugins.instance()  # it executes the sweeper's module anew
    sys.modules[BasicSweeper.__module__].BasicSweeper.validate_batch_is_legal = lambda self, batch: None
    load = ConfigLoaderImpl.load_sweep_config

    def load_sweep_config(self: ConfigLoaderImpl, master_config: DictConfig, sweep_overrides: list[str]) -> DictConfig:
        ready = composed.pop(tuple(sweep_overrides), None)
        if ready is None or list(master_config.hydra.overrides.hydra) != [MULTIRUN]:
            return load(self, master_config, sweep_overrides)
        OmegaConf.copy_cache(from_config=master_config, to_config=ready)
        return ready

    ConfigLoaderImpl.load_sweep_config = load_sweep_config


def run_failed(message: str) -> Exception:
    """An exception that lets a multirun go on and makes it end with `message` and exit code 1."""
    return CompactHydraException(message)
