"""A job as the files in its folder tell it: what is wanted, what came of the latest attempt, and so how it stands.

`job.json` says what is wanted; the queue alone writes it. `attempt.json` says what came of it; only the process that
runs the job writes that (the supervisor here, on a cluster its scheduler's script). That process holds a lock on
`job.lock`, which the work itself inherits: while either lives the job is running, whoever else has died. `job.log`
takes what all attempts print. How a job stands is never written down, it follows from these: see `state_of`.
"""

import fcntl
import json
import os
import shlex
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TypeVar

from fulmen.utils.files import write_json

JOB, ATTEMPT, LOCK, LOG = "job.json", "attempt.json", "job.lock", "job.log"
OWN = (JOB, ATTEMPT, LOCK, LOG)
FORMAT = 1
Kind = Literal["train", "multirun", "sweep", "rank", "compare", "keep"]
State = Literal[
    "queued", "running", "cancelling", "completed", "cancelled", "interrupted", "failed", "diverged", "killed"
]
ACTIVE: tuple[State, ...] = ("running", "cancelling")
OPEN: tuple[State, ...] = ("queued", *ACTIVE)  # not ended yet
ASKED = (128 + 2, 128 + 10, 128 + 15, -2, -10, -15)  # exit codes of work that a signal asked to stop
PEER_LOST = 69


@dataclass(frozen=True)
class Job:
    """What is wanted.

    Attributes:
        id: of the job, unique below an outputs folder.
        folder: of the job, below the outputs folder; a record that lies elsewhere was moved or copied by hand.
        experiment: "" where a comparison names only runs.
        overrides: as they were asked for.
        options: of rank (metric, folds, seeds, save_top), compare (runs) and keep (ranking, row, name, note, registry).
        command: of the work, what follows `python -m fulmen`.
        cwd: the working directory it was asked for in; paths in the command are relative to it.
        by: who asked for it, as far as is known.
        created: ISO 8601.
        priority: the highest is started first.
        attempt: number of the attempt that is wanted, from 1.
        wanted: run, cancel (the work saves itself), or kill.
        resume: whether this attempt goes on with what the one before left.
    """

    id: str
    kind: Kind
    folder: str
    experiment: str = ""
    overrides: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    command: tuple[str, ...] = ()
    cwd: str = "."
    by: str = ""
    created: str = ""
    priority: int = 0
    attempt: int = 1
    wanted: Literal["run", "cancel", "kill"] = "run"
    resume: bool = False

    @property
    def words(self) -> list[str]:
        """What a person would type after `fulmen` for the same work."""
        chosen = [f"experiment={self.experiment}"] if self.experiment else []
        given = {name.replace("_", "-"): value for name, value in self.options.items() if value is not None}
        options = [f"--{name}={value}" for name, value in given.items() if name not in ("ranking", "runs")]
        if self.kind == "rank":
            return ["rank", self.experiment, *self.overrides, *options]
        if self.kind == "keep":
            return ["models", "save", str(self.options.get("ranking")), *self.overrides, *options]
        if self.kind == "compare":
            return ["compare", *self.options.get("runs", []), *self.overrides]
        return [*(["train", "-m"] if self.kind == "multirun" else [self.kind]), *chosen, *self.overrides]

    @property
    def typed(self) -> str:
        """The command line that a person would type for the same work."""
        return shlex.join(["fulmen", *self.words])


@dataclass(frozen=True)
class Attempt:
    """What came of the latest attempt.

    Attributes:
        attempt: its number.
        host, pid, started: the process that runs the job, see `fulmen.distributed.process_identity`.
        work: pid and start of the work itself, None before it is started.
        slot: of the queue.
        gpu: that it was given, as in CUDA_VISIBLE_DEVICES; None for all.
        scheduler: the id of a cluster's job.
        began, ended: ISO 8601; `ended` is None while it lasts, and for ever where the process was killed.
        exit_code: of the work; negative: the signal that killed it.
        message: why it did not complete, in a line.
    """

    attempt: int
    host: str
    pid: int
    started: str | None = None
    work: Mapping[str, Any] | None = None
    slot: int = 0
    gpu: str | None = None
    scheduler: str | None = None
    began: str = ""
    ended: str | None = None
    exit_code: int | None = None
    message: str = ""


Record = TypeVar("Record", Job, Attempt)


def read_job(folder: Path) -> Job | None:
    """`job.json`; None if there is none that can be read."""
    return _read(folder / JOB, Job)


def read_attempt(folder: Path) -> Attempt | None:
    """`attempt.json`; None if there is none that can be read."""
    return _read(folder / ATTEMPT, Attempt)


def write(folder: Path, record: Job | Attempt) -> None:
    """Write a record into the job's folder, atomically.

    Raises:
        Obstructed: the disk is full or the folder not writable; what stood there before is untouched.
    """
    write_json(folder / (JOB if isinstance(record, Job) else ATTEMPT), {"format": FORMAT, **asdict(record)})


def state_of(job: Job, attempt: Attempt | None, locked: bool, said: str = "") -> State:
    """How a job stands.

    Args:
        locked: whether a process that runs it, or its work, lives.
        said: the status that the work has written down since the attempt began; "" if none.
    """
    if attempt is None or attempt.attempt < job.attempt:
        return "queued" if job.wanted == "run" else "cancelled"
    if attempt.ended is None and locked:
        return "running" if job.wanted == "run" else "cancelling"
    stopped: State = "interrupted" if job.wanted == "run" else "cancelled"
    code = attempt.exit_code
    if code is None:  # whoever would have told is dead
        told: dict[str, State] = {"completed": "completed", "failed": "failed", "diverged": "diverged"}
        return told.get(said, stopped if said == "interrupted" else "killed")
    if code == 0:
        return "completed"
    if code in ASKED or code == PEER_LOST:
        return stopped
    if code < 0:
        return "killed" if job.wanted == "run" else "cancelled"
    return "diverged" if said == "diverged" else "failed"


def is_locked(folder: Path) -> bool | None:
    """Whether somebody holds the job's lock; None where the file system cannot tell."""
    try:
        with open(folder / LOCK, "rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False


@contextmanager
def held(folder: Path, patience: float = 1.0) -> Iterator[int | None]:
    """The job's lock in this block, as a descriptor that a process may inherit; None if others keep it.

    Args:
        patience: seconds to wait: a look at it takes it for an instant, and who has written how the work ended lets go
            of it in a moment.

    Raises:
        OSError: the folder is gone or not writable.
    """
    file = os.open(folder / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        yield file if _locked(file, time.monotonic() + patience) else None
    finally:
        os.close(file)


def _locked(file: int, end: float) -> bool:
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > end:
                return False
            time.sleep(0.01)
        except OSError:  # some shared file systems have no locks; pid and start then tell who lives
            return True


def now() -> str:
    """The time, as records hold it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _read(path: Path, kind: type[Record]) -> Record | None:
    with suppress(OSError, ValueError, TypeError, RecursionError, AttributeError):
        found = json.loads(path.read_bytes())
        if found.get("format") != FORMAT:
            return None
        known: dict[str, Any] = {each.name: found[each.name] for each in fields(kind) if each.name in found}
        for name, value in known.items():
            known[name] = tuple(value) if isinstance(value, list) else value
        return kind(**known)
    return None
