"""Mistakes in a config: where, what, and how the command line would have to read."""

import json
import re
import shlex
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from fulmen.config.places import TRAIN
from fulmen.errors import FulmenError

PROGRAM = TRAIN

Mend = Callable[[list[str]], list[str]]


@dataclass(frozen=True)
class Mistake:
    """One thing wrong with a config.

    Attributes:
        path: the place, as one would write it on the command line: `model.optimizer.lr`.
        problem: what is wrong there and what was probably meant.
        mend: turns the overrides typed into overrides without this mistake; None if only a file can be edited.
        where: the file and line that say it, where it was not typed.
    """

    path: str
    problem: str
    mend: Mend | None = field(default=None, compare=False)
    where: str = field(default="", compare=False)

    def __str__(self) -> str:
        return ": ".join(filter(None, [self.where, self.path, self.problem]))


@dataclass(frozen=True)
class Unknown(Mistake):
    """An argument that nothing takes in its place.

    Attributes:
        value: what was written for it.
        meant: the argument there of nearly the same name, if there is one.
    """

    value: Any = field(default=None, compare=False)
    meant: str | None = None


class Broken(Mistake):
    """A module that cannot be imported: one cause, however many places of a config name it."""


class ConfigError(FulmenError):
    """Everything that is wrong with a config and, if there is one, a command that works.

    Attributes:
        mistakes: all that were found.
        overrides: of a command that works, or None.
        without: what was typed and that command leaves out.
    """

    def __init__(
        self,
        mistakes: Iterable[Mistake],
        overrides: list[str] | None = None,
        program: str = PROGRAM,
        without: Iterable[str] = (),
    ):
        self.mistakes = list(dict.fromkeys(mistakes))
        self.overrides, self.without = overrides, list(without)
        lines = [str(mistake) for mistake in self.mistakes]
        if len(lines) > 1:
            lines = [f"{len(lines)} mistakes in the config", *(f"  {line}" for line in lines)]
        if overrides is not None:
            lines += [f"  without: {' '.join(map(for_shell, self.without))}"] if self.without else []
            lines.append(f"  this works: {command(overrides, program)}")
        super().__init__("\n".join(lines))


def command(overrides: Iterable[str], program: str = PROGRAM) -> str:
    """`overrides` as a line to paste into a shell."""
    return " ".join([program, *map(for_shell, overrides)])


def for_shell(text: str) -> str:
    """`text` quoted where a shell needs it; in double quotes if that reads better."""
    return f'"{text}"' if "'" in text and not re.search(r'["$`\\!]', text) else shlex.quote(text)


def nearest(name: str, names: Iterable[str]) -> str | None:
    """The one of `names` that `name` is the beginning or probably a misspelling of.

    Case does not count, swapped letters hardly.
    """
    by_lower = {candidate.lower(): candidate for candidate in names}
    begun = [lower for lower in by_lower if len(name) > 3 and lower.startswith(name.lower())]
    if begun:
        return by_lower[min(begun, key=len)]
    if len(name) < 4:  # one letter of two or three is much: only words of nearly that length can be meant
        by_lower = {lower: candidate for lower, candidate in by_lower.items() if abs(len(lower) - len(name)) < 2}
    close = get_close_matches(name.lower(), by_lower, n=5, cutoff=0.65 if len(name) > 3 else 0.5)
    swapped = [candidate for candidate in close if sorted(candidate) == sorted(name.lower())]
    return by_lower[(swapped or close)[0]] if close else None


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """`; did you mean x?` or, where nothing is near, `; there is a, b, c`."""
    names = list(names)
    if meant := nearest(name, names):
        return f"; did you mean {meant}?"
    return f"; there is {', '.join(names[:20])}{', ...' * (len(names) > 20)}" if names else ""


def join(path: str, key: Any) -> str:
    return f"{path}.{key}" if path else str(key)


def key_of(override: str) -> str:
    """`model.lr` of `++model.lr=1`, `~model.lr` or `model.lr`."""
    return re.split(r"[=@]", override.lstrip("+~"), maxsplit=1)[0].strip()


def is_at(override: str, path: str) -> bool:
    """Whether `override` writes to `path` or below it."""
    key = key_of(override)
    return not override.startswith("~") and (key == path or key.startswith(f"{path}."))


def by_cause(mistakes: Iterable[Mistake]) -> list[Mistake]:
    """The mistakes but those below a wrong `_target_`: what another class would take is not known yet."""
    found = list(mistakes)
    wrong = [mistake.path.removesuffix("_target_") for mistake in found if mistake.path.endswith("._target_")]
    return [each for each in found if each.path.endswith("._target_") or not each.path.startswith(tuple(wrong))]


