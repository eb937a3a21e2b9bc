"""Search spaces: which values of which config paths a study may try."""

import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from optuna.trial import Trial

from fulmen.config.mistakes import ConfigError, Mistake, as_text, did_you_mean
from fulmen.errors import FulmenError
from fulmen.utils.plain import Plain, Scalar

LARGEST_GRID = 1_000_000

Point = dict[str, Scalar]
Described = dict[str, Plain]


@dataclass(frozen=True)
class Parameter(ABC):
    """One dimension of a space.

    Attributes:
        path: what it varies, as on the command line: `model.optimizer.lr`, or a config group: `model`.
        when: values of other paths; where they are different, this parameter does not exist.
    """

    path: str
    when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict, kw_only=True)

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

    @abstractmethod
    def suggest(self, trial: Trial) -> Scalar:
        """The value that `trial` takes here."""

    @abstractmethod
    def values(self) -> Sequence[Scalar]:
        """Every value, for a grid; not of what is continuous."""

    @abstractmethod
    def extremes(self) -> Sequence[Scalar]:
        """All choices, or both ends of the range."""

    @abstractmethod
    def position(self, value: Scalar) -> float:
        """Where `value` lies among all of them, from 0 to 1."""

    @abstractmethod
    def _own(self) -> Described: ...


@dataclass(frozen=True)
class Choices(Parameter):
    """One of some values."""

    choices: tuple[Scalar, ...]

    continuous = False

    def suggest(self, trial: Trial) -> Scalar:
        return trial.suggest_categorical(self.path, self.choices)

    def values(self) -> Sequence[Scalar]:
        return self.choices

    extremes = values

    def position(self, value: Scalar) -> float:
        return self.choices.index(value) / max(1, len(self.choices) - 1)

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

    def suggest(self, trial: Trial) -> Scalar:
        low, high, step = self.low, self.high, self.step
        if isinstance(low, int) and isinstance(high, int) and isinstance(step, int | None):
            return trial.suggest_int(self.path, low, high, step=step or 1, log=self.log)
        return trial.suggest_float(self.path, low, high, step=step, log=self.log)

    def values(self) -> Sequence[Scalar]:
        step = self.step or 1
        count = math.floor((self.high - self.low) / step * (1 + 1e-12)) + 1
        return tuple(self.low + i * step for i in range(count))

    def extremes(self) -> Sequence[Scalar]:
        return self.low, self.high

    def position(self, value: Scalar) -> float:
        assert isinstance(value, int | float)
        low, high, at = float(self.low), float(self.high), float(value)
        if self.log:
            low, high, at = math.log(low), math.log(high), math.log(at)
        return (at - low) / (high - low)

    def _own(self) -> Described:
        own: Described = {"low": self.low, "high": self.high, "log": self.log, "step": self.step}
        return {name: value for name, value in own.items() if is_said(value)}

    @property
    def _whole(self) -> bool:
        return isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, int | None)


def settle(parameters: Iterable[Parameter], constants: Mapping[str, Scalar]) -> list[Parameter]:
    """`parameters` with every `when` about a path outside the space decided by the value it has in `constants`.

    Raises:
        FulmenError: a condition names a path that is neither searched nor in the config.
    """
    parameters, kept = list(parameters), list[Parameter]()
    searched = {parameter.path for parameter in parameters}
    for parameter in parameters:
        unknown = [path for path in parameter.when if path not in searched and path not in constants]
        if unknown:
            near = did_you_mean(unknown[0], [*searched, *constants])
            raise FulmenError(f"search.space.{parameter.path}.when: there is no {unknown[0]}{near}")
        fixed = {path: values for path, values in parameter.when.items() if path not in searched}
        if all(constants[path] in values for path, values in fixed.items()):
            open_ = {path: values for path, values in parameter.when.items() if path in searched}
            kept.append(replace(parameter, when=open_))
    if not kept:
        raise FulmenError("search.space is empty: no parameter's `when` holds for this config")
    return kept


def suggest(parameters: Iterable[Parameter], trial: Trial) -> Point:
    """The point that `trial` tries: a value of every parameter that exists there."""
    point: Point = {}
    for parameter in parameters:
        if parameter.active(point):
            point[parameter.path] = parameter.suggest(trial)
    return point


def grid(parameters: Iterable[Parameter]) -> list[Point]:
    """Every point of a space, each once; the last parameter varies fastest.

    Raises:
        FulmenError: ranges are continuous, or there are more than a million points.
    """
    parameters = list(parameters)
    if endless := [_endless(parameter) for parameter in parameters if parameter.continuous]:
        raise ConfigError(endless)
    points: list[Point] = [{}]
    for parameter in parameters:
        values = parameter.values()
        if len(points) * len(values) > LARGEST_GRID:
            raise FulmenError(f"search.space: a grid of more than {LARGEST_GRID:,} points; take search=random")
        points = [
            {**point, parameter.path: value} if exists else point
            for point in points
            for exists in [parameter.active(point)]
            for value in (values if exists else [None])
        ]
    return points


def _endless(parameter: Parameter) -> Mistake:
    ends = ",".join(map(repr, parameter.extremes()))
    entry = f"{{low:null,high:null,log:null,choices:[{ends}]}}"
    where = f"search.space.{parameter.path}"
    return Mistake(where, f"a grid needs a step or choices here, as in '{where}={entry}'")


def corners(parameters: list[Parameter]) -> Iterator[Point]:
    """Points that together show every choice and both ends of every range, one parameter moved at a time."""
    first = _complete({}, parameters)
    yield first
    for parameter in parameters:
        for value in parameter.extremes():
            needed = {path: values[0] for path, values in parameter.when.items()}
            point = _complete({**needed, parameter.path: value}, parameters)
            if point != first:
                yield point


def as_overrides(values: Mapping[str, Plain]) -> list[str]:
    """A point (or other plain values by path) as a person would type it: `model.optimizer.lr=0.001`."""
    return [f"{path}={as_text(value)}" for path, value in values.items()]


def describe(parameters: Iterable[Parameter]) -> dict[str, Described]:
    """A space as plain values, as `search.space` would be written with dotted paths."""
    return {parameter.path: parameter.described() for parameter in parameters}


def is_said(value: object) -> bool:
    """Whether an entry's value says anything: null and false are what it would be without."""
    return value is not None and value is not False


def _complete(point: Point, parameters: Iterable[Parameter]) -> Point:
    """`point` with the first value of every other parameter that exists beside it."""
    complete: Point = {}
    for parameter in parameters:
        if parameter.active(complete):
            complete[parameter.path] = point.get(parameter.path, parameter.extremes()[0])
    return complete
