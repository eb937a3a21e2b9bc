"""The description of the interface to read and try, served from this machine alone."""

from importlib.resources import files

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse

from fulmen.serve.problems import Problem, answers

router = APIRouter(prefix="/api/docs", include_in_schema=False)
TYPES = {"swagger-ui-bundle.js": "text/javascript", "swagger-ui.css": "text/css", "favicon-32x32.png": "image/png"}
START = """window.addEventListener("load", () => SwaggerUIBundle({
  url: "/api/openapi.json", dom_id: "#docs", deepLinking: true, docExpansion: "none", validatorUrl: null,
}))
"""
PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>fulmen: the API</title>
<link rel="icon" href="/api/docs/favicon-32x32.png">
<link rel="stylesheet" href="/api/docs/swagger-ui.css">
<div id="docs"></div>
<script src="/api/docs/swagger-ui-bundle.js"></script>
<script src="/api/docs/start.js"></script>
</html>
"""


@router.get("", response_class=HTMLResponse)
async def page(request: Request) -> HTMLResponse:
    """The page."""
    return HTMLResponse(PAGE)


@router.get("/{name}", responses=answers(404))
def file(name: str) -> Response:
    """What the page is made of: files of the package fastapi-swagger, which brings Swagger UI."""
    if name == "start.js":
        return Response(START, media_type="text/javascript")
    if name not in TYPES:
        raise Problem(404, f"there is no file {name[:80]}")
    content = files("fastapi_swagger.resources").joinpath(name).read_bytes()
    return Response(content, media_type=TYPES[name], headers={"cache-control": "max-age=86400"})
