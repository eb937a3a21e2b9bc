"""The page in a browser: each tab does what it says, loads nothing from elsewhere, and breaks no rule of its own."""

import shutil

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
TINY = {"data.machines": "6", "data.days": "6", "trainer.max_epochs": "12"}
SECONDS = 90_000  # milliseconds that a training on a busy machine may take

pytestmark = [
    pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]  # fmt: skip


@pytest.fixture(scope="module")
def browser():
    with playwright.sync_playwright() as started:
        found = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield found
        found.close()


@pytest.fixture
def page(browser, server):
    """A page of the server; what its console complains of fails the test."""
    page, complaints = browser.new_page(base_url=str(server.client.base_url)), []
    page.set_default_timeout(SECONDS)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    yield page
    assert [each for each in complaints if "422" not in each] == []  # a refusal that the page shows is no complaint
    assert [url for url in asked if not url.startswith((str(server.client.base_url), "data:", "blob:"))] == []
    page.close()


def fill(page, key, value):
    page.fill(f'[data-key="{key}"] input', value)


def test_a_training_is_judged_started_watched_and_its_report_opened(page):
    expect = playwright.expect
    page.goto("/train?experiment=sensors")
    expect(page.locator("#command")).to_contain_text("experiment=sensors", timeout=SECONDS)
    fill(page, "data.machines", "four")
    expect(page.locator('[data-key="data.machines"] .wrong')).to_contain_text("whole number", timeout=SECONDS)
    expect(page.locator("#start")).to_be_disabled()
    for key, value in TINY.items():
        fill(page, key, value)
    expect(page.locator("#command")).to_contain_text("data.machines=6", timeout=SECONDS)
    expect(page.locator("#judged")).to_have_text("No mistake found.", timeout=SECONDS)
    page.click("#start")
    page.wait_for_url("**/jobs#*")
    card = page.locator("article").first
    expect(card.locator(".state")).to_have_text("completed", timeout=SECONDS)
    expect(card.locator(".bar")).to_contain_text("12 of 12 epochs")
    expect(card.locator("svg.chart")).to_be_visible()
    card.get_by_role("link", name="Open").click()
    report = page.frame_locator("iframe.report")
    expect(report.locator("h1")).to_have_text("sensors", timeout=SECONDS)
    expect(page.locator("#one")).to_contain_text("logistic regression")


@pytest.mark.parametrize(
    "path", ["/train", "/jobs", "/runs", "/search", "/models", "/predict", "/advanced-training", "/login"]
)
def test_every_part_has_a_heading_and_fits_a_phone(page, path):
    page.set_viewport_size({"width": 390, "height": 800})
    page.goto(path)
    page.wait_for_load_state("networkidle" if path not in ("/jobs",) else "load")
    assert page.locator("h1").count() == 1
    assert page.locator("body").evaluate("body => body.scrollWidth") <= 390
