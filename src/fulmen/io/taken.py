"""What a reader took from a file, so that a person can see whether it is what was meant."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a server starts without it
    import numpy as np

SHOWN = 2  # files whose lines are told, of many
MOST_POINTS = 12  # of a kind, in a report
LONGEST = 400  # letters of a line; a table can have hundreds of columns


@dataclass(frozen=True)
class Guess:
    """What a reader decided by itself.

    Attributes:
        what: in words, "decimal comma in Open, Close".
        override: an override that states it or changes it, such as `data.decimal=point`; "" where there is none.
    """

    what: str
    override: str = ""

    def __str__(self) -> str:
        return f"{self.what} ({self.override})" if self.override else self.what


@dataclass
class Taken:
    """What a reader took.

    Attributes:
        source: the file, or what else it is called.
        rows: how many of what, from when to when and how often: "2,768 days of AAPL, 2013-01-02 to 2023-12-29".
        roles: what columns serve as: "features" -> "light_lux, temperature_c", "event" -> "Fail, 12.3 % of the rows".
        guesses: what it decided by itself.
        dropped: what it left out, and why.
        doubts: what is read as it stands and looks wrong.
    """

    source: str
    rows: str
    roles: dict[str, str] = field(default_factory=dict)
    guesses: list[Guess] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """One to five lines for a person."""
        found = [
            f"{self.source}: {self.rows}",
            _line("columns", [f"{role}: {columns}" for role, columns in self.roles.items()]),
            _line("decided", list(map(str, dict.fromkeys(self.guesses)))),
            _line("left out", self.dropped),
            _line("doubtful", self.doubts),
        ]
        return [line for line in found if line]

    def points(self) -> list[str]:
        """`lines`, with a point for each decision, what was left out and what is doubtful."""
        found = [f"{self.source}: {self.rows}"]
        found += [_line("columns", [f"{role}: {columns}" for role, columns in self.roles.items()])]
        several = {"decided": list(map(str, dict.fromkeys(self.guesses))), "left out": self.dropped}
        for word, parts in (several | {"doubtful": self.doubts}).items():
            found += [_line(word, [part]) for part in parts[:MOST_POINTS]]
            found += [f"  {word}: {len(parts) - MOST_POINTS} more"] * (len(parts) > MOST_POINTS)
        return [line for line in found if line]

    def to_plain(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return asdict(self)

    @classmethod
    def of_plain(cls, plain: Mapping[str, Any]) -> "Taken":
        """What `to_plain` gave."""
        return cls(**{**plain, "guesses": [Guess(**each) for each in plain["guesses"]]})


def without_doubts(taken: Iterable[Taken]) -> list[Taken]:
    """What was taken, where doubts are told as warnings."""
    return [replace(each, doubts=[]) for each in taken]


def lines_of(taken: Sequence[Taken], most: int = SHOWN) -> list[str]:
    """The lines of the first files, and how many more there are."""
    lines = [line for each in taken[:most] for line in each.lines()]
    return [*lines, f"and {len(taken) - most} more files"] if len(taken) > most + 1 else [
        *lines, *(line for each in taken[most:] for line in each.lines())]  # fmt: skip


def doubts_of(taken: Iterable[Taken]) -> list[str]:
    """All doubts, each with the file that it is about, none twice."""
    found = (doubt if each.source in doubt else f"{each.source}: {doubt}" for each in taken for doubt in each.doubts)
    return list(dict.fromkeys(found))


def points_of_plain(taken: Iterable[Mapping[str, Any]]) -> list[str]:
    """The points of the first files of which `Taken.to_plain` is given; [] if that is damaged."""
    try:
        files = list(map(Taken.of_plain, taken))
        points = [point for each in files[:SHOWN] for point in each.points()]
    except (TypeError, KeyError, ValueError):
        return []
    more = len(files) - SHOWN
    return [*points, f"and {more} more file{'s' * (more > 1)}"] if more > 0 else points


def files_in_words(files: Iterable[str | Path]) -> str:
    """`prices/AAPL.csv`, or the first two of several and how many more, from the working directory on."""
    here = Path.cwd()
    names = [str(path.relative_to(here) if path.is_relative_to(here) else path) for path in map(Path, files)]
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def stored(taken: Iterable[Taken]) -> "np.ndarray":
    """`taken` as an array of one text, JSON, for the cached arrays of a data set."""
    import numpy as np

    return np.array([json.dumps([each.to_plain() for each in taken])], dtype=np.str_)


def restored(array: "np.ndarray") -> list[Taken]:
    """What `stored` was given."""
    return [Taken.of_plain(each) for each in json.loads(str(array.item()))]


def listed(names: Iterable[str], most: int = 8) -> str:
    """`a, b, c and 23 more`"""
    names = list(names)
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more


def _line(word: str, parts: Sequence[str]) -> str:
    text = "; ".join(parts)
    return f"  {word}: {text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}" if parts else ""
