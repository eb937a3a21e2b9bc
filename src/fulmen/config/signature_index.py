"""What modules hold, kept in files, so that a config can be judged before torch is imported.

One file for each module that a `_target_` has led to. It holds the SHA-256 of every source file that what it says
depends on, and is asked only as long as these files are the same: what it does not know, or knows of other files, is
judged by the modules themselves, and kept then. A file that is damaged, or cannot be written, is as good as none.
"""

import hashlib
import json
import pkgutil
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

from fulmen.config.described import Entry, Parameters, describe, remade
from fulmen.config.places import cache_folder
from fulmen.errors import FulmenError
from fulmen.utils.files import atomic_write

FORMAT = 3
MOST = 200  # members of a module; of one with more, those asked for are described
OF_LIBRARIES = ("site-packages", "dist-packages")


class Stale(Exception):
    """Nothing is kept of a module, or something of other source files."""


def module_of(target: str) -> tuple[str, list[str]]:
    """The longest part of a dotted name that is a module, found without an import, and what is left of the name.

    Raises:
        Stale: there is no such package.
    """
    parts = target.split(".")
    _package(parts[0])
    for count in range(len(parts), 0, -1):
        with suppress(Stale):
            source_of(".".join(parts[:count]))
            return ".".join(parts[:count]), parts[count:]
    raise Stale(target)


def submodules(module: str) -> list[str]:
    """The names of the modules in a package, found without an import."""
    source = source_of(module)
    return [found.name for found in pkgutil.iter_modules([str(source.parent)])] if source.name == "__init__.py" else []


@cache
def read(module: str) -> dict[str, Any]:
    """What is kept of a module: `callables` and `values`, the public names in it; `members`, name -> entry.

    Raises:
        Stale: nothing, or of another source file.
    """
    try:
        known, _, text = _file(module).read_text(encoding="utf-8").partition("\n")
        whole = json.loads(text) if hashlib.sha256(text.encode()).hexdigest() == known else {}
    except (OSError, ValueError):
        raise Stale(module) from None
    if not isinstance(whole, dict) or not _are_the_same(whole.get("source", {})):
        raise Stale(module)
    return whole


@cache
def find(target: str) -> Any:
    """What stands for the class or function of this name.

    Raises:
        Stale: nothing is kept of it, or of other source files.
        LookupError: its module is known and holds nothing of that name.
    """
    module, rest = module_of(target)
    kept = read(module)
    if rest and rest[0] not in kept["callables"] and (len(rest) == 1 or rest[0] not in kept["values"]):
        raise LookupError(target)
    try:
        return remade(entry_of(target))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise Stale(target) from error


def entry_of(target: str) -> Entry:
    """What is kept of a class or function.

    Raises:
        Stale: nothing, or of other source files.
    """
    module, rest = module_of(target)
    entry = read(module)["members"].get(".".join(rest))
    if not isinstance(entry, dict) or not _are_the_same(entry["sources"]):
        raise Stale(target)
    return entry


def keep(targets: Iterable[str], parameters: Callable[[Any], Parameters | None]) -> None:
    """Write down what the modules of `targets` hold, as far as they are imported, and the packages these lie in.

    Of a whole library, and of a module with very many classes, what it does not have is known and not much more.

    Args:
        parameters: gives those of a class or function, annotations evaluated.
    """
    asked: dict[str, set[str]] = {}
    for target in targets:
        with suppress(Stale):
            module, rest = module_of(target)
            for package in _packages(module):
                asked.setdefault(package, set())
            asked.setdefault(module, set()).update(rest[:1])
    for module, names in asked.items():
        if module in sys.modules and (names or not _is_kept(module)):
            found = _members(sys.modules[module]) if names or "." in module else {}
            few = {name: each for name, each in found.items() if len(found) <= MOST or name in names}
            _keep(module, {name: {**describe(each, parameters(each)), "sources": _sources(each)}
                           for name, each in few.items()})  # fmt: skip


