"""A report as one file that needs nothing else, no network and no folder beside it."""

import base64
import html
import mimetypes
import re
import struct
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment
from markdown_it import MarkdownIt
from markupsafe import Markup

from fulmen.report.document import Figure, Report
from fulmen.report.markdown import as_markdown
from fulmen.utils.files import atomic_write

TEMPLATE = Path(__file__).with_name("page.html")
LEADS_AWAY = ("link", "autolink", "reference")  # left as text: what a workload writes leads nowhere
SMALLEST, LARGEST = 72, 124  # pixels an inch of a figure: letters of 9 points stay 9 pixels, and do not become huge
OWN_DPI = 130  # of the figures that we draw as PNG
WIDTH = re.compile(rb'<svg[^>]*\swidth="([0-9.]+)pt"')


def write(report: Report, folder: Path, name: str = "report.md") -> Path:
    """Write the report as Markdown and, beside it, as `report.html`; the path of the Markdown."""
    path = folder / name
    for target, text in ((path, as_markdown(report)), (folder / "report.html", as_page(report, folder))):
        with atomic_write(target) as file:
            file.write(text)
    return path


def as_page(report: Report, folder: Path) -> str:
    """The report as HTML.

    Args:
        folder: that its figures are relative to; one from outside of it stays there.
    """
    attached = {name: text for name, source in report.attached.items() if (text := _text(source))}
    return _rendered(folder, report=report, attached=attached)


def _text(source: Path | str) -> str:
    if isinstance(source, str):
        return source
    return source.read_text(encoding="utf-8", errors="replace") if source.is_file() else ""


def page_of(title: str, body: str) -> str:
    """A page in the same looks around HTML that is made already."""
    return _rendered(Path(), report=Report(title, "", ""), attached={}, body=Markup(body))


def line(text: str) -> Markup:
    """One line of Markdown as HTML; any HTML in it, and what would lead away, is shown as the text that it is."""
    return Markup(_markdown().renderInline(text))


def picture(folder: Path, file: str, caption: str) -> Markup:
    """An image inside the page itself; in its place a line where there is none below `folder`."""
    path, text = folder / file, html.escape(caption)
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return Markup(f"<p><em>{text}: {html.escape(path.name)} is missing</em></p>\n")
    content, kind = path.read_bytes(), mimetypes.guess_type(path.name)[0] or "image/png"
    data, look = base64.b64encode(content).decode(), "max-width: 100%"
    if inches := _inches(content):
        look = f"width: min(100%, {LARGEST * inches:.0f}px); min-width: {SMALLEST * inches:.0f}px"
    drawn = " class=drawn" if path.suffix == ".svg" else ""
    return Markup(
        f'<figure><div class=wide tabindex=0><img{drawn} alt="{text}" style="{look}" src="data:{kind};base64,{data}">'
        f"</div><figcaption>{text}</figcaption></figure>\n"
    )


def _inches(content: bytes) -> float | None:
    """How wide a figure of ours was drawn; None of any other picture."""
    if found := WIDTH.search(content[:2000]):
        return float(found[1]) / 72
    place = content[:4000].find(b"pHYs")
    if content.startswith(b"\x89PNG") and place > 0:
        dots, _, unit = struct.unpack(">IIB", content[place + 4 : place + 13])
        if unit == 1 and round(dots * 0.0254) == OWN_DPI:
            return float(struct.unpack(">I", content[16:20])[0]) / OWN_DPI
    return None


def _rendered(folder: Path, **values: Any) -> str:
    environment = Environment(autoescape=True, trim_blocks=True)
    environment.filters |= {"line": line, "picture": lambda of: _picture(folder, of)}
    return environment.from_string(TEMPLATE.read_text(encoding="utf-8")).render(**values) + "\n"


def _picture(folder: Path, of: Figure) -> Markup:
    return picture(folder, of.file, of.caption)


@cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable([*LEADS_AWAY, "image"])
