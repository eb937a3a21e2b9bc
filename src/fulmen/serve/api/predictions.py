"""Predictions of kept models: rows of JSON or a file in, JSON or CSV out."""

import tempfile
import zipfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import Response

from fulmen.io.options import NAMES
from fulmen.registry.json_schema import request_schema
from fulmen.registry.names import cleaned
from fulmen.registry.store import Store
from fulmen.registry.versions import input_schema
from fulmen.serve.predictions import examples as examples_of
from fulmen.serve.problems import Problem, answers, wrong
from fulmen.serve.questions import Question
from fulmen.serve.services import Services, Wanted

router = APIRouter(prefix="/api/models", tags=["predictions"])
CSV, JSON, FORM = "text/csv", "application/json", "multipart/form-data"
READ = (".csv", ".parquet", ".pq", ".npz", ".npy")
CHUNK = 1 << 20
Table = Annotated[str | None, Query(max_length=100, description="of the model's tables; the usual one if left out")]


class Column(BaseModel):
    """A column of the answer; `unit` is null where it has none."""

    name: str
    unit: str | None


class Interval(BaseModel):
    """The columns `low` and `high` hold the column `of` with the probability `level`."""

    of: str
    level: float
    low: str
    high: str


class Outside(BaseModel):
    """An input of a row, counted from 0, that lies outside the range seen in training; `message` says so in words."""

    row: int
    name: str
    value: float
    low: float
    high: float
    unit: str | None
    message: str


class Predicted(BaseModel):
    """Predictions; `in_range` says of each predicted row whether all its inputs are like those of training."""

    model: str
    workload: str | None
    columns: list[Column]
    rows: list[dict[str, Any]]
    intervals: list[Interval]
    in_range: list[bool]
    outside: list[Outside]
    warnings: list[str]


class Rows(BaseModel):
    """What one asks about: one object a row, as `/api/models/{reference}/schema` describes it."""

    rows: list[dict[str, Any]]


class Form(Rows):
    """What a form is filled with at first; `history`: how many rows one prediction looks at, 1 if each stands alone."""

    history: int


_RECORDS = {"type": "object", "required": ["rows"], "additionalProperties": False, "properties": {
    "rows": {"type": "array", "minItems": 1, "items": {"type": "object"}}}}  # fmt: skip
_FILE = {"type": "object", "required": ["file"], "properties": {
    "file": {"type": "string", "format": "binary"}, "delimiter": {"type": "string"}}}  # fmt: skip
_BODY = {"required": True, "content": {JSON: {"schema": _RECORDS}, FORM: {"schema": _FILE}}}


@router.post("/{reference}/predict", response_class=Response, openapi_extra={"requestBody": _BODY},
             responses={200: {"model": Predicted, "content": {CSV: {"schema": {"type": "string"}}}},
                        **answers(400, 404, 413, 415, 422, 503)})  # fmt: skip
async def predict(reference: str, request: Request, services: Wanted, table: Table = None) -> Response:
    """Predictions as `fulmen predict` makes them, with units, intervals, warnings and what is out of range.

    The body is `{"rows": [...]}`, or a form with a `file` of the format that the model reads. With `Accept: text/csv`
    the answer is the table alone. `?table=pk` gives another table of a model that has several.
    """
    csv = CSV in request.headers.get("accept", "")
    kind = request.headers.get("content-type", JSON).partition(";")[0].strip().lower()
    rows = services.settings.limits.rows
    if kind == JSON:
        reply = await services.predictions.ask(reference, Question(rows, csv, body=await request.body(), table=table))
    elif kind == FORM:
        async with _file(request, services) as (file, reading):
            reply = await services.predictions.ask(
                reference, Question(rows, csv, file=file, reading=reading, table=table)
            )
    else:
        raise Problem(415, f"{kind[:60]} is not read here; send {JSON} or {FORM}", headers={"Accept-Post": JSON})
    return Response(reply.content, media_type=CSV if csv else JSON)


@router.get("/{reference}/schema", responses=answers(404, 422))
def schema(reference: str, services: Wanted) -> dict[str, Any]:
    """A JSON Schema (draft 2020-12) of the body of a request for predictions, with units and ranges."""
    version = Store(services.settings.registry).find(reference)
    return request_schema(input_schema(version), str(version), services.settings.limits.rows)


@router.get("/{reference}/examples", responses=answers(404, 422, 503))
async def examples(reference: str, services: Wanted) -> Rows:
    """A body to try the model with as it stands, of samples that were kept with it where that can be."""
    warm = await services.predictions.model(reference)
    return Rows(rows=[dict(each) for each in await run_in_threadpool(examples_of, warm.predictor)])


@router.get("/{reference}/form", responses=answers(404, 422, 503))
async def form(reference: str, services: Wanted) -> Form:
    """An example to fill a form with, and whether a prediction needs a history, which a file holds better."""
    warm = await services.predictions.model(reference)
    rows = await run_in_threadpool(examples_of, warm.predictor)
    return Form(rows=[dict(each) for each in rows], history=await run_in_threadpool(warm.predictor.rows_needed))


@asynccontextmanager
async def _file(request: Request, services: Services) -> AsyncIterator[tuple[Path, tuple[tuple[str, str], ...]]]:
    """The file of a form, on disk as long as it is needed, and how it is to be read."""
    limits = services.settings.limits
    async with request.form(max_files=1, max_fields=16, max_part_size=CHUNK) as form:
        sent = form.get("file")
        if not isinstance(sent, UploadFile):
            raise wrong("file", "the form has none", "send the file as the field `file`")
        name = cleaned(Path(sent.filename or "").name) or "file"
        if not name.lower().endswith(READ):
            raise wrong("file", f"{name} is none of {', '.join(READ)}; a packed file has to be unpacked first")
        reading = tuple((key, value) for key, value in form.items() if key in NAMES and isinstance(value, str))
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, name)
            with path.open("wb") as file:
                while chunk := await sent.read(CHUNK):
                    await run_in_threadpool(file.write, chunk)
            await run_in_threadpool(refuse_unpacking, path, limits.upload_bytes)
            yield path, reading


def refuse_unpacking(path: Path, most: int) -> None:
    """Pass unless an archive says itself that it holds more than `most` bytes.

    Raises:
        Problem: it does, or it is no archive.
    """
    size = 0
    if path.suffix.lower() == ".npz":
        try:
            with zipfile.ZipFile(path) as archive:
                size = sum(entry.file_size for entry in archive.infolist())
        except (zipfile.BadZipFile, ValueError, OSError) as error:
            raise wrong("file", f"{path.name} is no readable .npz: {error}") from None
    elif path.suffix.lower() in (".parquet", ".pq"):
        size = _unpacked_parquet(path)
    if size > most:
        raise Problem(413, f"{path.name} unpacks to {size:,} bytes, the most is {most:,}")


def _unpacked_parquet(path: Path) -> int:
    try:
        from pyarrow.parquet import read_metadata
    except ImportError:
        return 0  # the workload says what it needs
    try:
        facts = read_metadata(path)
        return sum(facts.row_group(i).total_byte_size for i in range(facts.num_row_groups))
    except (OSError, ValueError) as error:
        raise wrong("file", f"{path.name} is no readable Parquet file: {str(error)[:200]}") from None
