"""Every kind of report can be read on a desk, a tablet and a phone: nothing is too wide, no letter tiny."""

import pytest
from browsing import MARKS, chromium
from kinds import KINDS

from fulmen.report.figures import WIDTH, figure

pytestmark = MARKS
SIZES = (1280, 768, 390)
MEASURE = """() => {
  const letters = [...document.images].map(image => {
    const source = image.src, width = image.getBoundingClientRect().width
    if (!source.startsWith("data:image/svg")) return 99
    const drawn = new TextDecoder().decode(Uint8Array.from(atob(source.split(",")[1]), each => each.charCodeAt(0)))
    const sizes = [...drawn.matchAll(/font: ([0-9.]+)px|font-size: ?([0-9.]+)px/g)].map(each => +(each[1] || each[2]))
    return Math.min(...sizes) * width / +drawn.match(/viewBox="0 0 ([0-9.]+)/)[1]
  })
  const main = document.querySelector("section.main .wide")
  return {
    wider: document.documentElement.scrollWidth - innerWidth, letters: Math.min(99, ...letters),
    figures: letters.length, main: main ? main.scrollWidth - main.clientWidth : 0,
    columns: main ? main.querySelectorAll("th").length : 0, answer: document.querySelector(".answer")?.textContent,
  }
}"""


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.mark.parametrize("kind", KINDS)
def test_a_report_fits_every_screen(kind, browser, tmp_path):
    folder = tmp_path / kind
    KINDS[kind](folder)
    for size in SIZES:
        page = browser.new_page(viewport={"width": size, "height": 900})
        asked: list[str] = []
        page.on("request", lambda request, asked=asked: asked.append(request.url))
        page.goto((folder / "report.html").as_uri())
        seen = page.evaluate(MEASURE)
        page.close()
        assert seen["wider"] <= 0, f"the page is {seen['wider']} pixels wider than a screen of {size}"
        assert seen["letters"] >= 9, f"letters of {seen['letters']:.1f} pixels on a screen of {size}"
        assert size < 1280 or (seen["main"] <= 0 and seen["columns"] <= 6), "the main table is cut"
        assert seen["figures"] > 0
        assert seen["answer"].endswith(".")
        assert [address for address in asked if not address.startswith(("file:", "data:"))] == []


def test_figures_are_drawn_as_wide_as_a_phone_can_show(tmp_path):
    with figure(tmp_path / "x.svg") as ax:
        ax.set_xscale("log")
        ax.plot([1e-4, 1e3], [1, 2])
    drawn = (tmp_path / "x.svg").read_text()
    assert f'width="{WIDTH * 72:g}pt"' in drawn
    assert "0.01" in drawn, "a power of ten is written out"
