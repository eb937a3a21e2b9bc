"""What takes part in a ranking: the variants of an experiment, each with the overrides that choose it, all checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from omegaconf import DictConfig

from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides
from fulmen.config.compose import expand
from fulmen.config.mistakes import ConfigError, key_of
from fulmen.config.schema import groups, refuse_unknown
from fulmen.config.words import network_of, options
from fulmen.errors import FulmenError
from fulmen.launch.commands import refuse_options_of_rank
from fulmen.workload import Workload, WorkloadData

NETWORK = "network"


@dataclass(frozen=True)
class Entrants:
    """The variants of an experiment.

    Attributes:
        experiment: its name.
        overrides: as typed.
        shared: those of them that all variants have.
        chosen_by: variant -> the override that chooses it; "" for the experiment as it stands.
        configs: variant -> its config.
        base: the config of the first of them, the data of which all share.
    """

    experiment: str
    overrides: list[str]
    shared: list[str]
    chosen_by: dict[str, str]
    configs: dict[str, DictConfig] = field(repr=False)

    @property
    def base(self) -> DictConfig:
        return next(iter(self.configs.values()))

    @property
    def contender(self) -> type[Workload]:
        """The class of the model."""
        return class_of(self.base.model)

    @property
    def data(self) -> type[WorkloadData]:
        """The class of the data."""
        return class_of(self.base.data)

    def typed(self, name: str, *more: str) -> list[str]:
        """The overrides of one variant, and `more`."""
        own = [self.chosen_by[name]] if self.chosen_by[name] else []
        return [f"experiment={self.experiment}", *self.shared, *own, *more]


def entrants(experiment: str, overrides: Sequence[str]) -> Entrants:
    """The variants that `overrides` go through, say `network=a,b`.

    Without a sweep that is the experiment as it stands or, of a workload that trains all folds faster than by a run
    for each, every network it has.

    Raises:
        FulmenError: no such experiment, mistakes in a config, a sweep over more than the choices of one group, data
            without folds, or folds and seeds that are no options.
    """
    refuse_options_of_rank(overrides)
    if not any(key_of(override) == "hydra.searchpath" for override in overrides):
        refuse_unknown(experiment)
    try:
        runs = [run[1:] for run in expand([f"experiment={experiment}", *overrides])]
    except ConfigError:
        checked(experiment, overrides)  # says what would work
        raise
    varied = [i for i in range(len(runs[0])) if len({run[i] for run in runs}) > 1]
    typed = [i for i in range(len(runs[0])) if key_of(runs[0][i]) == NETWORK]
    if len(varied) > 1 or not {key_of(runs[0][i]) for i in varied} <= set(groups()):
        raise FulmenError(f"rank compares the choices of one group, say {NETWORK}=a,b; let nothing else vary")
    place = next(iter((varied or typed)[-1:]), None)
    shared = [override for i, override in enumerate(runs[0]) if i != place]
    base = checked(experiment, shared if varied else runs[0])
    refuse_without_folds(experiment, class_of(base.data))
    found = [] if place is None else [run[place] for run in runs]
    if place is None and is_fast(class_of(base.model)):
        found = [f"{NETWORK}={name}" for name in options(NETWORK, experiment, shared)]
    names = [override.partition("=")[2].rpartition("/")[2] for override in found]
    chosen_by = {name: f"{key_of(override)}={name}" for name, override in zip(names, found, strict=True)}
    chosen_by = chosen_by or {own_network(experiment, shared): ""}
    configs = {name: checked(experiment, [*shared, *filter(None, [own])]) for name, own in chosen_by.items()}
    return Entrants(experiment, list(overrides), shared, chosen_by, configs)


def own_network(experiment: str, overrides: Sequence[str]) -> str:
    """The name of the network that an experiment chooses; its own where it says itself what its network is."""
    chosen = network_of(experiment, overrides)
    return experiment if chosen in (None, "none") else str(chosen).rpartition("/")[2]


def checked(experiment: str, overrides: Sequence[str]) -> DictConfig:
    """The config of an experiment; its mistakes are told with a `fulmen rank` that works."""
    try:
        return check_overrides([f"experiment={experiment}", *overrides])
    except ConfigError as error:
        mended = [o for o in error.overrides if key_of(o) != "experiment"] if error.overrides else None
        raise ConfigError(error.mistakes, mended, f"fulmen rank {experiment}", error.without) from error


def class_of(node: DictConfig) -> Any:
    """The class that a node of a config builds."""
    return locate(node["_target_"])


def refuse_without_folds(experiment: str, data: type) -> None:
    """Pass if data of this class can be cross-validated."""
    if not (issubclass(data, WorkloadData) and data.can_fold()):
        raise FulmenError(
            f"experiment {experiment} cannot be ranked by folds: {data.__name__} takes no `fold` and `folds`, the "
            "arguments of a WorkloadData that can be cross-validated; `fulmen compare` takes any two experiments"
        )


def is_fast(contender: type[Workload]) -> bool:
    """Whether a workload trains all folds by a way of its own."""
    own = next(kind for kind in contender.__mro__ if "cross_validate" in vars(kind))
    return own is not Workload
