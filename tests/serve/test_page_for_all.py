"""Every part of the page can be used by keyboard, screen reader and phone, in light and dark."""

import shutil

import pytest
from browsing import MARKS
from result_folders import ranking_folder, run_folder, search_folder
from serving import started

from fulmen.config.schema import project_root

FROZEN = project_root() / "tests" / "frozen" / "4332109" / "models"
PARTS = {
    "/train?experiment=stocks": "#daily input", "/jobs": "#queue", "/runs#runs/sensors/one": "#one iframe",
    "/search#sweeps/sensors-tpe": "#one table", "/search#rankings/ranked": "#one table", "/models": "#models article",
    "/predict?model=sensors:1": "#inputs input", "/advanced-training": "#list input", "/login": "#key",
}  # fmt: skip
SERIOUS = ("serious", "critical")

pytestmark = MARKS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with something to show in every part."""
    home = tmp_path_factory.mktemp("all")
    shutil.copytree(FROZEN, home / "outputs" / "models")
    run_folder(home / "outputs", "sensors/one")
    run_folder(home / "outputs", "sensors/two", status="failed", message="no file")
    search_folder(home / "outputs")
    ranking_folder(home / "outputs", "ranked")
    found = started(home)
    yield found
    found.client.close()
    found.stop()


@pytest.mark.parametrize("path", PARTS)
def test_every_part_has_one_heading_fits_a_phone_and_has_no_serious_finding(page, path, expect):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")
    page.set_viewport_size({"width": 390, "height": 800})
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.goto(path)
        expect(page.locator(PARTS[path]).first).to_be_visible()
        assert page.locator("h1").count() == 1
        assert page.locator("body").evaluate("body => body.scrollWidth") <= 390
        found = axe.Axe().run(page).response["violations"]
        serious = {each["id"]: [node["html"] for node in each["nodes"]] for each in found if each["impact"] in SERIOUS}
        assert serious == {}, scheme


def test_a_training_is_started_without_a_mouse(page, expect):
    page.goto("/train?experiment=sensors")
    expect(page.locator("#judged")).to_have_text("No mistake found.")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.locator("#start").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/jobs#*")
    cancel = page.locator("article").first.get_by_role("button", name="Cancel")
    cancel.focus()
    page.keyboard.press("Enter")
    expect(page.locator("article .state").first).to_have_text("cancelled")
