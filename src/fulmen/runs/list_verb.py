"""What `fulmen runs` prints where it lists: which results, in which order, with which columns."""

import argparse
import json
import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fulmen.config.places import TRAIN, first_experiment
from fulmen.errors import FulmenError
from fulmen.report.document import Rows, number
from fulmen.report.words import spoken
from fulmen.runs.choices import COLUMNS, STATUSES, refuse_unknown
from fulmen.runs.entry import Entry
from fulmen.runs.filters import Filter, filtered
from fulmen.runs.index import Index
from fulmen.runs.listing import chosen, in_order
from fulmen.runs.telling import in_words, telling_first, typed_settings
from fulmen.runs.values import Values

WIDE = 200  # columns of text where nobody reads at a terminal
BESIDE = 20  # runs on either side that one is told apart from
LONGEST, SHORTEST = 60, 16  # characters of a cell; of overrides where there is little room
WORDS = ("status", "overrides", "tags", "tag", "network", "note", "verdict", "message")  # columns of text


def show_list(index: Index, experiment: str, arguments: argparse.Namespace, verbs: Collection[str]) -> int:
    """The table of each experiment, and why runs did not complete."""
    entries = index.entries()
    values = Values(index.outputs, entries)
    filters = [Filter.read(word) for word in arguments.filter]
    named = {COLUMNS.get(each.name) for each in filters}
    refuse_unknown_status(arguments.status, filters, entries)
    status = tuple(filter(None, arguments.status.split(","))) or _all(entries, "status" in named)
    asked = {"kind": arguments.kind, "experiment": experiment, "status": status, "tags": arguments.tag}
    archived = None if "archived" in named else arguments.archived
    found = filtered(chosen(entries, archived=archived, **asked), filters, values)
    shown = in_order(found, arguments.sort, values)
    columns = [values.key(name, "columns") for name in re.split(r"[,\s]+", " ".join(arguments.columns)) if name]
    if arguments.json:
        print(json.dumps([_plain(entry, columns, values) for entry in shown], indent=1))
        return 0
    hidden = [] if archived is not False else filtered(chosen(entries, archived=True, **asked), filters, values)
    if not shown and not hidden:
        return say_that_there_are_none(experiment, arguments, verbs)
    for name in dict.fromkeys(heading(entry) for entry in shown):
        show_table(name, [entry for entry in shown if heading(entry) == name], columns, values)
    if hidden:
        where = f"{experiment} " if experiment != "*" else ""
        print(f"{len(hidden)} archived: fulmen runs {where}--archived")
    return 0


def refuse_unknown_status(asked: str, filters: Sequence[Filter], entries: Sequence[Entry]) -> None:
    """Pass if every status that is asked for is one.

    Raises:
        FulmenError: one is none; the message names the nearest.
    """
    words = [*asked.split(","), *(word for each in filters if COLUMNS.get(each.name) == "status" and each.way in "!="
                                  for word in each.wanted.split(","))]  # fmt: skip
    named = [word.strip() for word in words if word.strip() and not re.search(r"[*?\[]", word)]
    refuse_unknown("status", named, [*STATUSES, *(entry.status for entry in entries)])


def heading(entry: Entry) -> str:
    """What an entry stands below: runs below the folder of their experiment, all else below its kind."""
    return entry.name.partition("/")[0] if entry.kind == "run" else f"{entry.kind}: {entry.experiment}".rstrip(": ")


def show_table(title: str, entries: Sequence[Entry], columns: Sequence[str], values: Values) -> None:
    """The columns that were asked for, or the usual ones; below it, what came between some and their end."""
    from rich.console import Console

    from fulmen.report.summary import print_table

    console = Console(width=None if sys.stdout.isatty() else WIDE)
    names = list(dict.fromkeys(["run", *(columns or usual(entries))]))
    rows = [{name: cell(values.of(entry, name)) for name in names} for entry in entries]
    for row, told in zip(rows, told_apart(entries), strict=True):
        row |= {"overrides": shortened(told, LONGEST) or None} if "overrides" in row else {}
    left_out = print_table(title, narrowed(rows, console.width), console, WORDS, as_named=columns)
    for entry in entries:
        if message := entry.said(values.outputs / entry.path):
            print(f"  {entry.name} {entry.status}: {message}")
    if left_out:
        print(f"  no room for {', '.join(left_out)}; --columns chooses")


