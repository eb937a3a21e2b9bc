"""Rankings: their rows, any of which can be kept as a model."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from fulmen.registry.catalogue import Catalogue
from fulmen.serve import ranking_details, result_files
from fulmen.serve.job_answers import JobAnswer, described
from fulmen.serve.keeping import Kept, refuse_name
from fulmen.serve.problems import answers, wrong
from fulmen.serve.results import Limit, Listed, Listing, Offset
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api/rankings", tags=["rankings"])


class Ranking(Listed):
    """A ranking: its line in the list, and its rows."""

    ranking: ranking_details.Ranked
    figures: list[str]


@router.get("")
def list_rankings(services: Wanted, experiment: str = "*", limit: Limit = 50, offset: Offset = 0) -> Listing:
    """All rankings, the newest first."""
    return services.results.newest("ranking", experiment, limit, offset)


@router.post("/{path:path}/rows/{row}/keep", status_code=201, responses=answers(404, 409, 422, 507))
def keep(
    services: Wanted, path: str, row: Annotated[int, Path(ge=1)], asked: Kept, request: Request, response: Response
) -> JobAnswer:
    """Keep a row as a model: a job trains it again, on the usual split, and saves it by this name."""
    entry = services.results.find(f"rankings/{path}", "ranking")
    folder = services.results.folder(entry)
    rows = ranking_details.ranked(folder).rows
    if row > len(rows):
        raise wrong("row", f"the ranking has rows 1 to {len(rows)}")
    if rows[row - 1].rule:
        raise wrong("row", f"{rows[row - 1].model} is a rule: nothing of it was fitted to data, nothing can be kept")
    registry = Catalogue(services.settings.registry)
    refuse_name(asked, registry)
    options = {"ranking": str(folder), "row": row, "name": asked.name}
    options |= {"note": asked.note} if asked.note else {}
    options |= {"exist": "version"} if asked.as_version else {}
    options |= {"registry": str(registry.root)} if registry.root != Catalogue().root else {}
    job = services.queue.submit("keep", entry.experiment, [], options, request.state.by)
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
