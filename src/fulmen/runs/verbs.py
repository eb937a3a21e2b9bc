"""`fulmen runs` and `fulmen clean`: what they print and do. None of it imports torch."""

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from textwrap import shorten
from typing import Any

from fulmen.errors import FulmenError
from fulmen.runs import clean as cleaning
from fulmen.runs.deleting import InUse, delete
from fulmen.runs.entry import Entry, read_run
from fulmen.runs.index import Index
from fulmen.runs.labels import label
from fulmen.runs.list_verb import show_list
from fulmen.runs.side_by_side import side_by_side

WITH_TEXT = ("tag", "untag", "note")  # verbs with a word before the runs


def runs(arguments: argparse.Namespace) -> int:
    """List runs, or do with some what the verb says."""
    words, index = arguments.words, Index(arguments.outputs)
    verb = words[0] if len(words) > 1 else None
    if verb is None:
        return show_list(index, words[0] if words else "*", arguments, VERBS)
    if verb not in VERBS:
        from fulmen.config.mistakes import did_you_mean

        told = did_you_mean(verb, VERBS) or f"; there is {', '.join(VERBS)}"
        raise FulmenError(f"fulmen runs has no verb {verb}{told}")
    text, named = (words[1], words[2:]) if verb in WITH_TEXT else ("", words[1:])
    if not named:
        what = verb.removeprefix("un").upper() if verb != "note" else "TEXT"
        raise FulmenError(f"fulmen runs {verb}: which run? fulmen runs {verb} {what} RUN ...")
    entries = index.entries()
    return VERBS[verb](index, [find(index, entries, word, verb == "show") for word in named], text, arguments)


def find(index: Index, entries: Sequence[Entry], word: str, within: bool = False) -> Entry:
    """The result that is meant by a path, or by what the list calls it.

    Args:
        within: whether a run within another result, such as a seed or an ensemble of seeds, may be meant too.

    Raises:
        FulmenError: there is none.
    """
    places = [f"runs/{word.strip('/')}", word.strip("/")]
    here = Path(word).resolve()
    if here.is_relative_to(index.outputs.resolve()):
        places.insert(0, here.relative_to(index.outputs.resolve()).as_posix())
    for place in places:
        if found := next((entry for entry in entries if entry.path == place), None):
            return found
    for place in places if within else ():
        inside = (index.outputs / place).resolve().is_relative_to(index.outputs.resolve())
        if inside and (index.outputs / place / "result.json").is_file() and (one := read_run(index.outputs, place)):
            return one
    from fulmen.config.mistakes import nearest

    near = nearest(word, [entry.name for entry in reversed(entries)])
    told = f"did you mean {near}?" if near else "`fulmen runs --kind all` lists them"
    raise FulmenError(f"{word} is no run, search, ranking or comparison in {index.outputs}; {told}")


def show(index: Index, entries: Sequence[Entry], _: str, arguments: argparse.Namespace) -> int:
    """All that is known of each."""
    facts = [asdict(entry) | {"bytes": index.bytes(entry)} for entry in entries]
    if arguments.json:
        print(json.dumps(facts if len(facts) > 1 else facts[0], indent=1))
        return 0
    for entry, each in zip(entries, facts, strict=True):
        folder = index.outputs / entry.path
        each |= {"message": entry.said(folder), "bytes": cleaning.as_size(each["bytes"]), "path": folder}
        leaks = each.pop("leaks")
        for name, value in each.items():
            if value not in (None, "", [], {}, False):
                print(f"{name:11} {_plain(value)}")
        print("".join(f"{'leak':11} {leak}\n" for leak in leaks), end="")
        print() if entry is not entries[-1] else None
    return 0


def compare(index: Index, entries: Sequence[Entry], _: str, arguments: argparse.Namespace) -> int:
    """A table of metrics and one of the settings that differ."""
    if len(entries) < 2:
        raise FulmenError("fulmen runs compare takes two runs or more: fulmen runs compare RUN RUN ...")
    found = side_by_side(index.outputs, entries)
    if arguments.json:
        print(json.dumps({"runs": [entry.path for entry in entries]} | found, indent=1))
        return 0
    from fulmen.report.summary import print_table

    for title, lines in found.items():
        names = [f"{number}: {entry.name}" for number, entry in enumerate(entries, 1)]
        rows = [{"": name} | dict(zip(names, map(_short, values), strict=True)) for name, values in lines.items()]
        if rows:
            print_table({"facts": "The runs", "metrics": "Metrics", "settings": "Settings that differ"}[title], rows)
    print("fulmen compare judges them on the test items that they share")
    return 0


