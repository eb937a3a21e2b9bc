"""What a workload says of a trained model on its test split, and tables on the console."""

import sys
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fulmen.errors import FulmenError
from fulmen.report.behind import ITEMS
from fulmen.report.document import Rows, number
from fulmen.report.words import spoken

if TYPE_CHECKING:
    from fulmen.report.shown import Shown  # numpy: not for those who show a table

OF_CELL = 96  # letters in a line of a notebook's output, on a window of 1,000 pixels


@dataclass
class Summary:
    """What a workload says about a trained model on its test split.

    Attributes:
        metrics: of the model, `test/`-less names.
        baselines: the same metrics of what costs nothing, by baseline.
        tables: title -> rows; the first is the main table, shown on the console too.
        figures: caption -> file name inside the run's `figures/`.
        notes: sentences a reader needs to judge the numbers.
        warnings: what may make the numbers worthless, such as leakage or drift; stands in the report's diagnosis.
        shown: titles of further tables whose first rows are shown on the console.
        said: title of a further table -> what it comes to, a sentence or two that stand above it.
        next_step: why another training would be better, a sentence that ends with a colon, and the override for it,
            where a number of the test split asks for one; ("", "") otherwise.
        question: what the test split was to answer, one sentence; without it a general one.
        verdict: what the test split shows beside chance, the constant and the best simple model.
        answer: what came out; without it the first metric beside that of the best baseline.
        leading: columns of the main table that a report shows first; by default the first that the table has.
        counted: what the items are, for the number of them beside each score: "subjects", "images".
        counts: title of a table -> its column that says how many items a row is of, where that is not the whole test
            split; "" where its rows are no scores of it.
        items: what `fulmen compare` pairs, arrays over the test items: `item` [N] (int, tells it from all others),
            `loss` [N] (lower is better); of classifiers also `target` [N] (int), `probability` [N, C] and, not over the
            items, `train_count` [C]; `group` [N] (int) if items of a group resemble each other; `metric/<name>` [N]:
            scores of which the mean over the items says something, NaN where an item has none; in a series `time` [N]
            (int), by which items are ordered, and `until` [N] (int), the time of the last outcome that the loss depends
            on; `baseline/<name>` [N]: the loss of what costs nothing, which many models together are held against.
    """

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    tables: dict[str, Rows] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    items: dict[str, Any] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)
    question: str = ""
    answer: str = ""
    leading: list[str] = field(default_factory=list)
    counted: str = ITEMS
    counts: dict[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    verdict: "Shown | None" = None
    said: dict[str, str] = field(default_factory=dict)
    next_step: tuple[str, str] = ("", "")

    def __post_init__(self) -> None:
        if prefixed := [name for name in self.metrics if name.startswith("test/")]:
            raise FulmenError(f"Summary.metrics: write {prefixed[0].removeprefix('test/')}, without test/")
        if not self.items:
            return
        if missing := {"item", "loss"} - set(self.items):
            raise FulmenError(
                f"Summary.items has no {' and no '.join(sorted(missing))}; compare pairs runs by item and loss"
            )
        lengths = {name: len(value) for name, value in self.items.items() if name != "train_count"}
        if len(set(lengths.values())) > 1:
            raise FulmenError(f"Summary.items differ in length: {lengths}")


def of_untrained(summary: Summary, why: str) -> Summary:
    """`summary` without its verdict, which the title of the first table tells: there was no training to judge."""
    first, *others = summary.tables or {"": []}
    titles = {f"{why[0].upper()}{why[1:]}": summary.tables.get(first, []), **{t: summary.tables[t] for t in others}}
    said = f"{why[0].upper()}{why[1:]}"
    tables = {title: rows for title, rows in titles.items() if rows}
    note = f"{said}: the numbers are those of its initial weights."
    return replace(summary, answer=f"{said}.", verdict=None, tables=tables, notes=[note, *summary.notes])


def print_table(
    title: str, rows: Rows, console: Console | None = None, left: Collection[str] = (), wrapped: Collection[str] = (),
    as_named: Collection[str] = (),
) -> list[str]:  # fmt: skip
    """Show `rows` on the console, columns headed by words; the first column names the row. Returns the columns that do
    not fit.

    Args:
        as_named: columns that are headed by their own names.
        left: columns of words, which begin at the left.
        wrapped: such columns that take as many lines as they need, so that they always fit.

    A first column that takes more than a third of the width is wrapped too, if others would not fit beside it.
    """
    console = console or Console(width=None if sys.stdout.isatty() else OF_CELL if Console().is_jupyter else 120)
    width = console.width - 2
    heads = {column: column if column in as_named else spoken(column) for column in rows[0]}
    widths = {column: 3 + max(len(heads[column]), *(len(number(row.get(column))) for row in rows)) for column in heads}
    first = next(iter(rows[0]))
    if sum(widths.values()) > width and widths[first] > width // 3:
        wrapped, width = {*wrapped, first}, width - width // 3
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for position, column in enumerate(rows[0]):
        if column not in wrapped:
            width -= widths[column]
            if width < 0:
                break
        justify: Any = "left" if position == 0 or column in left or column in wrapped else "right"
        table.add_column(Text(heads[column]), justify=justify, no_wrap=column not in wrapped)
    for row in rows:
        table.add_row(*(Text(number(row.get(name))) for name in list(rows[0])[: len(table.columns)]))
    console.print(table)
    return list(rows[0])[len(table.columns) :]
