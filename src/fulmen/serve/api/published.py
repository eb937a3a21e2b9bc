"""The interface that programs of the stock trainer know: /api/train-advanced and what belongs to it."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from fulmen.launch.found import Entry
from fulmen.serve import published
from fulmen.serve.job_answers import JobAnswer, described
from fulmen.serve.problems import Fault, Problem, answers, wrong
from fulmen.serve.published import BY, TrainAdvanced
from fulmen.serve.published_answers import (
    Best,
    ModelsInfo,
    Optimized,
    TrainedFast,
    TrainProgress,
    best_of,
    models_info,
    progress_of,
    result_of,
    seconds_of,
)
from fulmen.serve.published_models import ALL
from fulmen.serve.services import Services, Wanted

router = APIRouter(prefix="/api", tags=["stocks, as published"])
LOOK = 0.25  # seconds between two looks at the job


@router.post("/train-advanced", responses={202: {"model": JobAnswer}, **answers(422, 500, 503, 507)},
             response_model=TrainedFast | Optimized)  # fmt: skip
async def train_advanced(
    request: Request,
    services: Wanted,
    asked: Annotated[TrainAdvanced, Body()] = TrainAdvanced(),  # noqa: B008  # never changed
    wait: Annotated[bool, Query(description="false: answer 202 with the job at once")] = True,
) -> Any:
    """Train the models that are asked for and rank them by their error in units of the price.

    The request stays open until the job has ended; the job goes on if the connection is lost. Where the server was not
    started with --stocks-csv the prices are those of a simulated market.
    """
    if unknown := [number for number in asked.model_ids or () if number not in ALL]:
        cure = f"numbers from 1 to {len(ALL)}; GET /api/models-info lists them"
        raise wrong("model_ids", f"there is no model {unknown[0]}", cure)
    experiment, overrides = published.overrides_of(asked, services.settings)
    by = ": ".join(filter(None, (BY, request.state.by)))
    entry = await run_in_threadpool(services.queue.submit, "sweep", experiment, overrides, None, by)
    services.metrics.retrain.labels(asked.mode).inc()
    if not (wait and asked.wait):
        return _json(described(entry), 202)
    entry = await ended(entry, request, services)
    return await run_in_threadpool(result_of, entry, services.settings)


async def ended(entry: Entry, request: Request, services: Services) -> Entry:
    """The job once it has ended.

    Raises:
        Problem: the server stops, or the client has gone.
    """
    id = entry.job.id
    while entry.is_open:
        if services.stopping.is_set():
            raise Problem(503, f"the server stops; job {id} goes on: GET /api/jobs/{id}")
        if await request.is_disconnected():
            raise Problem(503, f"nobody waits any more; job {id} goes on")
        await asyncio.sleep(LOOK)
        entry = await run_in_threadpool(services.queue.job, id)
    if entry.state != "completed":
        detail = f"job {id} is {entry.state}: {entry.message or 'its log says why'}"
        raise Problem(500, detail, [Fault(key="job", problem=detail, cure=f"GET /api/jobs/{id}/log")])
    services.metrics.retrain_seconds.labels(published.mode_of(entry)).observe(seconds_of(entry))
    return entry


@router.get("/models-info")
def models() -> ModelsInfo:
    """The 30 networks: names, descriptions, categories."""
    return models_info()


@router.get("/train-progress")
def train_progress(services: Wanted) -> TrainProgress:
    """How far the newest of these trainings is."""
    found = [entry for entry in services.queue.jobs() if published.is_published(entry)]
    return progress_of(next((each for each in found if each.is_open), found[-1] if found else None))


@router.get("/models/best", responses=answers(404))
def best(services: Wanted) -> Best:
    """The model of the smallest error among these trainings, of those with the horizon and the data of the latest."""
    found = [e for e in services.queue.jobs() if published.is_published(e) and e.state == "completed"]
    if (answer := best_of(found)) is None:
        raise Problem(404, "no model was trained yet; POST /api/train-advanced trains some")
    return answer


def _json(answer: JobAnswer, status: int) -> Response:
    return Response(answer.model_dump_json(), status, media_type="application/json")
