"""What Hydra makes of overrides and the files in conf/, its errors told as mistakes of ours."""

import re
import warnings
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from copy import deepcopy
from datetime import datetime
from functools import cache, lru_cache
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml
from hydra import compose as hydra_compose
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.errors import HydraException
from omegaconf import DictConfig, ListConfig, OmegaConf, open_dict
from omegaconf.errors import OmegaConfBaseException

from fulmen.config.directions import fill_modes
from fulmen.config.experiment_file import switch_off, wrong_file
from fulmen.config.file_errors import marked
from fulmen.config.from_file import from_file
from fulmen.config.hydra_errors import first_line, translated
from fulmen.config.mistakes import ConfigError, Mistake, key_of, nearest, put, take_back
from fulmen.config.multirun import MULTIRUN, combined
from fulmen.config.overrides import apply, explicit, hydra_on_conf, implicit
from fulmen.config.places import shadowed
from fulmen.config.schema import choices, is_group, leaves
from fulmen.config.side_effects import misnamed, say_what_comes_along, spaced
from fulmen.config.torn import torn
from fulmen.config.words import in_full, say_once
from fulmen.migrations import renewed

Composition = tuple[DictConfig, dict[str, str | None]]  # what is trained, and group -> choice

Made = TypeVar("Made")

OmegaConf.register_new_resolver("from_file", from_file, replace=True)

_kept: ContextVar[dict[tuple[str, ...], Any] | None] = ContextVar("kept", default=None)


def composed(
    overrides: list[str],
    output_dir: str | Path | None = None,
    raw: dict[tuple[str, ...], DictConfig] | None = None,
) -> DictConfig:
    """`compose`, but its errors hold no command.

    Args:
        raw: gets what Hydra has composed for this run of a multirun, by its overrides.
    """
    refuse_missing_folders(overrides)
    if mistakes := marked(overrides) or torn(overrides) or spaced(overrides) or misnamed(overrides):
        raise ConfigError(mistakes)
    read = [explicit(override) for override in in_full(overrides)]
    try:
        if raw is not None:
            raw[tuple(read)] = once(("multirun", *read), lambda: _by_hydra([MULTIRUN, *read]))
            cfg, chosen = _without_hydra(deepcopy(raw[tuple(read)]))
        else:
            cfg, chosen = _put_together(read)
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise ConfigError([translated(error, overrides, _paths_after)]) from error
    say_shadowed("train", chosen)
    say_what_comes_along(chosen, read)
    experiment = chosen.get("experiment")
    if output_dir is not None or OmegaConf.is_interpolation(cfg, "output_dir"):
        stamp = datetime.now().strftime("%Y-%m-%d_%H-%M-%S-%f")
        with open_dict(cfg):
            cfg.output_dir = str(output_dir or Path("outputs", "runs", str(experiment), stamp))
    return resolved(cfg, experiment, read)


def choices_made(overrides: list[str]) -> dict[str, str | None]:
    """Group -> choice, of all groups that the experiment and the overrides choose something of.

    Raises:
        ConfigError: as `composed`.
    """
    try:
        return _put_together([explicit(override) for override in in_full(overrides)])[1]
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise ConfigError([translated(error, overrides, _paths_after)]) from error


def _by_hydra(read: Iterable[str]) -> DictConfig:
    with hydra_on_conf():
        return hydra_compose("train", list(read), return_hydra_config=True)


def _without_hydra(cfg: DictConfig) -> Composition:
    chosen = dict(cfg.hydra.runtime.choices)
    with open_dict(cfg):
        del cfg["hydra"]
    return cfg, chosen


def _put_together(read: list[str]) -> Composition:
    """What Hydra composes of `read`; inside `compositions_kept` only the choices of groups are left to it.

    Whatever else stands in `read` is then written into a copy, and where that fails Hydra says why.
    """
    if _kept.get() is None:
        return _without_hydra(_by_hydra(read))
    choosing = tuple(override for override in read if is_group(key_of(override)) or re.match(r"\+*hydra\b", override))
    written = [override for override in read if override not in choosing]
    try:
        cfg, chosen = once(("train", *choosing), lambda: _without_hydra(_by_hydra(choosing)))
        apply(OverridesParser.create().parse_overrides(written), cfg)
        return cfg, chosen
    except (HydraException, OmegaConfBaseException):
        return _without_hydra(_by_hydra(read))


