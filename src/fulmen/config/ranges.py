"""The range of an argument stands in its annotation: a config is checked by it, and a call from Python too."""

import inspect
import typing
from collections.abc import Callable, Sequence
from functools import wraps
from types import UnionType
from typing import Annotated, Any, ParamSpec, TypeVar, Union

from fulmen.config import rules
from fulmen.config.mistakes import as_text
from fulmen.config.rules import Count, Fraction, Natural, NotNegative, PartOfAll, Positive, Rule, Share
from fulmen.config.signatures import LISTS, describe, fits
from fulmen.errors import FulmenError

__all__ = ["Count", "Fraction", "Natural", "NotNegative", "PartOfAll", "Positive", "Share"]

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def between(low: float, high: float) -> Rule:
    """The rule of a number from `low` to `high`, both allowed; for use in `Annotated`."""
    return Rule(f"from {low:g} to {high:g}", rules.between, (low, high))


def refuses_out_of_range(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let `function`, say a constructor, refuse arguments that break a rule in their annotation.

    Types are not looked at: NumPy's numbers and tuples are as good as those of a config.

    Raises:
        FulmenError: `keep is 2; it must be a number above 0 and at most 1`.
    """
    signature = inspect.signature(function)

    @wraps(function)
    def checked(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Result:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            return function(*args, **kwargs)  # says itself which argument is missing or too many
        for name, value in given.items():
            annotation = signature.parameters[name].annotation
            if breaks(value, annotation):
                raise FulmenError(f"{name} is {as_text(value)}; it must be {describe(annotation)}")
        return function(*args, **kwargs)

    return checked


def breaks(value: Any, annotation: Any) -> bool:
    """Whether `value` breaks a rule in `annotation`; what is under no rule breaks none."""
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return not all(_holds(rule, value) for rule in args[1:] if isinstance(rule, Rule)) or breaks(value, args[0])
    if origin in (Union, UnionType):
        ruled = [choice for choice in args if _has_rule(choice)]
        free = [choice for choice in args if not _has_rule(choice)]
        return bool(ruled) and all(breaks(value, choice) for choice in ruled) and not any(fits(value, c) for c in free)
    if origin in LISTS and isinstance(value, Sequence) and not isinstance(value, str):
        return any(breaks(item, kind) for item, kind in zip(value, args[:1] * len(value), strict=True))
    return False


def _has_rule(annotation: Any) -> bool:
    return isinstance(annotation, Rule) or any(map(_has_rule, typing.get_args(annotation)))


def _holds(rule: Rule, value: Any) -> bool:
    try:
        return bool(rule.holds(value))
    except TypeError:  # a text where a number was meant
        return False
