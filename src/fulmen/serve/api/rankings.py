"""Rankings: their rows, any of which can be kept as a model."""

from fastapi import APIRouter, Response

from fulmen.runs.listing import chosen, in_order
from fulmen.serve import ranking_details, result_files
from fulmen.serve.problems import answers
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
    among = chosen(services.results.index.entries(), kind="ranking")
    found = in_order(chosen(among, kind="ranking", experiment=experiment), "-created")
    return services.results.listing(found, among, limit, offset)


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


@router.get("/{path:path}", responses=answers(404, 409))
def details(services: Wanted, path: str) -> Ranking:
    """A ranking with all its rows."""
    entry = services.results.find(f"rankings/{path}", "ranking")
    folder = services.results.folder(entry)
    return Ranking(
        **services.results.listed(entry).model_dump(), ranking=ranking_details.ranked(folder),
        figures=result_files.figures(folder),
    )  # fmt: skip
