"""Links between the Markdown files lead to files and headings that exist, and every page is reached from the README.

Part of `make lint`. Addresses of other sites are not tried.
"""

from pathlib import Path

import pytest
from pages import PAGES, ROOT, headings, links


def target(page: str, link: str) -> tuple[Path, str]:
    """The file and the anchor that a relative link leads to."""
    name, _, anchor = link.partition("#")
    return ((ROOT / page).parent / name).resolve() if name else ROOT / page, anchor


def local(page: str) -> list[str]:
    return [link for link in links(page) if "://" not in link and not link.startswith("mailto:")]


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_files_and_headings_that_exist(page):
    broken = []
    for link in local(page):
        path, anchor = target(page, link)
        if not path.exists():
            broken.append(f"{link}: there is no such file")
        elif anchor and path.suffix == ".md" and anchor not in headings(str(path.relative_to(ROOT))):
            broken.append(f"{link}: there is no such heading")
    assert broken == []


def test_every_page_of_docs_is_reached_from_the_readme():
    reached, waiting = set(), ["README.md"]
    while waiting:
        page = waiting.pop()
        reached.add(page)
        paths = [target(page, link)[0] for link in local(page)]
        inside = [str(path.relative_to(ROOT)) for path in paths if path.suffix == ".md" and path.is_relative_to(ROOT)]
        waiting += [name for name in inside if (ROOT / name).exists() and name not in reached]
    assert sorted({page for page in PAGES if page.startswith("docs/")} - reached) == []
