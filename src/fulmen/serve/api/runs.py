"""Runs and all other results below the outputs folder: lists, details, curves, reports, labels, comparison."""

from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel

from fulmen.errors import FulmenError
from fulmen.runs.listing import chosen, in_order
from fulmen.runs.reading import read_result
from fulmen.runs.side_by_side import side_by_side
from fulmen.serve import result_files
from fulmen.serve.keeping import Kept, Named, keep_run
from fulmen.serve.problems import answers, wrong
from fulmen.serve.results import Labels, Limit, Listed, Listing, Offset, Paths, sendable
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api", tags=["runs"])
Kind = Literal["run", "multirun", "search", "ranking", "comparison", "all"]
ARCHIVED = {"no": False, "only": True, "all": None}


class Details(Listed):
    """All that is known of a result."""

    overrides: list[str]
    result: dict[str, Any]
    runs: list[str]
    figures: list[str]
    has_report: bool
    models: list[str]


class Curves(BaseModel):
    """The columns of `metrics.csv`, a value an epoch, null where there is none; `runs` are those of folds and seeds."""

    columns: dict[str, list[float | None]]
    runs: list[str]


class Comparison(BaseModel):
    """Runs side by side: name -> a value for each; `settings` are those in which not all agree."""

    runs: list[str]
    facts: dict[str, list[Any]]
    metrics: dict[str, list[Any]]
    settings: dict[str, list[Any]]


@router.get("/runs", responses=answers(422))
def list_runs(
    services: Wanted,
    kind: Kind = "run",
    experiment: Annotated[str, Query(max_length=200, description="may hold `*` and `?`")] = "*",
    status: Annotated[list[str], Query(max_length=20, description="any of these")] = [],  # noqa: B006
    tag: Annotated[list[str], Query(max_length=20, description="all of these")] = [],  # noqa: B006
    archived: Literal["no", "only", "all"] = "no",
    text: Annotated[str, Query(max_length=200, description="in path, network, tags, note or message")] = "",
    sort: Annotated[str, Query(max_length=200, description="a column or metric; -seconds: largest first")] = "-created",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Listing:  # fmt: skip
    """Runs, or other results, by what they are and how they stand."""
    entries = services.results.index.entries()
    among = chosen(entries, kind=kind, archived=None)
    found = chosen(entries, kind, experiment, status, tag, ARCHIVED[archived], text)
    try:
        return services.results.listing(in_order(found, sort), among, limit, offset)
    except FulmenError as error:
        raise wrong("sort", str(error).removeprefix("sort: ")) from None


@router.get("/compare", responses=answers(404, 422))
def compare(services: Wanted, run: Paths) -> Comparison:
    """Runs side by side; `fulmen compare`, a job of its own, judges them on the test items that they share."""
    entries = [services.results.find(path) for path in run]
    found = sendable(side_by_side(services.results.outputs, entries))
    return Comparison(runs=[entry.path for entry in entries], **found)


@router.get("/runs/{path:path}/metrics", responses=answers(404, 422))
def metrics(
    services: Wanted,
    path: str,
    run: Annotated[str, Query(description="of the folds and seeds, one of `runs`")] = "",
    points: Annotated[int, Query(ge=2, le=10_000, description="how many at most")] = 2000,
) -> Curves:
    """The curves of a training, also while it runs."""
    folder = services.results.folder(services.results.find(path))
    runs = children(folder)
    if run and run not in runs:
        raise wrong("run", f"there is {', '.join(runs) or 'none'}")
    return Curves(columns=result_files.curves(folder / run, points), runs=runs)


@router.get("/runs/{path:path}/report", responses=answers(404), response_class=Response)
def report(services: Wanted, path: str) -> Response:
    """Its report, one page that loads nothing and runs no script."""
    entry = services.results.find(path)
    return result_files.report(services.results.folder(entry), entry)


@router.get("/runs/{path:path}/figures/{name}", responses=answers(404), response_class=Response)
def figure(services: Wanted, path: str, name: str) -> Response:
    """One of its figures."""
    return result_files.figure(services.results.folder(services.results.find(path)), name)


@router.post("/runs/{path:path}/keep", status_code=201, responses=answers(404, 409, 422, 503))
def keep(services: Wanted, path: str, wanted: Kept) -> Named:
    """Keep its best model by a name of its own; that takes some seconds."""
    entry = services.results.find(path, "run")
    return Named(model=str(keep_run(services.results.folder(entry), wanted, services.settings)))


@router.get("/runs/{path:path}", responses=answers(404))
def details(services: Wanted, path: str) -> Details:
    """All that is known of a run, or of another result."""
    results = services.results
    entry = results.find(path)
    folder = results.folder(entry)
    return Details(
        **results.listed(entry).model_dump(), overrides=_typed(folder / "overrides.txt"), result=_result(folder),
        runs=children(folder), figures=result_files.figures(folder),
        has_report=result_files.has_report(folder, bool(entry.ended)), models=results.models_of(entry),
    )  # fmt: skip


@router.patch("/runs/{path:path}", responses=answers(404, 422))
def label(services: Wanted, path: str, labels: Labels) -> Listed:
    """Archive it, tag it, write a note."""
    return services.results.label(services.results.find(path), labels)


@router.delete("/runs/{path:path}", status_code=204, responses=answers(404, 409))
def delete(services: Wanted, path: str, force: bool = False) -> None:
    """Delete its folder for good; not while somebody is at work there.

    `force` also deletes what kept models came from (they stay), and a search with its champion.
    """
    services.results.delete(services.results.find(path), force)


def children(folder: Path) -> list[str]:
    """The runs of folds and seeds below a run."""
    runs = [str(name) for name in _result(folder).get("runs") or []]
    return [name for name in runs if not PurePosixPath(name).is_absolute() and ".." not in PurePosixPath(name).parts]


def _result(folder: Path) -> dict[str, Any]:
    try:
        return dict(sendable(read_result(folder)))
    except FulmenError:
        return {}


def _typed(path: Path) -> list[str]:
    try:
        return list(filter(None, path.read_text(encoding="utf-8", errors="replace").splitlines()))
    except OSError:
        return []
