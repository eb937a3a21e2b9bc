"""Beside every score stands of how many items and runs it is, in every kind of report."""

import json
import re

import pytest
from kinds import KINDS

from fulmen.report.behind import Behind, behind
from fulmen.report.document import TableOf
from fulmen.report.of_run import further_table
from fulmen.report.summary import Summary

SAID = {
    "run": "1 run, 12 items of the test split.",
    "seeds": "3 seeds, 20 rows of the test split in each.",
    "multirun": "1 run, 10 items of the validation split and 20 items of the test split.",
    "multirun of seeds": "1 run, 10 items of the validation split and 20 items of the test split.",
    "search": "1 run, 4 items of the validation split.",
    "studies": "1 run, 4 items of the validation split.",
    "rank": "3 folds, 50 rows of the test split in each.",
    "compare": "1 run, 60 items of the test split.",
}


@pytest.mark.slow
@pytest.mark.parametrize("kind", SAID)
def test_every_table_of_scores_says_its_n_and_the_main_one_first(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    folder = tmp_path / kind.replace(" ", "_")
    KINDS[kind](folder)
    text = next(path for path in folder.glob("*.md")).read_text()
    if kind == "search":
        results = [json.loads((path / "result.json").read_text()) for path in folder.glob("trial_*")]
        assert {(one["sizes"]["val"], one["counted"]) for one in results} == {(4, "")}
    before = re.findall(r"^(.*)\n\n\| .*\n\| --- ", text, re.MULTILINE)
    before = [line for line in before if line != "### What stands behind them"]  # of leaks, no scores
    assert before[0] == f"n of each score: {SAID[kind]}"
    assert [line for line in before if not line.startswith("n of each score: ")] == []
    page = (folder / "report.html").read_text()
    assert page.count('<p class="n muted">') == len(before)
    copied = page.partition("As CSV, to copy</summary>")[2].partition("</pre>")[0]
    assert ",n (" in copied.partition("\n")[0], "a copied table holds its n too"


def test_runs_that_differ_in_their_items_say_from_where_to_where():
    results = [{"metrics": {"test/r2": 1.0}, "sizes": {"test": n, "val": 7}, "counted": "images"} for n in (900, 1100)]
    assert str(behind(results, ("val", "test"))) == "n of each score: 1 run, 900 to 1,100 images of the test split."
    of = behind(results, runs=2, unit="fold")
    assert str(of) == "n of each score: 2 folds, 900 to 1,100 images of the test split in each."


def test_what_is_not_known_is_not_said():
    assert str(behind([{"metrics": {"test/r2": 1.0}}, {}])) == "n of each score: 1 run."
    assert str(behind([{"metrics": {"test/r2": 1.0}, "sizes": {"test": "x"}}])) == "n of each score: 1 run."
    assert str(behind([{"runs": ["a", "b"], "metrics": {}}])) == "n of each score: 2 runs."


def test_a_table_may_say_the_n_of_each_row_or_be_of_no_scores():
    summary = Summary({}, counted="images", counts={"Per class": "test images", "Drift": ""})
    of = Behind(items={"test": [12]}, counted="images")
    found = {title: further_table(title, [{"x": 1}], summary, of).behind for title in ("Per class", "Drift", "Other")}
    assert str(found["Per class"]) == "n of each score: 1 run, and as many images as the column 'test images' says."
    assert (found["Drift"], found["Other"]) == (None, of)


def test_a_table_that_is_copied_holds_its_n():
    table = TableOf("", [{"": "network", "r2": 0.5}], behind=Behind(3, "seed", {"test": [12, 12]}, "rows"))
    assert table.csv == ',R²,n (seeds),"n (test, rows)"\nnetwork,0.5,3,12\n'
