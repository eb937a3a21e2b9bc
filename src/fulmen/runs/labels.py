"""What people say of a folder of results, in its `labels.json`: archived or not, tags, a note.

    {"format": 1, "archived": true, "tags": ["paper"], "note": "the one in figure 3"}

The file travels with the folder; it says the same of runs, searches, rankings and comparisons.
"""

import contextlib
import fcntl
import json
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from fulmen.errors import FulmenError
from fulmen.utils.files import cannot_write, write_json

LABELS = "labels.json"
TAG = re.compile(r"\w[\w.:+-]{0,49}")
LONGEST = 10_000  # characters of a note
MOST = 50  # tags


@dataclass(frozen=True)
class Labels:
    """What is said of a folder."""

    archived: bool = False
    tags: tuple[str, ...] = ()
    note: str = ""


def read_labels(folder: str | Path) -> Labels:
    """What `labels.json` says; nothing is said where there is none, and what cannot be understood is left out."""
    try:
        found = json.loads((Path(folder) / LABELS).read_bytes())
        tags = tuple(tag for tag in found.get("tags", ()) if isinstance(tag, str))
        return Labels(found.get("archived") is True, tags, str(found.get("note") or ""))
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return Labels()


def label(
    folder: Path, archived: bool | None = None, add: Iterable[str] = (), remove: Iterable[str] = (),
    note: str | None = None, tags: Iterable[str] | None = None,
) -> Labels:  # fmt: skip
    """Change what is said of a folder; what is None stays as it is.

    Args:
        tags: instead of those there are.

    Raises:
        FulmenError: a tag or note that cannot be, a folder that is gone or not writable.
    """
    with _alone(folder):
        before = read_labels(folder)
        gone = set(remove)
        kept = [tag for tag in (before.tags if tags is None else tags) if tag not in gone]
        now = replace(before, tags=tuple(dict.fromkeys([*kept, *add])))
        now = now if archived is None else replace(now, archived=archived)
        now = now if note is None else replace(now, note=note)
        _check(now)
        if now != before:
            write_json(folder / LABELS, {"format": 1, **asdict(now)})
    return now


def _check(labels: Labels) -> None:
    for tag in labels.tags:
        if not TAG.fullmatch(tag):
            raise FulmenError(
                f"tag {tag[:60]!r}: 1 to 50 letters, digits, `_`, `.`, `:`, `+` and `-`, a letter or digit first"
            )
    if len(labels.tags) > MOST:
        raise FulmenError(f"{len(labels.tags)} tags: {MOST} at most")
    if len(labels.note) > LONGEST:
        raise FulmenError(f"a note of {len(labels.note):,} characters: {LONGEST:,} at most")


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Nobody else changes the labels in this block: the folder itself is locked."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        raise FulmenError(f"there is no folder {folder}") from None
    except OSError as error:
        raise cannot_write(folder / LABELS, error) from error
    try:
        with contextlib.suppress(OSError):  # some shared file systems have no locks
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
