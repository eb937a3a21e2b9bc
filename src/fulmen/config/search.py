"""The `search` part of a config as `python sweep.py` is asked for it, and the spaces that an experiment has.

Spaces of a workload lie in a folder of its name, conf/search/space/<workload>/; one that lies beside these folders is
for anybody.
"""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, cast

import yaml
from hydra import compose as hydra_compose
from hydra.errors import HydraException, MissingConfigException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from fulmen.config.compose import once, refuse_missing_folders, say_shadowed
from fulmen.config.hydra_errors import replace, translated
from fulmen.config.mistakes import ConfigError, Mistake, as_text, did_you_mean, key_of, nearest, put, take_back
from fulmen.config.override_values import Interval, Several, as_entry, value_of
from fulmen.config.overrides import hydra_on_conf
from fulmen.config.places import conf_folders
from fulmen.config.schema import choices
from fulmen.config.words import network_of, workload

SPACE = "search/space"
RANGE = ("low", "high", "log", "step")
ENTRY = (*RANGE, "choices", "when")


def compose_search(overrides: Iterable[str], experiment: str) -> dict[str, Any]:
    """The `search` part of conf/sweep.yaml, plain.

    Args:
        overrides: those of `search`, and of Hydra's search path.
        experiment: its space, if there is one of its name, is the default.

    Raises:
        ConfigError: the overrides or the files cannot be put together.
    """
    asked = list(overrides)
    refuse_missing_folders(asked)
    if mistakes := [*_swept(asked), *_of_another_workload(asked, experiment)]:
        raise ConfigError(mistakes)
    try:
        whole = [each for override in _with_space(asked, experiment) for each in _for_hydra(override)]
        cfg = once(("sweep", *whole), lambda: _sweep_by_hydra(whole))
        say_shadowed("sweep", cfg.hydra.runtime.choices)
        return cast(dict[str, Any], OmegaConf.to_container(cfg.search, resolve=True))
    except MissingConfigException as error:
        raise ConfigError([_no_such(error, asked, experiment)]) from error
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError) as error:
        raise ConfigError([translated(error, asked, lambda _: [])]) from error


def _sweep_by_hydra(overrides: list[str]) -> DictConfig:
    with hydra_on_conf():
        return hydra_compose("sweep", overrides, return_hydra_config=True)


def meant_key(key: str, keys: Iterable[str] = ENTRY) -> str | None:
    """The key of an entry that `key` is, or probably stands for: `lo` is low, `hihg` is high."""
    keys = list(keys)
    if key in keys:
        return key
    short = (name for name in keys if len(key) > 1 and name.startswith(key))
    return nearest(key, keys) or next(short, None)


def spaces_of(experiment: str, overrides: Iterable[str] = ()) -> list[str]:
    """The spaces that an experiment may choose, as one types them: its workload's, then those for anybody."""
    owner = workload(network_of(experiment, overrides) or "")
    return [*(choices(f"{SPACE}/{owner}") if owner else []), *choices(SPACE)]


def spaces_of_workloads() -> dict[str, list[str]]:
    """Workload -> its spaces."""
    folders = {path.parent.name for folder in conf_folders() for path in folder.glob(f"{SPACE}/*/*.yaml")}
    return {owner: choices(f"{SPACE}/{owner}") for owner in sorted(folders)}


def _with_space(asked: list[str], experiment: str) -> list[str]:
    """What was asked, its space where the files have it; that of the experiment's name if none was asked for."""
    typed = [override for override in asked if key_of(override) == SPACE]
    name = typed[-1].partition("=")[2] if typed else experiment
    others = [override for override in asked if override not in typed]
    owner = workload(network_of(experiment, asked) or "")
    if name not in choices(SPACE) and owner and name in choices(f"{SPACE}/{owner}"):
        name = f"{owner}/{name}"
    elif not typed and name not in choices(SPACE):
        return others
    return others if name == "null" else [f"{SPACE}={name}", *others]  # null is the default; Hydra refuses to be told


