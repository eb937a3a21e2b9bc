"""The page of a report of which only the Markdown is there, as earlier releases wrote it."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote

from markdown_it import MarkdownIt
from markdown_it.token import Token

from fulmen.report.html import LEADS_AWAY, page_of, picture

IN_A_LINE = ("tr_open", "th_open", "th_close", "td_open", "td_close", "list_item_open", "list_item_close")


def as_page(report: Path) -> str:
    """A `report.md` as one file that needs nothing else; images that lie below its folder become part of it."""
    text = report.read_text(encoding="utf-8", errors="replace")
    return page_of(text.partition("\n")[0].lstrip("# "), as_html(text, report.parent))


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
            drawn = picture(folder, unquote(str(image.attrs["src"])), caption)
            yield Token("html_block", "", 0, content=str(drawn))
        elif not (caption and plain(inline) == caption and kinds[0] == "em_open"):
            caption = None
            yield from (token, inline, close)


def plain(token: Token) -> str:
    """The text inside a token, without its marks."""
    return "".join(plain(child) for child in token.children) if token.children else token.content
