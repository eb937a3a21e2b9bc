"""Search spaces: which values of which config paths a study may try."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from fulmen.config.mistakes import ConfigError, Mistake, as_text, did_you_mean, nearest
from fulmen.errors import FulmenError
from fulmen.search.mending import put_entry
from fulmen.search.parameters import Described, Parameter, Point, Range
from fulmen.utils.plain import Plain, Scalar

if TYPE_CHECKING:  # a space is read and judged without Optuna
    from optuna.trial import Trial

LARGEST_GRID = 1_000_000


def settle(parameters: Iterable[Parameter], constants: Mapping[str, Scalar]) -> list[Parameter]:
    """`parameters` with every `when` about a path outside the space decided by the value it has in `constants`.

    Raises:
        ConfigError: conditions name paths that are neither searched nor in the config.
        FulmenError: none holds.
    """
    parameters, kept = list(parameters), list[Parameter]()
    searched = {parameter.path for parameter in parameters}
    known = [*searched, *constants]
    if lost := [(p, path) for p in parameters for path in p.when if path not in searched and path not in constants]:
        raise ConfigError(_unknown_condition(parameter, path, known) for parameter, path in lost)
    for parameter in parameters:
        fixed = {path: values for path, values in parameter.when.items() if path not in searched}
        if all(constants[path] in values for path, values in fixed.items()):
            open_ = {path: values for path, values in parameter.when.items() if path in searched}
            kept.append(replace(parameter, when=open_))
    if not kept:
        raise FulmenError("search.space is empty: no parameter's `when` holds for this config")
    return kept


def _unknown_condition(parameter: Parameter, path: str, known: list[str]) -> Mistake:
    meant = nearest(path, known)
    when = {meant if meant and name == path else name: list(values) for name, values in parameter.when.items()}
    cure = put_entry(parameter.path, {**parameter.described(), "when": when}) if meant else None
    return Mistake(f"search.space.{parameter.path}.when", f"there is no {path}{did_you_mean(path, known)}", cure)


def suggest(parameters: Iterable[Parameter], trial: "Trial") -> Point:
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
    points = all_points(parameters, LARGEST_GRID)
    if points is None:
        raise FulmenError(f"search.space: a grid of more than {LARGEST_GRID:,} points; take search=random")
    return points


def all_points(parameters: Iterable[Parameter], limit: float) -> list[Point] | None:
    """Every point of a space, each once; None if there are more than `limit`."""
    points: list[Point] = [{}]
    for parameter in parameters:
        if sum(parameter.count if parameter.active(point) else 1 for point in points) > limit:
            return None
        values = parameter.values()
        points = [
            {**point, parameter.path: value} if exists else point
            for point in points
            for exists in [parameter.active(point)]
            for value in (values if exists else [None])
        ]
    return points


def _endless(parameter: Parameter) -> Mistake:
    """The mistake of a range without an end of values in a grid: some of its values, or a step, are wanted."""
    assert isinstance(parameter, Range)
    some = {"choices": parameter.some()}
    where = f"search.space.{parameter.path}"
    problem = f"a grid needs choices or a step here, as in {where}={as_text(some)}"
    when = {key: value for key, value in parameter.described().items() if key == "when"}
    return Mistake(where, problem, put_entry(parameter.path, some | when))


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


def _complete(point: Point, parameters: Iterable[Parameter]) -> Point:
    """`point` with the first value of every other parameter that exists beside it."""
    complete: Point = {}
    for parameter in parameters:
        if parameter.active(complete):
            complete[parameter.path] = point.get(parameter.path, parameter.extremes()[0])
    return complete
