"""`hydra.main` for an installed package: what `train.py` writes itself with a folder beside it."""

from collections.abc import Callable
from typing import Any, cast

import hydra

from fulmen.config.places import conf_folder


def composing(task: Callable[..., Any]) -> Callable[..., Any]:
    """`task`, called with what Hydra composes of the command line; or with a config that it is handed."""
    main = hydra.main(version_base="1.3", config_path=str(conf_folder()), config_name="train")
    return cast(Callable[..., Any], main(task))
