"""Models that are kept: saved, listed, promoted, loaded, used and deleted, in plain files without a server.

Nothing here imports torch before a model is saved, loaded or exported.
"""

from importlib import import_module
from typing import Any

HOME = {
    "save_run": "save",
    "load_model": "using",
    "predict": "using",
    "explain": "models",
    "list_models": "models",
    "show": "models",
    "promote": "models",
    "delete": "models",
    "gc": "models",
    "verify": "models",
    "export": "exporting",
    "push": "pushing",
    "Store": "store",
    "Version": "versions",
    "NotFound": "versions",
    "Damaged": "manifest",
    "Newer": "manifest",
    "Moved": "aliases",
}

__all__ = sorted(HOME)


def __getattr__(name: str) -> Any:
    if name not in HOME:
        raise AttributeError(f"module 'fulmen.registry' has no attribute {name!r}")
    found = getattr(import_module(f"fulmen.registry.{HOME[name]}"), name)
    globals()[name] = found
    return found
