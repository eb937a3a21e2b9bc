"""A run without a report is shown as far as it goes, with a line on what is missing."""

import json
from pathlib import Path

import pytest

from fulmen.report.html import as_page
from fulmen.report.markdown import as_markdown
from fulmen.runs.partial_report import partial_report

FROZEN = Path(__file__).parents[1] / "frozen"
STORED = {
    "interrupted": {
        "status": "interrupted",
        "epochs": 2,
        "metrics": {"val/loss": 0.5},
        "message": "in epoch 3",
    },
    "diverged": {"status": "diverged", "epochs": 1, "metrics": {"val/loss": float("nan")}},
    "not tested": {"status": "completed", "epochs": 3, "metrics": {"best/val/loss": 0.1}, "cost": {"fit_seconds": 2.0}},
    "of an early release": {"status": "completed"},
}


@pytest.mark.parametrize("name", STORED)
def test_what_is_there_is_shown_and_what_is_missing_is_said(name, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(STORED[name]))
    report = partial_report(tmp_path)
    text = as_markdown(report)
    for line in ("no scores of a test split", "There are no figures.", "There is no diagnosis."):
        assert line in text
    assert report.next_command
    assert "<h1>" in as_page(report, tmp_path)


def test_an_interrupted_run_says_how_to_go_on(tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(STORED["interrupted"]))
    assert f"resume={tmp_path}" in partial_report(tmp_path).next_command


def test_a_folder_without_a_result_has_no_report(tmp_path):
    assert partial_report(tmp_path) is None


@pytest.mark.parametrize("folder", sorted(FROZEN.glob("*/runs/*")), ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_runs_of_earlier_releases_are_shown(folder):
    if (folder / "result.json").is_file():
        assert partial_report(folder).answer.endswith(".")
