"""Where fulmen finds its conf/, and how it is called: from a checkout, or as an installed package."""

import sys
from functools import cache
from pathlib import Path

from fulmen.errors import FulmenError

PACKAGE = Path(__file__).resolve().parents[1]


@cache
def checkout() -> Path | None:
    """The checkout that holds this package (an editable installation is one); None for a package by itself."""
    root = PACKAGE.parents[1]
    return root if (root / "train.py").is_file() and (root / "pyproject.toml").is_file() else None


@cache
def conf_folder() -> Path:
    """conf/ beside the source of a checkout, else the one that was installed with the package.

    Raises:
        FulmenError: there is neither.
    """
    places = [PACKAGE / "conf", *([root / "conf"] if (root := checkout()) else [])]
    for place in places:
        if (place / "train.yaml").is_file():
            return place
    raise FulmenError(
        f"{places[-1]} holds no train.yaml; get conf/ back, or install fulmen anew: it has one of its own"
    )


def project_root() -> Path:
    """The checkout: the folder that holds `conf` and `train.py`."""
    return PACKAGE.parents[1]


def train_program() -> list[str]:
    """What starts one more training as a process of its own; its overrides follow."""
    root = checkout()
    return [sys.executable, str(root / "train.py")] if root else [sys.executable, "-P", "-m", "fulmen.cli", "train"]


TRAIN, SWEEP = ("python train.py", "python sweep.py") if checkout() else ("fulmen train", "fulmen sweep")
