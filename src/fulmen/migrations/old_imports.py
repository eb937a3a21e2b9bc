"""`import fulmen.run` of a notebook of before answers with where that lies now."""

import sys
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any


class OldImports:
    """Of Python's finders of modules the last: asked for what no other has found."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        """None: there is nothing to load here.

        Raises:
            ImportError: `fullname` is a module that has moved, the package of such modules, or a name in one, as in
                `from fulmen.config import check_overrides`.
        """
        if not fullname.startswith("fulmen."):
            return
        from fulmen.migrations import moved_from, renamed_module

        owner, _, name = fullname.rpartition(".")
        if (today := renamed_module(fullname)) != fullname:
            raise ImportError(f"{fullname} is {today} now", name=fullname)
        if (today := renamed_module(owner)) != owner and hasattr(import_module(today), name):
            raise ImportError(f"{fullname} is {today}.{name} now", name=fullname)
        if packages := moved_from(fullname):
            raise ImportError(f"{fullname} is gone; what it held is in {', '.join(packages)} now", name=fullname)


def install() -> None:
    """Once, however often fulmen is imported."""
    if not any(isinstance(finder, OldImports) for finder in sys.meta_path):
        sys.meta_path.append(OldImports())


def forwarding(module: str) -> Callable[[str], Any]:
    """The `__getattr__` of a module that names have left: what is asked for comes from its new place, with a line."""

    def moved(name: str) -> Any:
        from fulmen.migrations import renamed

        before = f"{module}.{name}"
        if (today := renamed(before)) == before:
            raise AttributeError(f"module {module!r} has no attribute {name!r}")
        warnings.warn(f"{before} is {today} now", UserWarning, stacklevel=2)
        place, _, name = today.rpartition(".")
        return getattr(import_module(place), name)

    return moved
