"""Which folders of results lie below an outputs folder, and what tells whether one has changed.

runs/<experiment>/<stamp>           a run; those of its folds and seeds, below it, belong to it
sweeps/<name>                       a search, or the tables of a multirun; trials belong to their search
sweeps/<name>/<choice>              a search of several studies (`search.each`)
rankings/<name>, comparisons/<name>
"""

import os
from collections.abc import Iterator
from pathlib import Path

LEADING = {"runs": "result.json", "sweeps": "search.json", "rankings": "ranking.json", "comparisons": "comparison.md"}
CHANGING = ("labels.json", "job.json", "attempt.json")
OF_RUNS = ("config.yaml", "metrics.csv")
ABSENT = "-"


def places(outputs: Path) -> Iterator[str]:
    """The folders that may hold results, relative to `outputs`: `runs/sensors/2026-11-28_12-00-00-000000`."""
    for experiment in _below(outputs, "runs"):
        yield from _below(outputs, experiment)
    for name in _below(outputs, "sweeps"):
        if (outputs / name / LEADING["sweeps"]).exists():
            yield name
        else:
            yield from (study for study in _below(outputs, name) if (outputs / study / LEADING["sweeps"]).exists())
            yield name
    yield from _below(outputs, "rankings")
    yield from _below(outputs, "comparisons")


def signature(outputs: Path, place: str) -> tuple[str, int]:
    """What changes with what a folder says of itself, and when it did last, in nanoseconds.

    The folder's own time changes with every file that is added, removed or replaced in it; the others are for files
    that somebody edits where they lie.

    Raises:
        OSError: the folder is gone.
    """
    folder = f"{outputs}/{place}"
    found = os.stat(folder)
    newest, parts = found.st_mtime_ns, [f"{found.st_mtime_ns}.{found.st_ino}"]
    top = place.partition("/")[0]
    for name in (LEADING[top], *CHANGING, *(OF_RUNS if top == "runs" else ())):
        try:
            found = os.stat(f"{folder}/{name}")
        except OSError:
            parts.append(ABSENT)
            continue
        newest = max(newest, found.st_mtime_ns)
        parts.append(f"{found.st_mtime_ns}.{found.st_ino}.{found.st_size}")
    return " ".join(parts), newest


def size(folder: Path) -> int:
    """The bytes that a folder and all below it take on the disk; links are not followed."""
    total, waiting = 0, [str(folder)]
    while waiting:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    total += entry.stat(follow_symlinks=False).st_blocks * 512
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
        except OSError:  # it goes while we look
            continue
    return total


def _below(outputs: Path, place: str) -> list[str]:
    """The folders in a folder, by name; none where there is none. Hidden ones are nobody's results."""
    try:
        with os.scandir(outputs / place) as entries:
            names = [entry.name for entry in entries if _is_shown(entry.name) and entry.is_dir()]
    except OSError:
        return []
    return [f"{place}/{name}" for name in sorted(names)]


def _is_shown(name: str) -> bool:
    """Whether a name can be told to others: not hidden, and a text, while on disk it may be any bytes."""
    return name[0] != "." and (name.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in name))
