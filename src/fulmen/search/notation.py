"""How a search space is written: ranges and choices in the places of the config that they vary."""

from collections.abc import Iterator, Mapping
from typing import Any

from fulmen.config.mistakes import ConfigError, Mistake, as_text, did_you_mean, join, nearest
from fulmen.config.search import ENTRY, meant_key
from fulmen.errors import FulmenError
from fulmen.report.known import is_known
from fulmen.search.mending import entries, put_entry
from fulmen.search.parameters import Choices, Parameter, Range, is_said
from fulmen.utils.plain import Plain, Scalar

Entry = Mapping[str, Any]  # as typed: nothing in it is known yet
Wrong = tuple[str, Entry | None]  # what is wrong with an entry, and how it would have to read

EMPTY = (
    "search.space is empty: choose one with search/space=<name> or name what to vary, "
    "as in 'search.space.model.optimizer.lr={low:1e-4,high:1e-2,log:true}'"
)
NUMBERS = ("low", "high", "step")


def read_space(tree: Entry) -> list[Parameter]:
    """The parameters that `search.space` describes, each after those its `when` asks for.

    Raises:
        FulmenError: the space is empty or contradicts itself; the message names every place.
    """
    parameters: list[Parameter] = []
    mistakes: list[Mistake] = []
    for path, entry in entries(tree, ""):
        if entry is None:
            continue
        if found := list(_mistakes(path, entry)):
            mistakes += found
        else:
            parameters.append(_parameter(path, entry))
    if mistakes:
        raise ConfigError(mistakes)
    if not parameters:
        raise FulmenError(EMPTY)
    return _ordered(parameters)


def _parameter(path: str, entry: Entry) -> Parameter:
    when = {
        condition: tuple(values) if isinstance(values, list) else (values,)
        for condition, values in _conditions(entry.get("when") or {}, "")
    }
    if entry.get("choices") is not None:
        return Choices(path, tuple(entry["choices"]), when=when)
    return Range(path, entry["low"], entry["high"], bool(entry.get("log")), entry.get("step"), when=when)


def _conditions(tree: Any, path: str) -> Iterator[tuple[str, Any]]:
    """The paths of a `when`, nested or dotted, with their values."""
    if not isinstance(tree, Mapping):
        yield path, tree
        return
    for key, value in tree.items():
        yield from _conditions(value, join(path, key))


def _mistakes(path: str, entry: Any) -> Iterator[Mistake]:
    """Everything that is wrong with an entry, one thing after the other mended."""
    where, before = f"search.space.{path}", entry if isinstance(entry, Mapping) else None
    problems: list[str] = []
    mended: Entry | None = entry
    while mended is not None and (wrong := _wrong(mended)):
        problems.append(wrong[0])
        mended = wrong[1]
    cure = None if mended is None else put_entry(path, mended, before)
    for number, problem in enumerate(problems):
        yield Mistake(where, problem, cure if number == 0 or cure is None else _mended_already)


def _mended_already(overrides: list[str]) -> list[str]:
    return overrides


def _wrong(entry: Any) -> Wrong | None:
    """The first thing that is wrong with an entry; None if nothing is."""
    if not isinstance(entry, Mapping):
        some = entry if isinstance(entry, list) else [entry]
        return f"write {{low, high}} or {{choices}} here, got {as_text(entry)}", {"choices": some}
    if unknown := next((key for key in entry if key not in ENTRY), None):
        meant = meant_key(unknown, [key for key in ENTRY if entry.get(key) is None]) or meant_key(unknown)
        others = {key: value for key, value in entry.items() if key not in (unknown, meant)}
        if meant:
            return f"there is no {unknown}; did you mean {meant}?", {**others, meant: entry[unknown]}
        return f"there is no {unknown}{did_you_mean('', ENTRY)}; the command leaves it out", others
    if entry.get("when") is not None and not isinstance(entry["when"], Mapping):
        return f"when must say of which values, as in when:{{network:gru}}, got {as_text(entry['when'])}", None
    return _wrong_range(entry) if entry.get("choices") is None else _wrong_choices(entry)


