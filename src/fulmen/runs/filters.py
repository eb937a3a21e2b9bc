"""`--filter status=failed 'lr>0.01' tag=paper gnn`: what a result has to be like to be listed."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from fulmen.errors import FulmenError
from fulmen.runs.choices import COLUMNS
from fulmen.runs.entry import Entry
from fulmen.runs.settings import plain
from fulmen.runs.values import Values

TERM = re.compile(r"\s*([^=!<>~]+?)\s*(==|!=|<=|>=|=|<|>|~)\s*(.*?)\s*", re.DOTALL)
WAYS: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: a < b, "<=": lambda a, b: a <= b, ">": lambda a, b: a > b, ">=": lambda a, b: a >= b,
}  # fmt: skip


@dataclass(frozen=True)
class Filter:
    """One condition; without a name a text that stands somewhere in path, network, overrides, tags, note or message."""

    name: str
    way: str
    wanted: str

    @classmethod
    def read(cls, word: str) -> "Filter":
        """What was typed.

        Raises:
            FulmenError: nothing stands behind the sign, or before it.
        """
        found = TERM.fullmatch(word)
        if not found:
            if re.match(r"\s*[=!<>~]", word):
                raise FulmenError(f"filter: {word}: a name has to stand before the sign, such as status=failed")
            return cls("", "~", word.strip())
        name, way, wanted = found.groups()
        if wanted[:1] in tuple("=!<>~"):
            raise FulmenError(f"filter: {word}: {way}{wanted[0]} is no sign; there is = != < <= > >= and ~")
        if not wanted:
            raise FulmenError(f"filter: {word}: a value has to stand behind {way}, such as status=failed")
        return cls(name, "=" if way == "==" else way, wanted)

    def fits(self, value: Any) -> bool:
        """Whether a value is like that; one that is not known is only unlike others.

        Raises:
            FulmenError: a number is compared with a word.
        """
        if value is None or value == []:
            return self.way == "!="
        values = value if isinstance(value, list) else [value]
        if self.way == "~":
            return any(self.wanted.lower() in str(each).lower() for each in values)
        if self.way in ("=", "!="):
            same = any(_same(each, wanted.strip()) for each in values for wanted in self.wanted.split(","))
            return same == (self.way == "=")
        if isinstance(value, list):
            raise FulmenError(f"filter: {self.name}{self.way}{self.wanted}: {self.name} has no order; = and ~ work")
        wanted = self.wanted if self.name in ("created", "ended") else plain(self.wanted)
        if _is_number(value) != _is_number(wanted):
            if _is_number(value):
                raise FulmenError(f"filter: {self.name}{self.way}{self.wanted}: {self.wanted} is no number")
            return False
        return WAYS[self.way](value, wanted) if _is_number(value) else WAYS[self.way](str(value), str(wanted))


def filtered(entries: Iterable[Entry], filters: Iterable[Filter], values: Values) -> list[Entry]:
    """The results that are like all of `filters`.

    Raises:
        FulmenError: an unknown name, or a number that is compared with a word.
    """
    entries = list(entries)
    for each in sorted(filters, key=lambda each: bool(each.name) and each.name not in COLUMNS):  # cheap ones first
        name = values.key(each.name, "filter") if each.name else ""
        entries = [entry for entry in entries if each.fits(values.of(entry, name) if name else _words(entry))]
    return entries


def _words(entry: Entry) -> list[str]:
    return [entry.path, entry.network or "", *entry.overrides, *entry.tags, entry.note, entry.message]


def _same(value: Any, wanted: str) -> bool:
    number = plain(wanted)
    if _is_number(value) and _is_number(number):
        return bool(value == number)
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text == wanted or fnmatchcase(text, wanted)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
