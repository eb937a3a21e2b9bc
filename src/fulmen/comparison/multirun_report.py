"""The report that ends a multirun: the runs of each task in their order, the best of them, what to type next."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from textwrap import wrap

from fulmen.comparison.places import MEDALS
from fulmen.comparison.tries import HEADING
from fulmen.report.behind import Behind
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf, number
from fulmen.report.html import write
from fulmen.report.known import deviation, has_mean, is_known, mean
from fulmen.report.luck import said_of
from fulmen.report.markdown import as_text
from fulmen.report.next_step import train_again
from fulmen.report.spread import spread
from fulmen.report.words import spoken

CHOSEN = "The order is by the validation split, with one run each: the best of several is partly luck."
PAIRED = (
    "Every row is a mean over the same {} seeds, and the order is by the validation split. sd: over the seeds, which "
    "may draw data of their own."
)
FILES = {"Configuration": "config.yaml", "Environment": "environment.json"}
CHANCE = "Only the seed differs: what lies between these runs is chance. No seed is better than another."


@dataclass(frozen=True)
class Task:
    """The runs of one task.

    Attributes:
        heading: what ran, and what the order is by.
        rows: as the console shows them.
        notes: what a reader needs to know.
        experiment: of the first of them.
        monitor: the metric of the order.
        best: what was typed for the best; None where no run has a score.
        seeds: how many, where the runs differ in their seed alone; 0 else.
        figure: its file; "" where nothing was drawn.
        behind: how many runs and items each score is of.
        each: how many seeds each row is a mean over; 0 where a row is a run.
        won: with how many of them the first is better than the second.
        every: a row for each run, where rows are means.
        every_behind: how many items each of their scores is of.
        shared: what was typed for all.
        links: what a run is called -> its page, relative to the folder of the report.
        best_run: its folder.
        tries: what the rows show when all of them are counted, in sentences.
    """

    heading: str
    rows: Rows
    notes: Sequence[str]
    experiment: str
    monitor: str
    best: Sequence[str] | None
    seeds: int
    figure: str
    behind: Behind | None = None
    each: int = 0
    won: int = 0
    every: Rows = field(default_factory=list)
    every_behind: Behind | None = None
    shared: Sequence[str] = ()
    links: Mapping[str, str] = field(default_factory=dict)
    best_run: Path | None = None
    tries: Sequence[str] = ()


def write_report(tasks: Sequence[Task], folder: Path) -> Path:
    """Write ranking.md and report.html; the path of the first. The task with the most runs leads."""
    first = max(tasks, key=lambda task: len(task.rows))
    others = [task for task in tasks if task is not first]
    count = sum(len(task.rows) for task in tasks)
    names = " and ".join(dict.fromkeys(task.experiment for task in tasks))
    why, command = next_of(first)
    report = Report(
        title=first.heading if not others else f"{count} rows of {names}: each task has a table of its own",
        question=f"How far do seeds of {as_text(first.experiment)} lie apart?" if first.seeds
        else f"Which of these {word(first)}s of {as_text(first.experiment)} is best by {spoken(first.monitor)}?",
        answer=answer(first),
        how_sure=sure(first),
        facts=f"Overrides of all: `{' '.join(first.shared) or 'none'}`." if not others else "",
        lead=Figure(f"Best {spoken(first.monitor)} of each {word(first)}", first.figure) if first.figure else None,
        main=main_table(first, "" if others else f"The {word(first)}s"),
        next_command=command,
        next_why=why,
        sections=[*all_counted(first), *each_run(first),
                  *(Section(as_text(task.heading), [*task.notes, *map(as_text, task.tries)], tables=[main_table(task)],
                            figures=[Figure(f"Best {spoken(task.monitor)}", task.figure)] if task.figure else [])
                    for task in others)],
        attached={f"{title} of the best run": first.best_run / file for title, file in FILES.items()}
        if first.best_run else {},
        links={name: page for task in tasks for name, page in task.links.items()},
    )  # fmt: skip
    return write(report, folder, "ranking.md")


def word(task: Task) -> str:
    """What a row is."""
    return "setting" if task.each else "run"


def sure(task: Task) -> str:
    """What the order rests on."""
    if task.seeds:
        return CHANCE
    name = f"best {task.monitor}"
    scores = [row[name] for row in task.rows if is_known(row.get(name))]  # the best first
    lucky = said_of(scores, len(scores) > 1 and scores[0] > scores[-1], f"{word(task)}s")
    said = PAIRED.format(task.each) if task.each else CHOSEN if task.best else ""
    return f"{said} {lucky}".strip() if said else ""


def all_counted(task: Task) -> list[Section]:
    """Which rows can be the best, and whether the best is more than lucky."""
    return [Section(HEADING, [as_text(said) for said in task.tries])] if task.tries else []


def each_run(task: Task) -> list[Section]:
    """The runs behind rows that are means."""
    if not task.every:
        return []
    columns = {"run": Column("run"), f"best {task.monitor}": Column(f"best {spoken(task.monitor)}")}
    rows = [{name: value for name, value in row.items() if name} for row in task.every]
    return [Section("Each run", tables=[TableOf("Each run", rows, columns, behind=task.every_behind)])]


def main_table(task: Task, title: str = "") -> TableOf:
    """The runs first by their names; p-values are explained where there are any."""
    columns = {
        "run": Column(word(task)),
        "": Column("place"),
        f"best {task.monitor}": Column(f"best {spoken(task.monitor)}"),
    }
    rows = task.rows
    if not any(row[""] for row in rows):
        rows = [{name: value for name, value in row.items() if name} for row in rows]
    return TableOf(title or as_text(task.heading), rows, columns, note=" ".join(task.notes), behind=task.behind)


def answer(task: Task) -> str:
    """The best run, or the mean of the seeds, in a sentence."""
    name = f"best {task.monitor}"
    scored = [row for row in task.rows if is_known(row.get(name)) and row["run"] not in ("mean", "sd")]
    if not scored:
        return "No run has a score."
    if task.seeds:
        return f"The best {spoken(task.monitor)} is {spread([row[name] for row in scored])} over {len(scored)} seeds."
    mean = "mean " * bool(task.each)
    said = (
        f"{as_text(str(scored[0]['run']))} has the best {mean}{spoken(task.monitor)}, {number(float(scored[0][name]))}"
    )
    if len(scored) == 1:
        return f"{said}; no other run has a score."
    said += f"; the next, {as_text(str(scored[1]['run']))}, has {number(float(scored[1][name]))}"
    return f"{said}. It is better with {task.won} of {task.each} seeds." if task.each else f"{said}."


def next_of(task: Task) -> tuple[str, str]:
    """Why, and what to type next."""
    if task.best is None:
        return "", ""
    if task.seeds:
        rest = [override for override in task.best if not override.startswith("seed=")]
        why = "This trains as many seeds as one result, which can be compared with others:"
        return why, train_again(task.experiment, rest, f"seeds={task.seeds}")
    rest = [override for override in task.best if not override.startswith("seed=")]
    if task.each:
        return "This trains the best with more seeds, as one result beside the baselines:", train_again(
            task.experiment, rest, f"seeds={2 * task.each}"
        )
    return "One run of each says little. This trains the best with three seeds:", train_again(
        task.experiment, rest, "seeds=3"
    )


def mean_and_sd(rows: Rows) -> Rows:
    """Two rows below those of the seeds, which lose their places: among seeds these say nothing."""
    for row in rows:
        row[""] = "" if str(row[""]).isdigit() else row[""]
    whole = [row for row in rows if not row[""]]
    found: Rows = []
    for name, of in (("mean", mean), ("sd", deviation)):
        values = {column: [row[column] for row in whole] for column in list(rows[0])[2:]}
        known = {
            column: bool(each) and has_mean(column) and all(map(is_known, each)) for column, each in values.items()
        }
        found.append({"": "", "run": name} | {column: float(of(each)) if known[column] else None
                                              for column, each in values.items()})  # fmt: skip
    return found


def draw(path: Path, rows: Rows, monitor: str) -> Path | None:
    """The scores of the runs as dots, best at the top; None where no run has any."""
    from matplotlib.ticker import MaxNLocator

    from fulmen.report.figures import COOL, MODEL, WIDTH, figure

    scored = [row for row in rows if is_known(row.get(f"best {monitor}")) and row["run"] not in ("mean", "sd")]
    if not scored:
        return None
    with figure(path, size=(WIDTH, 0.9 + 0.28 * len(scored))) as ax:
        colors = [MODEL if str(row[""]).endswith(MEDALS) else COOL[0] for row in scored]
        ax.scatter([row[f"best {monitor}"] for row in scored], range(len(scored)), color=colors, s=26, zorder=3)
        ax.set_yticks(range(len(scored)), ["\n".join(wrap(str(row["run"]), 28)[:2]) for row in scored])
        ax.invert_yaxis()
        ax.set_xlabel(f"best {spoken(monitor)}")
        ax.xaxis.set_major_locator(MaxNLocator(4))
        ax.margins(x=0.12, y=0.5 / len(scored))
    return path
