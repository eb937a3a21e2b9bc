"""Rankings: their rows, any of which can be kept as a model."""

from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from fulmen.errors import FulmenError
from fulmen.registry.catalogue import Catalogue
from fulmen.registry.names import check_name
from fulmen.runs.labels import LONGEST
from fulmen.serve import ranking_details, result_files
from fulmen.serve.job_answers import JobAnswer, described
from fulmen.serve.problems import Fault, Problem, answers, wrong
from fulmen.serve.results import Limit, Listed, Listing, Offset
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api/rankings", tags=["rankings"])


class Ranking(Listed):
    """A ranking: its line in the list, and its rows."""

    ranking: ranking_details.Ranked
    figures: list[str]


class Kept(BaseModel):
    """How the model shall be called."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200)]
    note: Annotated[str, Field(max_length=LONGEST)] = ""


@router.get("")
def list_rankings(services: Wanted, experiment: str = "*", limit: Limit = 50, offset: Offset = 0) -> Listing:
    """All rankings, the newest first."""
    return services.results.newest("ranking", experiment, limit, offset)


@router.get("/{path:path}/report", responses=answers(404), response_class=Response)
def report(services: Wanted, path: str) -> Response:
    """The tables of a ranking as a page that loads nothing and runs no script."""
    entry = services.results.find(f"rankings/{path}", "ranking")
    return result_files.report(services.results.folder(entry), entry)


@router.get("/{path:path}/figures/{name}", responses=answers(404), response_class=Response)
def figure(services: Wanted, path: str, name: str) -> Response:
    """One of the figures of a ranking."""
    entry = services.results.find(f"rankings/{path}", "ranking")
    return result_files.figure(services.results.folder(entry), name)


@router.post("/{path:path}/rows/{row}/keep", status_code=201, responses=answers(404, 409, 422, 507))
def keep(services: Wanted, path: str, row: Annotated[int, Path(ge=1)], asked: Kept, response: Response) -> JobAnswer:
    """Keep a row as a model: a job trains it again, on the usual split, and saves it by this name."""
    entry = services.results.find(f"rankings/{path}", "ranking")
    folder = services.results.folder(entry)
    rows = len(ranking_details.ranked(folder).rows)
    if row > rows:
        raise wrong("row", f"the ranking has rows 1 to {rows}")
    registry = Catalogue(services.settings.registry)
    try:
        check_name(asked.name)
    except FulmenError as error:
        raise wrong("name", str(error)) from None
    if taken := next((name for name in registry.names() if name.lower() == asked.name.lower()), None):
        raise Problem(409, f"the name {taken} is in use; choose another", [Fault(key="name", problem="is in use")])
    options = {"ranking": str(folder), "row": row, "name": asked.name}
    options |= {"note": asked.note} if asked.note else {}
    options |= {"registry": str(registry.root)} if registry.root != Catalogue().root else {}
    job = services.queue.submit("keep", entry.experiment, [], options)
    response.headers["Location"] = f"/api/jobs/{job.job.id}"
    return described(job)


@router.get("/{path:path}", responses=answers(404, 409))
def details(services: Wanted, path: str) -> Ranking:
    """A ranking with all its rows."""
    entry = services.results.find(f"rankings/{path}", "ranking")
    folder = services.results.folder(entry)
    return Ranking(
        **services.results.listed(entry).model_dump(), ranking=ranking_details.ranked(folder),
        figures=result_files.figures(folder),
    )  # fmt: skip
