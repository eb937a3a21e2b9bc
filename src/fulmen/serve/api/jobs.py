"""Jobs: ask for one, watch it, cancel it, let it go on; and the queue of them."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse

from fulmen.launch.record import Kind, State
from fulmen.serve.job_answers import JobAnswer, QueueAnswer, described, queue_of
from fulmen.serve.problems import answers
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api", tags=["jobs"])
HEARTBEAT = 15  # seconds of silence after which a stream of events says that it is alive
Last = Annotated[str | None, Header(alias="Last-Event-ID")]
Priority = Annotated[
    int, Field(ge=-1000, le=1000, description="the highest is started first, of equal ones the oldest")
]


class JobAsked(BaseModel):
    """What shall be done. Overrides are judged before anything starts."""

    model_config = ConfigDict(extra="forbid")

    kind: Literal["train", "multirun", "sweep", "rank", "compare"] = "train"
    experiment: Annotated[str, Field(max_length=200)] = ""
    overrides: Annotated[list[Annotated[str, Field(max_length=20_000)]], Field(max_length=500)] = []
    options: Annotated[
        dict[str, Any], Field(description="of rank: metric, folds, seeds, save_top; of compare: runs")
    ] = {}  # fmt: skip
    priority: Priority = 0


class JobChange(BaseModel):
    """What can be changed of a job."""

    model_config = ConfigDict(extra="forbid")

    priority: Priority


class QueueChange(BaseModel):
    """What can be changed of the queue."""

    model_config = ConfigDict(extra="forbid")

    paused: bool


class Jobs(BaseModel):
    """A page of jobs, the latest first."""

    items: list[JobAnswer]
    total: int
    limit: int
    offset: int


class Log(BaseModel):
    """The last lines that a job has printed."""

    lines: list[str]


@router.post("/jobs", status_code=201, responses=answers(422, 507))
def submit(asked: JobAsked, services: Wanted, request: Request, response: Response) -> JobAnswer:
    """Ask for a job; it is started as soon as there is room."""
    what, by = (asked.kind, asked.experiment, asked.overrides, asked.options), request.state.by
    services.judge.refuse(*what, by)
    entry = services.queue.submit(*what, by, asked.priority)
    response.headers["Location"] = f"/api/jobs/{entry.job.id}"
    return described(entry)


@router.get("/jobs")
def jobs(
    services: Wanted,
    state: Annotated[list[State], Query()] = [],  # noqa: B006  # FastAPI copies it
    kind: Kind | None = None,
    experiment: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> Jobs:
    """The jobs, the latest first."""
    found = [
        entry for entry in reversed(services.queue.jobs())
        if (not state or entry.state in state) and kind in (None, entry.job.kind)
        and experiment in (None, entry.job.experiment)
    ]  # fmt: skip
    items = [described(entry) for entry in found[offset : offset + limit]]
    return Jobs(items=items, total=len(found), limit=limit, offset=offset)


@router.get("/jobs/{id}", responses=answers(404))
def job(id: str, services: Wanted) -> JobAnswer:
    """One job."""
    return described(services.queue.job(id))


@router.patch("/jobs/{id}", responses=answers(404, 422))
def change(id: str, change: JobChange, services: Wanted) -> JobAnswer:
    """Change the priority of a job."""
    return described(services.queue.prioritize(id, change.priority))


@router.delete("/jobs/{id}", status_code=204, responses=answers(404, 409))
def delete(id: str, services: Wanted, folder: bool = False) -> None:
    """Forget a job that does not run; with `folder=true` what it has made goes too."""
    services.queue.delete(id, folder)


@router.post("/jobs/{id}/cancel", responses=answers(404, 409))
def cancel(id: str, services: Wanted) -> JobAnswer:
    """Cancel a job: one that runs saves itself first. Asked twice it is killed."""
    return described(services.queue.cancel(id))


@router.post("/jobs/{id}/resume", responses=answers(404, 409, 507))
def resume(id: str, services: Wanted) -> JobAnswer:
    """Let a job go on where it stopped."""
    return described(services.queue.resume(id))


@router.post("/jobs/{id}/retry", status_code=201, responses=answers(404, 409, 422, 507))
def retry(id: str, services: Wanted, request: Request) -> JobAnswer:
    """The same again from the beginning, as a job of its own."""
    return described(services.queue.retry(id, request.state.by))


@router.get("/jobs/{id}/log", responses=answers(404))
def log(id: str, services: Wanted, tail: Annotated[int, Query(ge=1, le=5000)] = 200) -> Log:
    """The last lines that a job has printed."""
    return Log(lines=services.queue.log(id, tail))


@router.get("/jobs/{id}/events", response_class=EventSourceResponse, responses=answers(404))
def events_of(id: str, services: Wanted, last: Last = None) -> EventSourceResponse:
    """A stream of events of one job: `job` with all of it whenever its state or progress changes, `gone` at its end."""
    services.queue.job(id)
    return EventSourceResponse(services.feed.listen(id, last), ping=HEARTBEAT)


@router.get("/events", response_class=EventSourceResponse)
def events(services: Wanted, last: Last = None) -> EventSourceResponse:
    """A stream of events of all jobs (`job`, `gone`) and of the queue (`queue`); first how all of them stand."""
    return EventSourceResponse(services.feed.listen(None, last), ping=HEARTBEAT)


@router.get("/queue")
def queue(services: Wanted) -> QueueAnswer:
    """How the queue stands."""
    return queue_of(services.queue)


@router.patch("/queue", responses=answers(422, 507))
def change_queue(change: QueueChange, services: Wanted) -> QueueAnswer:
    """Pause the queue or let it go on; what runs is not touched."""
    services.queue.pause(change.paused)
    return queue_of(services.queue)
