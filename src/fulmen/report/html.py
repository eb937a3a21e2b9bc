"""`report.html`: a `report.md` as one file that needs nothing else, no network and no folder beside it."""

import base64
import html
import mimetypes
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from urllib.parse import unquote

from jinja2 import Environment
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from fulmen.utils.files import atomic_write

TEMPLATE = Path(__file__).with_name("page.html")
LEADS_AWAY = ("link", "autolink", "reference")  # left as text: a page that needs nothing else leads nowhere
IN_A_LINE = ("tr_open", "th_open", "th_close", "td_open", "td_close", "list_item_open", "list_item_close")


def write_page(report: Path, attached: Mapping[str, Path]) -> Path:
    """Write `report.html` beside `report.md` and return its path.

    Args:
        report: the Markdown; images that lie below its folder become part of the page.
        attached: title -> text files shown folded up at the end, as far as they exist.
    """
    page, target = as_page(report, attached), report.with_suffix(".html")
    with atomic_write(target) as file:
        file.write(page)
    return target


def as_page(report: Path, attached: Mapping[str, Path]) -> str:
    """The page that `write_page` writes."""
    text = report.read_text(encoding="utf-8")
    texts = {name: path.read_text(encoding="utf-8", errors="replace") for name, path in attached.items()
             if path.is_file()}  # fmt: skip
    template = Environment(autoescape=True).from_string(TEMPLATE.read_text(encoding="utf-8"))
    title, body = text.partition("\n")[0].lstrip("# "), Markup(as_html(text, report.parent))
    return template.render(title=title, body=body, attached=texts) + "\n"


def as_html(text: str, folder: Path) -> str:
    """Markdown as HTML; any HTML in it is shown as the text that it is.

    Args:
        folder: that the paths of images are relative to.
    """
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(LEADS_AWAY)
    tokens = list(with_figures(parser.parse(text), folder))
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        if token.type in IN_A_LINE:
            token.block, token.attrs = False, {}
        elif token.type == "heading_open" and token.tag != "h1" and following is not None:
            token.attrSet("id", re.sub(r"\W+", "-", following.content.lower()).strip("-"))
    parser.add_render_rule("table_open", lambda *_: '<div class="wide"><table>\n')
    parser.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return parser.renderer.render(tokens, parser.options, {})


def with_figures(tokens: Sequence[Token], folder: Path) -> Iterator[Token]:
    """`tokens` with a figure for every paragraph that is an image; its caption is not said once more below it."""
    caption, rest = None, iter(tokens)
    for token in rest:
        if token.type != "paragraph_open":
            caption = None
            yield token
            continue
        inline, close = next(rest), next(rest)
        children = inline.children or []
        kinds = [child.type for child in children]
        if kinds == ["image"]:
            image = children[0]
            caption = plain(image)
            yield Token("html_block", "", 0, content=figure(folder, unquote(str(image.attrs["src"])), caption))
        elif not (caption and plain(inline) == caption and kinds[0] == "em_open"):
            caption = None
            yield from (token, inline, close)


def plain(token: Token) -> str:
    """The text inside a token, without its marks."""
    return "".join(plain(child) for child in token.children) if token.children else token.content


def figure(folder: Path, file: str, caption: str) -> str:
    """An image inside the page itself; in its place a line where there is none below `folder`."""
    path, text = folder / file, html.escape(caption)
    if not path.is_file() or not path.resolve().is_relative_to(folder.resolve()):
        return f"<p><em>{text}: {html.escape(path.name)} is missing</em></p>\n"
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<figure><img alt="{text}" src="data:{kind};base64,{data}"><figcaption>{text}</figcaption></figure>\n'
