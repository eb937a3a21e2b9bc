"""What an annotation may ask of a value beyond its type; for use in `Annotated`."""

import operator
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Annotated, Any


@dataclass(frozen=True)
class Rule:
    """Something more than its type that a value must fulfil.

    Attributes:
        text: the rule in words that follow the type: `of at least 1`.
        test: called with the value and `args`. One of `operator` or of this module can be judged without an import of
            what is annotated; any other is judged once that is imported.
        args: plain values.
    """

    text: str
    test: Callable[..., Any]
    args: tuple[Any, ...] = ()

    def holds(self, value: Any) -> bool:
        return bool(self.test(value, *self.args))


def between(value: Any, low: float, high: float, low_too: bool = True, high_too: bool = True) -> bool:
    """Whether a number lies from `low` to `high`; False for `low_too` or `high_too` leaves that end out."""
    above = low <= value if low_too else low < value
    below = value <= high if high_too else value < high
    return bool(above and below)


def has_items(value: Sized, count: int) -> bool:
    return len(value) == count


def is_multiple(value: int, of: int) -> bool:
    """Whether a number is a multiple of another one, 0 left out."""
    return value >= of and value % of == 0


def is_zero_or_at_least(value: float, low: float) -> bool:
    return value == 0 or value >= low


def says_something(value: str) -> bool:
    return bool(value.strip())


def is_node(value: Any) -> bool:
    """Whether a value is a dict that names a `_target_`."""
    return isinstance(value, dict) and "_target_" in value


Count = Annotated[int, Rule("of at least 1", operator.ge, (1,))]
Natural = Annotated[int, Rule("of at least 0", operator.ge, (0,))]
Positive = Annotated[float, Rule("above 0", operator.gt, (0,))]
NotNegative = Annotated[float, Rule("of at least 0", operator.ge, (0,))]
Share = Annotated[float, Rule("of at least 0 and below 1", between, (0, 1, True, False))]
Fraction = Annotated[float, Rule("above 0 and below 1", between, (0, 1, False, False))]
PartOfAll = Annotated[float, Rule("above 0 and at most 1", between, (0, 1, False, True))]
