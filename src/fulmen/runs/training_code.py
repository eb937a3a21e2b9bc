"""The code that trains a run: the modules that its config's targets reach by their imports, each with a checksum.

Two runs of one config can be compared only if the same code made them. A module is reached if it is named by a
`_target_` of data or model, or imported, wherever in the file, by one that is reached. What lies in site-packages or
in the standard library is not followed: packages have versions, which `environment.json` holds. Of fulmen itself only
rooms that compute are followed: how a report looks, or how a run is recorded, changes no weights.
"""

import ast
import hashlib
import sys
import sysconfig
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

COMPUTING = ("workloads", "workload", "data", "optim", "distributed", "lightning_private", "utils")  # rooms of fulmen
INSTALLED = tuple(
    Path(path).resolve() for name, path in sysconfig.get_paths().items() if name in ("purelib", "platlib", "stdlib")
)

Code = dict[str, str]  # file as a person would name it, "fulmen/workloads/stocks/module.py" -> 16 hex digits


def training_code(*nodes: Any) -> Code:
    """Every file that the targets in `nodes` (plain values, as a config holds them) reach, with its checksum."""
    waiting = [target for node in nodes for target in targets(node)]
    reached: dict[str, Path] = {}
    while waiting:
        for name, path in modules_on_the_way(waiting.pop()):
            if name not in reached:
                reached[name] = path
                waiting += imports(name, path)
    return {_shown(name, path): checksum(path) for name, path in sorted(reached.items())}


def code_of(cfg: Any) -> Code:
    """`training_code` of a config's data and model, and of the callbacks that are not fulmen's own."""
    callbacks = [node for node in (cfg.get("callbacks") or {}).values() if node]
    return training_code(cfg.get("data"), cfg.get("model"), [node for node in callbacks if not _is_ours(node)])


def changes(before: Code, now: Code) -> str:
    """What of the code differs, in words; "" if nothing does."""
    if before == now:
        return ""
    changed = [name for name in {**before, **now} if before.get(name) != now.get(name)]
    words = {True: "changed", False: "is gone"}
    said = [f"{name} {words[name in now] if name in before else 'is new'}" for name in changed[:3]]
    return ", ".join(said) + (f" and {len(changed) - 3} more" if len(changed) > 3 else "")


def targets(node: Any) -> Iterator[str]:
    """Every `_target_` in nested mappings and lists."""
    if isinstance(node, Mapping) or hasattr(node, "items"):
        for key, value in node.items():
            if key == "_target_":
                yield str(value)
            else:
                yield from targets(value)
    elif not isinstance(node, str | bytes) and hasattr(node, "__iter__"):
        for value in node:
            yield from targets(value)


@cache
def modules_on_the_way(name: str) -> tuple[tuple[str, Path], ...]:
    """(name, file) of what importing the dotted `name` runs and what counts: packages on the way, the module itself."""
    return tuple(_on_the_way(name.split(".")))


def _on_the_way(parts: list[str]) -> Iterator[tuple[str, Path]]:
    if parts[0] == "fulmen" and (len(parts) < 2 or parts[1] not in COMPUTING):
        return
    folder = _home(parts[0])
    if folder is None:
        return
    if folder.is_file():  # one file without a package
        yield parts[0], folder
        return
    for i in range(1, len(parts) + 1):
        module = ".".join(parts[:i])
        file = folder.joinpath(*parts[1:i])
        if (file / "__init__.py").is_file():
            if module != "fulmen":  # it shows the public names alone
                yield module, file / "__init__.py"
        elif i > 1 and file.with_suffix(".py").is_file():
            yield module, file.with_suffix(".py")
            return
        elif not file.is_dir():
            return


@cache
def imports(module: str, path: Path) -> tuple[str, ...]:
    """Dotted names that a file imports; of `from a import b` also a.b, which may be a module."""
    try:
        tree = ast.parse(path.read_bytes())
    except (OSError, SyntaxError):
        return ()
    package = module if path.name == "__init__.py" else module.rpartition(".")[0]
    names: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1] if node.level else []
            origin = ".".join([*above, *filter(None, [node.module])])
            names += [f"{origin}.{alias.name}" for alias in node.names if alias.name != "*"] or [origin]
    return tuple(dict.fromkeys(names))


@cache
def checksum(path: Path) -> str:
    """16 hex digits of a file, as it was when this process first asked."""
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]


@cache
def _home(top: str) -> Path | None:
    """The folder of the package `top`, or its one file; None if it is installed, built in, or not there."""
    if top in sys.stdlib_module_names:
        return None
    try:
        spec = find_spec(top)
    except (ImportError, ValueError, AttributeError):
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations:
        found = Path(next(iter(spec.submodule_search_locations))).resolve()
    elif spec.origin and spec.origin.endswith(".py"):
        found = Path(spec.origin).resolve()
    else:
        return None
    return None if top != "fulmen" and _is_installed(found) else found


def _is_installed(path: Path) -> bool:
    """Whether a package came by an installer, into this environment or one that lends it its packages."""
    return bool({"site-packages", "dist-packages"} & set(path.parts)) or any(map(path.is_relative_to, INSTALLED))


def _shown(name: str, path: Path) -> str:
    return f"{name.replace('.', '/')}/__init__.py" if path.name == "__init__.py" else f"{name.replace('.', '/')}.py"


def _is_ours(node: Any) -> bool:
    return str(node.get("_target_", "")).startswith("fulmen.callbacks.")
