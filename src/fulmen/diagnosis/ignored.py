"""Findings that a run was asked not to report: `findings.ignore=[FUL-D10, overfitting]`."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any, Protocol, TypeVar

from fulmen.diagnosis.findings import CODE, FINDINGS, Finding, finding
from fulmen.errors import FulmenError


class Named(Protocol):
    """A verdict, a leak or a mistake in the data: what has the name of a finding."""

    @property
    def code(self) -> str: ...


Found = TypeVar("Found", bound=Named)


@dataclass(frozen=True)
class Ignored:
    """Names of findings that are left out of what is reported, whatever their letter.

    Attributes:
        names: keys of `findings.FINDINGS`.
    """

    names: frozenset[str] = frozenset()

    @classmethod
    def of(cls, words: Iterable[str]) -> "Ignored":
        """Those that `words` mean by code, with or without `FUL-`, or by name; several of them with commas between.

        Raises:
            FulmenError: there is no such finding; the message has the nearest one.
        """
        words = [words] if isinstance(words, str) else words
        each = [one for word in words for one in str(word).split(",") if one.strip()]
        return cls(frozenset(finding(one).name for one in each))

    def split(self, found: Sequence[Found]) -> tuple[list[Found], list[Found]]:
        """What is reported, and what is left out, each in its order."""
        kept = [each for each in found if each.code not in self.names]
        return kept, [each for each in found if each.code in self.names]


def nearest(word: str) -> Finding | None:
    """The finding that `word` is, or probably is a misspelling of, by name or code."""
    with suppress(FulmenError):
        return finding(word)
    if CODE.fullmatch(word.strip().lower()):
        return None
    names = {name: each for each in FINDINGS.values() for name in (each.name, _plain(each.code))}
    close = get_close_matches(_plain(word), names, n=1, cutoff=0.6)
    return names[close[0]] if close else None


def _plain(word: str) -> str:
    return word.strip().lower().replace(" ", "_").replace("-", "_")


def in_a_line(ignored: Iterable[dict[str, Any]]) -> str:
    """`ignored, as asked: FUL-D10 noisy validation`, of what `result.json` has under that name; "" of nothing."""
    headings = dict.fromkeys(f"{each['id']} {str(each['code']).replace('_', ' ')}" for each in ignored)
    return f"ignored, as asked: {', '.join(headings)}" if headings else ""


def as_plain(found: Iterable[Any]) -> list[dict[str, Any]]:
    """Of each verdict or leak that is left out, for `result.json`: its code, its name and its sentence."""
    return [{"id": each.id, "code": each.code, "finding": each.finding} for each in found]
