"""Files that may be trained on: those of the data folders, and one's own uploads."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from fastapi import APIRouter, Query, Request, UploadFile
from pydantic import BaseModel, Field

from fulmen.serve.problems import answers
from fulmen.serve.readable import files_in
from fulmen.serve.services import Wanted
from fulmen.serve.uploads import Uploads

router = APIRouter(prefix="/api", tags=["data"])


class DataFile(BaseModel):
    """A file that a job may be given."""

    name: str = Field(description="within its folder")
    value: str = Field(description="what an override says: data.csv=VALUE")
    source: Literal["data", "upload"]
    bytes: int
    changed: str


class DataFiles(BaseModel):
    """A page of them."""

    items: list[DataFile]
    total: int
    limit: int
    offset: int


@router.get("/data", responses=answers(422))
def data(
    request: Request, services: Wanted, limit: int = Query(200, ge=1, le=2000), offset: int = Query(0, ge=0)
) -> DataFiles:
    """The files that one may choose."""
    own = Uploads(services.settings.uploads, services.settings.limits).folder(request.state.by)
    found = [_described(path, folder, "data") for folder in services.settings.data for path in files_in([folder])]
    found += [_described(path, own, "upload") for path in files_in([own])]
    return DataFiles(items=found[offset : offset + limit], total=len(found), limit=limit, offset=offset)


@router.post("/uploads", status_code=201, responses=answers(408, 413, 422, 507))
def upload(file: UploadFile, request: Request, services: Wanted) -> DataFile:
    """Send a file to train on; its name is made plain, and given a number where it is taken."""
    uploads, by = Uploads(services.settings.uploads, services.settings.limits), request.state.by
    return _described(uploads.add(file.filename or "", file.file, by), uploads.folder(by), "upload")


@router.delete("/uploads/{name}", status_code=204, responses=answers(404))
def delete(name: str, request: Request, services: Wanted) -> None:
    """Delete one's own upload."""
    Uploads(services.settings.uploads, services.settings.limits).delete(name, request.state.by)


def _described(path: Path, folder: Path, source: Literal["data", "upload"]) -> DataFile:
    about = path.stat()
    changed = datetime.fromtimestamp(about.st_mtime, UTC).isoformat(timespec="seconds")
    name = path.relative_to(folder).as_posix()
    return DataFile(name=name, value=str(path), source=source, bytes=about.st_size, changed=changed)
