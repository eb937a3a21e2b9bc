"""The jobs below an outputs folder, as the files there say; nothing else is remembered of them."""

import json
import math
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fulmen.distributed.process_identity import is_alive, is_here
from fulmen.launch.record import (
    ACTIVE,
    ATTEMPT,
    JOB,
    OPEN,
    Attempt,
    Job,
    State,
    is_locked,
    read_attempt,
    read_job,
    state_of,
)

PLACES = ("runs/*/*", "sweeps/*", "rankings/*", "comparisons/*")
PROGRESS, RESULT = "progress.json", "result.json"
RESCAN, RESCAN_ALL = 20.0, 2.0  # seconds after which folders that came by hand are looked for

Signature = tuple[tuple[int, int] | None, ...]


@dataclass(frozen=True)
class Entry:
    """A job and how it stands.

    Attributes:
        folder: where it lies.
        progress: what `progress.json` holds of this attempt; None if nothing.
    """

    job: Job
    attempt: Attempt | None
    state: State
    folder: Path
    progress: dict[str, Any] | None = None

    @property
    def message(self) -> str:
        """Why it did not complete, in a line; "" where nothing is to be said."""
        if self.state in OPEN or self.state == "completed" or self.attempt is None:
            return ""
        return self.attempt.message or ("its process was killed" if self.state == "killed" else "")

    @property
    def is_open(self) -> bool:
        """Whether it has not ended yet."""
        return self.state in OPEN


class Found:
    """The jobs below `outputs`; a folder that was deleted, moved or copied by hand is simply not there any more."""

    def __init__(self, outputs: Path):
        self.outputs = outputs
        self._known: dict[Path, tuple[Signature, Entry]] = {}
        self._scanned = -math.inf

    def all(self) -> list[Entry]:
        """Every job as it stands now, the oldest first."""
        self._scan(RESCAN_ALL)
        found = [entry for folder in list(self._known) if (entry := self.at(folder))]
        return sorted(found, key=lambda entry: (entry.job.created, entry.job.id))

    def open(self) -> list[Entry]:
        """Those that have not ended, the oldest first."""
        self._scan(RESCAN)
        waiting = [folder for folder, (_, entry) in self._known.items() if entry.is_open]
        found = [entry for folder in waiting if (entry := self.at(folder)) and entry.is_open]
        return sorted(found, key=lambda entry: (entry.job.created, entry.job.id))

    def of(self, id: str) -> Entry | None:
        """The job of this id; None if there is none."""
        place = next((folder for folder, (_, entry) in self._known.items() if entry.job.id == id), None)
        entry = self.at(place) if place else None
        if entry and entry.job.id == id:
            return entry
        return next((each for each in self.all() if each.job.id == id), None)

    def at(self, folder: Path) -> Entry | None:
        """The job in `folder` as it stands now; None if there is none, or it belongs elsewhere."""
        signature, before = _signature(folder), self._known.get(folder)
        if before and before[0] == signature and before[1].state not in ACTIVE:
            return before[1]
        entry = self._read(folder)
        if entry is None:
            self._known.pop(folder, None)
        else:
            self._known[folder] = signature, entry
        return entry

    def _scan(self, seconds: float) -> None:
        if time.monotonic() - self._scanned < seconds:
            return
        self._scanned = time.monotonic()
        for folder in self._folders():
            if folder not in self._known:
                self.at(folder)

    def _folders(self) -> Iterator[Path]:
        for place in PLACES:
            for path in self.outputs.glob(f"{place}/{JOB}"):
                yield path.parent

    def _read(self, folder: Path) -> Entry | None:
        while True:
            job, attempt = read_job(folder), read_attempt(folder)
            if job is None or self.outputs / job.folder != folder:
                return None
            alive = attempt is not None and attempt.ended is None and lives(folder, attempt)
            if alive or (attempt == read_attempt(folder) and job == read_job(folder)):  # it may end between two looks
                break
        taken = attempt is not None and attempt.attempt >= job.attempt
        began = attempt.began if taken and attempt else ""
        said = _said(folder, began) if began and not alive else ""
        if job.kind == "keep" and said == "completed":  # the training alone; whether it was kept is not known
            said = ""
        state = state_of(job, attempt, alive, said)
        return Entry(job, attempt if taken else None, state, folder, _progress(folder, began) if began else None)


def lives(folder: Path, attempt: Attempt) -> bool:
    """Whether the process that runs an attempt, or its work, lives."""
    locked = is_locked(folder)
    if locked is not None:
        return locked
    who = {"host": attempt.host, "pid": attempt.pid, "started": attempt.started}
    return is_here(who) and (is_alive(who) or (attempt.work is not None and is_alive({**who, **attempt.work})))


def _said(folder: Path, since: str) -> str:
    """The status that the work has written since: in `result.json`, or by finishing its progress."""
    for name in (RESULT, PROGRESS):
        with suppress(OSError, ValueError, AttributeError):
            path = folder / name
            if path.stat().st_mtime + 0.01 < datetime.fromisoformat(since).timestamp():
                continue
            content = json.loads(path.read_bytes())
            status = str(content.get("status", "")) if name == RESULT else "completed" * bool(content.get("ended"))
            if status:
                return "completed" if status in ("stopped", "pruned") else status
    return ""


def _progress(folder: Path, since: str) -> dict[str, Any] | None:
    with suppress(OSError, ValueError, KeyError, TypeError):
        found = json.loads((folder / PROGRESS).read_bytes())
        if datetime.fromisoformat(found["updated"]) >= datetime.fromisoformat(since):
            return dict(found)
    return None


def _signature(folder: Path) -> Signature:
    return tuple(_stamp(folder / name) for name in (JOB, ATTEMPT, RESULT, PROGRESS))


def _stamp(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_ino
