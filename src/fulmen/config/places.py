"""Where fulmen finds its conf/ and that of a project of one's own, and how it is called: from a checkout, or not."""

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from fulmen.errors import FulmenError

PACKAGE = Path(__file__).resolve().parents[1]
HANDED_ON = "FULMEN_PATH"  # environment: sys.path of the process that started this one


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


def cache_folder() -> Path:
    """`$FULMEN_CACHE`, or `outputs/cache` in the checkout, or `~/.cache/fulmen` of an installed package."""
    if place := os.environ.get("FULMEN_CACHE"):
        return Path(place)
    if root := checkout():
        return root / "outputs" / "cache"
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "fulmen").expanduser()


def own_conf() -> Path | None:
    """conf/ in the working directory, where a project of one's own has experiments; None in fulmen's own checkout."""
    own = Path.cwd() / "conf"
    return own if (own / "experiment").is_dir() and own.resolve() != conf_folder() else None


def conf_folders() -> list[Path]:
    """Where config files are looked for: fulmen's own, then those of the project in the working directory."""
    own = own_conf()
    return [conf_folder(), own] if own else [conf_folder()]


def conf_file(name: str) -> Path:
    """The file conf/<name> in the first of `conf_folders` that has it."""
    return next((path for folder in conf_folders() if (path := folder / name).is_file()), conf_folder() / name)


def workloads() -> list[str]:
    """Those that have networks to choose from: the folders in conf/network."""
    return sorted({path.parent.name for folder in conf_folders() for path in folder.glob("network/*/*.yaml")})


def use_own_project() -> None:
    """Let the modules of the project in the working directory be imported, and those that our starter has found.

    Theirs are the last places: nothing is hidden by them.
    """
    handed_on = os.environ.get(HANDED_ON, "").split(os.pathsep)
    for place in [*([os.getcwd()] if own_conf() else []), *filter(None, handed_on)]:
        if place not in sys.path:
            sys.path.append(place)


def is_of_own_project(module: str) -> bool:
    """Whether a module lies in the project of the working directory, whose author trusts it. Nothing is imported."""
    if own_conf() is None:
        return False
    spec = find_spec(module.partition(".")[0])
    places = [*(spec.submodule_search_locations or []), spec.origin or ""] if spec else []
    root = Path.cwd().resolve()
    return any(Path(place).resolve().is_relative_to(root) for place in places if place)


def project_root() -> Path:
    """The checkout: the folder that holds `conf` and `train.py`."""
    return PACKAGE.parents[1]


def python(*arguments: str) -> list[str]:
    """What starts a process of ours: by this interpreter, and no module is taken from the working directory first."""
    return [sys.executable, "-P", *arguments]


def train_program() -> list[str]:
    """What starts one more training as a process of its own; its overrides follow."""
    return python("-m", "fulmen", "train")


def search_path_handed_on() -> dict[str, str]:
    """The environment in which a process of ours finds the modules that this one finds, see `use_own_project`."""
    return {HANDED_ON: os.pathsep.join(sys.path)}


SCRIPTS = checkout() is not None and own_conf() is None  # a project of one's own has neither train.py nor sweep.py
TRAIN, SWEEP = ("python train.py", "python sweep.py") if SCRIPTS else ("fulmen train", "fulmen sweep")
