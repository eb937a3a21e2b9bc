"""How a job is described over HTTP."""

from typing import Any, Literal

from pydantic import BaseModel, Field, ValidationError

from fulmen.launch.found import Entry
from fulmen.launch.queue import Queue
from fulmen.launch.record import Kind, State


class Best(BaseModel):
    """The best so far: what it is called, the metric it was judged by, and its value."""

    name: str
    metric: str
    value: float


class Progress(BaseModel):
    """How far a job is; `done` may lie between two whole numbers, `total` is the most there will be."""

    unit: str
    done: float
    total: float | None = None
    started: str | None = None
    updated: str | None = None
    ended: str | None = None
    seconds_left: float | None = None
    best: Best | None = None
    what: str = ""


class JobAnswer(BaseModel):
    """A job: what is wanted, how it stands, how far it is."""

    id: str
    kind: Kind
    state: State
    experiment: str
    overrides: list[str]
    options: dict[str, Any]
    typed: str = Field(description="the command line that does the same")
    folder: str = Field(description="below the outputs folder")
    by: str
    created: str
    priority: int
    attempt: int = Field(description="1, and one more for each time it went on")
    began: str | None
    ended: str | None
    exit_code: int | None
    message: str = Field(description="why it did not complete, in a line")
    slot: int | None
    gpu: str | None
    progress: Progress | None
    can: list[Literal["cancel", "resume", "retry", "delete"]] = Field(description="what may be asked of it now")


class QueueAnswer(BaseModel):
    """The queue: whether it starts jobs, how many run at a time, how many run and wait."""

    paused: bool
    slots: int
    running: int
    queued: int


def described(entry: Entry) -> JobAnswer:
    """A job as it stands."""
    job, attempt = entry.job, entry.attempt
    return JobAnswer(
        id=job.id, kind=job.kind, state=entry.state, experiment=job.experiment, overrides=list(job.overrides),
        options=dict(job.options), typed=job.typed, folder=job.folder, by=job.by, created=job.created,
        priority=job.priority, attempt=job.attempt, message=entry.message, progress=progress_of(entry), can=can(entry),
        began=attempt.began if attempt else None, ended=attempt.ended if attempt else None,
        exit_code=attempt.exit_code if attempt else None, slot=attempt.slot if attempt else None,
        gpu=attempt.gpu if attempt else None,
    )  # fmt: skip


def progress_of(entry: Entry) -> Progress | None:
    """How far it is; None where nothing was told, or nothing that can be read."""
    try:
        return Progress.model_validate(entry.progress) if entry.progress else None
    except ValidationError:
        return None


def can(entry: Entry) -> list[Literal["cancel", "resume", "retry", "delete"]]:
    """What may be asked of a job."""
    if entry.state == "queued":
        return ["cancel", "delete"]
    if entry.is_open:
        return ["cancel"]
    goes_on = entry.state != "completed" and (entry.job.kind != "multirun" or entry.attempt is None)
    return ["resume", "retry", "delete"] if goes_on else ["retry", "delete"]


def queue_of(queue: Queue) -> QueueAnswer:
    """How the queue stands."""
    states = [entry.state for entry in queue.open_jobs()]
    waiting = states.count("queued")
    return QueueAnswer(
        paused=queue.paused, slots=len(queue.slots.all), running=len(states) - waiting, queued=waiting
    )  # fmt: skip
