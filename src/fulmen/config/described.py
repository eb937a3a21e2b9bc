"""Classes and functions as plain values, and made again of them without an import.

What is made again stands for a class or function where a config is judged: it has the signature, the bases by name, the
plain attributes and the public methods of the real one, and can be neither called nor instantiated.
"""

import inspect
import sys
import types
from collections.abc import Iterator, Mapping
from typing import Any, cast

from fulmen.config.docstrings import arguments_of, first_paragraph
from fulmen.config.plain_types import (
    Described,
    described_methods,
    described_type,
    full_name,
    make_class,
    names,
    remade_methods,
    remade_type,
)  # fmt: skip

Entry = dict[str, Any]
Parameters = Mapping[str, inspect.Parameter]
PLAIN = (str, int, float, bool, types.NoneType)


class DescribedFunction:
    """A function that was not imported."""

    known_parameters: Parameters | None
    at_home: bool

    def __init__(self, module: str, name: str):
        self.__module__, self.__qualname__, self.__name__ = module, name, name.rpartition(".")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        raise TypeError(f"{self.__name__} was not imported")


class Shown(str):
    """The text of a default that is no plain value."""


def describe(found: Any, parameters: Parameters | None) -> Entry:
    """What `remade` takes.

    Args:
        found: a class or function.
        parameters: its parameters, annotations evaluated; None if it has no signature.
    """
    entry: Entry = {
        "module": found.__module__,
        "name": found.__qualname__,
        "at_home": getattr(sys.modules.get(found.__module__), found.__qualname__, None) is found,
        "parameters": None if parameters is None else list(map(_described_parameter, parameters.values())),
        "doc": first_paragraph(found),
        "arguments": arguments_of(found),
    }
    if isinstance(found, type):
        entry |= {"bases": names(found), "methods": described_methods(found), "values": dict(_values(found))}
    return entry


def remade(entry: Entry) -> Any:
    """The class or function that stands for the one described; `parameters` of it are known.

    Raises:
        LookupError, TypeError, ValueError, AttributeError: the entry is damaged.
    """
    if "bases" in entry:
        found: Any = make_class(entry["bases"], {**entry["values"], **remade_methods(entry["methods"])})
        found.__qualname__ = entry["name"]
        found.__module__ = entry["module"]
    else:
        found = DescribedFunction(entry["module"], entry["name"])
    found.at_home = entry["at_home"]
    known = entry["parameters"]
    found.known_parameters = None if known is None else {each["name"]: _remade_parameter(each) for each in known}
    return found


def is_described(found: Any) -> bool:
    """Whether this stands for something that was not imported."""
    return isinstance(found, Described | DescribedFunction)


def parameters_of(found: Any) -> Parameters | None:
    """The parameters of what was made again; None if the real one has no signature."""
    return cast(Parameters | None, found.known_parameters)


def is_at_home(found: Any) -> bool:
    """Whether what was described is what its module has by its name."""
    return bool(found.at_home)


def is_plain(value: Any) -> bool:
    """Whether JSON keeps a value, tuples as lists."""
    if isinstance(value, Mapping):
        return all(isinstance(key, str) and is_plain(item) for key, item in value.items())
    return isinstance(value, PLAIN) or (isinstance(value, list | tuple) and all(map(is_plain, value)))


def _values(cls: type) -> Iterator[tuple[str, Any]]:
    """Public class attributes that are plain."""
    for name in dir(cls):
        value = inspect.getattr_static(cls, name, None)
        if not name.startswith("_") and value is not None and is_plain(value):
            yield name, dict(value) if isinstance(value, Mapping) else value


def _described_parameter(parameter: inspect.Parameter) -> Entry:
    entry: Entry = {"name": parameter.name, "kind": parameter.kind.value}
    if parameter.annotation is not parameter.empty:
        entry["type"] = described_type(parameter.annotation)
    if parameter.default is not parameter.empty:
        plain = is_plain(parameter.default)
        entry["default" if plain else "shown"] = parameter.default if plain else _shown(parameter.default)
    return entry


def _shown(default: Any) -> str:
    return full_name(default) if isinstance(default, type | types.FunctionType) else repr(default)[:200]


def _remade_parameter(entry: Entry) -> inspect.Parameter:
    empty = inspect.Parameter.empty
    default = Shown(entry["shown"]) if "shown" in entry else entry.get("default", empty)
    annotation = remade_type(entry["type"]) if "type" in entry else empty
    kind = inspect._ParameterKind(entry["kind"])
    return inspect.Parameter(entry["name"], kind, default=default, annotation=annotation)
