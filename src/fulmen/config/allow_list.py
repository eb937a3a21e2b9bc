"""What a `_target_` names, and which targets a config from elsewhere may name."""

import pkgutil
import sys
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any, cast

from fulmen.config import signature_index
from fulmen.config.described import DescribedFunction, is_at_home, is_described
from fulmen.config.mistakes import did_you_mean, nearest
from fulmen.config.own_project import SHIPPED, shown
from fulmen.config.places import is_of_own_project, own_project, use_own_project
from fulmen.migrations import renamed

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


class BrokenModule(TargetError):
    """A module that is there and cannot be imported: the message has the file and line of its error."""


class NotDescribed(TargetError):
    """A name of which nothing is known without an import."""


_not_described: ContextVar[set[str] | None] = ContextVar("not_described", default=None)


@contextmanager
def without_import() -> Iterator[set[str]]:
    """Let `locate` answer from what is known of modules; gets the names of which nothing is."""
    if not imports_nothing():
        signature_index.look_again()
    missing: set[str] = set()
    token = _not_described.set(missing)
    try:
        yield missing
    finally:
        _not_described.reset(token)


def imports_nothing() -> bool:
    """Whether this is inside `without_import`."""
    return _not_described.get() is not None


def locate(target: str) -> Callable[..., Any]:
    """The class or function that `target` names; inside `without_import` what stands for it.

    Raises:
        TargetError: there is none, or it cannot be imported.
    """
    use_own_project()
    if (today := renamed(target)) != target:
        raise TargetError(f"{target} is {today} now", today)
    if not all(part.isidentifier() for part in target.split(".")):
        raise TargetError(f"{target!r} is no dotted name of a class or function")
    return _described(target) if imports_nothing() else _located(target)


@cache
def _located(target: str) -> Callable[..., Any]:
    """As `locate`, by importing it."""
    parts = target.split(".")
    _refuse_misplaced(parts[0])
    found: Any = _imported(parts[0])
    if found is None:
        raise _no_package(parts)
    for i in range(1, len(parts)):
        owner, name = ".".join(parts[:i]), parts[i]
        child = getattr(found, name, None)
        if child is None and isinstance(found, ModuleType):
            child = _imported(f"{owner}.{name}")
        if child is None:
            raise _nothing_there(owner, parts[i:], _names(found, callables=i == len(parts) - 1))
        found = child
    if not callable(found):
        raise _not_callable(target, _names(found, callables=True) if isinstance(found, ModuleType) else [])
    return cast(Callable[..., Any], found)


def _described(target: str) -> Callable[..., Any]:
    """As `locate`, by what is known without an import."""
    parts = target.split(".")
    _refuse_misplaced(parts[0])
    if find_spec(parts[0]) is None:
        raise _no_package(parts)
    try:
        module, rest = signature_index.module_of(target)
        if not rest:
            raise _not_callable(target, signature_index.read(module)["callables"])
        try:
            return cast(Callable[..., Any], signature_index.find(target))
        except LookupError:
            known = signature_index.read(module)
        if len(rest) == 1 and rest[0] in known["values"]:
            raise _not_callable(target, [])
        if len(rest) == 1 or rest[0] not in known["callables"] + known["values"]:
            there = known["callables"] if len(rest) == 1 else signature_index.submodules(module)
            raise _nothing_there(module, rest, there)
    except signature_index.Stale:
        pass
    if (missing := _not_described.get()) is not None:
        missing.add(target)
    raise NotDescribed(f"nothing is known of {target} before it is imported")


def _refuse_misplaced(package: str) -> None:
    """Pass unless `package` is one of the project at hand that is not there, or is hidden by another one."""
    project = own_project()
    if project and package in project.tops and (problem := project.misplaced(package)):
        raise BrokenModule(problem)


def _no_package(parts: list[str]) -> NoSuchTarget:
    project = own_project()
    packages = [*(project.tops if project else ()), *SHIPPED]
    meant = nearest(parts[0], packages)
    return NoSuchTarget(
        f"there is no module {parts[0]}{did_you_mean(parts[0], packages)}", meant and ".".join([meant, *parts[1:]])
    )


