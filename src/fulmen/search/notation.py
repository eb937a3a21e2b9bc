"""How a search space is written: ranges and choices in the places of the config that they vary."""

from collections.abc import Iterator, Mapping
from typing import Any

from fulmen.config.mistakes import ConfigError, Mistake, as_text, did_you_mean, join
from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.search.space import Choices, Parameter, Range, is_said
from fulmen.utils.plain import Scalar

ENTRY = ("low", "high", "log", "step", "choices", "when")

Entry = Mapping[str, Any]  # as typed: nothing in it is known yet


def read_space(tree: Entry) -> list[Parameter]:
    """The parameters that `search.space` describes, each after those its `when` asks for.

    Raises:
        FulmenError: the space is empty or contradicts itself; the message names every place.
    """
    parameters: list[Parameter] = []
    mistakes: list[Mistake] = []
    for path, entry in _entries(tree, ""):
        try:
            parameters.append(_parameter(path, entry))
        except ConfigError as error:
            mistakes += error.mistakes
    if mistakes:
        raise ConfigError(mistakes)
    if not parameters:
        raise FulmenError(
            "search.space is empty: choose one with search/space=<name> or name what to vary, "
            "as in 'search.space.model.optimizer.lr={low:1e-4,high:1e-2,log:true}'"
        )
    return _ordered(parameters)


def _entries(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every entry in nested (or dotted) paths, and whatever stands where one should; null switches one off."""
    if tree is None:
        return
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    own = {key: value for key, value in tree.items() if key in ENTRY and not (key != "when" and _is_tree(value))}
    if own:
        yield path, own
    for key, value in tree.items():
        if key not in own:
            yield from _entries(value, join(path, key))


def _is_tree(value: Any) -> bool:
    return isinstance(value, Mapping)


def _parameter(path: str, entry: Any) -> Parameter:
    if not isinstance(entry, Mapping):
        parent, _, name = path.rpartition(".")
        near = did_you_mean(name, ENTRY) if parent else ""
        raise _refusal(path, f"write {{low, high}} or {{choices}} here, got {as_text(entry)}{near}")
    when = {
        condition: tuple(values) if isinstance(values, list) else (values,)
        for condition, values in (entry.get("when") or {}).items()
    }
    problem = _wrong_range(entry) if entry.get("choices") is None else _wrong_choices(entry)
    if problem:
        raise _refusal(path, problem)
    if entry.get("choices") is not None:
        return Choices(path, tuple(entry["choices"]), when=when)
    return Range(path, entry["low"], entry["high"], bool(entry.get("log")), entry.get("step"), when=when)


def _wrong_choices(entry: Entry) -> str:
    """What is wrong with an entry of choices; empty if nothing is."""
    choices = entry["choices"]
    if extra := [name for name in ("low", "high", "log", "step") if is_said(entry.get(name))]:
        return f"choices and {extra[0]} contradict each other; keep one"
    if not isinstance(choices, list) or not choices:
        return f"choices must be a list of at least one value, got {as_text(choices)}"
    if any(not isinstance(choice, Scalar) for choice in choices):
        return "choices must be plain values: text, numbers, true, false, null"
    if len(set(map(as_text, choices))) < len(choices):
        return f"a choice stands twice in {as_text(choices)}"
    return ""


def _wrong_range(entry: Entry) -> str:
    """What is wrong with an entry of a range; empty if nothing is."""
    low, high, step, log = (entry.get(name) for name in ("low", "high", "step", "log"))
    for name, value in (("low", low), ("high", high)):
        if isinstance(value, bool) or not is_known(value):
            return f"{name} must be a number, got {'nothing' if value is None else as_text(value)}"
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if not isinstance(log, bool | None):
        return f"log must be true or false, got {as_text(log)}"
    if not low < high:
        return f"low must be less than high, got low {low} and high {high}"
    if log and low <= 0:
        return f"a logarithmic range must begin above 0, got low {low}"
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low):
        return f"step must be a number above 0 and no more than high - low, got {as_text(step)}"
    return "log and step contradict each other; keep one" if log and step is not None else ""


def _refusal(path: str, problem: str) -> ConfigError:
    return ConfigError([Mistake(f"search.space.{path}", problem)])


def _ordered(parameters: list[Parameter]) -> list[Parameter]:
    """Each after those its `when` asks for, else as they were written."""
    by_path = {parameter.path: parameter for parameter in parameters}
    for parameter in parameters:
        for path, values in parameter.when.items():
            _refuse_never(parameter, by_path.get(path), values)
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


def _refuse_never(parameter: Parameter, asked_for: Parameter | None, values: tuple[Scalar, ...]) -> None:
    """Pass unless `parameter` waits for a value that is none of the choices of the other."""
    if isinstance(asked_for, Choices) and not set(values) & set(asked_for.choices):
        raise FulmenError(
            f"search.space.{parameter.path}.when: {asked_for.path} never is {', '.join(map(as_text, values))}; "
            f"its choices are {', '.join(map(as_text, asked_for.choices))}"
        )
