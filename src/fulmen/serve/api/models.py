"""Kept models: listed, shown, promoted, deleted, carried away and brought in."""

import tempfile
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from fulmen.errors import FulmenError
from fulmen.registry import models
from fulmen.registry.aliases import Moved
from fulmen.registry.archive import pack, unpack
from fulmen.registry.names import check_alias, check_name, parse
from fulmen.registry.store import Store
from fulmen.serve.keeping import Named
from fulmen.serve.problems import Problem, answers, without_places, wrong
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api/models", tags=["models"])
TAR = "application/x-tar"


class Model(BaseModel):
    """A version in a list, `baselines` of the same metric beside it; `state` says what is wrong, "" if nothing is."""

    model: str
    name: str
    version: int
    workload: str | None
    metric: str | None
    value: float | None
    baselines: dict[str, float | None]
    created: str | None
    aliases: list[str]
    note: str
    state: str


class Models(BaseModel):
    """A page of the list."""

    items: list[Model]
    total: int
    limit: int
    offset: int


class Promotion(BaseModel):
    """Which alias has to point to the version.

    `expect`: the version that it has to point to now, null: to none; left out: wherever it does.
    """

    alias: str
    expect: int | None = None
    note: str = ""


class Promoted(BaseModel):
    """A version and its aliases."""

    model: str
    aliases: list[str]


@router.get("", responses=answers(404, 422))
def list_models(
    services: Wanted,
    name: str | None = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 50,
    offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
) -> Models:
    """All versions, by name and number."""
    rows = models.list_models(name, services.settings.registry)
    items = [_listed(row, services) for row in rows[offset : offset + limit]]
    return Models(items=items, total=len(rows), limit=limit, offset=offset)


@router.get("/{reference}", responses=answers(404, 422))
def show(reference: str, services: Wanted) -> dict[str, Any]:
    """All that is known of a version: metrics beside baselines, data, network, run, aliases and their history."""
    facts: dict[str, Any] = {**models.show(reference, services.settings.registry)}
    facts.pop("folder")
    run = facts.get("run") or {}
    facts |= {name: named_only(facts.get(name)) for name in ("run", "split")}
    if run:
        facts["run"]["folder"] = _within(run.get("folder"), services.settings.outputs)
    return facts | {"model": f"{facts['name']}:{facts['version']}", "predicts": facts.get("input_schema") is not None}


@router.post("/{reference}/promote", responses=answers(404, 409, 422))
def promote(reference: str, wanted: Promotion, services: Wanted) -> Promoted:
    """Let an alias point to a version, which is verified first; 409 if somebody else has moved it in the meantime."""
    try:
        check_alias(wanted.alias)
    except FulmenError as error:
        raise wrong("alias", str(error)) from None
    registry = services.settings.registry
    version = Store(registry).find(reference)
    expected = wanted.expect if "expect" in wanted.model_fields_set else ...
    try:
        ledger = models.promote(version, wanted.alias, expected, wanted.note, registry)
    except Moved as error:
        raise Problem(409, str(error)) from None
    return Promoted(model=str(version), aliases=ledger.of(version.number))


@router.delete("/{reference}", responses=answers(404, 409, 422))
def delete(reference: str, services: Wanted, force: bool = False) -> Named:
    """Take a version away, named by its number or an alias; 409 if an alias points to it, unless `force` says so."""
    registry = services.settings.registry
    version = Store(registry).find(reference)
    if parse(reference).number is None and parse(reference).alias is None:
        raise wrong("reference", f"{reference} is a name; which version of it?", str(version))
    pointing = Store(registry).aliases(version.name).of(version.number)
    if pointing and not force:
        raise Problem(
            409, f"{version} is {', '.join(pointing)}; promote another first", works=f"DELETE {version}?force=true"
        )
    return Named(model=str(models.delete(reference, force, registry)))


@router.get("/{reference}/export", response_class=FileResponse,
            responses={200: {"content": {TAR: {}}}, **answers(404, 422)})  # fmt: skip
def export(reference: str, services: Wanted) -> FileResponse:
    """A version as one .tar file, every file verified, that `POST /api/models` takes."""
    version = Store(services.settings.registry).find(reference)
    with tempfile.NamedTemporaryFile(suffix=".tar", delete=False) as file:
        path = Path(file.name)
        try:
            pack(version, file)
        except BaseException:
            path.unlink()
            raise
    name = f"{version.name}-{version.number}.tar"
    return FileResponse(path, media_type=TAR, filename=name, background=BackgroundTask(path.unlink, missing_ok=True))


@router.post("", status_code=201, responses=answers(413, 422),
             openapi_extra={"requestBody": {"required": True, "content": {TAR: {"schema": {
                 "type": "string", "contentMediaType": TAR}}}}})  # fmt: skip
async def upload(request: Request, services: Wanted, name: str | None = None) -> Named:
    """Keep a version that another registry exported, as the next version of its name; verified, never unpickled."""
    if name is not None:
        check_name(name)
    with tempfile.NamedTemporaryFile(suffix=".tar") as file:
        size = 0
        async for chunk in request.stream():
            size += len(chunk)
            if size > services.settings.limits.upload_bytes:
                raise Problem(413, f"the archive is larger than {services.settings.limits.upload_bytes:,} bytes")
            await run_in_threadpool(file.write, chunk)
        file.flush()
        try:
            version = await run_in_threadpool(unpack, Path(file.name), services.settings.registry, name, size)
        except FulmenError as error:
            raise wrong("body", str(error)) from None
    return Named(model=str(version))


def _listed(row: models.Listed, services: Wanted) -> Model:
    name, _, number = row["model"].partition(":")
    aliases = row["aliases"].split(", ") if row["aliases"] else []
    state = without_places(row["state"], services.settings.registry)
    return Model.model_validate({**row, "name": name, "version": int(number), "aliases": aliases, "state": state})


def named_only(value: Any) -> Any:
    """Nested plain values with the last name of each file or folder in the place of its whole path."""
    if isinstance(value, dict):
        return {key: named_only(item) for key, item in value.items()}
    if isinstance(value, list):
        return [named_only(item) for item in value]
    return Path(value).name if isinstance(value, str) and value.startswith("/") else value


def _within(folder: str | None, outputs: Path) -> str | None:
    """A run's folder as the rest of the interface names it, below the outputs; None where it lies elsewhere."""
    try:
        return Path(folder or "").relative_to(outputs.resolve()).as_posix() if folder else None
    except ValueError:
        return None
