"""Whether a workload keeps the contract, asked before work starts."""

import inspect

from fulmen.errors import FulmenError


def refuse_unless_kept(kind: type, contract: type) -> None:
    """Pass if every hook of `contract` that `kind` writes anew can be called as the rooms of fulmen call it.

    Args:
        kind: the class of a model or of data.
        contract: Workload or WorkloadData.

    Raises:
        FulmenError: a hook with another signature, or hooks in a class that is not derived from the contract.
    """
    lightning = next(base for base in contract.__mro__ if not base.__module__.startswith("fulmen."))
    for name in [name for base in contract.__mro__ if base.__module__.startswith("fulmen.") for name in vars(base)]:
        if name.startswith("_") or not callable(getattr(contract, name)) or name not in dir(kind):
            continue
        own = getattr(kind, name)
        if own is getattr(contract, name, None) or (not issubclass(kind, contract) and name in dir(lightning)):
            continue
        place = f"{kind.__module__}.{kind.__qualname__}"
        if not issubclass(kind, contract):
            raise FulmenError(f"{place} has {name}, a hook of fulmen.{contract.__name__}: derive it from that class")
        expected = inspect.signature(getattr(contract, name))
        try:
            inspect.signature(own).bind(*[None] * len(_positional(expected)))
        except TypeError:
            raise FulmenError(
                f"{place}.{name}{inspect.signature(own)} cannot be called as the contract calls it: {name}{expected}"
            ) from None


def _positional(signature: inspect.Signature) -> list[str]:
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return [name for name, each in signature.parameters.items() if each.kind in kinds]
