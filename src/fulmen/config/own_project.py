"""A project of one's own: the folder it begins at, and the packages whose classes its author trusts."""

import sys
import tomllib
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError

TABLE = "[tool.fulmen]"
SHIPPED = ("fulmen", "torch", "torchvision", "torchmetrics", "lightning", "torch_geometric")


@dataclass(frozen=True)
class Project:
    """A folder with conf/ of its own, or with a pyproject.toml that speaks of fulmen.

    Attributes:
        root: the folder.
        named: the packages in its pyproject: `[tool.fulmen] packages = ["mylab"]`; None where it names none.
    """

    root: Path
    named: tuple[str, ...] | None

    @property
    def places(self) -> list[Path]:
        """Where its packages may lie."""
        return [place for place in (self.root, self.root / "src") if place.is_dir()]

    @property
    def packages(self) -> tuple[str, ...]:
        """The dotted names of packages whose classes a stored config may name.

        Without names in the pyproject they are those beside conf/, but none that a run folder has brought along.
        """
        if self.named is not None:
            return self.named
        folders = {path.parent for place in self.places for path in place.glob("*/*.py")}
        names = {folder.name for folder in folders if folder.name.isidentifier() and not _holds_a_run(folder)}
        return tuple(sorted(names - {"conf", "outputs", "src"} - {*SHIPPED, *sys.stdlib_module_names}))

    @property
    def tops(self) -> list[str]:
        """The packages that its own lie in: `acme` of `acme.workloads`."""
        return list(dict.fromkeys(name.partition(".")[0] for name in self.packages))

    def misplaced(self, name: str) -> str | None:
        """What keeps a package of this project from being imported, in a line; None: nothing. Nothing is imported."""
        own = next((place / name for place in self.places if (place / name).is_dir()), None)
        try:
            spec = find_spec(name)
        except ValueError:  # a module that was made by hand
            return None
        if spec is None:
            places = " or ".join(map(str, self.places))
            return (
                f"{shown(_pyproject(self.root))} names the package {name}, which is neither in {places} nor installed"
            )
        homes = [Path(home) for home in spec.submodule_search_locations or [spec.origin or ""]]
        if own and own.resolve() not in [home.resolve() for home in homes]:
            return f"the package in {own} is hidden by {homes[0]}, which Python finds first: give it another name"
        return None


def find(start: Path, shipped: Path) -> Project | None:
    """The project that `start` lies in: the nearest folder upward that is one; None: there is none.

    What lies in a run folder or in a kept model is none, and neither is what belongs to others than `start` does.

    Args:
        shipped: conf/ of fulmen itself; the checkout around it is no project.

    Raises:
        FulmenError: the pyproject.toml there cannot be read, or what it says of fulmen is wrong.
    """
    found = None
    for folder in (start, *start.parents):
        if is_stored(folder):
            found = None  # it came along
        elif found is None and folder / "conf" == shipped:
            break
        elif found is None and _is_project(folder) and _of_one_owner(start, folder):
            found = Project(folder, _named(folder))
    return found


def is_stored(folder: Path) -> bool:
    """Whether a folder is that of a run or of a kept model."""
    config = folder / "config.yaml"
    return config.is_file() and b"_target_" in config.read_bytes()


def _is_project(folder: Path) -> bool:
    return (folder / "conf" / "experiment").is_dir() or _table(folder) is not None


def _of_one_owner(start: Path, folder: Path) -> bool:
    """Whether what makes `folder` a project was put there by whom `start` belongs to: not so in a shared /tmp."""
    marks = [mark for mark in (folder / "conf", _pyproject(folder)) if mark.exists()]
    return folder == start or all(owner_of(mark) == owner_of(start) for mark in marks)


def owner_of(path: Path) -> int:
    """The number of the user that a file or folder belongs to."""
    return path.stat().st_uid


def _named(root: Path) -> tuple[str, ...] | None:
    """The packages that the pyproject names, None if it says nothing of them.

    Raises:
        FulmenError: it says something else.
    """
    table = _table(root) or {}
    for key in table.keys() - {"packages"}:
        raise FulmenError(f"{shown(_pyproject(root))}: {TABLE} has no key {key}; it takes packages = [...]")
    if (names := table.get("packages")) is None:
        return None
    wrong = not isinstance(names, list) or [name for name in names if not _is_dotted(name)]
    if wrong:
        got = names if wrong is True else wrong[0]
        raise FulmenError(
            f'{shown(_pyproject(root))}: {TABLE} packages must be a list of names such as ["mylab"], got {got!r}'
        )
    for name in names:
        if name.partition(".")[0] in (*SHIPPED, *sys.stdlib_module_names):
            raise FulmenError(f"{shown(_pyproject(root))}: {TABLE} packages are your own; {name} is no such package")
    return tuple(names)


def _is_dotted(name: Any) -> bool:
    return isinstance(name, str) and all(part.isidentifier() for part in name.split("."))


def _table(folder: Path) -> dict[str, Any] | None:
    """`[tool.fulmen]` in the pyproject of a folder; None: it has none."""
    path = _pyproject(folder)
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=64)
def _read(path: Path, modified: int) -> dict[str, Any] | None:
    text = path.read_text(encoding="utf-8", errors="replace")
    if "fulmen" not in text:
        return None
    try:
        found = tomllib.loads(text).get("tool", {}).get("fulmen")
    except tomllib.TOMLDecodeError as error:
        raise FulmenError(f"{shown(path)} cannot be read: {error}") from error
    if found is not None and not isinstance(found, dict):
        raise FulmenError(f"{shown(path)}: tool.fulmen must be a table, {TABLE}")
    return found


def _pyproject(folder: Path) -> Path:
    return folder / "pyproject.toml"


def _holds_a_run(folder: Path) -> bool:
    return any(map(is_stored, {folder, *(path.parent for path in folder.rglob("config.yaml"))}))


def shown(path: Path) -> str:
    """A path as short as it can be read in the working directory."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)