def once(key: tuple[str, ...], make: Callable[[], Made]) -> Made:
    """What `make` gives; inside `compositions_kept` a copy of what it gave the first time."""
    kept = _kept.get()
    if kept is None:
        return make()
    if key not in kept:
        kept[key] = make()
    return cast(Made, deepcopy(kept[key]))


@contextmanager
def compositions_kept() -> Iterator[None]:
    """Let Hydra compose the same choices once only; the files are not looked at again."""
    token = _kept.set({} if _kept.get() is None else _kept.get())
    try:
        yield
    finally:
        _kept.reset(token)


def refuse_missing_folders(overrides: Iterable[str]) -> None:
    """Pass if every folder of configs that was typed is there; Hydra would go on without it.

    Raises:
        ConfigError: one is not.
    """
    typed = [override for override in overrides if key_of(override) == "hydra.searchpath"]
    folders = [folder for override in typed for folder in re.findall(r"file://([^,\]'\"]+)", override)]
    if missing := [folder for folder in folders if not Path(folder).is_dir()]:
        raise ConfigError([Mistake("hydra.searchpath", f"there is no folder {missing[0]}")])


@lru_cache(maxsize=64)
def composed_once(overrides: tuple[str, ...]) -> tuple[DictConfig, str | None]:
    """What Hydra composes, interpolations and all, and the experiment."""
    read = [explicit(override) for override in in_full(overrides)]
    cfg, chosen = _put_together(read)
    OmegaConf.set_struct(cfg, False)
    switch_off(cfg, read)
    return cfg, chosen.get("experiment")


def unresolved(overrides: Iterable[str], part: str) -> dict[str, Any]:
    """A part of the config such as data, as files and overrides say it: references stay, and nothing has to be given.

    Raises:
        ConfigError: it cannot be composed.
    """
    typed = list(overrides)
    try:
        cfg, _ = composed_once(tuple(typed))
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise ConfigError([translated(error, typed, _paths_after)]) from error
    found: Any = OmegaConf.to_container(cfg[part], resolve=False)
    return {str(name): value for name, value in found.items()}


def expand(overrides: list[str]) -> list[list[str]]:
    """The overrides of each run of a multirun.

    Raises:
        ConfigError: an override cannot be read, or there is no run at all.
    """
    try:
        with hydra_on_conf():
            parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
            parsed = parser.parse_overrides([explicit(override) for override in in_full(overrides, sweep=True)])
            jobs = combined(parsed)
    except HydraException as error:
        raise ConfigError([translated(error, overrides, _paths_after)]) from error
    empty = [o for o in parsed if o.is_sweep_override() and not list(o.sweep_string_iterator())]
    if empty:
        there = ", ".join(choices(empty[0].key_or_group))
        hint = f"; there is {there}" if there else ""
        typed = implicit(str(empty[0].input_line))
        raise ConfigError([Mistake(key_of(typed), f"{typed} gives no run{hint}")])
    return [[implicit(override) for override in job] for job in jobs]


def resolved(cfg: DictConfig, experiment: str | None, read: Collection[str] = ()) -> DictConfig:
    """A plain copy without interpolations that records the experiment; `mode` is that of the metric if not said.

    Args:
        read: the overrides as Hydra reads them: what they switch off is off, and what the file of the experiment
            leaves open has to be among them.

    Raises:
        ConfigError: a value cannot be resolved, or the file of the experiment is wrong as a whole or leaves one open.
    """
    switch_off(cfg, read)
    if isinstance(word := (cfg.get("findings") or {}).get("ignore"), str):
        cfg.findings.ignore = [each.strip() for each in word.split(",") if each.strip()]  # one is a list of one
    if not _can_be_resolved(cfg) and (mistakes := _unresolvable(cfg)):
        raise ConfigError(mistakes)
    if experiment and (mistakes := wrong_file(cfg, experiment, read)):
        raise ConfigError(mistakes)
    fill_modes(cfg)
    if cfg.get("leaks") is False:
        cfg.leaks = "off"  # YAML reads that word as no
    return OmegaConf.create({"experiment": experiment, **with_names_of_today(to_plain(cfg))})


