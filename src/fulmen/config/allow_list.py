"""What a `_target_` names, and which targets a config from elsewhere may name."""

import inspect
import pkgutil
import sys
import warnings
from collections.abc import Callable
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, cast

from fulmen.config.mistakes import did_you_mean, nearest
from fulmen.config.places import is_of_own_project
from fulmen.migrations import renamed

PACKAGES = ("fulmen", "torch", "torchvision", "torchmetrics", "lightning", "torch_geometric")

# Where a class may be defined for a config from elsewhere to build it: parts of a training, nothing that
# opens archives, compiles, starts processes, reads command lines or fetches code.
PARTS = (
    "fulmen.callbacks", "fulmen.data", "fulmen.runs.loggers", "fulmen.optim.schedulers", "fulmen.search.pruning",
    "fulmen.workloads",
    "torch.nn", "torch.optim",
    "torchvision.models", "torchvision.transforms", "torchvision.ops",
    "torchmetrics.aggregation", "torchmetrics.classification", "torchmetrics.collections", "torchmetrics.regression",
    "lightning.pytorch.callbacks", "lightning.pytorch.loggers", "lightning.pytorch.plugins",
    "lightning.pytorch.profilers", "lightning.pytorch.strategies", "lightning.pytorch.trainer",
    "torch_geometric.nn", "torch_geometric.transforms",
)  # fmt: skip
FUNCTIONS = ("fulmen.optim.schedulers", "fulmen.callbacks.progress")  # ours, with functions that only compute
FRONTS = ("lightning.pytorch", "torchmetrics")  # packages that show their classes at the top
NO_PARTS = (
    "torch_geometric.nn.model_hub",  # fetches models
    "torch_geometric.nn.nlp",  # language models, fetched by name
    "torch_geometric.nn.models.glem",
    "torch_geometric.nn.models.g_retriever",
    "torch_geometric.nn.models.git_mol",
    "torch_geometric.nn.models.molecule_gpt",
    "torch_geometric.nn.sequential",  # turns its arguments into code
    "torch_geometric.nn.fx",
    "lightning.pytorch.plugins.environments",
    "lightning.pytorch.strategies.launchers",
)


class TargetError(Exception):
    """A `_target_` that cannot be used.

    Attributes:
        meant: the full name of what was probably meant, or None.
    """

    def __init__(self, message: str, meant: str | None = None):
        super().__init__(message)
        self.meant = meant


class NoSuchTarget(TargetError):
    """A name that leads to nothing, such as a class of another release."""


@cache
def locate(target: str) -> Callable[..., Any]:
    """The class or function that `target` names.

    Raises:
        TargetError: there is none. A module that fails while it is imported raises its own error.
    """
    if (today := renamed(target)) != target:
        raise TargetError(f"{target} is {today} now", today)
    parts = target.split(".")
    if not all(part.isidentifier() for part in parts):
        raise TargetError(f"{target!r} is no dotted name of a class or function")
    found: Any = _imported(parts[0])
    if found is None:
        meant = nearest(parts[0], PACKAGES)
        raise NoSuchTarget(
            f"there is no module {parts[0]}{did_you_mean(parts[0], PACKAGES)}",
            meant and ".".join([meant, *parts[1:]]),
        )
    for i in range(1, len(parts)):
        owner, name = ".".join(parts[:i]), parts[i]
        child = getattr(found, name, None)
        if child is None and isinstance(found, ModuleType):
            child = _imported(f"{owner}.{name}")
        if child is None:
            names = _names(found, callables=i == len(parts) - 1)
            meant = nearest(name, names)
            raise NoSuchTarget(
                f"{owner} has no {name}{did_you_mean(name, names)}", meant and ".".join([owner, meant, *parts[i + 1 :]])
            )
        found = child
    if not callable(found):
        names = _names(found, callables=True) if isinstance(found, ModuleType) else []
        meant = next((name for name in names if name.lower() == parts[-1].lower()), None)
        hint = f"; did you mean {target}.{meant}?" if meant else ""
        raise TargetError(f"{target} is no class or function{hint}", meant and f"{target}.{meant}")
    return cast(Callable[..., Any], found)


@cache
def locate_untrusted(target: str) -> Callable[..., Any]:
    """As `locate`, for a name that a stranger may have written: only the parts a training is made of.

    Classes of the project in the working directory are among them: its author trusts them.

    Raises:
        TargetError: the name lies outside those parts (nothing is imported then), or what it leads to is not a class
            (of `FUNCTIONS`: or function) defined in one of them, say `os.system` by way of a module that imports `os`.
    """
    refused = TargetError(f"{target} is not allowed in a config from elsewhere: it is no part of a training")
    known = _within(target, PARTS) or target.rpartition(".")[0] in FRONTS or is_of_own_project(target)
    if not known or _within(target, NO_PARTS):
        raise refused
    found = locate(target)
    home, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if not isinstance(home, str) or not isinstance(name, str):
        raise refused
    own_function = inspect.isfunction(found) and home in FUNCTIONS
    at_home = _within(home, PARTS) or is_of_own_project(home)
    if not (isinstance(found, type) or own_function) or not at_home or _within(home, NO_PARTS):
        raise refused
    if getattr(sys.modules.get(home), name, None) is not found:  # a method, or something that lies about its home
        raise refused
    return cast(Callable[..., Any], found)


def _within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def _imported(name: str) -> ModuleType | None:
    """The module, or None if there is no such module; errors inside it are raised."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # libraries that use what others deprecate
            return import_module(name)
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            return None
        raise


def _names(found: Any, callables: bool) -> list[str]:
    """Public names in a module or class: of classes and functions, or of submodules."""
    if not isinstance(found, ModuleType) or callables:
        public = [name for name in dir(found) if not name.startswith("_")]
        return [name for name in public if callable(getattr(found, name, None))]
    return [module.name for module in pkgutil.iter_modules(getattr(found, "__path__", []))]
