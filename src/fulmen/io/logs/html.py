"""The rows of a table of HTML, as the progress of a training is shown in a notebook."""

from html.parser import HTMLParser


class Rows(HTMLParser):
    """Collects cells, row by row."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[list[str]] = []
        self.within = False

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th") and self.rows:
            self.rows[-1].append("")
            self.within = True

    def handle_endtag(self, tag: str) -> None:
        if tag in ("td", "th", "tr", "table"):
            self.within = False

    def handle_data(self, data: str) -> None:
        if self.within:
            self.rows[-1][-1] += data.strip()


def rows_of_html(text: str) -> str:
    """Its rows as lines, cells divided by tabs."""
    parser = Rows()
    parser.feed(text)
    return "\n".join("\t".join(" ".join(cell.split()) for cell in row) for row in parser.rows)
