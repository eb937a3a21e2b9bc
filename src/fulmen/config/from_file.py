"""`${from_file:images,classes}`: a value of a config that a workload looks up in the file which the config names."""

import re
from importlib import import_module
from typing import Any

from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException


def from_file(workload: str, what: str, *, _parent_: DictConfig) -> Any:
    """What the function `what` in `in_config.py` of a workload says of the values that stand beside the asking one.

    A config from elsewhere can thus call these functions alone, which do nothing but read.

    Raises:
        ValueError: no such function.
    """
    if not (re.fullmatch("[a-z0-9_]+", workload) and re.fullmatch("[a-z][a-z0-9_]*", what)):
        raise ValueError(
            f"from_file: no {workload},{what}; the name of a workload and of a function in its in_config.py"
        )
    found = getattr(import_module(f"fulmen.workloads.{workload}.in_config"), what)
    return found({str(key): value for key in _parent_ if (value := _beside(_parent_, str(key))) is not None})


def _beside(parent: DictConfig, key: str) -> Any:
    """The plain value of `key`; None where it is not said, or asks a file itself."""
    if OmegaConf.is_missing(parent, key):
        return None
    raw = OmegaConf.to_container(parent, resolve=False)
    if isinstance(raw, dict) and isinstance(raw[key], str) and "${from_file:" in raw[key]:
        return None
    try:
        value = parent[key]
    except OmegaConfBaseException:
        return None
    return OmegaConf.to_container(value) if OmegaConf.is_config(value) else value
