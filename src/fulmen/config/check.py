"""Configs: composed, checked, mended, built."""

import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from copy import deepcopy
from functools import partial
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fulmen.config.allow_list import locate
from fulmen.config.compose import composed, composed_once, paths, resolved, to_plain, with_names_of_today
from fulmen.config.contradictions import contradictions
from fulmen.config.cures import diagnosed, judged
from fulmen.config.gone import with_origin, written_by
from fulmen.config.hydra_errors import translated
from fulmen.config.intervals import refuse_intervals
from fulmen.config.mistakes import ConfigError, as_text, join, key_of
from fulmen.config.named_files import argument_of, refused
from fulmen.config.outside import named, refuse_unsaid
from fulmen.config.override_values import plain as plain_value
from fulmen.config.overrides import apply, as_file_name, explicit, listed, typed_overrides
from fulmen.config.resume_table import entry, of_group
from fulmen.config.schema import choices, find_mistakes, groups
from fulmen.config.signatures import parameters, refuse_incomplete
from fulmen.config.stored import read_stored, refuse_unless_resumable, resume_folder
from fulmen.config.words import renamed
from fulmen.errors import FulmenError
from fulmen.utils.files import obstruction
from fulmen.utils.plain import Plain


def compose(*overrides: str | Iterable[str], output_dir: str | Path | None = None) -> DictConfig:
    """The config that `python train.py <overrides>` runs: resolved and plain, its experiment recorded in it.

    Args:
        overrides: one by one, or in a list.
        output_dir: the run folder; without it a fresh name below outputs/runs. Nothing is created.

    Raises:
        ConfigError: the overrides or the files cannot be put together. What the config then says, `check` judges.
    """
    typed = listed(overrides, "compose")
    try:
        return composed(typed, output_dir)
    except ConfigError as error:
        raise diagnosed(composed, typed) from error


def check(cfg: DictConfig | dict[str, Any], trusted: bool = True, overrides: Iterable[str] | None = None) -> None:
    """Pass if `cfg` can be run: keys, types, and every `_target_` with its arguments.

    Args:
        trusted: False for a config from elsewhere (a run folder, a checkpoint): targets must be parts of a training.
        overrides: what was typed, for the command in the message.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    plain = to_plain(cfg)
    mistakes = find_mistakes(plain, trusted)
    if not mistakes:
        return
    mended: list[str] | None = None
    if trusted:
        experiment = plain.get("experiment") or next(iter(choices("experiment")), None)
        mended = list(overrides) if overrides else [f"experiment={experiment}"]
        for mistake in mistakes:
            mended = mistake.mend(mended) if mistake.mend and mended else None
        mended = mended and diagnosed(composed, mended).overrides
    raise ConfigError(mistakes, mended)


def check_overrides(overrides: list[str], raw: dict[tuple[str, ...], DictConfig] | None = None) -> DictConfig:
    """The config of one run as typed, new or resumed, checked.

    Args:
        raw: see `composed`.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    folder = resume_folder(overrides)
    if folder is None:
        refuse_intervals(overrides, check_overrides)
    load = _resumed if folder else partial(composed, raw=raw)
    try:
        return judged(load, overrides, trusted=folder is None)
    except ConfigError as error:
        if folder is None:
            raise
        raise with_origin(error, read_stored(folder), written_by(folder)) from error


