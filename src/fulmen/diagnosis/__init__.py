"""What training curves and a look into the network say about a training: verdicts with evidence, causes and cures."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fulmen.diagnosis.verdicts import Verdict, Verdicts, diagnose

__all__ = ["Verdict", "Verdicts", "diagnose"]


def __getattr__(name: str) -> Any:
    """The names above, imported when first asked for: codes and words of findings need no NumPy."""
    if name in __all__:
        return getattr(import_module("fulmen.diagnosis.verdicts"), name)
    raise AttributeError(f"module 'fulmen.diagnosis' has no attribute {name!r}")
