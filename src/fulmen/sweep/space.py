"""Search spaces: which values of which config paths a study may try."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from optuna.trial import Trial

from fulmen.errors import FulmenError
from fulmen.mistakes import as_text, did_you_mean, join

ENTRY = ("low", "high", "log", "step", "choices", "when")
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

    def values(self) -> tuple[Scalar, ...]:
        """Every value, for a grid.

        Raises:
            FulmenError: a continuous range has no end of them.
        """
        if self.choices is not None:
            return self.choices
        if self.step is None and not (self.whole and not self.log):
            raise FulmenError(
                f"search.space.{self.path}: a grid needs a step or choices here, "
                f"as in search.space.{self.path}='{{choices:[{self.low!r},{self.high!r}]}}'"
            )
        step = self.step or 1
        count = math.floor((self.high - self.low) / step * (1 + 1e-12)) + 1
        return tuple(self.low + i * step for i in range(count))

    def extremes(self) -> tuple[Scalar, ...]:
        """All choices, or both ends of the range."""
        return self.choices if self.choices is not None else (self.low, self.high)


def read_space(tree: Mapping[str, Any]) -> list[Parameter]:
    """The parameters that `search.space` describes, each after those its `when` asks for.

    Raises:
        FulmenError: the space is empty or contradicts itself; the message names the place.
    """
    parameters = [_parameter(path, entry) for path, entry in _entries(tree, "")]
    if not parameters:
        raise FulmenError(
            "search.space is empty: choose one with search/space=<name> or name what to vary, "
            "as in 'search.space.model.optimizer.lr={low:1e-4,high:1e-2,log:true}'"
        )
    return _ordered(parameters)


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
        FulmenError: a range is continuous, or there are more than a million points.
    """
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
            if name not in ("path", "when") and _said(value)
        }
        | ({"when": {path: list(values) for path, values in p.when.items()}} if p.when else {})
        for p in parameters
    }


def _entries(tree: Any, path: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every entry in nested (or dotted) paths; null switches one off."""
    if tree is None:
        return
    if not isinstance(tree, Mapping):
        parent, _, name = path.rpartition(".")
        near = did_you_mean(name, ENTRY) if parent else ""
        raise FulmenError(f"search.space.{path}: write {{low, high}} or {{choices}} here, got {as_text(tree)}{near}")
    own = {key: value for key, value in tree.items() if key in ENTRY and not (key != "when" and _is_tree(value))}
    if own:
        yield path, own
    for key, value in tree.items():
        if key not in own:
            yield from _entries(value, join(path, key))


def _said(value: Any) -> bool:
    return value is not None and value is not False


def _is_tree(value: Any) -> bool:
    return isinstance(value, Mapping)


def _parameter(path: str, entry: Mapping[str, Any]) -> Parameter:
    def refuse(problem: str) -> FulmenError:
        return FulmenError(f"search.space.{path}: {problem}")

    when = {
        condition: tuple(values) if isinstance(values, list) else (values,)
        for condition, values in (entry.get("when") or {}).items()
    }
    if (choices := entry.get("choices")) is not None:
        extra = [name for name in ("low", "high", "log", "step") if _said(entry.get(name))]
        if extra:
            raise refuse(f"choices and {extra[0]} contradict each other; keep one")
        if not isinstance(choices, list) or not choices:
            raise refuse(f"choices must be a list of at least one value, got {as_text(choices)}")
        if any(not isinstance(choice, Scalar) for choice in choices):
            raise refuse("choices must be plain values: text, numbers, true, false, null")
        if len(set(map(as_text, choices))) < len(choices):
            raise refuse(f"a choice stands twice in {as_text(choices)}")
        return Parameter(path, tuple(choices), when=when)
    low, high, step, log = (entry.get(name) for name in ("low", "high", "step", "log"))
    for name, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise refuse(f"{name} must be a number, got {'nothing' if value is None else as_text(value)}")
    if not isinstance(log, bool | None):
        raise refuse(f"log must be true or false, got {as_text(log)}")
    if not low < high:
        raise refuse(f"low must be less than high, got low {low} and high {high}")
    if log and low <= 0:
        raise refuse(f"a logarithmic range must begin above 0, got low {low}")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low):
        raise refuse(f"step must be a number above 0 and no more than high - low, got {as_text(step)}")
    if log and step is not None:
        raise refuse("log and step contradict each other; keep one")
    return Parameter(path, None, low, high, bool(log), step, when)


def _ordered(parameters: list[Parameter]) -> list[Parameter]:
    by_path = {parameter.path: parameter for parameter in parameters}
    for parameter in parameters:
        for path, values in parameter.when.items():
            other = by_path.get(path)
            if other and other.choices is not None and not set(values) & set(other.choices):
                raise FulmenError(
                    f"search.space.{parameter.path}.when: {path} never is {', '.join(map(as_text, values))}; "
                    f"its choices are {', '.join(map(as_text, other.choices))}"
                )
    ordered: list[Parameter] = []
    left = list(parameters)
    while left:
        done = {parameter.path for parameter in ordered}
        free = [p for p in left if all(path in done or path not in by_path for path in p.when)]
        if not free:
            raise FulmenError(f"search.space.{left[0].path}.when: the conditions go in a circle")
        ordered += free
        left = [parameter for parameter in left if parameter not in free]
    return ordered


def _complete(point: Point, parameters: Iterable[Parameter]) -> Point:
    """`point` with the first value of every other parameter that exists beside it."""
    complete: Point = {}
    for parameter in parameters:
        if parameter.active(complete):
            complete[parameter.path] = point.get(parameter.path, parameter.extremes()[0])
    return complete
