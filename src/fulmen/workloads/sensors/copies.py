"""Rows that stand in a table more than once, and machines that are copies of each other."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from fulmen.io.identity import same_rows
from fulmen.io.taken import listed
from fulmen.report.words import counted
from fulmen.workloads.sensors.io.tables import Table

TOLD = 0.01  # share of the rows above which copies are warned of


@dataclass(frozen=True)
class Copies:
    """Which of N rows are copies of others.

    Attributes:
        row: the first row that each is equal to in every column that is used [N]; its own number if to none before it.
        group: machines that are told apart [N]; those with the same readings throughout share a number.
        said: what was found, in words.
        doubts: what of that a person should know of before believing a score.
    """

    row: np.ndarray
    group: np.ndarray
    said: Sequence[str] = ()
    doubts: Sequence[str] = ()


def copies_of(table: Table, group: np.ndarray, names: Sequence[str]) -> Copies:
    """The copies among the N rows of a table: equal in every column that is read, machine and time among them.

    Args:
        group: number of the machine of each row [N]; of `names`.
        names: of the machines; [] where there are none.
    """
    content = [*table.numeric.values(), *table.category.T, table.target]
    place = [*([group] if names else []), table.time_h]
    found = same_rows({str(i): each for i, each in enumerate([*content, *place])})
    row = np.arange(len(found.row)) if not found.repeated else _first(found.row, found.distinct)
    apart, same = _alike(content, group, names)
    said: list[str] = []
    doubts: list[str] = []
    if found.repeated:
        sentence = (
            f"{found.repeated:,} of {len(row):,} rows are copies of another row in every column used "
            f"({found.distinct:,} are distinct); copies stay in one split"
        )
        (doubts if found.repeated > TOLD * len(row) else said).append(sentence)
    return Copies(row, apart, said, doubts + same)


def _first(code: np.ndarray, kinds: int) -> np.ndarray:
    """The first place at which the code of each row stands [N]; codes are numbers below `kinds`."""
    first = np.empty(kinds, dtype=np.int64)
    first[code[::-1]] = np.arange(len(code))[::-1]  # of several values for one place, the last one stays
    return first[code]


def _alike(content: Sequence[np.ndarray], group: np.ndarray, names: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Machines with the same rows in any order become one, and a sentence for each such set."""
    if len(names) < 2:
        return group, []
    rows = pd.util.hash_array(same_rows({str(i): each for i, each in enumerate(content)}).row)
    sums = np.zeros(len(names), dtype=np.uint64)
    np.add.at(sums, group, rows)
    count = np.bincount(group, minlength=len(names))
    whole = same_rows({"count": count, "sum": sums.view(np.int64)})
    first = _first(whole.row, whole.distinct)
    sets = [np.flatnonzero(first == each) for each in np.unique(first[first != np.arange(len(first))])]
    doubts = [
        f"{listed([names[i] for i in each.tolist()], 5)} have the same readings in all "
        f"{counted(int(count[each[0]]), 'row')} of each; they stay in one split"
        for each in sets[:3]
    ] + ([f"and so have {len(sets) - 3} more sets"] if len(sets) > 3 else [])
    return (first[group] if sets else group), doubts
