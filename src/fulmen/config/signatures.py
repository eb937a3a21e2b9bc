"""Does a config node fit the signature of what it names?"""

import inspect
import re
import sys
import types
import typing
from collections import OrderedDict, abc
from collections.abc import Callable, Iterator, Mapping
from enum import Enum
from functools import cache
from os import PathLike
from typing import Annotated, Any, Literal, Union

from fulmen.config.allow_list import BrokenModule, NotDescribed, TargetError, locate, locate_untrusted
from fulmen.config.classes import contracts, wrong_class
from fulmen.config.described import is_described, parameters_of
from fulmen.config.mistakes import (
    Broken,
    Mend,
    Mistake,
    Unknown,
    as_text,
    did_you_mean,
    drop,
    join,
    leave_out_or,
    nearest,
    put,
    rename,
    restore,
    take_back,
)
from fulmen.config.readings import meant_by
from fulmen.config.rules import Rule, is_node
from fulmen.config.unquoted import as_texts, meant
from fulmen.errors import FulmenError

LISTS = (list, tuple, set, frozenset, abc.Sequence, abc.MutableSequence, abc.Collection, abc.Iterable, abc.Set)
DICTS = (dict, OrderedDict, abc.Mapping, abc.MutableMapping)
PATHS = ("Path", "PurePath", "PathLike")
OF_HYDRA = {
    "_partial_": bool,
    "_recursive_": bool,
    "_convert_": Literal["none", "partial", "object", "all"],
    "_args_": list,
}


def check_nodes(value: Any, path: str, trusted: bool = True, complete: bool = True) -> Iterator[Mistake]:
    """Every mistake in the `_target_` nodes at and below `path`.

    Args:
        trusted: False refuses targets that are not part of a training, before anything of them is imported.
        complete: False lets arguments be missing: somebody adds them later.
    """
    if isinstance(value, list):
        for i, item in enumerate(value):
            yield from check_nodes(item, join(path, i), trusted, complete)
    if not isinstance(value, dict):
        return
    if is_node(value):
        yield from _check_node(value, path, trusted, complete)
    for key, item in value.items():
        yield from check_nodes(item, join(path, key), trusted, complete and value.get("_recursive_", True) is True)


def _check_node(node: dict[str, Any], path: str, trusted: bool, complete: bool) -> Iterator[Mistake]:
    target, where = node["_target_"], join(path, "_target_")
    if not isinstance(target, str):
        yield Mistake(where, f"must be the dotted name of a class or function, got {as_text(target)}")
        return
    try:
        found = locate(target) if trusted else locate_untrusted(target)
    except NotDescribed:
        return  # judged once it is imported
    except BrokenModule as error:
        yield Broken(path, str(error))
        return
    except TargetError as error:
        yield Mistake(where, str(error), put(where, error.meant) if error.meant else take_back(where))
        return
    for key, annotation in OF_HYDRA.items():
        if key in node and not fits(node[key], annotation):
            yield wrong_value(join(path, key), node[key], annotation, None)
    given = {key: value for key, value in node.items() if key not in OF_HYDRA and key != "_target_"}
    args = node.get("_args_") or []
    yield from check_call(found, given, path, target, complete and node.get("_partial_") is not True, args)
    known = parameters(found) or {}
    for name in given.keys() & known.keys():
        find = locate if trusted else locate_untrusted
        if mistake := wrong_class(known[name].annotation, given[name], join(path, name), find):
            yield mistake


def check_call(
    target: Callable[..., Any], given: dict[str, Any], path: str, label: str, complete: bool = True, args: Any = ()
) -> Iterator[Mistake]:
    """Every mistake in calling `target(*args, **given)`: unknown, missing and wrongly typed arguments."""
    known = parameters(target)
    if known is None:
        return
    by_place = [p for p in known.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    filled = {p.name for p in by_place[: len(args)]}
    if len(args) > len(by_place) and not any(p.kind is p.VAR_POSITIONAL for p in known.values()):
        yield Mistake(join(path, "_args_"), f"{label} takes {len(by_place)} positional arguments, got {len(args)}")
    for i, (parameter, value) in enumerate(zip(by_place, args, strict=False)):
        if not _accepts(parameter, value):
            yield wrong_value(join(path, f"_args_.{i}"), value, parameter.annotation, parameter.default)

    named = {p.name: p for p in known.values() if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)}
    free = [name for name in named if name not in filled]
    open_ended = any(p.kind is p.VAR_KEYWORD for p in known.values())
    for name, value in given.items():
        where = join(path, name)
        if name in named:
            if not _accepts(named[name], value):
                yield wrong_value(where, value, named[name].annotation, named[name].default)
        elif not open_ended:
            meant = nearest(name, free)
            mend = rename(where, join(path, meant), value) if meant else drop(where)
            yield Unknown(where, f"{label} takes no {name}{did_you_mean(name, free)}", mend, value=value, meant=meant)
    for name in free if complete else ():
        if name not in given and named[name].default is inspect.Parameter.empty:
            where, annotation = join(path, name), named[name].annotation
            mend = put(where, example(annotation)) if fits(example(annotation), annotation) else restore(where)
            yield Mistake(where, f"{label} needs {describe(annotation)} here", mend)


