"""The description of the interface (OpenAPI), with errors as they are."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from fulmen.serve.problems import MEDIA_TYPE, ProblemDetails

REFERENCE = "#/components/schemas/{model}"
OF_ALL = (400, 401, 403, 408, 413, 421, 422, 429, 500, 503)  # what any request may be answered with, by what it passes


def describe(app: FastAPI) -> dict[str, Any]:
    """The description, made once: every error is problem details."""
    if app.openapi_schema is None:
        found = get_openapi(title=app.title, version=app.version, routes=app.routes, description=app.description)
        schemas = found.setdefault("components", {}).setdefault("schemas", {})
        problem = ProblemDetails.model_json_schema(ref_template=REFERENCE)
        schemas.update(problem.pop("$defs", {}) | {"ProblemDetails": problem})
        for name in ("HTTPValidationError", "ValidationError"):
            schemas.pop(name, None)
        for operation in (each for path in found["paths"].values() for each in path.values()):
            answers = operation["responses"]
            if "422" in answers:  # FastAPI's own has another form
                answers["422"]["content"] = {MEDIA_TYPE: {"schema": {"$ref": REFERENCE.format(model="ProblemDetails")}}}
        app.openapi_schema = found
    return app.openapi_schema
