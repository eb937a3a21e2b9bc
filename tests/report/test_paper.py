"""On paper a report is dark on white whatever the screen, holds what is folded up, and no table is cut."""

import pytest
from browsing import MARKS, chromium
from kinds import KINDS

pytestmark = MARKS
A4 = 794 - 2 * 38  # CSS pixels between margins of a centimetre
SEEN = """() => {
  const height = each => each.getBoundingClientRect().height
  const inside = [...document.querySelectorAll("details:not(.csv, .file) :is(table, p, li)")]
  const brightness = text => text.match(/[0-9.]+/g).slice(0, 3).reduce((sum, each) => sum + +each, 0) / 3
  const colours = [...document.querySelectorAll("body, h1, p, td, th, figcaption")]
  return {
    wider: Math.max(...[...document.querySelectorAll("table, img, pre, code")].map(
      each => each.getBoundingClientRect().right - innerWidth)),
    cut: [...document.querySelectorAll(".wide")].filter(each => getComputedStyle(each).overflowX !== "visible").length,
    folded: inside.filter(each => height(each) === 0).length,
    opened: inside.filter(each => height(each) > 0).length,
    copies: [...document.querySelectorAll("details.csv, details.file")].filter(each => height(each) > 0).length,
    ground: brightness(getComputedStyle(document.body).backgroundColor),
    ink: Math.max(...colours.map(each => brightness(getComputedStyle(each).color))),
    filters: [...document.images].map(each => getComputedStyle(each).filter).filter(each => each !== "none"),
  }
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.mark.parametrize("kind", ["run", "compare", "rank", "multirun"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_printed_report_is_light_whole_and_not_cut(kind, scheme, browser, tmp_path):
    folder = tmp_path / kind
    KINDS[kind](folder)
    page = browser.new_page(viewport={"width": A4, "height": 1000})
    page.goto((folder / "report.html").as_uri())
    page.emulate_media(media="print", color_scheme=scheme)
    seen = page.evaluate(SEEN)
    pages = page.pdf(format="A4").count(b"/Type /Page\n")
    page.close()
    assert seen["wider"] <= 0, f"something is {seen['wider']} pixels wider than the paper"
    assert (seen["cut"], seen["folded"], seen["copies"]) == (0, 0, 0)
    assert seen["opened"] > 0 or kind == "compare"
    assert (seen["ground"], seen["filters"]) == (255, [])
    assert seen["ink"] < 130, "letters are too light for white paper"
    assert 1 <= pages <= 12
