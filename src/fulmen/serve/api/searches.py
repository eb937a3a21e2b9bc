"""Searches: their leaderboard, their champion, their history; reports and figures are those of /api/runs."""

from fastapi import APIRouter

from fulmen.serve import result_files, search_details
from fulmen.serve.problems import Problem, answers
from fulmen.serve.results import Limit, Listed, Listing, Offset, sendable
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api/searches", tags=["searches"])


class Search(Listed, search_details.Found):
    """A search: its line in the list, and what it has found so far."""

    figures: list[str]
    has_report: bool


@router.get("")
def list_searches(services: Wanted, experiment: str = "*", limit: Limit = 50, offset: Offset = 0) -> Listing:
    """All searches, the newest first."""
    return services.results.newest("search", experiment, limit, offset)


@router.get("/{name:path}", responses=answers(404, 409))
def details(services: Wanted, name: str) -> Search:
    """What a search has found, also while it goes on."""
    entry = services.results.find(f"sweeps/{name}", "search")
    folder = services.results.folder(entry)
    try:
        found = sendable(search_details.found(folder, going_on=not entry.is_settled).model_dump())
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise Problem(409, f"a file of {entry.path} is damaged: {type(error).__name__}") from None
    return Search(
        **services.results.listed(entry).model_dump(), **found, figures=result_files.figures(folder),
        has_report=result_files.has_report(folder),
    )  # fmt: skip
