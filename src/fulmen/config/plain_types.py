"""Annotations as plain values, and back: what is no type of Python itself comes back as a class of the same name."""

import inspect
import operator
import typing
from collections import abc
from collections.abc import Callable, Mapping
from enum import Enum
from importlib import import_module
from types import GenericAlias, NoneType, UnionType
from typing import Annotated, Any, Literal, Union

from fulmen.config import rules
from fulmen.config.protocols import Fulfils, method_of, methods
from fulmen.config.rules import Rule

Plain = Any  # what JSON holds
WITHOUT_COST = {"builtins", "collections", "collections.abc", "datetime", "os", "pathlib", "types"}
TESTS = {"_operator": operator, "fulmen.config.rules": rules}  # where the tests of rules come from


class Described(type):
    """A class that was not imported. It is a subclass of whatever the real one is a subclass of.

    Attributes:
        names: of the class and all its bases, `module.qualname`.
        is_protocol: whether values cannot be tested against it.
        known_parameters: of its constructor; None if the real one has no signature.
        at_home: whether the real one is what its module has by its name.
    """

    names: tuple[str, ...]
    is_protocol: bool
    known_parameters: Mapping[str, inspect.Parameter] | None
    at_home: bool

    def __subclasscheck__(cls, other: type) -> bool:
        return cls.names[0] in names(other)

    def __instancecheck__(cls, value: Any) -> bool:
        if cls.is_protocol:
            raise TypeError(f"{cls.__name__} is a protocol")
        return False


def make_class(bases: list[str], namespace: Mapping[str, Any], is_protocol: bool = False) -> Described:
    """The class whose full name stands first among `bases`."""
    module, _, name = bases[0].rpartition(".")
    made = Described(name, (), {**namespace, "names": tuple(bases), "is_protocol": is_protocol})
    made.__module__ = module
    return made


def names(cls: type) -> list[str]:
    """The full names of a class and its bases."""
    return list(cls.names) if isinstance(cls, Described) else [full_name(base) for base in cls.__mro__]


def full_name(thing: Any) -> str:
    return f"{thing.__module__}.{thing.__qualname__}"


def is_protocol(cls: Any) -> bool:
    return bool(cls.is_protocol if isinstance(cls, Described) else getattr(cls, "_is_protocol", False))


def described_type(annotation: Any) -> Plain:
    """An annotation as JSON can keep it; what cannot be judged anyway is "any"."""
    if annotation in (None, NoneType):
        return "none"
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        rules = [rule for rule in map(_described_rule, args[1:]) if rule]
        return ["annotated", described_type(args[0]), rules]
    if origin in (Union, UnionType):
        return ["union", *map(described_type, args)]
    if origin is Literal:
        return ["literal", *args]
    if origin is abc.Callable:
        return ["callable", described_type(args[1]) if len(args) == 2 else "any"]
    kind = origin or annotation
    if not isinstance(kind, type) or annotation is Any:
        return "any"
    if issubclass(kind, Enum):
        return ["enum", full_name(kind), {member.name: str(member.value) for member in kind}]
    of = [described_type(arg) if arg is not Ellipsis else "..." for arg in args]
    if kind.__module__ in WITHOUT_COST:
        return ["type", kind.__module__, kind.__qualname__, *of]
    return ["protocol", *described_protocol(kind)] if is_protocol(kind) else ["class", full_name(kind)]


def remade_type(plain: Plain) -> Any:
    """The annotation that `described_type` was given, with classes that stand for those not imported.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: `plain` is damaged.
    """
    if plain in ("any", "none", "..."):
        return {"any": Any, "none": None, "...": Ellipsis}[plain]
    kind, *rest = plain
    if kind == "annotated":
        rules = tuple(map(_remade_rule, rest[1]))
        return Annotated[(remade_type(rest[0]), *rules)] if rules else remade_type(rest[0])
    if kind == "union":
        return Union[tuple(map(remade_type, rest))]  # noqa: UP007  # the choices are known here alone
    if kind == "literal":
        return Literal[tuple(rest)]
    if kind == "callable":
        return Callable[..., remade_type(rest[0])]
    if kind == "enum":
        return Enum(rest[0].rpartition(".")[2], rest[1])
    if kind == "class":
        return make_class(rest, {})
    if kind == "protocol":
        return remade_protocol(*rest)
    if kind != "type" or rest[0] not in WITHOUT_COST:
        raise ValueError(f"{kind} is no kind of annotation")
    found = getattr(import_module(rest[0]), rest[1])
    of = tuple(map(remade_type, rest[2:]))
    return GenericAlias(found, of) if of else found


def described_methods(cls: type) -> Plain:
    """Public methods: name -> kind, name and whether it may be left out of each parameter, `self` among them."""
    return {name: [[p.kind.value, p.name, p.default is not p.empty] for p in signature.parameters.values()]
            for name, signature in methods(cls)}  # fmt: skip


def remade_methods(plain: Plain) -> dict[str, Callable[..., Any]]:
    """Methods that have these signatures and cannot be called."""
    return {name: method_of(inspect.Signature([_place(*each) for each in places])) for name, places in plain.items()}


def described_protocol(protocol: type) -> list[Plain]:
    """The name of a protocol, its methods, and the attributes that it names."""
    return [full_name(protocol), described_methods(protocol), list(inspect.get_annotations(protocol))]


def remade_protocol(name: str, plain: Plain, attributes: list[str]) -> Described:
    annotations = dict.fromkeys(attributes, Any)
    return make_class([name], {**remade_methods(plain), "__annotations__": annotations}, is_protocol=True)


def _place(kind: int, name: str, optional: bool) -> inspect.Parameter:
    default = None if optional else inspect.Parameter.empty
    return inspect.Parameter(name, inspect._ParameterKind(kind), default=default)


def _described_rule(rule: Any) -> Plain:
    """None: only whoever has imported it can judge it."""
    if isinstance(rule, Fulfils):
        return ["fulfils", *described_protocol(rule.protocol)]
    if not isinstance(rule, Rule):
        return None
    home, name = getattr(rule.test, "__module__", ""), getattr(rule.test, "__qualname__", "")
    known = getattr(TESTS.get(home), name, None) is rule.test
    return ["rule", rule.text, home, name, list(rule.args)] if known else None


def _remade_rule(plain: Plain) -> Rule | Fulfils:
    kind, *rest = plain
    if kind == "fulfils":
        return Fulfils(remade_protocol(*rest))
    text, home, name, args = rest
    return Rule(text, getattr(TESTS[home], name), tuple(args))
