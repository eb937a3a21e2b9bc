"""What several studies found together: the best trial of each, best first, in report.md and report.html above them."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from fulmen.config.mistakes import command
from fulmen.report.behind import behind
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf, number
from fulmen.report.html import write
from fulmen.report.markdown import as_text
from fulmen.report.spread import draw
from fulmen.report.summary import print_table
from fulmen.report.words import counted, spoken
from fulmen.search.champion import Champion
from fulmen.search.report import CHOSEN, result_of
from fulmen.search.report import next_of as of_study
from fulmen.search.settings import PROGRAM
from fulmen.search.study import Study

FIGURE = "studies.svg"
DRAWN = 10  # trials of each study


def write_summary(studies: Sequence[Study], champions: Mapping[str, Champion | None]) -> Path:
    """Write the report and show its table; the path of report.md.

    Args:
        champions: folder name of a study -> what its best trial is worth, where it was trained again.
    """
    folder, objective = studies[0].folder.parent, next(iter(studies[0].objectives))
    larger = studies[0].modes[0] == "max"
    found = [study for study in studies if study.ranked()]
    found.sort(key=lambda study: study.ranked()[0].values[0], reverse=larger)
    rows: Rows = [{"study": study.folder.name, objective: study.ranked()[0].values[0],
                   "trial": study.ranked()[0].number, "finished": len(study.finished), "of": study.total}
                  for study in found]  # fmt: skip
    if found:
        best = {study.folder.name: [trial.values[0] for trial in study.ranked()[:DRAWN]] for study in found}
        draw(folder / FIGURE, best, objective, f"trial (best {DRAWN} of each)")
        print_table("Best of each study", rows)
    of = behind([result_of(study.trial_folder(study.ranked()[0].number)) for study in found], ["val"])
    columns = {"study": Column("study"), objective: Column(spoken(objective))}
    trials = counted(sum(len(study.finished) for study in studies), "trial")
    why, typed = next_of(studies, found, champions)
    report = Report(
        title=folder.name,
        question=f"Which of {len(studies)} studies has the best trial by {spoken(objective)}?",
        answer=answer(rows, objective),
        how_sure=CHOSEN,
        facts=f"{trials} in {len(studies)} studies. Typed: `{' '.join(studies[0].plan.command())}`.",
        lead=Figure(f"{spoken(objective)} of the best trials of each study", FIGURE) if found else None,
        main=TableOf("The best trial of each study", rows, columns, behind=of) if rows else None,
        next_command=typed,
        next_why=why,
        sections=about(studies, champions),
        links={study.folder.name: f"{study.folder.name}/report.html" for study in studies if study.finished},
    )
    return write(report, folder)


def answer(rows: Rows, objective: str) -> str:
    """The best study and the next, in a sentence."""
    if not rows:
        return "No study has a complete trial."
    first, *others = rows
    said = f"{as_text(first['study'])} has the best {spoken(objective)}, {number(float(first[objective]))}"
    if not others:
        return f"{said}; no other study has a complete trial."
    return f"{said}; the next, {as_text(others[0]['study'])}, has {number(float(others[0][objective]))}."


def next_of(
    studies: Sequence[Study], found: Sequence[Study], champions: Mapping[str, Champion | None]
) -> tuple[str, str]:
    """Why, and what to type next."""
    if any(len(study.finished) < study.total for study in studies):
        why = "The search has not come to its end. The same command goes on with it:"
        return why, command(studies[0].plan.command(), PROGRAM)
    return of_study(found[0], champions.get(found[0].folder.name)) if found else ("", "")


def about(studies: Sequence[Study], champions: Mapping[str, Champion | None]) -> list[Section]:
    """What the champions are worth, and which studies have none to show."""
    said = [f"{as_text(name)}: {as_text(each.conclusion)}" for name, each in champions.items() if each]
    none = [as_text(study.folder.name) for study in studies if not study.ranked()]
    return [
        *([Section("What the champions are worth", said, listed=True)] if said else []),
        *([Section("What failed", [f"Without a complete trial: {', '.join(none)}."])] if none else []),
    ]