def change(index: Index, entries: Sequence[Entry], **changes: Any) -> int:
    """Label each, and say so."""
    for entry in entries:
        labels = label(index.outputs / entry.path, **changes)
        said = ", ".join(filter(None, ["archived" * labels.archived, *labels.tags, labels.note and repr(labels.note)]))
        print(f"{entry.name}: {said or 'no labels'}")
    return 0


def delete_some(index: Index, entries: Sequence[Entry], _: str, arguments: argparse.Namespace) -> int:
    """Delete their folders, once that is confirmed."""
    kept, total = arguments.kept(), sum(index.bytes(entry) for entry in entries)
    names = ", ".join(str(index.outputs / entry.path) for entry in entries)
    if not arguments.yes and not confirmed(f"delete {names} ({cleaning.as_size(total)}) for good?", "--yes deletes"):
        return 0
    for entry in entries:
        delete(index.outputs, entry.path, kept, arguments.force)
        print(f"deleted: {index.outputs / entry.path}")
    return 0


def clean(arguments: argparse.Namespace) -> int:
    """List what may go, and remove it once that is confirmed."""
    kinds, kept, index = cleaning.read_kinds(arguments.kind), arguments.kept(), Index(arguments.outputs)
    older = cleaning.read_age(arguments.older) if arguments.older else 0.0
    found = cleaning.waste(index, kinds, older, kept)
    if arguments.json:
        print(json.dumps([{**asdict(each), "folder": str(each.folder)} for each in found], indent=1))
        return 0
    going, staying = [each for each in found if not each.kept], [each for each in found if each.kept]
    for each in sorted(going, key=lambda each: kinds.index(each.kind)):
        size = cleaning.as_size(each.bytes)
        print(f"{each.kind:11} {cleaning.in_words(each.age):>7} {size:>9}  {each.path}  {shorten(each.remark, 100)}")
    for each in staying:
        print(f"left alone: {each.path}: {each.kept}; fulmen runs delete {each.path} --force deletes it")
    if not going:
        print("nothing to remove")
        return 0
    total = f"{len(going)} of them, {cleaning.as_size(sum(each.bytes for each in going))}"
    if not arguments.yes and not confirmed(f"remove {total}?", "--yes removes"):
        return 0
    refused = list(filter(None, (_refusal(index, each, kept) for each in going)))
    print("\n".join([*refused, f"removed {len(going) - len(refused)} of {len(going)}"]))
    return 0


def confirmed(question: str, otherwise: str) -> bool:
    """Whether a person at the terminal says yes; without one nobody does, and a line says how to go on."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(f"{question.rstrip('?')}: nothing is done yet, {otherwise} them")
        return False
    return input(f"{question} [y/N] ").strip().lower() in ("y", "yes")


def _refusal(index: Index, each: cleaning.Waste, kept: Any) -> str:
    """Why one could not be removed, "" if it was."""
    try:
        cleaning.remove(index.outputs, each, kept)
    except InUse as error:
        return f"left alone: {error}"
    return ""


def _plain(value: Any) -> str:
    from fulmen.report.document import number

    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(item)}" for name, item in value.items())
    return ", ".join(map(str, value)) if isinstance(value, list) else number(value)


def _short(value: Any) -> Any:
    return value if value is None or isinstance(value, int | float | str) else json.dumps(value)


Verb = Callable[[Index, Sequence[Entry], str, argparse.Namespace], int]
VERBS: dict[str, Verb] = {
    "show": show,
    "compare": compare,
    "note": lambda index, entries, text, _: change(index, entries, note=text),
    "tag": lambda index, entries, text, _: change(index, entries, add=[text]),
    "untag": lambda index, entries, text, _: change(index, entries, remove=[text]),
    "archive": lambda index, entries, *_: change(index, entries, archived=True),
    "unarchive": lambda index, entries, *_: change(index, entries, archived=False),
    "delete": delete_some,
}