def with_names_of_today(plain: dict[str, Any]) -> dict[str, Any]:
    """A plain config in which somebody may have written deprecated names; a line tells the new ones, once."""
    plain, said = renewed(plain)
    if said:
        _warn_once("; ".join(said))
    return plain


def say_shadowed(primary: str, chosen: Mapping[str, str | None]) -> None:
    """One line for each file of a project that is used in the place of another one of fulmen."""
    names = [f"{group}/{choice}" for group, choice in chosen.items() if isinstance(choice, str)]
    for file in shadowed([primary, *names]):
        say_once(f"{file} of this project is used in place of fulmen's own")


@cache
def _warn_once(line: str) -> None:
    warnings.warn(line, UserWarning, stacklevel=2)


def to_plain(cfg: Any) -> Any:
    """Dicts and lists, interpolations resolved; anything else as it is."""
    if not OmegaConf.is_config(cfg):
        return cfg
    try:
        return OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException as error:
        raise ConfigError(_unresolvable(cfg) or [Mistake("", str(error))]) from error


def paths(cfg: DictConfig) -> list[str]:
    """The dotted paths of all nodes and leaves."""
    keys = [path.split(".") for path, _ in leaves(OmegaConf.to_container(cfg, resolve=False))]
    return list(dict.fromkeys(".".join(key[: i + 1]) for key in keys for i in range(len(key))))


def _paths_after(overrides: list[str]) -> list[str]:
    try:
        return paths(composed(overrides))
    except ConfigError:
        return []


def _can_be_resolved(cfg: DictConfig) -> bool:
    try:
        OmegaConf.to_container(cfg, resolve=True, throw_on_missing=False)
    except OmegaConfBaseException:
        return False
    return True


def _unresolvable(cfg: DictConfig | ListConfig) -> list[Mistake]:
    """Interpolations that lead nowhere; several into one part are one mistake."""
    found = list(_lost(cfg))
    parts = [lost.partition(".")[0] if "." in lost else "" for _, lost in found]
    told = []
    for part in dict.fromkeys(parts):
        own = [each for each, of in zip(found, parts, strict=True) if of == part]
        if not part or len(own) == 1:
            told += [mistake for mistake, _ in own]
            continue
        names = ", ".join(dict.fromkeys(lost.partition(".")[2] for _, lost in own))
        problem = f"has no {names}, which {own[0][0].path} and {len(own) - 1} more refer to"
        told.append(Mistake(part, problem, take_back(part)))
    return told


def _lost(cfg: DictConfig | ListConfig) -> Iterator[tuple[Mistake, str]]:
    """Every interpolation that cannot be resolved, and the path it asks for ("" if that is not what is wrong)."""
    keys: list[Any] = list(cfg) if isinstance(cfg, DictConfig) else list(range(len(cfg)))
    for key in keys:
        path = cfg._get_full_key(key)
        if OmegaConf.is_missing(cfg, key):
            continue
        try:
            value = cfg[key]
        except OmegaConfBaseException as error:
            lost = re.search(r"Interpolation key '([^']+)' not found", str(error))
            names = [name for name, _ in leaves(OmegaConf.to_container(cfg._get_root())) if name != path]
            as_deep = [name for name in names if lost and name.count(".") == lost[1].count(".")]
            meant = nearest(lost[1], as_deep) if lost else None
            problem = f"${{{lost[1]}}} leads to no value" if lost else first_line(error)
            problem += f"; did you mean ${{{meant}}}?" if meant else ""
            yield Mistake(path, problem, put(path, f"${{{meant}}}") if meant else None), lost[1] if lost else ""
            continue
        if OmegaConf.is_config(value) and not OmegaConf.is_interpolation(cfg, key):
            yield from _lost(value)