def is_typed(path: str, overrides: Iterable[str]) -> bool:
    """Whether one of `overrides` writes to `path`, below it, or a whole that holds it."""
    keys = [key_of(override) for override in overrides if not override.startswith("~")]
    return bool(path) and any(f"{path}.".startswith(f"{key}.") or key.startswith(f"{path}.") for key in keys)


def mended_by(mistakes: Iterable[Mistake], overrides: list[str]) -> tuple[list[str], list[str]]:
    """What `overrides` become without these mistakes, and those of them that nothing takes the place of."""
    gone: list[str] = []
    for mistake in mistakes:
        after = mistake.mend(overrides) if mistake.mend else overrides
        lost = [override for override in overrides if override not in after]
        new = [override for override in after if override not in overrides]
        kept = {key_of(override) for override in new}
        if len(new) < len(lost):
            put_together = [_without_quotes(override) for override in new]
            within = [override for override in lost if any(_without_quotes(override) in each for each in put_together)]
            gone += [override for override in lost if key_of(override) not in kept and override not in within]
        overrides = after
    return overrides, gone


def _without_quotes(override: str) -> str:
    return re.sub(r"['\"\\]", "", override)


def drop(path: str) -> Mend:
    """Take back what was typed about `path`; what a file says there is deleted."""

    def mend(overrides: list[str]) -> list[str]:
        kept = [override for override in overrides if not is_at(override, path)]
        return kept if len(kept) < len(overrides) else [*overrides, f"~{path}"]

    return mend


def take_back(key: str) -> Mend:
    """Leave out what was typed for `key`."""
    return lambda overrides: [override for override in overrides if key_of(override) != key]


def leave_out_or(mend: Mend, path: str) -> Mend:
    """Leave out what was typed for `path`; where nothing was, `mend`."""
    left = take_back(path)
    return lambda overrides: left(overrides) if left(overrides) != overrides else mend(overrides)


def put(path: str, value: Any) -> Mend:
    """Write `value` to `path`, whatever was typed or stands in a file there; what was deleted there comes back."""

    def mend(overrides: list[str]) -> list[str]:
        if f"~{path}" in overrides:
            return restore(path)(overrides)
        new = f"{path}={as_text(value)}"
        typed = [new if is_at(override, path) else override for override in overrides]
        return list(dict.fromkeys(typed if new in typed else [*typed, new]))

    return mend


def restore(path: str) -> Mend:
    """Take back the deletion of `path`."""
    return lambda overrides: [override for override in overrides if override != f"~{path}"]


def rename(path: str, new: str, value: Any) -> Mend:
    """Write to `new` what was meant for it but typed, or written in a file, at `path`."""

    def mend(overrides: list[str]) -> list[str]:
        if any(is_at(override, path) for override in overrides):
            return [new + override.lstrip("+")[len(path) :] if is_at(override, path) else override
                    for override in overrides]  # fmt: skip
        below = flat(value, new) if isinstance(value, dict) and "_target_" not in value else {new: value}
        return [*overrides, f"~{path}", *(f"{each}={as_text(item)}" for each, item in below.items())]

    return mend


def flat(value: Any, path: str) -> dict[str, Any]:
    """Every value in nested mappings by its dotted path; a list is one value."""
    if not isinstance(value, dict) or not value:
        return {path: value}
    return {place: item for key, each in value.items() for place, item in flat(each, join(path, key)).items()}


def as_text(value: Any) -> str:
    """A plain value in Hydra's override grammar: `null`, `true`, `1e-3`, `[a,b]`, `{a:1}`, `'a b'`."""
    if isinstance(value, list | tuple):
        return f"[{','.join(map(as_text, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{_as_key(key)}:{as_text(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        plain = re.fullmatch(r"[\w./:-]+|\$\{[\w.]+\}", value, re.ASCII) and reads_as_text(value)
        return value if plain else quoted(value)
    return repr(value) if isinstance(value, float) else json.dumps(value)


def quoted(text: str) -> str:
    """`text` as Hydra reads it word for word."""
    doubled = re.sub(r"\\+(?='|$)", lambda found: 2 * found[0], text)  # before a quote backslashes count double
    return "'" + doubled.replace("'", r"\'") + "'"


def _as_key(name: Any) -> str:
    """The name of a value in `{...}`, where Hydra takes no quotes."""
    return re.sub(r"[\\()\[\]{}:=, \t]", r"\\\g<0>", name) if isinstance(name, str) else str(name)


def reads_as_text(text: str) -> bool:
    """Whether an unquoted override value stays text: it is no number, `null`, `true` or `false`."""
    try:
        float(text)
    except ValueError:
        return text.lower() not in ("null", "true", "false")
    return False
