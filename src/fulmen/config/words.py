"""The words a person types for choices of config groups, and what they stand for in the files of conf/.

Choices of one workload lie in a folder of its name: `network=28_cnn_lstm` is conf/network/stocks/28_cnn_lstm.yaml
where the experiment is one of stocks. Whose an experiment is, its own choice of a network says.
"""

import os
import sys
from collections.abc import Iterable, Sequence
from functools import lru_cache
from pathlib import Path, PurePosixPath

import yaml
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Glob
from hydra.errors import HydraException
from hydra.types import RunMode
from omegaconf.errors import OmegaConfBaseException

from fulmen.config.choice_files import read_choice, target_in, workload_of
from fulmen.config.mistakes import ConfigError, Mistake, did_you_mean, key_of, nearest, put, take_back
from fulmen.config.overrides import hydra_on_conf
from fulmen.config.places import conf_folders
from fulmen.config.schema import OLD_WORDS, choices, shared_out

PBPK = ("dynamic_gnn", "mlp")  # were choices of model=

SHOWN = 12  # choices in a message

_said: set[str] = set()


def say_once(line: str) -> None:
    """A line on stderr, once in the life of a process and by one process of a run."""
    if line not in _said and os.environ.get("RANK", "0") == os.environ.get("LOCAL_RANK", "0") == "0":
        print(line, file=sys.stderr, flush=True)
    _said.add(line)


def renamed(override: str) -> str:
    """An override in the words of today; one of before is told what it is called now."""
    bare = override.lstrip("+~")
    mark, (key, equals, value) = override[: len(override) - len(bare)], bare.partition("=")
    rest = equals + value
    if key in OLD_WORDS:
        say_once(f"{key}= is called {OLD_WORDS[key]}= now")
        return f"{mark}{OLD_WORDS[key]}{rest}"
    if key == "model" and rest[1:] in PBPK:
        say_once(f"model={rest[1:]} is called network={rest[1:]} now")
        return f"{mark}network{rest}"
    return override


def in_full(overrides: Iterable[str], sweep: bool = False) -> list[str]:
    """`overrides` as Hydra finds them in conf/: `network=28_cnn_lstm` as `network=stocks/28_cnn_lstm`.

    Args:
        sweep: whether several values may stand in one override.

    Raises:
        ConfigError: a choice belongs to another workload, or there is none of that name.
    """
    words = [renamed(override) for override in overrides]
    chosen = _experiments(words)
    if len(chosen) == 1 and (mistake := _of_another(words, chosen[0])):
        raise ConfigError([mistake])
    if not any(_is_choice(word) for word in words):
        return words
    networks = [network for experiment in chosen if (network := network_of(experiment, words))]
    if not chosen or len(networks) < len(chosen):
        return words  # there is no such experiment: Hydra says it
    return [_whole(word, networks, chosen[0], sweep) if _is_choice(word) else word for word in words]


def options(group: str, experiment: str, overrides: Iterable[str] = ()) -> list[str]:
    """The choices of a group that an experiment has, as one types them."""
    group = OLD_WORDS.get(group, group)
    if group not in shared_out():
        return choices(group)
    owner = workload(network_of(experiment, overrides) or "")
    return choices(f"{group}/{owner}") if owner else []


def workload(network: str) -> str:
    """Whose a network is, "" where the experiment itself says what its network is."""
    return network.partition("/")[0] if "/" in network else ""


def experiments_of(owner: str) -> list[str]:
    """The experiments of a workload."""
    return [name for name in choices("experiment") if workload(network_of(name) or "") == owner]


def plain_experiment(owner: str) -> str:
    """The experiment of a workload that sets least of its data; of several one that builds on no other, the first."""
    there = experiments_of(owner)

    def sets(name: str) -> tuple[int, bool]:
        _, content, defaults = read_choice("experiment", name)
        return len(content.get("data") or ()), any(each in there for each in defaults if isinstance(each, str))

    return min(there, key=sets)


def network_of(experiment: str, overrides: Iterable[str] = ()) -> str | None:
    """The network that an experiment chooses, such as `stocks/28_cnn_lstm` or `none`; None: there is no experiment."""
    chosen = chosen_by(experiment, overrides)
    return None if chosen is None else chosen.get("network", "none")


def chosen_by(experiment: str, overrides: Iterable[str] = ()) -> dict[str, str] | None:
    """Group -> choice of an experiment; None: there is none of that name."""
    searchpaths = tuple(override for override in overrides if key_of(override) == "hydra.searchpath")
    return _chosen_by(experiment, searchpaths, tuple(conf_folders()))


@lru_cache(maxsize=64)
def _chosen_by(experiment: str, searchpaths: tuple[str, ...], roots: tuple[Path, ...]) -> dict[str, str] | None:
    try:
        with hydra_on_conf():
            loader = GlobalHydra.instance().config_loader()
            asked = [*searchpaths, f"experiment={experiment}"]
            found = loader.compute_defaults_list("train", asked, RunMode.RUN).defaults
    except (HydraException, OmegaConfBaseException, yaml.YAMLError, ValueError, AssertionError):
        return None
    paths = [PurePosixPath(each.config_path) for each in found if each.config_path]
    return {path.parts[0]: "/".join(path.parts[1:]) for path in reversed(paths) if len(path.parts) > 1}