def _nothing_there(owner: str, rest: list[str], names: list[str]) -> NoSuchTarget:
    """The module or class `owner` has no `rest[0]`; it has `names`."""
    meant = nearest(rest[0], names)
    return NoSuchTarget(
        f"{owner} has no {rest[0]}{did_you_mean(rest[0], names)}", meant and ".".join([owner, meant, *rest[1:]])
    )


def _not_callable(target: str, names: list[str]) -> TargetError:
    meant = next((name for name in names if name.lower() == target.rpartition(".")[2].lower()), None)
    hint = f"; did you mean {target}.{meant}?" if meant else ""
    return TargetError(f"{target} is no class or function{hint}", meant and f"{target}.{meant}")


def locate_untrusted(target: str) -> Callable[..., Any]:
    """As `locate`, for a name that a stranger may have written: only the parts a training is made of.

    Classes of the packages that the project at hand trusts are among them, see `fulmen.config.own_project`.

    Raises:
        TargetError: the name lies outside those parts (nothing is imported then), or what it leads to is not a class
            (of `FUNCTIONS`: or function) defined in one of them, say `os.system` by way of a module that imports `os`.
    """
    refused = TargetError(
        f"{target} is not allowed in a config from elsewhere: it is no part of a training{_if_it_is_yours(target)}"
    )
    known = _within(target, PARTS) or target.rpartition(".")[0] in FRONTS or is_of_own_project(target)
    if not known or _within(target, NO_PARTS):
        raise refused
    found = locate(target)
    home, name = getattr(found, "__module__", None), getattr(found, "__qualname__", None)
    if not isinstance(home, str) or not isinstance(name, str):
        raise refused
    own_function = isinstance(found, FunctionType | DescribedFunction) and home in FUNCTIONS
    at_home = _within(home, PARTS) or is_of_own_project(home)
    if not (isinstance(found, type) or own_function) or not at_home or _within(home, NO_PARTS):
        raise refused
    itself = is_at_home(found) if is_described(found) else getattr(sys.modules.get(home), name, None) is found
    if not itself:  # a method, or something that lies about its home
        raise refused
    return found


def _if_it_is_yours(target: str) -> str:
    """Where a package that lies in the project at hand can be trusted, by its author alone."""
    project, package = own_project(), target.partition(".")[0]
    beside = project is not None and any((place / package).is_dir() for place in project.places)
    return f"; if {package} is yours, add it to [tool.fulmen] packages in pyproject.toml" if beside else ""


def _within(module: str, prefixes: tuple[str, ...]) -> bool:
    return any(module == prefix or module.startswith(f"{prefix}.") for prefix in prefixes)


def _imported(name: str) -> ModuleType | None:
    """The module, or None if there is no such module.

    Raises:
        BrokenModule: it, or what it imports, raises an error.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # libraries that use what others deprecate
            return import_module(name)
    except Exception as error:
        missing = isinstance(error, ModuleNotFoundError) and error.name
        if missing and (name == missing or name.startswith(f"{missing}.")):
            return None
        raise BrokenModule(_where_and_why(error)) from error


def _where_and_why(error: Exception) -> str:
    """`mylab/data.py, line 3: No module named 'panda'`: the last line of the project at hand that led to an error."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{shown(Path(error.filename))}, line {error.lineno}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if not frame.filename.startswith("<")]
    project = own_project()
    own = [frame for frame in frames if project and Path(frame.filename).is_relative_to(project.root)]
    last = (own or frames)[-1]
    kind = "" if isinstance(error, ImportError) else f"{type(error).__name__}: "
    return f"{shown(Path(last.filename))}, line {last.lineno}: {kind}{error}"


def _names(found: Any, callables: bool) -> list[str]:
    """Public names in a module or class: of classes and functions, or of submodules."""
    if not isinstance(found, ModuleType) or callables:
        public = [name for name in dir(found) if not name.startswith("_")]
        return [name for name in public if callable(getattr(found, name, None))]
    return [module.name for module in pkgutil.iter_modules(getattr(found, "__path__", []))]
