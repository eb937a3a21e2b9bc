"""The report of a run: what it reached on its test split beside the baselines, figures, findings, configuration."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from fulmen.diagnosis.ignored import in_a_line
from fulmen.report.ahead import ahead_section
from fulmen.report.behind import Behind
from fulmen.report.document import Column, Figure, Report, Rows, Section, TableOf, number
from fulmen.report.gap import gap_of
from fulmen.report.html import write
from fulmen.report.known import best, is_known
from fulmen.report.leaks import SCANNED, cautioned, leak_sections, leaks_in
from fulmen.report.markdown import as_text
from fulmen.report.members import members_section
from fulmen.report.next_of_run import CUT_OFF, next_of
from fulmen.report.next_step import first_start, resumes
from fulmen.report.summary import Summary
from fulmen.report.words import counted, sentence, spoken
from fulmen.utils.files import as_json

SPLIT = " (test split"
CEILING = "ceiling"  # a baseline that nothing can beat
SO_FAR = "The training did not come to its end: these lines are of the epochs it had."
PROBE = (
    "Training losses in these lines are of a probe of training samples in evaluation mode, where the data allow one; "
    "the curves show what was logged in training."
)
WHERE = (
    "`config.yaml`: the resolved configuration; `overrides.txt`: what was typed",
    "`environment.json`: versions, commit, seed",
    "`metrics.csv`: one row an epoch; `result.json`: every number of this page",
    "`checkpoints/`: the best and the last state",
)
ONE = "This is one training on one split: how much another seed would change is not known."


def write_report(
    folder: Path,
    title: str,
    summary: Summary,
    result: Mapping[str, Any],
    overrides: Sequence[str],
    data: Sequence[str] = (),
) -> Path:
    """Write `report.md` into the run folder, the same as `report.html` beside it, and return the former's path.

    Args:
        result: as `result.json` will hold it.
        overrides: what was typed at the start and at every resume.
        data: lines on what was taken from files.
    """
    return write(report_of(folder, title, summary, result, overrides, data), folder)


def report_of(
    folder: Path,
    title: str,
    summary: Summary,
    result: Mapping[str, Any],
    overrides: Sequence[str],
    data: Sequence[str] = (),
) -> Report:
    """The report of a run; arguments as `write_report`."""
    heading, rows = next(iter(summary.tables.items()), ("", []))
    figures = [Figure(caption, f"figures/{file}") for caption, file in summary.figures.items()]
    why, command = next_of(folder, result, overrides, summary.next_step)
    gap = gap_of(folder, str(result.get("losses_differ") or ""))
    of = Behind(items={"test": [len(summary.items["item"])]} if summary.items else {}, counted=summary.counted)
    said = summary.answer or answer(summary.metrics, summary.baselines, result)
    said, sure = cautioned(leaks_in(result), said, rests_on(result))
    return Report(
        title=title,
        question=summary.question or f"How well does {as_text(title)} do on data that it has not seen?",
        answer=said,
        how_sure=sure,
        facts=facts(result, overrides),
        lead=figures[0] if figures else None,
        main=main_table(heading, rows, summary, of) if rows else None,
        next_command=command,
        next_why=why,
        sections=sections(summary, result, figures[1:], of, gap, data),
        attached={"Configuration": folder / "config.yaml", "Environment": folder / "environment.json",
                  "All numbers": as_json(result)},
    )  # fmt: skip


def rests_on(result: Mapping[str, Any]) -> str:
    """What the numbers rest on, and how often the test split has been looked at."""
    if not result.get("steps", 1):
        return "Nothing was trained."
    members = len(result.get("members") or [])
    one = f"This is the mean of {members} trainings on one split." if members else ONE
    return f"{one} {(result.get('test_split') or {}).get('said', '')}".strip()


def main_table(title: str, rows: Rows, summary: Summary, of: Behind) -> TableOf:
    """The first table of a workload, the leading columns first."""
    name, *rest = dict.fromkeys(column for row in rows for column in row)
    first = [column for column in summary.leading if column in rest]
    columns = {name: Column(name or "model")}
    if summary.answer and SPLIT in title:  # what stands before that is the answer
        title = "Test split" + title.rpartition(SPLIT)[2].removesuffix(")")
    return TableOf(as_text(title), rows, columns | {each: Column(spoken(each)) for each in first}, behind=of)


def further_table(title: str, rows: Rows, summary: Summary, of: Behind | None) -> TableOf:
    """Another table of a workload; a column of its own may say how many items a row is of."""
    if of and (column := summary.counts.get(title)) is not None:
        of = replace(of, column=column) if column else None
    return TableOf(as_text(title), rows, behind=of)


def facts(result: Mapping[str, Any], overrides: Sequence[str]) -> str:
    """How the whole run came about, its resumes included."""
    cost, again = result.get("cost", {}), resumes(overrides)
    said = f"{str(result.get('status', 'ended')).capitalize()} after {counted(int(result.get('epochs') or 0), 'epoch')}"
    if "fit_seconds" in cost:
        said += f" and {cost['fit_seconds']:.0f} s of training"
    how = [f"{cost['parameters']:,} parameters"] if is_known(cost.get("parameters")) else []
    how += [str(cost[name]) for name in ("device",) if name in cost]
    how += [counted(cost["threads"], "thread")] if "threads" in cost else []
    how += [str(cost["precision"])] if "precision" in cost else []
    said += f" ({', '.join(how)})" if how else ""
    said += f". Overrides: `{' '.join(first_start(overrides)) or 'none'}`."
    if again:
        typed = "; ".join(f"`{' '.join(each)}`" for each in again)
        said += f" Resumed {counted(len(again), 'time')}, all of which the numbers cover: {typed}."
    return said


def answer(metrics: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]], result: Mapping[str, Any]) -> str:
    """The first metric of which it is known which way is better, beside that of the best baseline, in a sentence."""
    ways = result.get("better") or {}
    rivals = {name: scores for name, scores in baselines.items() if name != CEILING}
    for metric, value in metrics.items():
        larger = ways.get(metric) == "max"
        first = best({name: scores.get(metric) for name, scores in rivals.items()}, larger)
        if metric not in ways or not is_known(value) or first is None:
            continue
        theirs = float(rivals[first][metric])
        ahead = value > theirs if larger else value < theirs
        word = "as good as" if value == theirs else "better than" if ahead else "worse than"
        return (
            f"{sentence(spoken(metric))} is {number(float(value))}, {word} the {number(theirs)} of the best baseline "
            f"({as_text(first)})."
        )
    named = [f"{spoken(name)} {number(float(value))}" for name, value in metrics.items() if is_known(value)][:2]
    if not named:
        return "There is no score of a test split."
    return f"On the test split: {', '.join(named)}. There is no baseline beside it."


def sections(
    summary: Summary,
    result: Mapping[str, Any],
    figures: Sequence[Figure] = (),
    of: Behind | None = None,
    gap: str = "",
    data: Sequence[str] = (),
) -> list[Section]:
    """What follows the main table.

    Args:
        gap: a line on how far apart the losses are.
        data: lines on what was taken from files.
    """
    from fulmen.diagnosis.verdicts import Verdict, as_lines  # numpy: not for those who show a table

    rest = list(summary.tables.items())[1:]
    found = [
        Section(as_text(title), list(map(as_text, filter(None, [summary.said.get(title, "")]))),
                tables=[further_table(title, rows, summary, of)])
        for title, rows in rest if rows
    ]  # fmt: skip
    verdicts = [Verdict.from_dict(plain) for plain in result.get("verdicts") or []]
    cut = [SO_FAR] if verdicts and result.get("status") in CUT_OFF else []
    if judged := [
        *([f"**{as_text(summary.verdict.heading)}**: {summary.verdict.basis}"] if summary.verdict else []),
        *map(_in_bold, summary.warnings),
        *cut,
        *_seen_often(result.get("test_split") or {}),
        *as_lines(verdicts),
        *[PROBE] * bool(verdicts),
        *[gap] * bool(gap),
        *map(as_text, _ignored(result.get("ignored") or [])),
    ]:
        found.insert(0, Section("Diagnosis", judged, listed=True))
    beside = [*members_section(result), *ahead_section(summary.verdict)]
    unscanned, ignored = str(result.get("unscanned") or ""), result.get("ignored") or []
    leaks = leak_sections(leaks_in(result), SCANNED in (result.get("cost") or {}), unscanned, ignored)
    found = [*leaks, *found[:1], *beside, *found[1:]]
    if figures:
        found.append(Section("Figures", figures=figures))
    if summary.notes:
        found.append(Section("How to read this", summary.notes, listed=True))
    return [
        *data_section([*filter(None, [result.get("data_set")]), *data]),
        *found,
        Section("Where the rest is", WHERE, folded=True, listed=True),
    ]


def data_section(lines: Sequence[str]) -> list[Section]:
    """What was taken from files; no section where the data come from none."""
    return [Section("Data", [as_text(line.strip()) for line in lines], listed=True)] if lines else []


def _seen_often(split: Mapping[str, Any]) -> list[str]:
    return [f"**{split['finding']}**: {split['said']}"] if split.get("finding") else []


def _ignored(found: Sequence[dict[str, Any]]) -> list[str]:
    """A line on the findings that are left out, and one each, with its sentence, of what the test split shows."""
    shown = [f"{in_a_line([each])}: {each.get('finding', '')}" for each in found if "-V" in str(each["id"])]
    rest = in_a_line(each for each in found if "-V" not in str(each["id"]))
    return [*filter(None, [rest]), *shown]


def _in_bold(warning: str) -> str:
    """`drift: what` as the verdicts are written: `**drift**: what`."""
    kind, colon, what = warning.partition(": ")
    return f"**{kind}**: {what}" if colon and kind.isalpha() else warning