def _of_another_workload(asked: list[str], experiment: str) -> Iterator[Mistake]:
    """The mistake of choosing a space that is made for the networks of another workload."""
    owner = workload(network_of(experiment, asked) or "")
    for override in asked:
        folder, _, name = override.partition("=")[2].rpartition("/")
        homes = [home for home, names in spaces_of_workloads().items() if name in names and folder in ("", home)]
        if key_of(override) != SPACE or not homes or owner in homes or (not folder and name in choices(SPACE)):
            continue
        own = spaces_of(experiment, asked)
        whose = owner or experiment
        there = f"spaces of {whose}: {', '.join(own)}" if own else f"{whose} has no space of its own"
        instead = next((each for each in own if each == experiment), next(iter(own), None))
        yield Mistake("", f"{SPACE}={name} belongs to {' and '.join(homes)}; {there}", put(SPACE, instead))


def _no_such(error: MissingConfigException, asked: list[str], experiment: str) -> Mistake:
    """The mistake of a sampler or a space that there is not."""
    group, _, name = (error.missing_cfg_file or "").rpartition("/")
    there = choices("search") if group == "search" else spaces_of(experiment, asked)
    meant = nearest(name, there)
    typed = next((override for override in reversed(asked) if key_of(override) == group), "")
    cure = replace(typed, f"{group}={meant or there[0]}") if there and typed else take_back(group)
    return Mistake(group, f"there is no {name}{did_you_mean(name, there)}", cure)


def _swept(asked: Iterable[str]) -> Iterator[Mistake]:
    """Several values, or an interval, where a search takes one; in a space they are choices, or a range."""
    for override in asked:
        key = key_of(override)
        try:
            value = value_of(override)
        except ValueError:
            continue
        last = key.rpartition(".")[2]
        listed = isinstance(value, list) and meant_key(last) is None
        if key.startswith("search.space.") and (listed or isinstance(value, Several | Interval)):
            entry = as_entry(value) if isinstance(value, Several | Interval) else {"choices": value}
            instead = f"{key}={as_text(entry)}"
            yield Mistake(key, f"a space is written as in {instead}", replace(override, instead))
        elif key == "search.space" and isinstance(value, str):
            problem = f"one of those in conf/search/space is chosen by {SPACE}={value}"
            yield Mistake(key, problem, replace(override, f"{SPACE}={value}"))
        elif key == "search.space" and value == {}:
            problem = "is empty: there would be nothing to search; without it the space of the experiment is searched"
            yield Mistake(key, problem, take_back(key))
        elif isinstance(value, Several):
            instead = f"{key}={as_text(value.values[0])}"
            yield Mistake(key, f"takes one value; {instead} is the first", replace(override, instead))


def _for_hydra(override: str) -> list[str]:
    """An override as Hydra reads it. An entry of a space that is typed whole takes the place of one in a file."""
    key, _, value = override.partition("=")
    if key_of(override) in ("search", SPACE, "hydra.searchpath"):
        return [override]
    if value and "=" in value and value[0] not in "'\"[{":  # `search.each=network=*`, its quotes taken by the shell
        return [f"++{key.lstrip('+')}='{value}'"]
    read = [f"++{override.lstrip('+')}"]
    if not key_of(override).startswith("search.space") or override.startswith("~"):
        return read
    if key_of(override).endswith(".choices"):
        return [*read, *(f"++{key.lstrip('+').removesuffix('choices')}{name}=null" for name in RANGE)]
    with suppress(ValueError):  # Hydra says what cannot be read
        if isinstance(typed := value_of(override), dict):
            return [f"++{key.lstrip('+')}={as_text(_whole(typed))}"]
    return read


def _whole(tree: Any) -> Any:
    """A part of a space in which what an entry does not say is null, where a file may say it."""
    if not isinstance(tree, dict):
        return tree
    if "choices" in tree:
        return dict.fromkeys(RANGE) | tree
    if "low" in tree and "high" in tree:
        return {"choices": None} | tree
    return {key: _whole(value) for key, value in tree.items()}
