"""A report as Markdown, for whoever reads it as it is."""

import re
from collections.abc import Iterator
from urllib.parse import quote

from fulmen.report.document import Figure, Report, Rows, Section, TableOf


def as_text(value: str) -> str:
    """`value` so that Markdown shows it as it is, in one line: a name may have any character."""
    marks = r"[\\`*<\[\]|]|(?<![^\W_])_|_(?![^\W_])|&(?=[#\w])"
    return re.sub(marks, r"\\\g<0>", " ".join(value.splitlines()))


def as_markdown(report: Report) -> str:
    """The whole report."""
    return "\n\n".join(filter(None, _parts(report))) + "\n"


def markdown_table(rows: Rows) -> str:
    """Rows with the columns that they have, as they are called."""
    return table(TableOf("", rows, shown=len(rows[0])), plain=True)


def table(of: TableOf, whole: bool = False, plain: bool = False) -> str:
    """The columns of a table that are shown, or the whole of it.

    Args:
        plain: columns are headed by their names.
    """
    names = of.names if whole else of.first
    lines = [[as_text(name if plain else of.heading(name)) for name in names], ["---", *["---:"] * (len(names) - 1)]]
    lines += [[as_text(cell) for cell in of.cells(row, names)] for row in of.rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def figure(of: Figure) -> str:
    """A figure with its caption, for those who read the Markdown as it is below it too."""
    return f"![{as_text(of.caption)}]({quote(of.file)})\n\n*{as_text(of.caption)}*"


def _parts(report: Report) -> Iterator[str]:
    yield f"# {' '.join(report.title.splitlines())}"
    yield from (report.question, f"**{report.answer}**" if report.answer else "", report.how_sure, report.facts)
    if report.lead:
        yield figure(report.lead)
    if report.main:
        yield from _tables(report.main)
    if report.next_command:
        yield from ("## What to do next", report.next_why, f"```bash\n{report.next_command}\n```")
    for section in report.sections:
        yield from _section(section)
    if report.links:
        yield "## The runs behind it"
        yield "\n".join(f"- [{as_text(name)}]({quote(target)})" for name, target in report.links.items())


def _section(section: Section) -> Iterator[str]:
    yield f"## {section.heading}"
    yield "\n".join(f"- {line}" for line in section.text) if section.listed else "\n\n".join(section.text)
    for each in section.tables:
        yield from _tables(each, section.heading)
    yield from map(figure, section.figures)


def _tables(of: TableOf, below: str = "") -> Iterator[str]:
    if of.title and of.title != below:
        yield f"{'###' if below else '##'} {of.title}"
    yield from (str(of.behind or ""), table(of, whole=True), of.note)
