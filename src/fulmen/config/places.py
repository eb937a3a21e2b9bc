"""Where fulmen finds its conf/ and that of a project of one's own, and how it is called: from a checkout, or not."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path

from fulmen.config.own_project import Project, find
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


def own_project() -> Project | None:
    """The project that the working directory lies in; None in fulmen's own checkout, and where there is none.

    Raises:
        FulmenError: its pyproject.toml is wrong.
    """
    return find(Path.cwd(), conf_folder())


def own_conf() -> Path | None:
    """conf/ of the project that the working directory lies in; None where there is none."""
    project = own_project()
    return project.root / "conf" if project and (project.root / "conf").is_dir() else None


def conf_folders() -> list[Path]:
    """Where config files are looked for: those of the project at hand lie on top of fulmen's own."""
    own = own_conf()
    return [own, conf_folder()] if own else [conf_folder()]


def conf_file(name: str) -> Path:
    """The file conf/<name> in the first of `conf_folders` that has it."""
    return next((path for folder in conf_folders() if (path := folder / name).is_file()), conf_folder() / name)


def shadowed(names: Iterable[str]) -> list[str]:
    """Those of the files conf/<name>.yaml that the project at hand has, and fulmen another one of the same name."""
    own, shipped = own_conf(), conf_folder()
    pairs = {f"conf/{name}.yaml": (own / f"{name}.yaml", shipped / f"{name}.yaml") for name in names} if own else {}
    both = {name: pair for name, pair in pairs.items() if all(map(Path.is_file, pair))}
    return [name for name, (mine, theirs) in both.items() if mine.read_bytes() != theirs.read_bytes()]


def workloads() -> list[str]:
    """Those that have networks to choose from: the folders in conf/network."""
    return sorted({path.parent.name for folder in conf_folders() for path in folder.glob("network/*/*.yaml")})


def first_experiment() -> str:
    """One to name in a message: the first of the project at hand, else of fulmen; `<name>` if there is none."""
    found = (path.stem for folder in conf_folders() for path in sorted(folder.glob("experiment/*.yaml")))
    return next(found, "<name>")


def use_own_project() -> None:
    """Let the modules of the project at hand be imported, and those that our starter has found.

    Theirs are the last places: nothing is hidden by them.
    """
    project = own_project()
    handed_on = os.environ.get(HANDED_ON, "").split(os.pathsep)
    for place in [*(map(str, project.places) if project else []), *filter(None, handed_on)]:
        if place not in sys.path:
            sys.path.append(place)


def is_of_own_project(module: str) -> bool:
    """Whether a module is one of the packages that the author of the project at hand trusts. Nothing is imported."""
    use_own_project()
    project = own_project()
    trusted = project.packages if project else ()
    within = any(module == name or module.startswith(f"{name}.") for name in trusted)
    return within and project is not None and project.misplaced(module.partition(".")[0]) is None


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


def _in_checkout() -> bool:
    with suppress(FulmenError):  # said where the project is used
        return checkout() is not None and own_project() is None
    return False


SCRIPTS = _in_checkout()  # a project of one's own may have neither train.py nor sweep.py
TRAIN, SWEEP = ("python train.py", "python sweep.py") if SCRIPTS else ("fulmen train", "fulmen sweep")
