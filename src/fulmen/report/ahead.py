"""How far the network is ahead of what a verdict holds it against, each with its interval: a table of the report."""

from fulmen.report.document import Column, Rows, Section, TableOf, number
from fulmen.report.shown import GAPS, Shown

WORDS = {"better": "better", "worse": "worse", "open": "not shown to differ"}
NOTE = "Ahead: how much better the network is, in points of the measure; below 0 it is behind. Intervals are of 95 %."


def ahead_section(shown: Shown | None) -> list[Section]:
    """A section with a row for each comparison that was made; none where there was none."""
    found = [gap for name in GAPS if shown and (gap := getattr(shown, name)) is not None]
    if not found:
        return []
    rows: Rows = [
        {"against": f"{gap.name}, the best of {gap.of} simple models" if gap.of > 1 else gap.name,
         "measure": gap.measure, "ahead": float(gap.value), "interval": f"{_signed(gap.low)} to {_signed(gap.high)}",
         "shown": WORDS[gap.word]}
        for gap in found
    ]  # fmt: skip
    columns = {"against": Column("against"), "measure": Column("measured by"), "ahead": Column("ahead")}
    columns |= {"interval": Column("95 % interval")}
    return [Section("Ahead of the others", tables=[TableOf("Ahead of the others", rows, columns, note=NOTE)])]


def _signed(value: float) -> str:
    said = number(float(value), 3)
    return f"+{said}" if value > 0 else said