def check_values(shared: Iterable[str], values: Mapping[str, Plain]) -> DictConfig:
    """What `shared` composes to with `values` in it, checked as if they had been typed too.

    What is shared is composed only once in the life of a process.

    Args:
        shared: overrides; config groups are chosen among them.
        values: dotted path -> plain value. It is data: it is merged into the config and never parsed.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    shared = tuple(shared)
    with suppress(ConfigError, HydraException, OmegaConfBaseException):
        base, experiment = composed_once(shared)
        cfg = deepcopy(base)
        for path, value in values.items():
            OmegaConf.update(cfg, path, value, merge=True, force_add=True)
        cfg = resolved(cfg, experiment, [*shared, *(f"{path}=" for path in values)])
        if not find_mistakes(to_plain(cfg)):
            return cfg
    return check_overrides([*shared, *(f"{path}={as_text(value)}" for path, value in values.items())])


def finalize(cfg: DictConfig) -> DictConfig:
    """`cfg` as `hydra.main` hands it over, made what `compose` returns, and checked; unchanged if it is that already.

    Raises:
        ConfigError: a value is missing or cannot be resolved, or what `check` raises.
    """
    if not HydraConfig.initialized():
        return cfg
    runtime = HydraConfig.get().runtime
    final = resolved(cfg, runtime.choices.get("experiment"), HydraConfig.get().overrides.task)
    if final.output_dir != runtime.output_dir:
        with suppress(OSError):
            Path(runtime.output_dir).rmdir()  # Hydra makes its folder even where another one is asked for
    check(final, overrides=typed_overrides())
    return final


def load_config(folder: str | Path, overrides: Iterable[str] | None = None) -> DictConfig:
    """The config in a run folder, its targets held against the allow-list, its paths led to where the folder now lies.

    Args:
        overrides: what was typed; then what the config names outside the folder must be among it. None: to read only.

    Raises:
        FulmenError: no config there, or one that is not allowed or cannot be run.
    """
    plain = read_stored(Path(folder))
    cfg = OmegaConf.create(plain)
    if overrides is not None:
        refuse_unsaid(plain, Path(folder), said_again(overrides, cfg))
    try:
        check(cfg, trusted=False)
    except ConfigError as error:
        raise with_origin(error, plain, written_by(Path(folder))) from None
    return cfg


def build(node: Any, path: str, **extra: Any) -> Any:
    """The object that a `_target_` node describes, made of plain dicts and lists and the objects in `extra`.

    Raises:
        FulmenError: the target refused its arguments: `data: dose_mg must be positive, got -1`.
    """
    partial = bool(node.get("_partial_", False))
    try:
        make = instantiate(to_plain(node), _convert_="all", _partial_=True)
        refuse_incomplete(make.func, make.keywords)
        return make if partial else make(**extra)
    except Exception as error:
        cause: BaseException = error
        while isinstance(cause, InstantiationException) and cause.__cause__:
            cause = cause.__cause__
        below = re.search(r"^full_key: (\S+)$", str(error), re.MULTILINE)
        where = join(path, below[1]) if below and cause is not error else path
        if isinstance(cause, OSError) and not obstruction(cause):
            raise refused(cause, argument_of(cause, to_plain(node), path) or where) from cause
        users = (ValueError, TypeError, ModuleNotFoundError, FulmenError, InstantiationException)
        if isinstance(cause, users) or type(cause).__name__ == "MisconfigurationException":
            argument = re.match(r"(\w+)(?=[.:\[]|\s)", str(cause))  # `dose_mg is -1` is about data.dose_mg
            joint = "." if argument and argument[1] in (parameters(locate(node["_target_"])) or {}) else ": "
            raise FulmenError(f"{where}{joint}{cause}") from cause
        raise cause from None


def _resumed(overrides: list[str]) -> DictConfig:
    """The config of an interrupted run, with what was typed beside `resume=<folder>` changed."""
    folder = resume_folder(overrides) or Path()
    refuse_unless_resumable(folder)
    cfg = OmegaConf.create(stored := read_stored(folder))
    overrides = [renamed(override) for override in overrides]
    changes, again = [], said_again(overrides, cfg)
    for override in overrides:
        key, value = key_of(override), override.partition("=")[2]
        if key in again:
            continue
        chosen = key in groups() and key != "experiment" and override != "logger=null"
        found = of_group(key) if chosen else entry(key)
        if found.kind == "refused":
            raise FulmenError(f"{override}: {found.why}")
        if key == "experiment" and value != cfg.get("experiment"):
            raise FulmenError(f"{override}: the run in {folder} is one of experiment={cfg.get('experiment')}")
        if key not in ("resume", "experiment") and not re.match(r"hydra\b", key):
            changes.append(explicit(override))
    try:
        apply(OverridesParser.create().parse_overrides(changes), cfg)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError([translated(error, overrides, lambda _: paths(cfg))]) from error
    refuse_unsaid(to_plain(cfg), folder, {*again, *map(key_of, changes)})
    plain = with_names_of_today(to_plain(cfg))
    if changes and not find_mistakes(plain, trusted=False):
        known = contradictions(stored)  # what was accepted once goes on
        if new := [mistake for mistake in contradictions(plain) if mistake not in known]:
            raise ConfigError(new)
    return OmegaConf.create(plain | {"resume": str(folder)})


def said_again(overrides: Iterable[str], cfg: DictConfig) -> set[str]:
    """The keys that `overrides` give the values they have in `cfg` already."""
    try:
        typed = [as_file_name(override.lstrip("+")) for override in overrides]
        parsed = OverridesParser.create().parse_overrides(typed)
    except HydraException as error:
        raise ConfigError([translated(error, list(overrides), lambda _: paths(cfg))]) from error
    plain = dict(named(OmegaConf.to_container(cfg)))
    values = {
        each.key_or_group: each.value() for each in parsed if not each.is_delete() and not each.is_sweep_override()
    }
    return {key for key, value in values.items() if key in plain and plain[key] == plain_value(value)}
