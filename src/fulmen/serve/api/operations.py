"""Whether the service is alive and ready, and what it has done."""

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse
from pydantic import BaseModel

from fulmen.serve.problems import Fault, Problem, answers
from fulmen.serve.services import Wanted

router = APIRouter(tags=["operations"])


class Health(BaseModel):
    """That the server answers."""

    status: str = "ok"


class Ready(BaseModel):
    """That the server can do its work; the parts that were looked at."""

    status: str = "ready"
    parts: list[str]


@router.get("/health")
async def health() -> Health:
    """Whether the server answers at all."""
    return Health()


@router.get("/ready", responses=answers(503))
def ready(services: Wanted) -> Ready:
    """Whether every part of the server can do its work."""
    if services.stopping.is_set():
        raise Problem(503, "the server is stopping")
    found = {name: check() for name, check in services.checks.items()}
    if faults := [Fault(key=name, problem=why) for name, why in found.items() if why]:
        raise Problem(503, "; ".join(f"{each.key}: {each.problem}" for each in faults), faults)
    return Ready(parts=list(found))


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(services: Wanted) -> PlainTextResponse:
    """Requests, predictions and jobs, as Prometheus reads them."""
    return PlainTextResponse(services.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")
