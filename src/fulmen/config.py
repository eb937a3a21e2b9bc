"""Configs: composed, resolved, checked, built. The only file that knows how Hydra works inside."""

import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from copy import deepcopy
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from hydra import compose as hydra_compose
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from hydra._internal.core_plugins.basic_sweeper import BasicSweeper
from hydra.core.global_hydra import GlobalHydra
from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException, InstantiationException
from hydra.utils import instantiate
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from fulmen.errors import FulmenError
from fulmen.mistakes import ConfigError, Mistake, did_you_mean, join, key_of, nearest, put
from fulmen.overrides import explicit, hydra_on_conf, implicit, typed_overrides
from fulmen.schema import choices, find_mistakes, groups, leaves
from fulmen.signatures import parameters
from fulmen.stored import read_stored, refuse_unless_resumable, resume_folder
from fulmen.targets import locate
from fulmen.translation import first_line, translated


def compose(overrides: Iterable[str] = (), output_dir: str | Path | None = None) -> DictConfig:
    """The config that `python train.py <overrides>` runs: resolved and plain, its experiment recorded in it.

    Args:
        output_dir: the run folder; without it a fresh name below outputs/runs. Nothing is created.

    Raises:
        ConfigError: the overrides or the files cannot be put together. What the config then says, `check` judges.
    """
    overrides = list(overrides)
    try:
        return _composed(overrides, output_dir)
    except ConfigError as error:
        raise ConfigError(*_diagnosed(_composed, overrides)) from error


def compose_search(overrides: Iterable[str], experiment: str) -> dict[str, Any]:
    """The `search` part of conf/sweep.yaml as `python sweep.py` is asked for it, plain.

    Args:
        overrides: those of `search`, and of Hydra's search path.
        experiment: its space, if there is one of its name, is the default.

    Raises:
        ConfigError: the overrides or the files cannot be put together.
    """
    asked = list(overrides)
    spaces = [override for override in asked if key_of(override) == "search/space"]
    if not spaces and experiment in choices("search/space"):
        asked.insert(0, f"search/space={experiment}")
    if spaces and spaces[-1].endswith("=null"):  # the default; Hydra refuses to be told
        asked = [override for override in asked if override not in spaces]
    as_is = ("search", "search/space", "hydra.searchpath")
    try:
        with hydra_on_conf():
            whole = [o if key_of(o) in as_is else f"++{_quoted(o.lstrip('+'))}" for o in asked]
            cfg = hydra_compose("sweep", whole)
        return OmegaConf.to_container(cfg.search, resolve=True)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise ConfigError([translated(error, asked, lambda _: [])]) from error


def check(cfg: DictConfig | dict[str, Any], trusted: bool = True, overrides: Iterable[str] | None = None) -> None:
    """Pass if `cfg` can be run: keys, types, and every `_target_` with its arguments.

    Args:
        trusted: False for a config from elsewhere (a run folder, a checkpoint): targets must be parts of a training.
        overrides: what was typed, for the command in the message.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    plain = _plain(cfg)
    mistakes = find_mistakes(plain, trusted)
    if not mistakes:
        return
    mended: list[str] | None = None
    if trusted:
        experiment = plain.get("experiment") or next(iter(choices("experiment")), None)
        mended = list(overrides) if overrides else [f"experiment={experiment}"]
        for mistake in mistakes:
            mended = mistake.mend(mended) if mistake.mend and mended else None
        mended = mended and _diagnosed(_composed, mended)[1]
    raise ConfigError(mistakes, mended)


def check_overrides(overrides: list[str]) -> DictConfig:
    """The config of one run as typed, new or resumed, checked.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    resuming = resume_folder(overrides) is not None
    load, trusted = (_resumed, False) if resuming else (_composed, True)
    with suppress(ConfigError):
        cfg = load(overrides)
        if not find_mistakes(_plain(cfg), trusted):
            return cfg
    raise ConfigError(*_diagnosed(load, overrides, trusted))


def check_varied(shared: Iterable[str], varied: Iterable[str]) -> DictConfig:
    """As `check_overrides([*shared, *varied])`, but what is shared is composed only once in the life of a process.

    Args:
        varied: values, no choices of config groups.

    Raises:
        ConfigError: all mistakes, and a command that works.
    """
    shared, varied = tuple(shared), list(varied)
    with suppress(ConfigError, HydraException, OmegaConfBaseException):
        base, experiment = _composed_once(shared)
        cfg = deepcopy(base)
        changes = OverridesParser.create().parse_overrides([explicit(override) for override in varied])
        ConfigLoaderImpl._apply_overrides_to_config(changes, cfg)
        cfg = _resolved(cfg, experiment)
        if not find_mistakes(_plain(cfg)):
            return cfg
    return check_overrides([*shared, *varied])


