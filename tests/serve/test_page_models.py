"""The page in a browser: searches and rankings read, rows and models kept, promoted, and asked by hand and by file."""

import re
import shlex
import shutil
import sys

import pytest
from browsing import MARKS, fill, visiting
from result_folders import search_folder
from serving import started
from short_jobs import until

from fulmen.config.schema import project_root

FROZEN = project_root() / "tests" / "frozen" / "4332109" / "models"
RANK = {"kind": "rank", "experiment": "sensors", "options": {"folds": 2},
        "overrides": ["data.machines=6", "data.days=6", "trainer.max_epochs=2", "network=mlp"]}  # fmt: skip

pytestmark = MARKS


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server with kept models of all workloads and a search; alerts go to a file."""
    home = tmp_path_factory.mktemp("models")
    shutil.copytree(FROZEN, home / "outputs" / "models")
    search_folder(home / "outputs")
    copy = "import sys, pathlib; pathlib.Path('alert.json').write_text(sys.stdin.read())"
    found = started(home, "--alert", shlex.join([sys.executable, "-c", copy]))
    yield found
    found.client.close()
    found.stop()


def test_a_search_shows_its_leaderboard_and_its_history(page, expect):
    page.goto("/search")
    page.get_by_role("link", name="sensors-tpe").click()
    one = page.locator("#one")
    expect(one).to_contain_text("val/auc (max)")
    expect(one.locator("tr.best")).to_contain_text("0.9")
    expect(one.locator("svg.chart circle")).to_have_count(2)
    expect(page.frame_locator("iframe.report").locator("head")).to_have_count(1)


def test_any_row_of_a_ranking_is_kept_with_name_and_note(page, server, expect):
    job = server.client.post("/api/jobs", json=RANK)
    assert job.status_code == 201, job.text
    page.goto("/jobs")
    card = page.locator(f'[id="{job.json()["id"]}"]')
    expect(card.locator(".state")).to_have_text("completed")
    card.get_by_role("link", name="Open").click()
    row = page.locator("#one tbody tr", has_text="logistic")
    expect(row).to_contain_text("(baseline)")
    row.get_by_role("button", name="Keep …").click()
    fill(page, "name", "sensors")
    page.get_by_role("button", name="Keep it").click()
    expect(page.locator("dialog")).to_contain_text("in use")
    fill(page, "name", "plain")
    fill(page, "note", "good enough")
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_url("**/jobs#*")
    expect(page.locator("article").first.locator(".state")).to_have_text("completed")
    page.goto("/models")
    kept = page.get_by_role("article", name="Model plain:1")
    expect(kept).to_contain_text("good enough")
    kept.get_by_text("Metrics beside baselines").click()
    expect(kept.get_by_role("table")).to_contain_text("gradient boosting")


def test_a_model_is_promoted_and_deleted(page, server, expect):
    page.goto("/models")
    card = page.get_by_role("article", name="Model images:1")
    card.get_by_role("button", name="Promote …").click()
    fill(page, "alias", "not an alias")
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.locator('dialog [data-key="alias"] .wrong')).not_to_be_empty()
    fill(page, "alias", "staging")
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(card).to_contain_text("@staging")
    card.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("staging points to it")
    page.get_by_role("dialog").get_by_role("button", name="Leave it").click()
    expect(card).to_be_visible()


def test_values_by_hand_are_answered_in_words_explained_and_an_alert_is_sent(page, server, expect):
    page.goto("/predict?model=sensors:1")
    expect(page.locator('[data-key="light_lux"] input')).to_have_value(re.compile(r"\d"))
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator("#decision")).to_contain_text("maintenance")
    expect(page.locator(".probability meter")).to_have_count(2)
    fill(page, "temperature_c", "warm")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator('[data-key="temperature_c"] .wrong')).to_contain_text("number")
    expect(page.locator('[data-key="temperature_c"] input')).to_be_focused()
    fill(page, "temperature_c", "900")
    page.get_by_role("button", name="Predict", exact=True).click()
    expect(page.locator("#answer .warning").first).to_contain_text("Outside what the model has seen")
    expect(page.locator("#decision")).to_have_text("maintenance needed")
    page.get_by_role("button", name="Send an alert").click()
    until((server.home / "alert.json").exists)
    assert '"model": "sensors:1"' in (server.home / "alert.json").read_text()


def test_a_file_is_answered_as_a_table_that_can_be_saved(page, server, tmp_path, expect):
    rows = server.client.get("/api/models/sensors:1/examples").json()["rows"]
    names = list(rows[0])
    lines = [",".join(names), *(",".join(str(row[name]) for name in names) for row in rows * 3)]
    (tmp_path / "readings.csv").write_text("\n".join(lines))
    page.goto("/predict?model=sensors:1")
    expect(page.locator("#by-file button")).to_be_enabled()
    page.locator("#file").set_input_files(tmp_path / "readings.csv")
    page.get_by_role("button", name="Predict for the file").click()
    expect(page.locator("#answer tbody tr")).to_have_count(3 * len(rows))
    with page.expect_download() as saved:
        page.get_by_role("button", name="Save as CSV").click()
    assert len(saved.value.path().read_text().splitlines()) == 1 + 3 * len(rows)
    (tmp_path / "broken.csv").write_text("a,b\n1,2\n")
    page.locator("#file").set_input_files(tmp_path / "broken.csv")
    page.get_by_role("button", name="Predict for the file").click()
    expect(page.locator("#wrong .problem")).to_contain_text("light_lux")


@pytest.mark.parametrize(("model", "says"), [("stocks", "interval"), ("pbpk", "Concentrations"), ("images", "%")])
def test_each_workload_is_shown_as_it_is_read(page, model, says, expect):
    page.goto(f"/predict?model={model}:1")
    page.get_by_role("button", name="Predict", exact=True).click()  # once the model is loaded and an example filled in
    expect(page.locator("#answer")).to_contain_text(says)
    expect(page.locator("#answer").locator("svg.chart, meter").first).to_be_visible()
    expect(page.locator("#history")).to_be_visible(visible=model == "stocks")


def test_a_browser_shows_its_key_once(browser, tmp_path, expect):
    asking = started(tmp_path, "--keys")
    try:
        with visiting(browser, asking.url) as page:
            page.goto("/runs")
            page.wait_for_url("**/login?next=*")
            page.fill("#key", "nonsense")
            page.get_by_role("button", name="Go on").click()
            expect(page.locator("#wrong")).to_contain_text("not known")
            page.fill("#key", made(tmp_path))
            page.get_by_role("button", name="Go on").click()
            page.wait_for_url("**/runs")
            expect(page.locator("#count")).to_have_text("Nothing here yet.")
    finally:
        asking.client.close()
        asking.stop()


def made(home):
    """A new key."""
    from fulmen.serve.keys import Keys

    return Keys(home / "outputs" / ".fulmen" / "keys.json").new("ada", "read")