def look_again() -> None:
    """Forget what files held: the next answer is of the files as they are then."""
    for remembered in (read, find, source_of, _package, digest):
        remembered.cache_clear()


@cache
def source_of(module: str) -> Path:
    """The file of a module, found without an import; the folder of a package without one.

    Raises:
        Stale: there is none.
    """
    first, *rest = module.split(".")
    folders, file = _package(first)
    places = [place for folder in folders for below in [folder.joinpath(*rest)]
              for place in (below / "__init__.py", below.with_suffix(".py"), below)]  # fmt: skip
    for place in places if folders else [file]:
        if place is not None and place.exists():
            return place
    raise Stale(module)


@cache
def _package(name: str) -> tuple[list[Path], Path | None]:
    """The folders of a package, and the file of a module that is none.

    Raises:
        Stale: there is neither.
    """
    try:
        spec = find_spec(name)
    except (ImportError, ValueError):
        spec = None
    if spec is None:
        raise Stale(name)
    folders = [Path(folder) for folder in spec.submodule_search_locations or ()]
    return folders, Path(spec.origin) if spec.origin else None


@cache
def digest(path: Path) -> str:
    """The SHA-256 of a file, or of all source files below a folder; "" where it cannot be read."""
    files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
    whole = hashlib.sha256()
    try:
        for file in files:
            whole.update(str(file.relative_to(path)).encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    except OSError:
        return ""
    return whole.hexdigest()


def _packages(module: str) -> list[str]:
    """Those that a module lies in."""
    parts = module.split(".")
    return [".".join(parts[:count]) for count in range(1, len(parts))]


def _is_kept(module: str) -> bool:
    try:
        return bool(read(module))
    except Stale:
        return False


def _are_the_same(sources: Mapping[str, str]) -> bool:
    return bool(sources) and all(digest(Path(path)) == known != "" for path, known in sources.items())


def _sources(found: Any) -> dict[str, str]:
    """Whatever the description of a class or function depends on: of libraries the files of its bases, else all."""
    modules = {base.__module__ for base in found.__mro__} if isinstance(found, type) else {found.__module__}
    paths = set()
    for module in modules:
        name = module.partition(".")[0]
        with suppress(Stale):  # compiled, a part of another module
            folders, _ = _package(name) if name not in sys.stdlib_module_names else ([], None)
            of_library = name != "fulmen" and any(part in OF_LIBRARIES for folder in folders for part in folder.parts)
            paths |= {source_of(module)} if of_library or not folders else set(folders)
    return {str(path): digest(path) for path in sorted(paths)}


def _members(module: ModuleType) -> dict[str, Any]:
    """The public classes and functions that come of the package of a module."""
    package = module.__name__.partition(".")[0]
    return {name: value for name, value in _public(module).items() if isinstance(value, type | FunctionType)
            and str(value.__module__).partition(".")[0] == package}  # fmt: skip


def _public(module: ModuleType) -> dict[str, Any]:
    """What a module has; for what it would import when asked for, `_later`."""
    return {name: vars(module).get(name, _later) for name in dir(module) if not name.startswith("_")}


def _later() -> None: ...


def _keep(module: str, members: Mapping[str, Entry]) -> None:
    if module not in sys.modules:
        return
    public, source = _public(sys.modules[module]), source_of(module)
    whole = {
        "source": {str(source): digest(source)},
        "callables": [name for name, value in public.items() if callable(value)],
        "values": [name for name, value in public.items() if value is not None and not callable(value)],
        "members": dict(members),
    }
    text = json.dumps(whole)
    with suppress(OSError, FulmenError), atomic_write(_file(module)) as file:
        file.write(f"{hashlib.sha256(text.encode()).hexdigest()}\n{text}")


def _file(module: str) -> Path:
    """Of this module, in this place, for this Python."""
    key = hashlib.sha256(f"{FORMAT} {sys.version} {source_of(module)}".encode()).hexdigest()
    return cache_folder() / "signatures" / f"{module}-{key[:12]}.json"
