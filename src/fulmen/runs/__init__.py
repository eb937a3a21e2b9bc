"""One run and its folder: run, repeat, result, status; the index of all results. Called, it is a table of them."""

import sys
from importlib import import_module
from types import ModuleType
from typing import Any


class _Callable(ModuleType):
    """`fulmen.runs` is the room and, as a function, `fulmen.runs.table.runs`."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return import_module("fulmen.runs.table").runs(*arguments, **named)


sys.modules[__name__].__class__ = _Callable