def _is_choice(override: str) -> bool:
    """Whether an override is a choice of a group whose choices lie with workloads."""
    key, equals, _ = override.partition("=")
    return (bool(equals) and key in shared_out()) or override.removeprefix("~") in shared_out()


def _experiments(overrides: Sequence[str]) -> list[str]:
    """Every experiment that is chosen, in a multirun several."""
    typed = [override for override in overrides if key_of(override) == "experiment" and override[0] not in "+~"]
    return _values(typed[-1], choices("experiment")) if typed else []


def _values(override: str, there: Sequence[str]) -> list[str]:
    """The values in an override: of a sweep all of them, of a glob those of `there`."""
    try:
        parsed = OverridesParser.create().parse_override(override)
    except HydraException:
        return []
    value = parsed.value()
    if isinstance(value, Glob):
        return value.filter(list(there))
    if parsed.is_sweep_override():
        return [text.strip("'\"") for text in parsed.sweep_string_iterator()] if parsed.is_discrete_sweep() else []
    return [value] if isinstance(value, str) else []


def _whole(override: str, networks: Sequence[str], experiment: str, sweep: bool) -> str:
    """One choice with its workload."""
    group, _, value = override.partition("=")
    group = group.removeprefix("~")
    if override.startswith("~") or value.strip() in ("", "null"):
        nothing = _nothing(group, workload(networks[0]))
        return f"{group}={nothing}" if nothing else override
    owners = list(dict.fromkeys(map(workload, networks)))
    if len(owners) > 1:
        kinds = " and ".join(owner or "none" for owner in owners)
        problem = f"the experiments are of several workloads ({kinds}): start a multirun for each"
        raise ConfigError([Mistake(group, problem)])
    owner = owners[0]
    there = choices(f"{group}/{owner}") if owner else []
    names = _values(override, there)
    several = names != [value.strip("'\"")]
    if several and not sweep:
        return override  # Hydra says that it takes a multirun
    if not names:
        raise ConfigError([Mistake(group, f"{override} gives no run{did_you_mean('', there)}")])
    for name in names:
        if mistake := _misplaced(group, name, there, networks[0], experiment):
            if sweep:
                return override  # each run says it for itself, with a command that works
            raise ConfigError([mistake])
    whole = [f"{owner}/{PurePosixPath(name).name}" for name in names]
    return f"{group}={','.join(whole)}"


def _of_another(words: Sequence[str], experiment: str) -> Mistake | None:
    """The mistake of choosing data for a model of another workload, or a model for other data."""
    typed = {key_of(word): word.partition("=")[2] for word in words if word.startswith(("data=", "model="))}
    chosen = (chosen_by(experiment, words) or {}) if typed else {}
    owners = {part: workload_of(part, typed.get(part) or chosen.get(part, "")) for part in ("data", "model")}
    for part, choice in typed.items():
        target = target_in("experiment", experiment, part)
        if target and owners[part] and f".workloads.{owners[part]}." not in target:
            problem = (
                f"{part}={choice} belongs to {owners[part]}; {experiment} says itself what its {part} is: {target}"
            )
            return Mistake("", problem, take_back(part))
    if not typed or len(set(owners.values())) == 1 or "" in owners.values():
        return None
    part = "data" if "data" in typed else "model"
    owner = owners["model" if part == "data" else "data"]
    own = [choice for choice in choices(part) if workload_of(part, choice) == owner]
    kind = "data" if part == "data" else "models"
    problem = f"{part}={typed[part]} belongs to {owners[part]}; {kind} of {owner}: {', '.join(own)}"
    return Mistake("", problem, take_back(part))


def _nothing(group: str, owner: str) -> str | None:
    """What to choose so that nothing of the group is there; None: Hydra's own way does it."""
    if "none" in choices(group):
        return "none"
    return f"{owner}/none" if "none" in choices(f"{group}/{owner}") else None


def _misplaced(group: str, name: str, there: Sequence[str], network: str, experiment: str) -> Mistake | None:
    """The mistake of choosing what the experiment's workload does not have; `there` is what it has."""
    folder, _, last = name.rpartition("/")
    if last in there and folder in ("", workload(network)):
        return None
    homes = [home for home in shared_out()[group] if last in choices(f"{group}/{home}") and folder in ("", home)]
    whose = workload(network) or experiment
    meant = nearest(last, there)
    mend = put(group, meant) if meant else take_back(group)
    if homes and there:
        others = f"{group}s of {whose}: {', '.join(there[:SHOWN])}{', ...' * (len(there) > SHOWN)}"
        return Mistake("", f"{group}={last} belongs to {' and '.join(homes)}; {others}", take_back(group))
    if not there and (workload(network) or group != "network"):
        own = [f"{each}=" for each, homes in shared_out().items() if workload(network) in homes]
        instead = f"{whose} has {' '.join(own)} instead" if own else f"{whose} has no such group"
        return Mistake("", f"{group}= belongs to {' and '.join(shared_out()[group])}; {instead}", take_back(group))
    if not there:
        problem = (
            f"{group}={last} belongs to {' and '.join(homes or shared_out()[group])}; {whose} says itself what it is"
        )
        return Mistake("", problem, take_back(group))
    return Mistake(group, f"there is no {name}{did_you_mean(last, there)}", mend)
