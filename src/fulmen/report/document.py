"""What a report says, whatever it is of: everything that makes one builds a `Report`, which others write down."""

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fulmen.report.behind import Behind
from fulmen.report.words import spoken

Rows = list[dict[str, Any]]

SHOWN = 6  # columns of a table before the rest is folded up


def number(value: Any, digits: int = 4) -> str:
    """So many significant digits, plain notation where people would write it plainly."""
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if math.isnan(value):
        return ""
    return f"{value:.{digits}g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"


def plus_minus(mean: float, sd: float) -> str:
    """`0.325 ± 0.091`: an sd of two significant digits, and a mean that ends at the same place."""
    if not (math.isfinite(mean) and math.isfinite(sd) and 1e-5 <= sd < 1e5 and abs(mean) < 1e6):
        return f"{number(mean)} ± {number(sd, 2)}" if sd == sd else number(mean)
    places = max(0, 1 - math.floor(math.log10(float(f"{sd:.1e}"))))
    return f"{mean:.{places}f} ± {sd:.{places}f}"


@dataclass(frozen=True)
class Column:
    """How a column is headed: in words, with its unit."""

    heading: str
    unit: str = ""
    digits: int = 4

    def __str__(self) -> str:
        return f"{self.heading} ({self.unit})" if self.unit else self.heading


@dataclass(frozen=True)
class Figure:
    """A picture of a report.

    Attributes:
        caption: one sentence.
        file: relative to the folder of the report.
    """

    caption: str
    file: str


@dataclass(frozen=True)
class TableOf:
    """A table; the first column names the row.

    Attributes:
        rows: by the names of the columns.
        columns: the most important first; any others that the rows have follow in their order.
        note: what a reader has to know of it, one line of Markdown; it stands below the table.
        shown: columns before the rest is folded up.
        behind: how many runs and items each score is of; None where the table has no scores.
    """

    title: str
    rows: Rows
    columns: Mapping[str, Column] = field(default_factory=dict)
    note: str = ""
    shown: int = SHOWN
    behind: Behind | None = None

    @property
    def names(self) -> list[str]:
        """All columns that any row has."""
        own = dict.fromkeys(name for row in self.rows for name in row)
        return [*(name for name in self.columns if name in own), *(name for name in own if name not in self.columns)]

    @property
    def first(self) -> list[str]:
        """The columns that are shown."""
        return self.names[: self.shown]

    @property
    def folded(self) -> list[str]:
        """The columns that are folded up, after that which names the row."""
        return [*self.names[:1], *self.names[self.shown :]]

    @property
    def is_cut(self) -> bool:
        """Whether there are more columns than are shown."""
        return len(self.names) > self.shown

    def heading(self, name: str) -> str:
        """The words above a column."""
        return str(self.columns.get(name) or spoken(name))

    def cells(self, row: Mapping[str, Any], names: Sequence[str]) -> list[str]:
        """The texts of a row."""
        return [number(row.get(name), self.columns[name].digits if name in self.columns else 4) for name in names]

    @property
    def csv(self) -> str:
        """All columns, with all digits, and how many runs and items they are of."""
        of = self.behind.cells if self.behind else {}
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        table.writerow([*map(self.heading, self.names), *of])
        table.writerows([[*("" if (value := row.get(name)) is None else value for name in self.names), *of.values()]
                         for row in self.rows])  # fmt: skip
        return text.getvalue()


@dataclass(frozen=True)
class Section:
    """A part of a report.

    Attributes:
        heading: a sentence or a plain noun phrase.
        text: paragraphs, or the items of a list where `listed`; each one line of Markdown without links.
        folded: whether it opens only when asked to.
    """

    heading: str
    text: Sequence[str] = ()
    tables: Sequence[TableOf] = ()
    figures: Sequence[Figure] = ()
    folded: bool = False
    listed: bool = False


@dataclass(frozen=True)
class Report:
    """A report; texts are lines of Markdown without links and images.

    Attributes:
        title: what it is of.
        question: what was asked.
        answer: what came out, one sentence.
        how_sure: what speaks for and against it.
        facts: how it came about: status, cost, what was typed.
        lead: the figure that shows the answer.
        main: the table behind the answer.
        next_command: what to type next; "" where there is nothing to do.
        next_why: why that.
        attached: title -> a text, or a file of text as far as it exists; folded up at the end of the page.
        links: what it is called -> the page of a run behind it, relative to the folder of the report.
    """

    title: str
    question: str
    answer: str
    how_sure: str = ""
    facts: str = ""
    lead: Figure | None = None
    main: TableOf | None = None
    next_command: str = ""
    next_why: str = ""
    sections: Sequence[Section] = ()
    attached: Mapping[str, Path | str] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
