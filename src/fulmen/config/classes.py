"""Does a `_target_` node make what is wanted in its place: data, a network of this model, an optimizer?

Classes are judged, as far as annotations name classes; what a function returns is known once it has run.
"""

import inspect
import sys
import types
import typing
from collections import abc
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Union

from fulmen.config.allow_list import TargetError
from fulmen.config.mistakes import Mistake, join, take_back
from fulmen.config.plain_types import is_protocol, names
from fulmen.config.protocols import Fulfils

Find = Callable[[str], Any]

PARTS = {"data": "LightningDataModule", "model": "LightningModule", "trainer": "Trainer"}
ENTRIES = {"callbacks": "Callback", "logger": "Logger"}
PLAIN = (int, float, complex, bool, str, bytes, list, tuple, set, dict)


def wrong_parts(plain: Mapping[str, Any], find: Find) -> Iterator[Mistake]:
    """Every part of a training, callback and logger that is made by the class of something else.

    Args:
        find: gives the class or function that a target names, or raises TargetError.
    """
    nodes: list[tuple[str, Any, str]] = [(part, plain.get(part), wanted) for part, wanted in PARTS.items()]
    for part, wanted in ENTRIES.items():
        entries = plain.get(part)
        if isinstance(entries, dict):
            nodes += [(join(part, name), node, wanted) for name, node in entries.items()]
    for path, node, wanted in nodes:
        made = _class_of(node, find)
        other = made is not None and wanted not in [base.rpartition(".")[2] for base in names(made)]
        if other or (made is None and _is_of_python(node, find)):
            where = join(path, "_target_")
            yield Mistake(where, f"{node['_target_']} makes no {wanted}", take_back(where))


def wrong_class(annotation: Any, node: Any, path: str, find: Find) -> Mistake | None:
    """The mistake of handing what `node` makes to an argument with this annotation; None if it may fit."""
    made = _class_of(node, find)
    if made is None or annotation is inspect.Parameter.empty:
        return None
    partial = bool(node.get("_partial_"))
    if _may_be(made, partial, annotation):
        return None
    lacking = None if partial else next(filter(None, (each.missing(made) for each in contracts(annotation))), None)
    wanted = _wanted(annotation)
    problem = f"has no {lacking}, which every {wanted} has" if lacking else f"makes no {wanted}"
    where = join(path, "_target_")
    return Mistake(where, f"{node['_target_']} {problem}", take_back(where))


def of_two_workloads(plain: Mapping[str, Any]) -> Iterator[Mistake]:
    """Data or a network from the folder of another workload than the model: what one hands over the other cannot read.

    If both are of one workload, the model is the stranger.
    """
    model = plain.get("model") if isinstance(plain.get("model"), Mapping) else {}
    nodes = {"model": model, "data": plain.get("data"), "model.network": (model or {}).get("network")}
    targets = {path: node.get("_target_") for path, node in nodes.items() if isinstance(node, Mapping)}
    owners = {path: owner for path, target in targets.items() if (owner := owner_of(target))}
    if (own := owners.pop("model", None)) is None:
        return
    strange = [path for path, owner in owners.items() if owner != own and (path == "data" or owner[0] == own[0])]
    if len(strange) == 2 and len(set(owners.values())) == 1:
        own, strange, owners = owners["data"], ["model"], {"model": own}
    for path in strange:
        problem = f"{targets[path]} belongs to {owners[path][1]}, and the rest is of {own[1]}"
        yield Mistake(where := join(path, "_target_"), problem, take_back(where))


def owner_of(target: Any) -> tuple[str, str] | None:
    """Package and name of the workload that a target lies in."""
    package, found, rest = target.partition(".workloads.") if isinstance(target, str) else ("", "", "")
    return (package, rest.partition(".")[0]) if found else None


def _class_of(node: Any, find: Find) -> type | None:
    """The class that a node calls; None if it calls none, or one that is not found."""
    target = node.get("_target_") if isinstance(node, Mapping) else None
    try:
        found = find(target) if isinstance(target, str) else None
    except TargetError:
        return None
    return found if isinstance(found, type) else None


def _is_of_python(node: Any, find: Find) -> bool:
    """Whether a node calls a function of Python's own modules: none of them makes a part of a training."""
    target = node.get("_target_") if isinstance(node, Mapping) else None
    try:
        home = find(target).__module__ if isinstance(target, str) else None
    except (TargetError, AttributeError):
        return False
    return isinstance(home, str) and home.partition(".")[0] in sys.stdlib_module_names


def _may_be(made: type, partial: bool, annotation: Any) -> bool:
    """Whether an object of the class `made`, or (`partial`) what makes one, may stand where `annotation` is asked."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        wanted = [] if partial else [rule for rule in args[1:] if isinstance(rule, Fulfils)]
        return _may_be(made, partial, args[0]) and not any(each.missing(made) for each in wanted)
    if origin in (Union, types.UnionType):
        return any(_may_be(made, partial, choice) for choice in args if choice is not types.NoneType)
    kind = origin or annotation
    if kind is abc.Callable:
        result = args[1] if partial and len(args) == 2 else Any
        return _may_be(made, False, result) and (partial or any("__call__" in vars(base) for base in made.__mro__))
    if partial or not isinstance(kind, type) or kind in PLAIN or kind.__module__ in ("collections.abc", "typing"):
        return True
    return Fulfils(kind).missing(made) is None if is_protocol(kind) else issubclass(made, kind)


def contracts(annotation: Any) -> list[Fulfils]:
    """The protocols that an annotation asks for."""
    if isinstance(annotation, Fulfils):
        return [annotation]
    if isinstance(annotation, type) and is_protocol(annotation):
        return [Fulfils(annotation)]
    parts = [*typing.get_args(annotation), *getattr(annotation, "__metadata__", ())]
    return [found for part in parts for found in contracts(part)]


def _wanted(annotation: Any) -> str:
    """What an annotation asks for, in a word or a few."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        contracts = [rule.protocol.__name__ for rule in args[1:] if isinstance(rule, Fulfils)]
        return contracts[0] if contracts else _wanted(args[0])
    if origin in (Union, types.UnionType):
        return " or ".join(_wanted(choice) for choice in args if choice is not types.NoneType)
    if (origin or annotation) is abc.Callable and len(args) == 2:
        return _wanted(args[1])
    return str(getattr(annotation, "__name__", annotation))