def refuse_incomplete(target: Callable[..., Any], given: Mapping[str, Any]) -> None:
    """Pass if the objects handed to `target` have the attributes that its protocols name.

    Raises:
        FulmenError: one lacks some; the message names the argument.
    """
    for name, parameter in (parameters(target) or {}).items():
        for contract in contracts(parameter.annotation) if name in given else ():
            if lacking := contract.attributes_missing(given[name]):
                wanted, what = contract.protocol.__name__, type(given[name]).__name__
                raise FulmenError(f"{name}: a {wanted} has {' and '.join(lacking)}, and {what} has not")


def parameters(target: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """The parameters of a class or function, annotations evaluated where they can be; None if it has no signature."""
    return parameters_of(target) if is_described(target) else _parameters(target)


@cache
def _parameters(target: Callable[..., Any]) -> Mapping[str, inspect.Parameter] | None:
    """As `parameters`, of what was imported: it is kept for good, while what stands for others is made again."""
    try:
        signature = inspect.signature(target)
    except (ValueError, TypeError):
        return None
    function = inspect.unwrap(target.__init__ if isinstance(target, type) else target)  # type: ignore[misc]
    scope = getattr(function, "__globals__", None) or vars(sys.modules[target.__module__])
    return {
        name: parameter.replace(annotation=_evaluated(parameter.annotation, scope))
        for name, parameter in signature.parameters.items()
    }


def _evaluated(annotation: Any, scope: dict[str, Any]) -> Any:
    """`annotation` with names in strings looked up; Any where a name exists for type checkers only."""
    holder = types.SimpleNamespace(__annotations__={"it": annotation})
    try:
        return typing.get_type_hints(holder, globalns=scope, include_extras=True)["it"]
    except Exception:
        return Any


def _accepts(parameter: inspect.Parameter, value: Any) -> bool:
    return (value is None and parameter.default is None) or fits(value, parameter.annotation)


def wrong_value(path: str, value: Any, annotation: Any, default: Any) -> Mistake:
    """The mistake of writing `value` where `annotation` is wanted."""
    got = "nothing (???)" if value == "???" else as_text(value)
    instead = example(annotation, value, default)
    mend = put(path, instead) if fits(instead, annotation) else drop(path)
    mend = _as_text_typed(path, annotation, mend) if isinstance(value, bool | int | float | list) else mend
    mend = leave_out_or(mend, path) if value in ("???", "") else mend
    meant = nearest(value, [c for c in literals(annotation) if isinstance(c, str)]) if isinstance(value, str) else None
    hint = f"; did you mean {meant}?" if meant else ""
    if isinstance(value, str) and "_target_" in describe(annotation) and not hint:
        hint = f"; write the class as {join(path, '_target_')}=<package>.<class>"
    return Mistake(path, f"must be {describe(annotation)}, got {got}{hint}", mend)


def _as_text_typed(path: str, annotation: Any, otherwise: Mend) -> Mend:
    """Take for a text, letter by letter, what was typed and read as a number, true or false, where a text fits."""

    def mend(overrides: list[str]) -> list[str]:
        for override in reversed(overrides):
            key, equals, typed = override.partition("=")
            if key.lstrip("+") == path and equals:
                readings = (as_texts(typed), meant(typed, texts=True))
                return next((put(path, each) for each in readings if fits(each, annotation)), otherwise)(overrides)
        return otherwise(overrides)

    return mend


def fits(value: Any, annotation: Any) -> bool:
    """Whether a plain value may stand where `annotation` is asked for.

    A `_target_` node may stand anywhere, a whole number for a float; a bool is no number, quoted digits are no number.
    What cannot be judged (type variables, names that exist for type checkers only) accepts everything.
    """
    if value == "???":
        return False
    if is_node(value) or annotation in (Any, inspect.Parameter.empty):
        return True
    if annotation in (None, types.NoneType):
        return value is None
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return fits(value, args[0]) and all(rule.holds(value) for rule in args[1:] if isinstance(rule, Rule))
    if origin in (Union, types.UnionType):
        return any(fits(value, choice) for choice in args)
    if origin is Literal:
        return any(value == choice and type(value) is type(choice) for choice in args)
    kind = origin or annotation
    if not isinstance(kind, type):
        return True
    if kind in (int, float, complex):
        return isinstance(value, int if kind is int else int | float) and not isinstance(value, bool)
    if kind in LISTS:
        return isinstance(value, list | tuple) and _items_fit(value, kind, args)
    if kind in DICTS:
        of_key, of_value = args or (Any, Any)
        return isinstance(value, dict) and all(fits(k, of_key) and fits(v, of_value) for k, v in value.items())
    if issubclass(kind, PathLike) or kind is PathLike:
        return isinstance(value, str)
    if issubclass(kind, Enum):
        return value in [member.name for member in kind] or value in [member.value for member in kind]
    try:
        return isinstance(value, kind)
    except TypeError:  # a protocol
        return True


def _items_fit(items: Any, kind: type, args: tuple[Any, ...]) -> bool:
    if kind is tuple and args and args[-1] is not Ellipsis:
        return len(items) == len(args) and all(map(fits, items, args))
    return all(fits(item, args[0]) for item in items) if args else True


def literals(annotation: Any) -> list[Any]:
    """Every choice that the `Literal`s in an annotation allow."""
    args = typing.get_args(annotation)
    if typing.get_origin(annotation) is Literal:
        return list(args)
    return [choice for arg in args for choice in literals(arg)]


def describe(annotation: Any) -> str:
    """An annotation in words: `a whole number or null`."""
    words = {int: "a whole number", float: "a number", bool: "true or false", str: "a text", types.NoneType: "null",
             Any: "a value", inspect.Parameter.empty: "a value"}  # fmt: skip
    if annotation in words:
        return words[annotation]
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        rules = [rule.text for rule in args[1:] if isinstance(rule, Rule)]
        return " ".join([describe(args[0]), *rules])
    if origin in (Union, types.UnionType, Literal):
        choices = [as_text(choice) for choice in literals(annotation)]
        kinds = (
            [describe(arg) for arg in args if typing.get_origin(arg) is not Literal] if origin is not Literal else []
        )
        plain = [kind for kind in kinds if not kind.startswith("a _target_ node")]
        *most, last = dict.fromkeys([*(plain or kinds), *choices] if set(plain) != {"null"} else [*kinds, *choices])
        return f"{', '.join(most)} or {last}" if most else last
    kind = origin or annotation
    if kind in LISTS:
        inner = [describe(arg) for arg in args if arg is not Ellipsis]
        same = len(set(inner)) == 1
        many = f"{len(inner)} " if same and len(inner) > 1 else ""
        return (
            f"a list of {many}{_plural(inner[0])}"
            if same
            else f"a list of {' and '.join(inner)}"
            if inner
            else "a list"
        )
    if kind in DICTS:
        return "a mapping"
    if isinstance(kind, type) and issubclass(kind, PathLike):
        return "a path"
    made = args[1] if kind is abc.Callable and len(args) == 2 else kind
    return f"a _target_ node that makes {getattr(made, '__name__', made)}"


def _plural(words: str) -> str:
    """`whole numbers of at least 1` of `a whole number of at least 1`; of choices `values, each a or b`."""
    one = re.fullmatch(r"a (whole number|number|text|mapping|path|value|list)( (?!or ).*)?", words)
    if one is None or " or " in words or "," in words:
        return f"values, each {words}"
    return f"{one[1]}s{one[2] or ''}"


def example(annotation: Any, value: Any = None, default: Any = None) -> Any:
    """A plain value that fits `annotation`: what `value` was meant to be, else the default, else anything."""
    readings: list[Any] = [*meant_by(value), [*value[:-1], 1]] if isinstance(value, list) and value else []
    if isinstance(value, str | int | float):
        named = literals(annotation)
        readings += [choice for choice in named if choice == nearest(str(value), filter(_is_text, named))]
        readings += meant_by(value)
        readings += [default, [value], str(value)]
    readings += [default, *literals(annotation), 1, 0.1, True, "name", [1], [1, 1], [0.1], ["name"], {}, {"name": 1}]
    plain = [reading for reading in readings if isinstance(reading, str | int | float | list | tuple | dict)]
    return next((reading for reading in plain if fits(reading, annotation)), None)


def _is_text(value: Any) -> bool:
    return isinstance(value, str)
