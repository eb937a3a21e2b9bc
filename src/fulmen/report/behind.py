"""What stands behind a score: of how many items it is, and of how many runs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from fulmen.report.known import is_known
from fulmen.report.words import SPLITS, counted

ITEMS = "test items"  # where a workload has no word for them


@dataclass(frozen=True)
class Behind:
    """How many runs and items the scores of a table are of; `str` says it in a line.

    Attributes:
        runs: that one score is a mean over.
        unit: what these are, where they are no runs: "seed", "fold".
        items: split -> number of items in each run, or in each row where a row is a run; only what is known.
        counted: what the items are: "subjects", "images".
        column: of the table, that says for each row how many items of `items` are behind it; "" where it is all.
    """

    runs: int = 1
    unit: str = "run"
    items: Mapping[str, Sequence[float]] = field(default_factory=dict)
    counted: str = ITEMS
    column: str = ""

    def __str__(self) -> str:
        runs = counted(self.runs, self.unit)
        each = " in each" * (self.runs > 1)
        word = "items" if self.counted == ITEMS else self.counted
        if self.column:
            return f"n of each score: {runs}, and as many {word}{each} as the column '{self.column}' says."
        parts = [f"{_amount(counts)} {word} of the {SPLITS.get(split, split)} split"
                 for split, counts in self.items.items() if counts]  # fmt: skip
        return f"n of each score: {runs}{', ' * bool(parts)}{' and '.join(parts)}{each * bool(parts)}."

    @property
    def cells(self) -> dict[str, str]:
        """The same for a table that is copied: a column for the runs, and one for the items of each split."""
        found = {f"n ({self.unit}s)": str(self.runs)}
        if not self.column:
            found |= {f"n ({split}, {self.counted})": _amount(counts) for split, counts in self.items.items() if counts}
        return found


def behind(
    results: Sequence[Mapping[str, Any]], splits: Sequence[str] = ("test",), runs: int = 0, unit: str = "run"
) -> Behind:
    """What stands behind scores of runs, as far as their results say it.

    Args:
        results: `result.json` of each run.
        splits: that the scores are of, as far as there are metrics of them: "test", "val".
        runs: that one score is a mean over; 0: as many as each of the results is of.
        unit: what these are.
    """
    runs = runs or max([1, *(len(result.get("runs") or []) for result in results)])
    items = {split: [size for result in results if is_known(size := _size(result, split))] for split in splits}
    word = next((str(result["counted"]) for result in results if result.get("counted")), ITEMS)
    return Behind(runs, unit, items, word)


def _size(result: Mapping[str, Any], split: str) -> object:
    """How many items of a split the metrics of a run are of; None where it has none, or that is not known."""
    if not any(f"{split}/" in name for name in result.get("metrics") or {}):
        return None
    return (result.get("sizes") or {}).get(split)


def _amount(counts: Sequence[float]) -> str:
    """`100`, or `95 to 100` where runs differ."""
    low, high = (f"{round(count):,}" for count in (min(counts), max(counts)))
    about = "about " * (low == high and any(count != round(count) for count in counts))
    return f"{about}{low}" if low == high else f"{low} to {high}"
