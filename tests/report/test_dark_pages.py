"""On a dark screen a figure has no ground of its own, and its ink is light; what is printed is dark on white."""

import io

import numpy as np
import pytest
from browsing import MARKS, chromium
from PIL import Image

from fulmen.report.document import Figure, Report
from fulmen.report.figures import figure
from fulmen.report.html import write

pytestmark = MARKS


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """Pixels [H, W, 3] of the page and of its figure, by colour scheme."""
    folder = tmp_path_factory.mktemp("dark")
    with figure(folder / "x.svg") as ax:
        ax.plot([0, 1], [0, 1])
    write(Report("x", "Why?", "Because.", lead=Figure("A line", "x.svg")), folder)
    found = {}
    with chromium() as browser:
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 800, "height": 700}, color_scheme=scheme)
            page.goto((folder / "report.html").as_uri())
            box = page.locator("figure img").bounding_box()
            found[scheme] = pixels(page.screenshot()), pixels(page.screenshot(clip=box))
            page.close()
    return found


def pixels(png):
    return np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_ground_of_a_figure_is_that_of_the_page(scheme, shown):
    page, drawn = shown[scheme]
    assert drawn[2, 2].tolist() == page[2, 2].tolist()


def test_ink_is_dark_on_a_light_screen_and_light_on_a_dark_one(shown):
    assert shown["light"][1].min() < 60
    assert shown["dark"][1].max() > 190
