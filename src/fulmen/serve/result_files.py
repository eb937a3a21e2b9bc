"""What lies in the folders of results, for a browser: reports that can do nothing, figures, curves."""

import csv
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from fastapi.responses import FileResponse, HTMLResponse, Response

from fulmen.errors import FulmenError
from fulmen.report.document import Report
from fulmen.report.html import as_page as page_of_report
from fulmen.report.markdown_page import as_page
from fulmen.runs.entry import Entry
from fulmen.runs.partial_report import partial_report
from fulmen.serve.problems import Problem
from fulmen.serve.results import plain

REPORT_POLICY = (  # a report is one file: nothing is loaded for it, no script of it runs, it leads nowhere
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; sandbox; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
LINK = re.compile(r'<a href="[^"]*"')
FIGURE_POLICY = "default-src 'none'; sandbox"
REPORTS = ("report.html", "report.md", "ranking.md", "comparison.md")  # the last three of earlier releases
IMAGES = {".png": "image/png", ".svg": "image/svg+xml"}
Column = list[float | None]


def has_report(folder: Path, ended: bool = False) -> bool:
    """Whether there is one to read; of a run that has ended, one is made of what it has left."""
    return _report(folder) is not None or (ended and (folder / "result.json").is_file())


def report(folder: Path, entry: Entry) -> Response:
    """The report in a folder as a page.

    Raises:
        Problem: 404, there is none yet.
    """
    path = _report(folder)
    headers = {"Content-Security-Policy": REPORT_POLICY, "X-Content-Type-Options": "nosniff"}
    if path is None and entry.ended and (partial := _partial(folder)):
        return HTMLResponse(page_of_report(partial, folder), headers=headers)
    if path is None:
        raise Problem(404, f"{entry.path} has no report{' yet' if not entry.ended else ''}")
    if path.suffix == ".html":
        page = path.read_text(encoding="utf-8", errors="replace")
        return HTMLResponse(LINK.sub("<a", page), headers=headers)  # the runs behind it lie at other addresses here
    return HTMLResponse(as_page(path), headers=headers)


def _partial(folder: Path) -> Report | None:
    """What the files of a run without a report say; None where they are no run, or damaged."""
    with suppress(FulmenError):
        return partial_report(folder)
    return None


def figures(folder: Path) -> list[str]:
    """The names of its figures."""
    return sorted(_figures(folder))


def figure(folder: Path, name: str) -> Response:
    """A figure by its name.

    Raises:
        Problem: 404, there is none of that name.
    """
    path = _figures(folder).get(name)
    if path is None:
        raise Problem(404, f"there is no figure {name}; there is {', '.join(figures(folder)) or 'none'}")
    headers = {"Content-Security-Policy": FIGURE_POLICY, "X-Content-Type-Options": "nosniff"}
    return FileResponse(path, media_type=IMAGES[path.suffix], headers=headers)


def curves(folder: Path, most: int = 2000) -> dict[str, Column]:
    """The columns of `metrics.csv`, a value an epoch; of more than `most` rows a part, with the last."""
    try:
        with open(folder / "metrics.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, ValueError, csv.Error):
        return {}
    step = -(-len(rows) // most) or 1
    rows = rows[::-1][::step][::-1]
    columns = [name for name in (rows[0] if rows else {}) if name]
    found = {name: [_number(row.get(name)) for row in rows] for name in columns}
    return {name: values for name, values in found.items() if any(value is not None for value in values)}


def _number(text: str | None) -> float | None:
    value = plain(text)
    return value if isinstance(value, int | float) else None


def _report(folder: Path) -> Path | None:
    return next((path for name in REPORTS if (path := folder / name).is_file() and _is_inside(path, folder)), None)


def _figures(folder: Path) -> dict[str, Path]:
    images = [*_images(folder / "figures"), *_images(folder)]
    return {path.name: path for path in images if _is_inside(path, folder)}


def _images(place: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from (path for path in place.iterdir() if path.suffix in IMAGES and path.is_file())


def _is_inside(path: Path, folder: Path) -> bool:
    """Whether it is no link that leads out of the folder."""
    return path.resolve().is_relative_to(folder.resolve())
