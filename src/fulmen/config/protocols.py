"""What the class of an object has to be able to do: a Protocol, held against the methods that a class has."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

BASES = ("torch.nn.modules.module", "lightning.pytorch.core", "builtins", "typing")  # what everybody has of them
LIBRARIES = ("torch", "torchvision", "torch_geometric", "torchmetrics")
CALLED = ("forward", "__call__")


@dataclass(frozen=True)
class Fulfils:
    """An object that does what a Protocol says, for use in `Annotated`: `Annotated[nn.Module, Fulfils(Encoder)]`."""

    protocol: type

    def attributes_missing(self, made: Any) -> list[str]:
        """The attributes that the protocol names and an object has not."""
        return [name for name in inspect.get_annotations(self.protocol) if not hasattr(made, name)]

    def missing(self, made: type) -> str | None:
        """What a class lacks of the protocol, as `forward(window)`; None as far as it fulfils it."""
        lacking = (f"{name}({', '.join(_names(wanted))})" for name, wanted in methods(self.protocol)
                   if not _can_be_called(getattr(made, name, None), wanted))  # fmt: skip
        return next(lacking, None) or next(iter(self._foreign_attributes(made)), None)

    def _foreign_attributes(self, made: type) -> list[str]:
        """What no class of torch has: only classes written for a workload name the attributes of its protocol."""
        of_library = made.__module__.partition(".")[0] in LIBRARIES
        return [name for name in inspect.get_annotations(self.protocol) if of_library and not hasattr(made, name)]


def methods(cls: type) -> Iterator[tuple[str, inspect.Signature]]:
    """The public methods of a class, and what makes it callable, with `self`; those of torch's own base left out."""
    for name in dir(cls):
        home = next((base for base in cls.__mro__ if name in vars(base)), object)
        method = vars(home).get(name)
        public = not name.startswith("_") or name == "__call__"
        if public and inspect.isfunction(method) and (home is cls or name in CALLED or not _is_base(home)):
            yield name, inspect.signature(method)


def method_of(signature: inspect.Signature) -> Callable[..., Any]:
    """A method that has a signature and cannot be called."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        raise TypeError("this class was not imported")

    method.__signature__ = signature  # type: ignore[attr-defined]
    return method


def _is_base(home: type) -> bool:
    return home.__module__.startswith(BASES)


def _names(signature: inspect.Signature) -> list[str]:
    return [name for name in signature.parameters if name != "self"]


def _can_be_called(method: Any, wanted: inspect.Signature) -> bool:
    """Whether a method takes what the protocol's takes, by place where that goes by place."""
    if method is None:
        return False
    places = [p for p in wanted.parameters.values() if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    named = {p.name: None for p in wanted.parameters.values() if p.kind is p.KEYWORD_ONLY}
    try:
        inspect.signature(method).bind(*places, **named)
    except TypeError:
        return False
    except ValueError:  # built in: it has no signature
        return True
    return True
