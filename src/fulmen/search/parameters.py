"""One dimension of a search space: a choice of values, or a range of numbers."""

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fulmen.config.mistakes import as_text
from fulmen.utils.plain import Plain, Scalar

if TYPE_CHECKING:  # a space is read and judged without Optuna
    from optuna.distributions import BaseDistribution
    from optuna.trial import Trial

Point = dict[str, Plain]
Described = dict[str, Plain]


@dataclass(frozen=True)
class Parameter(ABC):
    """One dimension of a space.

    Attributes:
        path: what it varies, as on the command line: `model.optimizer.lr`, or a config group: `model`.
        when: values of other paths; where they are different, this parameter does not exist.
    """

    path: str
    when: Mapping[str, tuple[Plain, ...]] = field(default_factory=dict, kw_only=True)

    def active(self, point: Point) -> bool:
        """Whether this parameter exists beside the values in `point`."""
        return all(point.get(path) in values for path, values in self.when.items())

    def described(self) -> Described:
        """As it would be written in `search.space`, with what says nothing left out."""
        condition: Described = {"when": {path: list(values) for path, values in self.when.items()}} if self.when else {}
        return self._own() | condition

    @property
    @abstractmethod
    def continuous(self) -> bool:
        """Whether there is no end of values, so that a grid cannot hold them all."""

    @property
    @abstractmethod
    def count(self) -> float:
        """How many values there are; infinite for real numbers without a step."""

    @abstractmethod
    def distribution(self) -> "BaseDistribution":
        """The same for Optuna."""

    @abstractmethod
    def suggest(self, trial: "Trial") -> Plain:
        """The value that `trial` takes here."""

    @abstractmethod
    def values(self) -> Sequence[Plain]:
        """Every value; not where `count` is infinite."""

    @abstractmethod
    def extremes(self) -> Sequence[Plain]:
        """All choices, or both ends of the range."""

    @abstractmethod
    def position(self, value: Plain) -> float:
        """Where `value` lies among all of them, from 0 to 1."""

    def stored(self, value: Plain) -> Scalar:
        """`value` as a study keeps it: Optuna's categories are scalars, so that a list is kept as its text."""
        return as_text(value) if isinstance(value, list) else value  # type: ignore[return-value]

    def plain(self, stored: Scalar) -> Plain:
        """The value that `stored` stands for."""
        return stored

    @abstractmethod
    def _own(self) -> Described: ...


@dataclass(frozen=True)
class Choices(Parameter):
    """One of some values."""

    choices: tuple[Plain, ...]

    continuous = False

    @property
    def count(self) -> float:
        return len(self.choices)

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self._stored)

    def suggest(self, trial: "Trial") -> Plain:
        return self.plain(trial.suggest_categorical(self.path, self._stored))

    def values(self) -> Sequence[Plain]:
        return self.choices

    extremes = values

    def position(self, value: Plain) -> float:
        return self.choices.index(value) / max(1, len(self.choices) - 1)

    def plain(self, stored: Scalar) -> Plain:
        lists = (choice for choice in self.choices if isinstance(choice, list) and as_text(choice) == stored)
        return next(lists, stored) if isinstance(stored, str) else stored

    @property
    def _stored(self) -> tuple[Scalar, ...]:
        return tuple(map(self.stored, self.choices))

    def _own(self) -> Described:
        return {"choices": list(self.choices)}


@dataclass(frozen=True)
class Range(Parameter):
    """Numbers from `low` to `high`, both included: whole ones if both ends and the step are."""

    low: float
    high: float
    log: bool = False
    step: float | None = None

    @property
    def continuous(self) -> bool:
        return self.step is None and not (self._whole and not self.log)  # whole ones by logarithm: some stand for all

    @property
    def count(self) -> float:
        if not self._whole and self.step is None:
            return math.inf
        return math.floor((self.high - self.low) / (self.step or 1) * (1 + 1e-12)) + 1

    def distribution(self) -> "BaseDistribution":
        from optuna.distributions import FloatDistribution, IntDistribution

        if self._whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def suggest(self, trial: "Trial") -> Plain:
        low, high, step = self.low, self.high, self.step
        if isinstance(low, int) and isinstance(high, int) and isinstance(step, int | None):
            return trial.suggest_int(self.path, low, high, step=step or 1, log=self.log)
        return trial.suggest_float(self.path, low, high, step=step, log=self.log)

    def values(self) -> Sequence[Plain]:
        return tuple(self.low + i * (self.step or 1) for i in range(int(self.count)))

    def extremes(self) -> Sequence[Plain]:
        return self.low, self.high

    def position(self, value: Plain) -> float:
        assert isinstance(value, int | float)
        low, high, at = float(self.low), float(self.high), float(value)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    def some(self) -> list[float]:
        """A few values from end to end, with two digits."""
        at = [i / 4 for i in range(5)]
        if self.log:
            between = [self.low * (self.high / self.low) ** share for share in at[1:4]]
        else:
            between = [self.low + (self.high - self.low) * share for share in at[1:4]]
        rounded = [float(f"{value:.2g}") for value in between]
        inside = [round(value) if self._whole else value for value in rounded]
        return list(dict.fromkeys([self.low, *(v for v in inside if self.low < v < self.high), self.high]))

    def _own(self) -> Described:
        own: Described = {"low": self.low, "high": self.high, "log": self.log, "step": self.step}
        return {name: value for name, value in own.items() if is_said(value)}

    @property
    def _whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, int | None)


def is_said(value: object) -> bool:
    """Whether an entry's value says anything: null and false are what it would be without."""
    return value is not None and value is not False
