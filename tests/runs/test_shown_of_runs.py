"""What a test split shows stands in the result of a run and at the top of its report, unless it is to be ignored."""

import json

import pytest

from fulmen.config.check import check_overrides
from fulmen.report.shown import Shown
from fulmen.runs.run import run
from fulmen.runs.run_facts import run_facts
from fulmen.runs.run_folder import load_run

SMALL = ["experiment=pbpk_mlp", "data.compounds=40", "data.validation_compounds=4", "data.test_compounds=12",
         "data.hours=6", "model.figures=false", "trainer.accelerator=cpu", "trainer.max_epochs=1",
         "logger.tensorboard=null"]  # fmt: skip


def start(folder, *overrides):
    typed = [*SMALL, *overrides, f"output_dir={folder}"]
    run(check_overrides(typed), typed)
    return json.loads((folder / "result.json").read_text()), (folder / "report.md").read_text()


@pytest.fixture(scope="module")
def told(tmp_path_factory):
    folder = tmp_path_factory.mktemp("shown") / "run"
    return folder, *start(folder)


def test_the_sentence_stands_in_the_result_and_in_the_report_under_its_code(told):
    folder, result, report = told
    shown = Shown.from_dict(result["shown"])
    assert (result["shown"]["id"], shown.units, shown.unit) == (shown.id, 12, "subjects")
    assert shown.sentence in report.replace("\\", "")
    assert f"**{shown.heading}**: judged by correlation with what differs between subjects over 12 indep" in report
    assert load_run(folder).result["shown"]["sentence"] == shown.sentence


def test_the_margin_is_an_argument_of_the_module(tmp_path):
    assert start(tmp_path / "run", "model.margin=0.25")[0]["shown"]["margin"] == 0.5, "of a correlation: its root"


def test_a_finding_that_is_ignored_has_no_code_and_is_listed(told, tmp_path):
    code = told[1]["shown"]["id"]
    result, report = start(tmp_path / "run", f"findings.ignore=[{code}]")
    assert "shown" not in result
    (ignored,) = [each for each in result["ignored"] if each["id"] == code]
    assert ignored["finding"] == told[1]["shown"]["sentence"]
    assert f"**{code}" not in report
    assert report.replace("\\", "").count(ignored["finding"]) == 1, "in the list of what is ignored alone"
    assert f"ignored, as asked: {ignored['id']}" in report


def test_a_network_that_was_not_trained_is_not_judged(tmp_path):
    result, report = start(tmp_path / "run", "trainer.max_epochs=0")
    assert "shown" not in result
    assert "FUL-V" not in report


def test_the_facts_of_a_run_hold_what_it_shows(told):
    folder, result, _ = told
    facts = run_facts(folder)
    assert facts["shown"] == f"{result['shown']['id']} {result['shown']['sentence']}"