def told_apart(entries: Sequence[Entry]) -> list[str]:
    """What was typed for each, first what tells it from those most like it among its neighbours: `hidden=16 seed=1`."""
    typed = [typed_settings(entry.overrides, without=()) for entry in entries]
    beside = (typed[max(0, at - BESIDE) : at] + typed[at + 1 : at + 1 + BESIDE] for at in range(len(typed)))
    return [in_words(telling_first(own, others)) for own, others in zip(typed, beside, strict=True)]


def usual(entries: Sequence[Entry]) -> list[str]:
    """What a list shows unasked; columns that all entries leave empty are left out."""
    metrics = dict.fromkeys(name for entry in entries for name in entry.metrics)
    names = ["status", "overrides", *metrics, "tags", "epochs", "seconds"]
    may_be_left_out = ("overrides", "tags")
    return [name for name in names if name not in may_be_left_out or any(getattr(each, name) for each in entries)]


def narrowed(rows: Rows, width: int) -> Rows:
    """The rows with as much of the overrides as leaves room for the other columns."""
    if "overrides" not in rows[0]:
        return rows
    others = [name for name in rows[0] if name != "overrides"]
    taken = sum(3 + max(len(spoken(name)), *(len(number(row[name])) for row in rows)) for name in others)
    room = max(SHORTEST, width - 2 - taken - 3)
    return [row | {"overrides": shortened(row["overrides"], room) if row["overrides"] else None} for row in rows]


def cell(value: Any) -> Any:
    """A value for a table: lists and texts in one line that is not too long."""
    text = " ".join(map(str, value)) if isinstance(value, list) else value
    return shortened(text, LONGEST) if isinstance(text, str) else text


def shortened(text: str, most: int) -> str:
    """The words that fit, and dots for those that do not; a single one that is too long is cut."""
    if len(text) <= most:
        return text
    fitting = text[: most - 3].rpartition(" ")[0] or text[: most - 4]
    return f"{fitting} ..."


def say_that_there_are_none(experiment: str, arguments: argparse.Namespace, verbs: Collection[str]) -> int:
    """A line that says what would list or begin some.

    Raises:
        FulmenError: there is no such experiment.
    """
    from fulmen.config.schema import refuse_unknown

    if "/" in experiment:
        raise FulmenError(
            f"{experiment} is no experiment; `fulmen runs --outputs FOLDER` lists what lies in FOLDER/runs, "
            f"`fulmen runs show RUN` shows one run"
        )
    named = not re.search(r"[*?\[]", experiment)
    if experiment in verbs and not (Path(arguments.outputs) / "runs" / experiment).is_dir():
        raise FulmenError(
            f"fulmen runs {experiment}: which run? `fulmen runs` lists them, `fulmen runs --help` says more"
        )
    if named:
        refuse_unknown(experiment)
    if arguments.status or arguments.tag or arguments.archived or arguments.filter or arguments.kind != "run":
        words = [word for word in arguments.filter if not Filter.read(word).name]
        print("nothing is like that" + (f"; {words[0]} is sought as a text: quote 'lr>0.01'" if words else ""))
        return 0
    where = Path(arguments.outputs, "runs", experiment.replace("*", ""))
    print(f"no runs in {where} yet; start one: {TRAIN} experiment={experiment if named else first_experiment()}")
    return 0


def _all(entries: Sequence[Entry], of_any_status: bool) -> tuple[str, ...]:
    return tuple({entry.status for entry in entries}) if of_any_status else ()


def _plain(entry: Entry, columns: Sequence[str], values: Values) -> dict[str, Any]:
    """An entry as JSON, with the columns that were asked for beside its own."""
    return asdict(entry) | {name: values.of(entry, name) for name in columns if name not in COLUMNS}
