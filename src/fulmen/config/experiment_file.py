"""What the file of an experiment says where overrides take it away, and what it leaves open."""

from collections.abc import Collection, Iterator

from omegaconf import DictConfig, OmegaConf

from fulmen.config.choice_files import read_choice
from fulmen.config.mistakes import ConfigError, Mistake, is_at, is_typed, key_of, put, take_back
from fulmen.config.schema import is_group, leaves

NEEDED = ("data", "model", "trainer")


def switch_off(cfg: DictConfig, read: Collection[str]) -> None:
    """Make null what `callbacks=null` takes away and the file of the experiment says something of all the same.

    Args:
        cfg: as composed; changed in place.
        read: the overrides as Hydra reads them, in which that is `~callbacks`.

    Raises:
        ConfigError: it is a part that every training needs.
    """
    gone = {key_of(each) for each in read if each.startswith("~") and each.partition("=")[2] in ("", "null")}
    for key in map(str, gone & set(cfg)):
        if not is_group(key) or any(is_at(override, key) for override in read):
            continue
        if key in NEEDED:
            raise ConfigError(
                [Mistake(key, "a training needs one; that of the experiment can be kept", take_back(key))]
            )
        cfg[key] = None


def wrong_file(cfg: DictConfig, experiment: str, read: Collection[str]) -> list[Mistake]:
    """What is wrong with the experiment's file as a whole; else the values that it leaves open and nobody typed."""
    file = f"conf/experiment/{experiment}.yaml"
    if OmegaConf.is_list(cfg.get("experiment")):
        return [Mistake(file, "holds a list; write `key: value` in each line")]
    if OmegaConf.is_dict(cfg.get("experiment")) or read_choice("experiment", experiment)[0] not in ("", "experiment"):
        problem = f"{file} has to begin with the line `# @package _global_`"
        return [Mistake("experiment", f"{problem}: what it says is of the whole config")]
    return list(_left_open(cfg, experiment, read))


def _left_open(cfg: DictConfig, experiment: str, read: Collection[str]) -> Iterator[Mistake]:
    """Every `???`: Hydra would take the default that lies below it, not ask for a value."""
    for path, value in leaves(read_choice("experiment", experiment)[1]):
        if value == "???" and not is_typed(path, read):
            default = OmegaConf.select(cfg, path, throw_on_missing=False)
            plain = default if isinstance(default, bool | int | float | str) else 1
            problem = f"has no value (??? in conf/experiment/{experiment}.yaml)"
            yield Mistake(path, problem, put(path, plain))