def finalize(cfg: DictConfig) -> DictConfig:
    """`cfg` as `hydra.main` hands it over, made what `compose` returns, and checked; unchanged if it is that already.

    Raises:
        ConfigError: a value is missing or cannot be resolved, or what `check` raises.
    """
    if not HydraConfig.initialized():
        return cfg
    runtime = HydraConfig.get().runtime
    final = _resolved(cfg, runtime.choices.get("experiment"))
    if final.output_dir != runtime.output_dir:
        with suppress(OSError):
            Path(runtime.output_dir).rmdir()  # Hydra makes its folder even where another one is asked for
    check(final, overrides=typed_overrides())
    return final


def load_config(folder: str | Path) -> DictConfig:
    """The config in a run folder, its targets held against the allow-list, its paths led to where the folder now lies.

    Raises:
        FulmenError: no config there, or one that is not allowed or cannot be run.
    """
    cfg = OmegaConf.create(read_stored(Path(folder)))
    check(cfg, trusted=False)
    return cfg


def build(node: Any, path: str, **extra: Any) -> Any:
    """The object that a `_target_` node describes, made of plain dicts and lists and the objects in `extra`.

    Raises:
        FulmenError: the target refused its arguments: `data: dose_mg must be positive, got -1`.
    """
    partial = bool(node.get("_partial_", False))
    try:
        make = instantiate(_plain(node), _convert_="all", _partial_=True)
        return make if partial else make(**extra)
    except Exception as error:
        cause: BaseException = error
        while isinstance(cause, InstantiationException) and cause.__cause__:
            cause = cause.__cause__
        below = re.search(r"^full_key: (\S+)$", str(error), re.MULTILINE)
        where = join(path, below[1]) if below and cause is not error else path
        users = (ValueError, TypeError, ModuleNotFoundError, FulmenError, InstantiationException)
        if isinstance(cause, users) or type(cause).__name__ == "MisconfigurationException":
            argument = re.match(r"(\w+)(?=[.:\[]|\s)", str(cause))  # `dose_mg is -1` is about data.dose_mg
            joint = "." if argument and argument[1] in (parameters(locate(node["_target_"])) or {}) else ": "
            raise FulmenError(f"{where}{joint}{cause}") from cause
        raise cause from None


def expand(overrides: list[str]) -> list[list[str]]:
    """The overrides of each run of a multirun.

    Raises:
        ConfigError: an override cannot be read, or there is no run at all.
    """
    try:
        with hydra_on_conf():
            parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
            parsed = parser.parse_overrides([explicit(override) for override in overrides])
            jobs = BasicSweeper.split_arguments(parsed, None)[0]
    except HydraException as error:
        raise ConfigError([translated(error, overrides, _paths_after)]) from error
    empty = [o for o in parsed if o.is_sweep_override() and not list(o.sweep_string_iterator())]
    if empty:
        there = ", ".join(choices(empty[0].key_or_group))
        hint = f"; there is {there}" if there else ""
        typed = implicit(empty[0].input_line)
        raise ConfigError([Mistake(key_of(typed), f"{typed} gives no run{hint}")])
    return [[implicit(override) for override in job] for job in jobs]


def _quoted(override: str) -> str:
    """`search.each=zoo=*` as Hydra wants it: `search.each='zoo=*'`, the quotes of which the shell has taken."""
    key, _, value = override.partition("=")
    return f"{key}='{value}'" if "=" in value and value[0] not in "'\"[{" else override


def _diagnosed(
    load: Callable[[list[str]], DictConfig], overrides: list[str], trusted: bool = True
) -> tuple[list[Mistake], list[str] | None]:
    """Every mistake in what `overrides` lead to, and mended overrides that were tried and lead to none.

    One mistake can hide the next (without a model nothing is known of its arguments), so mend what was found and
    look again.
    """
    found: list[Mistake] = []
    for _ in range(10):
        try:
            now = find_mistakes(_plain(load(overrides)), trusted)
        except ConfigError as error:
            now = error.mistakes
        if not now:
            return found, overrides
        found += [mistake for mistake in now if mistake not in found]
        if any(mistake.mend is None for mistake in now):
            break
        before = overrides
        for mistake in now:
            overrides = mistake.mend(overrides)
        if overrides == before:
            break
    return found, None


