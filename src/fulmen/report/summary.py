"""The report of a run: one table of results beside its baselines, figures, configuration, environment."""

import math
import re
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from fulmen.errors import FulmenError
from fulmen.report.html import write_page
from fulmen.utils.files import atomic_write

Rows = list[dict[str, Any]]

PROBE = (
    "Training losses in these lines are of a probe of training samples in evaluation mode, where the data allow one; "
    "the curves show what was logged in training."
)
WHERE = """\
- `config.yaml`: the resolved configuration; `overrides.txt`: what was typed
- `environment.json`: versions, commit, seed
- `metrics.csv`: one row an epoch; `result.json`: every number of this page
- `checkpoints/`: the best and the last state"""


@dataclass
class Summary:
    """What a workload says about a trained model on its test split.

    Attributes:
        metrics: of the model, `test/`-less names.
        baselines: the same metrics of what costs nothing, by baseline.
        tables: title -> rows; the first is the main table, shown on the console too.
        figures: caption -> file name inside the run's `figures/`.
        notes: sentences a reader needs to judge the numbers.
        shown: titles of further tables whose first rows are shown on the console.
        items: what `fulmen compare` pairs, arrays over the test items: `item` [N] (int, tells it from all others),
            `loss` [N] (lower is better); of classifiers also `target` [N] (int), `probability` [N, C] and, not over the
            items, `train_count` [C]; `group` [N] (int) if items of a group resemble each other.
    """

    metrics: dict[str, float]
    baselines: dict[str, dict[str, float]] = field(default_factory=dict)
    tables: dict[str, Rows] = field(default_factory=dict)
    figures: dict[str, str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    items: dict[str, Any] = field(default_factory=dict)
    shown: list[str] = field(default_factory=list)

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
    note = f"{why[0].upper()}{why[1:]}: the numbers are those of its initial weights."
    return replace(summary, tables={t: rows for t, rows in titles.items() if rows}, notes=[note, *summary.notes])


def number(value: Any) -> str:
    """Four significant digits, plain notation where people would write it plainly."""
    if not isinstance(value, float):
        return "" if value is None else str(value)
    if math.isnan(value):
        return ""
    return f"{value:.4g}" if value == 0 or 1e-3 <= abs(value) < 1e5 else f"{value:.2e}"


def print_table(
    title: str, rows: Rows, console: Console | None = None, left: Collection[str] = ()
) -> list[str]:  # fmt: skip
    """Show `rows` on the console; the first column names the row. Returns the columns that do not fit.

    Args:
        left: columns of words, which begin at the left.
    """
    console = console or Console(width=None if sys.stdout.isatty() else 120)
    width = console.width - 2
    table = Table(title=Text(title), title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for position, column in enumerate(rows[0]):
        width -= 3 + max(len(column), *(len(number(row.get(column))) for row in rows))
        if width < 0:
            break
        table.add_column(Text(column), justify="left" if position == 0 or column in left else "right", no_wrap=True)
    for row in rows:
        table.add_row(*(Text(number(value)) for value in list(row.values())[: len(table.columns)]))
    console.print(table)
    return list(rows[0])[len(table.columns) :]


def as_text(value: str) -> str:
    """`value` so that Markdown shows it as it is, in one line: a name may have any character."""
    marks = r"[\\`*<\[\]|]|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])"
    return re.sub(marks, r"\\\g<0>", " ".join(value.splitlines()))


def markdown_table(rows: Rows) -> str:
    header = list(rows[0])
    lines = [[as_text(column) for column in header], ["---", *["---:"] * (len(header) - 1)]]
    lines += [[as_text(number(row.get(column))) for column in header] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def markdown_figure(caption: str, file: str) -> str:
    """A figure with its caption, for those who read the Markdown as it is below it too."""
    return f"![{as_text(caption)}]({quote(file)})\n\n*{as_text(caption)}*"


def write_report(
    folder: Path, title: str, summary: Summary, result: Mapping[str, Any], overrides: Sequence[str]
) -> Path:
    """Write `report.md` into the run folder, the same as `report.html` beside it, and return the former's path."""
    from fulmen.diagnosis.verdicts import Verdict, as_markdown  # numpy: not for those who show a table

    cost = result["cost"]
    parts = [
        f"# {title}",
        f"{result['status']} after {result['epochs']} epochs and {cost['fit_seconds']:.0f} s of training "
        f"({cost['parameters']:,} parameters, {cost['device']}, {cost['threads']} threads, {cost['precision']}). "
        f"Overrides: `{' '.join(overrides) or 'none'}`.",
    ]
    for heading, rows in summary.tables.items():
        parts += [f"## {heading}", markdown_table(rows)]
    if result.get("verdicts"):
        verdicts = [Verdict.from_dict(plain) for plain in result["verdicts"]]
        parts += ["## Diagnosis", as_markdown(verdicts), PROBE]
    if summary.notes:
        parts += ["## How to read this", "\n".join(f"- {note}" for note in summary.notes)]
    if summary.figures:
        parts.append("## Figures")
        parts += [markdown_figure(caption, f"figures/{file}") for caption, file in summary.figures.items()]
    parts += ["## Where the rest is", WHERE]
    path = folder / "report.md"
    with atomic_write(path) as file:
        file.write("\n\n".join(parts) + "\n")
    write_page(path, {"configuration": folder / "config.yaml", "environment": folder / "environment.json",
                      "all numbers": folder / "result.json"})  # fmt: skip
    return path
