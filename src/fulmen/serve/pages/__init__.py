"""The page that people use: a template for each part, small scripts that ask the same interface as any program."""

from pathlib import Path
from typing import NamedTuple

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from jinja2 import Environment, FileSystemLoader

from fulmen.serve.problems import Problem


class Part(NamedTuple):
    """A part of the page: what its tab and its heading say, its template and script."""

    tab: str
    title: str
    template: str


PARTS = {
    "/train": Part("Train", "Train", "train"),
    "/jobs": Part("Jobs", "Jobs", "jobs"),
    "/runs": Part("Runs", "Runs", "runs"),
    "/search": Part("Search", "Searches and rankings", "search"),
    "/models": Part("Models", "Kept models", "models"),
    "/predict": Part("Predict", "Predict", "predict"),
    "/advanced-training": Part("", "Advanced training: thirty architectures for stocks", "stocks"),
    "/login": Part("", "Log in", "login"),
}
LED_ON = {"/": "/train", "/custom-model": "/predict"}
TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
TABS = [(path, part.tab) for path, part in PARTS.items() if part.tab]
OPEN = (*PARTS, *LED_ON)  # they hold no data: what they show they ask for, with a key where one is needed

router = APIRouter(include_in_schema=False)
_here = Path(__file__).parent
_templates = Environment(loader=FileSystemLoader(_here / "templates"), autoescape=True)


@router.get("/static/{name}")
def static(name: str) -> Response:
    """A script, the style sheet or the icon."""
    path = _here / "static" / Path(name).name
    kind = TYPES.get(path.suffix)
    if kind is None or not path.is_file():
        raise Problem(404, f"there is no file {name[:80]}")
    return Response(path.read_bytes(), media_type=kind, headers={"cache-control": "no-cache"})


def _page(path: str, part: Part) -> HTMLResponse:
    template = _templates.get_template(f"{part.template}.html")
    return HTMLResponse(template.render(title=part.title, script=f"{part.template}.js", tabs=TABS, here=path))


def _show(path: str, part: Part) -> None:
    router.add_api_route(path, lambda: _page(path, part), response_class=HTMLResponse)


def _lead(path: str, to: str) -> None:
    router.add_api_route(path, lambda: RedirectResponse(to), response_class=RedirectResponse)


for _path, _part in PARTS.items():
    _show(_path, _part)
for _path, _to in LED_ON.items():
    _lead(_path, _to)
