"""What came of a comparison, as `fulmen.compare` returns it."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pandas import DataFrame

from fulmen.report import cell
from fulmen.report.document import Rows, number

SHOWN = 7  # columns in a notebook


@dataclass(frozen=True)
class Comparison:
    """What came of a comparison; as the last line of a notebook's cell it shows itself.

    Attributes:
        folder: with comparison.md, report.html and figures.
        answer: in a sentence.
        verdicts: a sentence for each model but the first.
        rows: what each model reached and what it cost.
        lost: what is missing of a run.
        tries: what three models or more show when all of them are counted, in sentences.
    """

    folder: Path
    answer: str
    verdicts: list[str]
    rows: Rows
    lost: list[str] = field(default_factory=list)
    tries: list[str] = field(default_factory=list)

    @property
    def report(self) -> Path:
        """A Markdown file; `report.html` beside it says the same."""
        return self.folder / "comparison.md"

    @cached_property
    def table(self) -> DataFrame:
        """A row for each model, the first of them the reference."""
        return DataFrame([{key or "model": value for key, value in row.items()} for row in self.rows]).set_index(
            "model"
        )

    def _repr_html_(self) -> str:
        rows = [{key: number(value) for key, value in list(row.items())[:SHOWN]} for row in self.rows]
        drawn = {path.stem: path for path in sorted(self.folder.glob("*.svg"))}
        labels = " / ".join(str(row[""]) for row in self.rows)
        return cell.whole(
            labels, [], [self.answer, *self.verdicts, *self.tries], rows, None, drawn, self.lost, str(self.folder)
        )
