"""`report.html`: a `report.md` as one file that needs nothing else, no network and no folder beside it."""

import base64
import html
import mimetypes
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from fulmen.utils.files import atomic_write

STYLE = """
:root { color-scheme: light dark; --ink: #22303c; --muted: #697885; --line: #dfe5ea; --paper: #fff; --tint: #f5f7f9 }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e9ed; --muted: #9aa7b2; --line: #37434d; --paper: #161c21; --tint: #1e262c }
  img { background: #fff }
}
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 68rem;
       margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.15rem; margin-top: 2rem; border-bottom: 1px solid var(--line) }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left } th { color: var(--muted); font-weight: 600 }
figure { margin: 1.5rem 0 } img { max-width: 100%; border-radius: 4px } figcaption, em { color: var(--muted) }
code, pre { font: 13px/1.45 ui-monospace, monospace; background: var(--tint); border-radius: 4px }
code { padding: .1rem .3rem } pre { padding: .8rem; overflow-x: auto } summary { cursor: pointer; margin: .5rem 0 }
"""


def write_page(report: Path, attached: Mapping[str, Path]) -> Path:
    """Write `report.html` beside `report.md` and return its path.

    Args:
        attached: title -> text files shown folded up at the end, as far as they exist.
    """
    text = report.read_text(encoding="utf-8")
    title = html.escape(text.partition("\n")[0].lstrip("# "))
    parts = list(blocks(text, report.parent))
    for name, path in attached.items():
        if path.is_file():
            content = html.escape(path.read_text(encoding="utf-8", errors="replace"))
            parts.append(f"<details><summary>{html.escape(name)}</summary><pre>{content}</pre></details>")
    head = f'<meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>{title}</title>'
    target = report.with_suffix(".html")
    with atomic_write(target) as file:
        body = "\n".join(parts)
        file.write(
            f"<!doctype html>\n<html lang=en><head>{head}<style>{STYLE}</style></head>\n<body>{body}</body></html>\n"
        )
    return target


def blocks(text: str, folder: Path) -> Iterator[str]:
    """The Markdown that our reports are written in (headings, paragraphs, lists, tables, figures) as HTML."""
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.splitlines()
        if heading := re.fullmatch(r"(#{1,3}) (.*)", block):
            yield f"<h{len(heading[1])}>{inline(heading[2])}</h{len(heading[1])}>"
        elif image := re.fullmatch(r"!\[(.*?)\]\((.*?)\)", block):
            yield figure(folder / image[2], image[1])
        elif re.fullmatch(r"\*[^*]+\*", block):
            continue  # a caption: the figure has it
        elif lines[0].startswith("|") and len(lines) > 1:
            yield table(lines)
        elif all(line.startswith("- ") for line in lines):
            yield "<ul>" + "".join(f"<li>{inline(line[2:])}</li>" for line in lines) + "</ul>"
        else:
            yield f"<p>{inline(' '.join(lines))}</p>"


def table(lines: list[str]) -> str:
    header, _, *rows = [[cell.strip() for cell in line.strip().strip("|").split("|")] for line in lines]

    def row(cells: list[str], tag: str) -> str:
        return "<tr>" + "".join(f"<{tag}>{inline(cell)}</{tag}>" for cell in cells) + "</tr>"

    body = "".join(row(cells, "td") for cells in rows)
    return f'<div class="wide"><table><thead>{row(header, "th")}</thead><tbody>{body}</tbody></table></div>'


def figure(path: Path, caption: str) -> str:
    """An image inside the page itself."""
    if not path.is_file():
        return f"<p><em>{html.escape(caption)}: {html.escape(path.name)} is missing</em></p>"
    kind = mimetypes.guess_type(path.name)[0] or "image/png"
    data = base64.b64encode(path.read_bytes()).decode()
    text = html.escape(caption)
    return f'<figure><img alt="{text}" src="data:{kind};base64,{data}"><figcaption>{text}</figcaption></figure>'


def inline(text: str) -> str:
    text = html.escape(text, quote=False)
    text = re.sub(r"`([^`]+)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", text)
    return re.sub(r"(?<!\*)\*([^*\s][^*]*)\*(?!\*)", r"<em>\1</em>", text)