def _wrong_choices(entry: Entry) -> Wrong | None:
    """What is wrong with an entry of choices."""
    choices = entry["choices"]
    if extra := [name for name in ("low", "high", "log", "step") if is_said(entry.get(name))]:
        problem = f"choices and {' and '.join(extra)} contradict each other; the command keeps the choices"
        return problem, {key: value for key, value in entry.items() if key not in extra}
    if not isinstance(choices, list) or not choices:
        single = {**entry, "choices": [choices]} if isinstance(choices, str | int | float) else None
        return f"choices must be a list of at least one value, got {as_text(choices)}", single
    if any(not _is_value(choice) for choice in choices):
        return "choices must be plain values (text, numbers, true, false, null) or lists of them", None
    texts = [as_text(choice) if isinstance(choice, list) else choice for choice in choices]
    single_ones = {(type(text) is bool, text): choice for text, choice in zip(texts, choices, strict=True)}
    if len(single_ones) < len(choices):
        return f"a choice stands twice in {as_text(choices)}", {**entry, "choices": list(single_ones.values())}
    return None


def _is_value(value: Any) -> bool:
    return all(map(_is_value, value)) if isinstance(value, list) else isinstance(value, Scalar)


def _wrong_range(entry: Entry) -> Wrong | None:
    """What is wrong with an entry of a range."""
    low, high, step, log = (entry.get(name) for name in ("low", "high", "step", "log"))
    for name in NUMBERS:
        if isinstance(entry.get(name), str) and (number := _number(entry[name])) is not None:
            return f"{name} must be a number, got the text '{entry[name]}'", {**entry, name: number}
    for name, value, other in (("low", low, high), ("high", high, low)):
        if isinstance(value, bool) or not is_known(value):
            single = (
                _without(entry, *NUMBERS, "log") | {"choices": [other]} if value is None and other is not None else None
            )
            return f"{name} must be a number, got {'nothing' if value is None else as_text(value)}", single
    assert isinstance(low, int | float)
    assert isinstance(high, int | float)
    if not isinstance(log, bool | None):
        return f"log must be true or false, got {as_text(log)}", {
            **entry,
            "log": str(log).lower() in ("yes", "on", "1"),
        }
    if low == high:
        problem = f"low must be less than high, got low {low} and high {high}"
        return problem, _without(entry, *NUMBERS, "log") | {"choices": [low]}
    if low > high:
        return f"low must be less than high, got low {low} and high {high}", {**entry, "low": high, "high": low}
    if log and low <= 0:
        problem = f"a logarithmic range must begin above 0, got low {low}; the command leaves log out"
        return problem, _without(entry, "log")
    if step is not None and (isinstance(step, bool) or not isinstance(step, int | float) or not 0 < step <= high - low):
        problem = f"step must be a number above 0 and no more than high - low, got {as_text(step)}"
        return f"{problem}; the command leaves it out", _without(entry, "step")
    if log and step is not None:
        return "log and step contradict each other; the command keeps the step", _without(entry, "log")
    return None


def _without(entry: Entry, *names: str) -> dict[str, Any]:
    return {key: value for key, value in entry.items() if key not in names}


def _number(text: str) -> int | float | None:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return None


def _ordered(parameters: list[Parameter]) -> list[Parameter]:
    """Each after those its `when` asks for, else as they were written."""
    by_path = {parameter.path: parameter for parameter in parameters}
    if never := [
        m for p in parameters for path, values in p.when.items() if (m := _never(p, by_path.get(path), values))
    ]:
        raise ConfigError(never)
    ordered: list[Parameter] = []
    left = list(parameters)
    while left:
        done = {parameter.path for parameter in ordered}
        free = [p for p in left if all(path in done or path not in by_path for path in p.when)]
        if not free:
            raise ConfigError([Mistake(f"search.space.{left[0].path}.when", "the conditions go in a circle")])
        ordered += free
        left = [parameter for parameter in left if parameter not in free]
    return ordered


def _never(parameter: Parameter, asked_for: Parameter | None, values: tuple[Plain, ...]) -> Mistake | None:
    """The mistake of waiting for a value that is none of the choices of another parameter."""
    if not isinstance(asked_for, Choices) or any(value in asked_for.choices for value in values):
        return None
    there = [choice for choice in asked_for.choices if isinstance(choice, str)]
    meant = [near for value in values if isinstance(value, str) and (near := nearest(value, there))]
    when = {path: list(old) for path, old in parameter.when.items()} | {asked_for.path: meant}
    problem = (
        f"{asked_for.path} never is {', '.join(map(as_text, values))}; "
        f"its choices are {', '.join(map(as_text, asked_for.choices))}"
    )
    cure = put_entry(parameter.path, {**parameter.described(), "when": when}) if meant else None
    return Mistake(f"search.space.{parameter.path}.when", problem, cure)
