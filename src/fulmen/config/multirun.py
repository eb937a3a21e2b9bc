"""The runs of a multirun: which there are, and their configs on the way from the check to Hydra's plugin.

The plugin is `hydra_plugins.fulmen_multirun`, conf/train.yaml chooses it by the name that is given to it here.
"""

from collections.abc import Mapping
from itertools import product

from hydra.core.config_loader import ConfigLoader
from hydra.core.config_store import ConfigStore
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

MULTIRUN = "hydra.mode=MULTIRUN"  # Hydra's own word for -m
PLUGIN = {"_target_": "hydra_plugins.fulmen_multirun.CheckedRuns"}

_checked: dict[tuple[str, ...], DictConfig] = {}


def register() -> None:
    """Let configs choose the plugin: `override hydra/sweeper: checked_runs`."""
    ConfigStore.instance().store(group="hydra/sweeper", name="checked_runs", node=PLUGIN, provider="fulmen")


def hand_over(composed: Mapping[tuple[str, ...], DictConfig]) -> None:
    """Keep the configs of the runs that are about to start, by their overrides as Hydra reads them."""
    _checked.clear()
    _checked.update(composed)


def take_checked(overrides: list[str], whole: DictConfig) -> DictConfig | None:
    """The config of one run as it was checked, handed out once; None if it has to be composed.

    Args:
        whole: Hydra's config of the multirun; where overrides are Hydra's own, nobody has checked what comes of them.
    """
    ready = _checked.pop(tuple(overrides), None)
    if ready is None or list(whole.hydra.overrides.hydra) != [MULTIRUN]:
        return None
    OmegaConf.copy_cache(from_config=whole, to_config=ready)
    return ready


def expanded(overrides: list[str], loader: ConfigLoader) -> list[list[str]]:
    """The overrides of each run, the last of those swept over changing fastest.

    Raises:
        HydraException: an override cannot be read, or has no end.
    """
    return combined(OverridesParser.create(config_loader=loader).parse_overrides(overrides))


def combined(overrides: list[Override]) -> list[list[str]]:
    """As `expanded`, of overrides that are parsed already."""
    values = {}  # what is said last of a key counts
    for override in overrides:
        key = override.get_key_element()
        if override.is_discrete_sweep():
            values[key] = [f"{key}={value}" for value in override.sweep_string_iterator()]
        elif override.is_sweep_override():
            raise HydraException(f"{override.key_or_group}: an interval has no end; name values, or search it")
        else:
            values[key] = [f"{key}={override.get_value_element_as_str()}"]
    return [list(run) for run in product(*values.values())]
