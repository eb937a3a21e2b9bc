"""Search spaces: which values of which config paths a study may try."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import Trial

from fulmen.config.mistakes import ConfigError, Mistake, as_text, did_you_mean
from fulmen.errors import FulmenError

LARGEST_GRID = 1_000_000

Point = dict[str, Any]
Scalar = str | int | float | bool | None


@dataclass(frozen=True)
class Parameter:
    """One dimension of a space: a range (`low`, `high`) or `choices`.

    Attributes:
        path: what it varies, as on the command line: `model.optimizer.lr`, or a config group: `model`.
        when: values of other paths; where they are different, this parameter does not exist.
    """

    path: str
    choices: tuple[Scalar, ...] | None = None
    low: float | int | None = None
    high: float | int | None = None
    log: bool = False
    step: float | int | None = None
    when: Mapping[str, tuple[Scalar, ...]] = field(default_factory=dict)

    @property
    def whole(self) -> bool:
        """Whether the range holds whole numbers only."""
        return isinstance(self.low, int) and isinstance(self.high, int) and isinstance(self.step, int | None)

    def active(self, point: Point) -> bool:
        """Whether this parameter exists beside the values in `point`."""
        return all(point.get(path) in values for path, values in self.when.items())

    def suggest(self, trial: Trial) -> Scalar:
        """The value that `trial` takes here."""
        if self.choices is not None:
            return trial.suggest_categorical(self.path, self.choices)
        if self.whole:
            return trial.suggest_int(self.path, self.low, self.high, step=self.step or 1, log=self.log)
        return trial.suggest_float(self.path, self.low, self.high, step=self.step, log=self.log)

    @property
    def continuous(self) -> bool:
        """Whether there is no end of values: a range without a step, or whole numbers of which some stand for all."""
        return self.choices is None and self.step is None and not (self.whole and not self.log)

    def values(self) -> tuple[Scalar, ...]:
        """Every value, for a grid; not of a continuous range."""
        if self.choices is not None:
            return self.choices
        step = self.step or 1
        count = math.floor((self.high - self.low) / step * (1 + 1e-12)) + 1
        return tuple(self.low + i * step for i in range(count))

    def extremes(self) -> tuple[Scalar, ...]:
        """All choices, or both ends of the range."""
        return self.choices if self.choices is not None else (self.low, self.high)


def settle(parameters: Iterable[Parameter], constants: Mapping[str, Any]) -> list[Parameter]:
    """`parameters` with every `when` about a path outside the space decided by the value it has in `constants`.

    Raises:
        FulmenError: a condition names a path that is neither searched nor in the config.
    """
    parameters, kept = list(parameters), []
    searched = {parameter.path for parameter in parameters}
    for parameter in parameters:
        unknown = [path for path in parameter.when if path not in searched and path not in constants]
        if unknown:
            near = did_you_mean(unknown[0], [*searched, *constants])
            raise FulmenError(f"search.space.{parameter.path}.when: there is no {unknown[0]}{near}")
        fixed = {path: values for path, values in parameter.when.items() if path not in searched}
        if all(constants[path] in values for path, values in fixed.items()):
            open_ = {path: values for path, values in parameter.when.items() if path in searched}
            kept.append(Parameter(**{**parameter.__dict__, "when": open_}))
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
    if endless := [parameter for parameter in parameters if parameter.continuous]:
        raise ConfigError(
            Mistake(
                f"search.space.{p.path}",
                "a grid needs a step or choices here, as in "
                f"'search.space.{p.path}={{low:null,high:null,log:null,choices:[{p.low!r},{p.high!r}]}}'",
            )
            for p in endless
        )
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


def as_overrides(point: Point) -> list[str]:
    """A point as a person would type it: `model.optimizer.lr=0.001`."""
    return [f"{path}={as_text(value)}" for path, value in point.items()]


def describe(parameters: Iterable[Parameter]) -> dict[str, dict[str, Any]]:
    """A space as plain values, as `search.space` would be written with dotted paths."""
    return {
        p.path: {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in p.__dict__.items()
            if name not in ("path", "when") and is_said(value)
        }
        | ({"when": {path: list(values) for path, values in p.when.items()}} if p.when else {})
        for p in parameters
    }


def is_said(value: Any) -> bool:
    """Whether an entry's value says anything: null and false are what it would be without."""
    return value is not None and value is not False


def _complete(point: Point, parameters: Iterable[Parameter]) -> Point:
    """`point` with the first value of every other parameter that exists beside it."""
    complete: Point = {}
    for parameter in parameters:
        if parameter.active(complete):
            complete[parameter.path] = point.get(parameter.path, parameter.extremes()[0])
    return complete
