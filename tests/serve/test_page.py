"""The page in a browser: trainings are started, watched, stopped, gone on with; runs are found, kept, compared."""

import pytest
from browsing import MARKS, fill
from short_jobs import until

TINY = {"data.machines": "6", "data.days": "6", "trainer.max_epochs": "12"}
LONG = ["data.machines=6", "data.days=6", "trainer.max_epochs=5000", "callbacks.early_stopping=null"]

pytestmark = MARKS


@pytest.fixture(scope="module")
def trained(server):
    """The card's name of a training that has ended, started by a program."""
    words = [f"{key}={value}" for key, value in TINY.items()]
    job = server.client.post("/api/jobs", json={"experiment": "sensors", "overrides": words}).json()
    until(lambda: server.client.get(f"/api/jobs/{job['id']}").json()["state"] == "completed", 120)
    return job


def test_a_training_is_judged_started_watched_and_its_report_opened(page, expect):
    page.goto("/train?experiment=sensors")
    expect(page.locator("#command")).to_contain_text("experiment=sensors")
    fill(page, "data.machines", "four")
    expect(page.locator('[data-key="data.machines"] .wrong')).to_contain_text("whole number")
    expect(page.locator("#start")).to_be_disabled()
    for key, value in TINY.items():
        fill(page, key, value)
    expect(page.locator("#command")).to_contain_text("data.machines=6")
    expect(page.locator("#judged")).to_have_text("No mistake found.")
    page.click("#start")
    page.wait_for_url("**/jobs#*")
    card = page.locator("article").first
    expect(card.locator(".state")).to_have_text("completed")
    expect(card.locator(".bar")).to_contain_text("12 of 12 epochs")
    expect(card.locator("svg.chart")).to_be_visible()
    card.get_by_role("link", name="Open").click()
    report = page.frame_locator("iframe.report")
    expect(report.locator("h1")).to_have_text("sensors")
    expect(page.locator("#one")).to_contain_text("logistic regression")


def test_a_bar_moves_and_a_curve_grows_until_the_job_is_cancelled_and_it_goes_on_from_there(page, server, expect):
    job = server.client.post("/api/jobs", json={"experiment": "sensors", "overrides": LONG}).json()
    page.goto("/jobs")
    card = page.locator(f'[id="{job["id"]}"]')
    bar, curve = card.locator("progress[value]"), card.locator("svg.chart path.line").first

    def done():
        return bar.evaluate("bar => bar.value")

    def drawn():
        return curve.evaluate("path => path.getAttribute('d').split('L').length")

    expect(curve).to_be_visible()
    before, points = done(), drawn()
    until(lambda: done() > before and drawn() > points, 60)
    card.get_by_role("button", name="Cancel").click()
    expect(card.locator(".state")).to_have_text("cancelled")
    expect(card.locator(".said")).to_contain_text("Resume goes on")
    reached = server.client.get(f"/api/jobs/{job['id']}").json()["progress"]["done"]
    card.get_by_role("button", name="Resume").click()
    expect(card.locator(".state")).to_have_text("running")
    until(lambda: bar.count() and done() > reached, 60)
    assert server.client.get(f"/api/jobs/{job['id']}").json()["attempt"] == 2
    card.get_by_role("button", name="Log").click()
    expect(page.locator("pre.log")).to_contain_text("attempt 2")
    page.get_by_role("button", name="Close").click()
    card.get_by_role("button", name="Cancel").click()
    expect(card.locator(".state")).to_have_text("cancelled")
    card.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(card).to_have_count(0)
    assert not (server.home / "outputs" / job["folder"]).exists()


def test_a_run_is_found_labelled_and_kept_as_a_model_with_name_and_notes(page, trained, expect):
    page.goto(f"/runs#{trained['folder']}")
    page.get_by_text("Tags, note, archive, delete").click()
    fill(page, "tags", "paper, small")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator("#runs")).to_contain_text("small")
    fill(page, "text", "nothing is called so")
    expect(page.locator("#count")).to_have_text("Nothing here yet.")
    page.get_by_role("button", name="Keep as a model …").click()
    asked = page.get_by_role("dialog")
    fill(asked, "name", "a name")
    asked.get_by_role("button", name="Keep it").click()
    expect(asked.locator('[data-key="name"] .wrong')).not_to_be_empty()
    fill(asked, "name", "pump")
    fill(asked, "note", "from the page")
    asked.get_by_role("button", name="Keep it").click()
    page.wait_for_url("**/models#pump:1")
    expect(page.get_by_role("article", name="Model pump:1")).to_contain_text("from the page")


def test_runs_are_compared_side_by_side_and_judged_by_a_job(page, server, trained, expect):
    again = server.client.post(f"/api/jobs/{trained['id']}/retry").json()
    until(lambda: server.client.get(f"/api/jobs/{again['id']}").json()["state"] == "completed", 120)
    page.goto("/runs")
    for job in (trained, again):
        page.get_by_role("checkbox", name=job["folder"].removeprefix("runs/")).check()
    page.get_by_role("button", name="Compare the 2 chosen").click()
    side = page.get_by_role("dialog")
    expect(side).to_contain_text("test/loss")
    expect(side.locator("svg.chart").first).to_be_visible()
    side.get_by_role("button", name="Judge them").click()
    page.wait_for_url("**/jobs#*")
    card = page.locator("article").first
    expect(card.locator(".state")).to_have_text("completed")
    card.get_by_role("link", name="Open").click()
    expect(page.frame_locator("iframe.report").locator("body")).to_contain_text("Confusion matrices")


def test_a_ranking_is_asked_for_with_its_options(page, expect):
    page.goto("/train?experiment=sensors")
    expect(page.locator("#judged")).to_have_text("No mistake found.")
    page.locator('[data-key="kind"] select').select_option("rank")
    fill(page, "folds", "3")
    expect(page.locator("#command")).to_have_text("fulmen rank sensors --folds=3")
    expect(page.locator("#judged")).to_have_text("No mistake found.")