def _plain(cfg: Any) -> Any:
    if not OmegaConf.is_config(cfg):
        return cfg
    try:
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise ConfigError(list(_unresolvable(cfg)) or [Mistake("", str(error))]) from error


def _composed(overrides: list[str], output_dir: str | Path | None = None) -> DictConfig:
    """`compose`, but its errors hold no command."""
    try:
        with hydra_on_conf():
            cfg = hydra_compose("train", [explicit(o) for o in overrides], return_hydra_config=True)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise ConfigError([translated(error, overrides, _paths_after)]) from error
    experiment = cfg.hydra.runtime.choices.get("experiment")
    with open_dict(cfg):
        del cfg["hydra"]
        by_hydra = OmegaConf.is_interpolation(cfg, "output_dir")
        if output_dir is not None or by_hydra:
            stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
            cfg.output_dir = str(output_dir or Path("outputs", "runs", str(experiment), stamp))
    return _resolved(cfg, experiment)


@lru_cache(maxsize=64)
def _composed_once(overrides: tuple[str, ...]) -> tuple[DictConfig, str | None]:
    """What Hydra composes, interpolations and all, and the experiment."""
    with hydra_on_conf():
        cfg = hydra_compose("train", [explicit(o) for o in overrides], return_hydra_config=True)
    experiment = cfg.hydra.runtime.choices.get("experiment")
    with open_dict(cfg):
        del cfg["hydra"]
    OmegaConf.set_struct(cfg, False)
    return cfg, experiment


def _resolved(cfg: DictConfig, experiment: str | None) -> DictConfig:
    """A plain copy without interpolations that records the experiment."""
    mistakes = list(_unresolvable(cfg))
    if mistakes:
        raise ConfigError(mistakes)
    return OmegaConf.create({"experiment": experiment, **_plain(cfg)})


def _unresolvable(cfg: DictConfig | ListConfig) -> Iterator[Mistake]:
    """Interpolations that lead nowhere."""
    for key in cfg if isinstance(cfg, DictConfig) else range(len(cfg)):
        path = cfg._get_full_key(key)
        if OmegaConf.is_missing(cfg, key):
            continue
        try:
            value = cfg[key]
        except OmegaConfBaseException as error:
            lost = re.search(r"Interpolation key '([^']+)' not found", str(error))
            names = [name for name, _ in leaves(OmegaConf.to_container(cfg._get_root()))]
            meant = nearest(lost[1], names) if lost else None
            problem = f"{first_line(error)}{did_you_mean(lost[1], names) if meant else ''}"
            yield Mistake(path, problem, put(path, f"${{{meant}}}") if meant else None)
            continue
        if OmegaConf.is_config(value) and not OmegaConf.is_interpolation(cfg, key):
            yield from _unresolvable(value)


def _paths_after(overrides: list[str]) -> list[str]:
    try:
        return _paths(_composed(overrides))
    except ConfigError:
        return []


def _paths(cfg: DictConfig) -> list[str]:
    """The dotted paths of all nodes and leaves."""
    keys = [path.split(".") for path, _ in leaves(OmegaConf.to_container(cfg, resolve=False))]
    return list(dict.fromkeys(".".join(key[: i + 1]) for key in keys for i in range(len(key))))


def _resumed(overrides: list[str]) -> DictConfig:
    """The config of an interrupted run, with what was typed beside `resume=<folder>` changed."""
    folder = resume_folder(overrides) or Path()
    refuse_unless_resumable(folder)
    cfg = OmegaConf.create(read_stored(folder))
    changes = []
    for override in overrides:
        key, value = key_of(override), override.partition("=")[2]
        kept = key.partition(".")[0]
        if kept in ("data", "model", "seed", "seeds", "folds", "monitor", "mode", "output_dir") or (
            key in groups() and key != "experiment"
        ):
            raise FulmenError(f"{override}: a resumed run keeps its {kept}; start a new run to change it")
        if key == "experiment" and value != cfg.get("experiment"):
            raise FulmenError(f"{override}: the run in {folder} is one of experiment={cfg.get('experiment')}")
        if key not in ("resume", "experiment") and not re.match(r"hydra\b", key):
            changes.append(explicit(override))
    try:
        ConfigLoaderImpl._apply_overrides_to_config(OverridesParser.create().parse_overrides(changes), cfg)
    except (HydraException, OmegaConfBaseException) as error:
        raise ConfigError([translated(error, overrides, lambda _: _paths(cfg))]) from error
    return OmegaConf.merge(cfg, {"resume": str(folder)})
