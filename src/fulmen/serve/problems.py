"""Errors as problem details (RFC 9457): what is wrong, where, and what would work; never a traceback."""

from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from starlette.exceptions import HTTPException

from fulmen.config.mistakes import ConfigError
from fulmen.errors import FulmenError, Obstructed
from fulmen.launch.queue import NoSuchJob, WrongState
from fulmen.registry.versions import NotFound

MEDIA_TYPE = "application/problem+json"


class Fault(BaseModel):
    """One thing that is wrong with a request: where, what, and what would work."""

    key: str
    problem: str
    cure: str | None = None


class ProblemDetails(BaseModel):
    """The body of every answer that is an error (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[Fault] = []
    works: str | None = None
    request_id: str | None = None


class Problem(HTTPException):
    """An answer that is an error.

    Args:
        status: of HTTP.
        detail: what is wrong, in whole sentences.
        errors: each thing that is wrong, with its place.
        works: a command or a request that would work.
        headers: of the answer.
    """

    def __init__(
        self,
        status: int,
        detail: str,
        errors: Iterable[Fault] = (),
        works: str | None = None,
        headers: dict[str, str] | None = None,
    ):
        super().__init__(status, detail, headers)
        self.status, self.errors, self.works = status, list(errors), works


def wrong(key: str, problem: str, cure: str | None = None) -> Problem:
    """422 for one thing that was asked wrongly."""
    return Problem(422, f"{key}: {problem}", [Fault(key=key, problem=problem, cure=cure)])


def answers(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """`responses=` of a route: the errors it can answer with, for the description of the interface."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}
    return {status: {"description": HTTPStatus(status).phrase, "content": content} for status in statuses}


def from_config(error: ConfigError) -> Problem:
    """422 with every mistake of a config, and the command that works."""
    lines = str(error).splitlines()
    works = next((line.partition("this works: ")[2] for line in lines if "this works: " in line), None)
    faults = [Fault(key=each.path, problem=each.problem, cure=_cure(each.path, error)) for each in error.mistakes]
    detail = "; ".join(f"{each.key}: {each.problem}" if each.key else each.problem for each in faults)
    return Problem(422, detail, faults, works)


def _cure(path: str, error: ConfigError) -> str | None:
    """What to write for `path`, of overrides that work."""
    if error.overrides is None:
        return None
    said = [each for each in error.overrides if each.lstrip("+~").partition("=")[0] == path]
    return said[0] if said else f"leave {path} out" if any(path in each for each in error.without) else None


def from_error(error: FulmenError) -> Problem:
    """What a message for the person at the keyboard answers to a request."""
    if isinstance(error, ConfigError):
        return from_config(error)
    statuses = {NotFound: 404, NoSuchJob: 404, WrongState: 409, Obstructed: 507}
    status = next((number for kind, number in statuses.items() if isinstance(error, kind)), 422)
    return Problem(status, str(error), [Fault(key="", problem=str(error))] if status == 422 else ())


def without_places(text: str, *folders: Path) -> str:
    """A message in which these folders are called by their last name: where they lie is the server's own affair."""
    for folder in folders:
        for place in (str(folder.resolve()), str(folder)):
            text = text.replace(place, folder.name)
    return text


def answer(request: Request, problem: Problem) -> JSONResponse:
    """The response of an error."""
    title = HTTPStatus(problem.status).phrase
    body = ProblemDetails(
        title=title, status=problem.status, detail=problem.detail, errors=problem.errors, works=problem.works,
        request_id=request.scope.get("state", {}).get("request_id"),
    )  # fmt: skip
    headers = dict(problem.headers) if problem.headers else None
    return JSONResponse(body.model_dump(), problem.status, headers, MEDIA_TYPE)


IN_WORDS = {  # kinds of pydantic's errors, with what it says of each
    "missing": "is missing", "extra_forbidden": "is not known here", "int_parsing": "has to be a whole number",
    "int_type": "has to be a whole number", "int_from_float": "has to be a whole number",
    "float_type": "has to be a number", "float_parsing": "has to be a number",
    "bool_parsing": "has to be true or false", "bool_type": "has to be true or false",
    "string_type": "has to be a text", "list_type": "has to be a list",
    "dict_type": "has to be an object", "model_attributes_type": "has to be an object",
    "greater_than_equal": "has to be {ge} or more", "less_than_equal": "has to be {le} or less",
    "literal_error": "has to be {expected}", "enum": "has to be {expected}", "json_invalid": "is no JSON: {error}",
    "string_too_long": "may have {max_length} letters at most", "too_long": "may have {max_length} at most",
    "too_short": "has to have {min_length} or more", "string_too_short": "has to have {min_length} letters or more",
}  # fmt: skip


def _invalid(error: RequestValidationError) -> Problem:
    faults = []
    for each in error.errors():
        place = [str(part) for part in each["loc"]]
        key = ".".join(place[1:] if place[0] in ("body", "query", "path", "header", "cookie") else place)
        broken = each["type"] == "json_invalid"  # pydantic says at which letter, which is no key
        words = IN_WORDS.get(each["type"])
        said = words.format_map(each.get("ctx") or {}) if words else each["msg"]
        faults.append(Fault(key="body" if broken else key or place[0], problem=said))
    return Problem(422, "; ".join(f"{each.key}: {each.problem}" for each in faults), faults)


def add_handlers(app: FastAPI) -> None:
    """Let every error of a request be answered with problem details."""

    @app.exception_handler(Problem)
    async def _problem(request: Request, error: Problem) -> JSONResponse:
        return answer(request, error)

    @app.exception_handler(FulmenError)
    async def _fulmen(request: Request, error: FulmenError) -> JSONResponse:
        problem, settings = from_error(error), request.app.state.services.settings
        problem.detail = without_places(problem.detail, settings.registry, settings.outputs)
        for each in problem.errors:
            each.problem = without_places(each.problem, settings.registry, settings.outputs)
        return answer(request, problem)

    @app.exception_handler(RequestValidationError)
    async def _validation(request: Request, error: RequestValidationError) -> JSONResponse:
        return answer(request, _invalid(error))

    @app.exception_handler(HTTPException)
    async def _http(request: Request, error: HTTPException) -> JSONResponse:
        headers = dict(error.headers) if error.headers else None
        return answer(request, Problem(error.status_code, str(error.detail), headers=headers))
