"""What Hydra and the YAML reader complain about, in the user's terms."""

import re
from collections.abc import Callable

import yaml
from hydra.errors import MissingConfigException, OverrideParseException

from fulmen.config.file_errors import in_file, line_choosing, not_text, unreadable
from fulmen.config.mistakes import (
    Mend,
    Mistake,
    command,
    did_you_mean,
    for_shell,
    join,
    key_of,
    nearest,
    put,
    quoted,
    reads_as_text,
    take_back,
)
from fulmen.config.places import SWEEP
from fulmen.config.readings import decimal_comma
from fulmen.config.schema import choices, groups, shared_out
from fulmen.config.unquoted import PAIRS, is_open, meant, requoted


def translated(error: Exception, overrides: list[str], paths: Callable[[list[str]], list[str]]) -> Mistake:
    """The mistake behind an `error` in composing `overrides` (as typed).

    Args:
        paths: gives the dotted paths in the config that some overrides lead to.
    """
    if isinstance(error, yaml.MarkedYAMLError) and (mistake := unreadable(error)):
        return mistake
    if isinstance(error, UnicodeDecodeError) and (mistake := not_text()):
        return mistake
    if isinstance(error, OverrideParseException):
        return _unparsable(error)
    if not any(override.startswith("+") for override in overrides) and (mistake := in_file(error)):
        return mistake
    if isinstance(error, MissingConfigException) and error.missing_cfg_file:
        return _no_such_choice(error, overrides)
    if isinstance(error, ValueError):
        for override in overrides:
            key, value = key_of(override), override.partition("=")[2]
            if key in groups() and not reads_as_text(value) and "group override must be" in str(error):
                return Mistake(key, f"takes one of {', '.join(choices(key))}", take_back(key))
        raise error

    text = "\n".join(filter(None, [str(error), str(error.__cause__ or "")]))
    if several := re.search(r"(?:Ambiguous value for argument|Sweep parameters) '([^']+)'", text):
        return _several(several[1].removeprefix("++"), overrides)
    for typed in reversed(overrides):
        if re.search(rf"(?<![\w.]){re.escape(key_of(typed))}(?![\w.]\w)", first_line(text)):
            if re.match(r"search\b", key_of(typed)):
                problem = f"a training takes no search; {SWEEP} does"
                return Mistake(key_of(typed), problem, take_back(key_of(typed)))
            choosing = [o for o in overrides if key_of(o) in (*groups(), "hydra.searchpath") and o != typed]
            return _unknown_key(typed, paths(choosing)) or _refused(typed, first_line(text))
    return Mistake("", first_line(text))


def _unparsable(error: OverrideParseException) -> Mistake:
    """An override that Hydra cannot read; a value that is text is put in quotes."""
    typed = error.override.removeprefix("++")
    key, equals, value = typed.partition("=")
    literal = re.fullmatch(r"\+?[\w.]+", key) and value.strip("= ") and "${" not in value
    if literal and (is_open(value) and re.fullmatch(r".[\w\s,:-]*", value)):
        closed = requoted(key, value + PAIRS[value[0]]) if re.search("[A-Za-z]", value) else None
        mend = None if value.rstrip().endswith(",") else replace(typed, closed)  # the rest stands elsewhere
        return Mistake(key_of(key), "cannot be read, write name=value: a bracket is not closed", mend)
    if literal and (instead := requoted(key, value)):
        return Mistake(key_of(key), "a text with such characters needs quotes", replace(typed, instead))
    if equals and isinstance(meant(value), dict):
        return Mistake(key_of(key), "a name in braces cannot hold such characters; write it into the experiment's file")
    if not equals:
        return Mistake(typed, "has no value: write name=value", replace(typed))
    reason = next(line for line in error.message.splitlines() if not line.startswith("Error parsing"))
    problem = f"cannot be read, write name=value ({reason.partition(' expecting')[0]})"
    return Mistake(typed, problem, replace(typed))


def _several(typed: str, overrides: list[str]) -> Mistake:
    """Several values where one is wanted, or a number with a decimal comma."""
    if number := decimal_comma(typed):
        problem = "a decimal point is wanted, and values for several runs need -m"
        return Mistake(key_of(typed), problem, replace(typed, number))
    problem = f"several values for one run; this runs them all: {command(['-m', *overrides])}"
    key, _, value = typed.partition("=")
    if all(map(reads_as_text, value.split(","))) and "(" not in value and key not in groups():
        problem += f"; one name with a comma: {for_shell(f'{key}={quoted(value)}')}"
    return Mistake(key_of(typed), problem)


def _no_such_choice(error: MissingConfigException, overrides: list[str]) -> Mistake:
    missing = error.missing_cfg_file or ""
    group, _, choice = missing.rpartition("/")
    options = choices(group) or list(error.options or [])
    if not options and group not in groups():
        return Mistake(group, f"no such group{did_you_mean(group, groups())} ({first_line(error)})")
    meant = nearest(choice, options) or (options[0] if options and group == "experiment" else None)
    mend = put(group, meant) if meant and group in groups() else take_back(group)
    homes = [home for home in shared_out().get(group, ()) if choice in choices(f"{group}/{home}")]
    meant_home = f"; did you mean {homes[0]}/{choice}?" if homes else did_you_mean(choice, options)
    typed = group.partition("/")[0] in map(key_of, overrides)
    where = "" if typed else line_choosing(missing)
    return Mistake(group, f"there is no {choice}{meant_home}", mend, where)


def _unknown_key(typed: str, there: list[str]) -> Mistake | None:
    """The mistake of switching off or deleting what is not among the paths `there`."""
    key = key_of(typed)
    if key in there or not there:
        return None
    owner, _, name = key.rpartition(".")
    siblings = [path.rpartition(".")[2] for path in there if path.rpartition(".")[0] == owner]
    meant = nearest(name, siblings)
    instead = typed.replace(key, join(owner, meant)) if meant else None
    return Mistake(key, f"no such key{did_you_mean(name, siblings)}", replace(typed, instead))


def _refused(typed: str, reason: str) -> Mistake:
    """Any other complaint about an override; `+group=choice` is meant as `group=choice`."""
    key = key_of(typed)
    return Mistake(key, reason, replace(typed, typed.lstrip("+") if key in groups() and typed[0] == "+" else None))


def replace(typed: str, instead: str | None = None) -> Mend:
    """Take back one override, word for word, or write another in its place."""

    def mend(overrides: list[str]) -> list[str]:
        replaced = [instead if override.lstrip("+") == typed.lstrip("+") else override for override in overrides]
        return [override for override in replaced if override]

    return mend


def first_line(text: object) -> str:
    return str(text).partition("\n")[0].strip()
