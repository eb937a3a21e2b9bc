"""The pages of the documentation as tests read them: commands, code, tables, headings and links."""

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).resolve().parents[1]
OWN_PROJECT = "docs/own_project.md"  # its commands are followed in a folder of their own: test_own_project.py
DOCS = [f"docs/{path.name}" for path in sorted((ROOT / "docs").glob("*.md"))]
GUIDES = ["README.md", "CONTRIBUTING.md", *(page for page in DOCS if page != OWN_PROJECT)]
PAGES = [*GUIDES, OWN_PROJECT, "SECURITY.md", "CHANGELOG.md"]
LANGUAGES = {"bash", "console", "python", "text", "yaml"}
MARKED = re.compile(r"# (needs|downloads) ")  # what a test has not got: hardware, a network, a file of the reader's


@dataclass(frozen=True)
class Block:
    """A fenced block of code.

    Attributes:
        line: of the page, from 1.
    """

    page: str
    line: int
    language: str
    text: str


@dataclass(frozen=True)
class Command:
    """A line of a bash block.

    Attributes:
        comment: what stands behind it, with its `#`; "" if nothing does.
    """

    page: str
    line: int
    text: str
    comment: str

    @property
    def words(self) -> list[str]:
        return shlex.split(self.text)

    @property
    def marked(self) -> bool:
        return bool(MARKED.match(self.comment))

    def __str__(self) -> str:
        return f"{self.page}:{self.line} {self.text}"


@cache
def tokens(page: str) -> list[Token]:
    return MarkdownIt("commonmark").enable("table").parse((ROOT / page).read_text(encoding="utf-8"))


def blocks(page: str, *languages: str) -> list[Block]:
    """The fenced blocks in one of `languages`; all of them where none is named."""
    fences = [token for token in tokens(page) if token.type in ("fence", "code_block")]
    found = [Block(page, token.map[0] + 2, token.info.strip(), token.content) for token in fences]
    return [block for block in found if not languages or block.language in languages]


def commands(block: Block) -> Iterator[Command]:
    """The lines of a bash block; one that ends with a backslash goes on in the next."""
    text = block.text.replace("\\\n", " ")
    for offset, line in enumerate(text.splitlines()):
        command, _, comment = line.partition(" #") if not line.startswith("#") else ("", "", "")
        if command.strip():
            yield Command(block.page, block.line + offset, command.strip(), f"#{comment}" if comment else "")


def every_command(pages: list[str] = GUIDES) -> list[Command]:
    """The commands of all pages, in their order."""
    return [command for page in pages for block in blocks(page, "bash") for command in commands(block)]


def headings(page: str) -> set[str]:
    """The anchors of a page, as code hosts make them of its headings."""
    texts = [tokens(page)[i + 1].content for i, token in enumerate(tokens(page)) if token.type == "heading_open"]
    return {re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-") for text in texts}


def links(page: str) -> list[str]:
    """Where the links and pictures of a page lead."""
    children = [child for token in tokens(page) for child in token.children or ()]
    return [str(child.attrs.get("href") or child.attrs.get("src")) for child in children
            if child.type in ("link_open", "image")]  # fmt: skip


def tables(page: str) -> list[tuple[str, list[list[str]]]]:
    """The tables of a page: the HTML comment right above it, if there is one, and its rows of cells, the head first."""
    found: list[tuple[str, list[list[str]]]] = []
    for before, token, after in zip([None, *tokens(page)], tokens(page), [*tokens(page)[1:], None], strict=False):
        if token.type == "table_open":
            found.append((before.content.strip() if before and before.type == "html_block" else "", []))
        elif token.type == "tr_open":
            found[-1][1].append([])
        elif token.type in ("th_open", "td_open"):
            found[-1][1][-1].append(after.content if after else "")
    return found


def prose_words(page: str) -> int:
    """How many words a page has: text and tables, without code blocks and comments."""
    inline = [token.content for token in tokens(page) if token.type == "inline"]
    return sum(len(re.findall(r"[^\s|]*\w[^\s|]*", text)) for text in inline)
