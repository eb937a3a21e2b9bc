"""What was taken from a file stands at the beginning of a training, in its report and in its result."""

import json
import warnings

import pytest
import reading_lab

from fulmen.callbacks.taken import tell, told_once
from fulmen.data.answering import Note, table_for
from fulmen.data.predicting import Answer, Inputs, Predicts
from fulmen.entrypoints import train
from fulmen.io.taken import Guess, Taken
from fulmen.runs.reading import read_result

SAID = ["px.csv: 16 lengths", "columns: features: length", "decided: decimal comma in length (data.decimal=point)"]


@pytest.fixture(scope="module")
def lab(tmp_path_factory):
    with reading_lab.lab(tmp_path_factory.mktemp("lab")) as folder:
        yield folder


def trained(*overrides):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = train("experiment=readlab", *overrides)
    return run, [str(each.message) for each in caught if each.category is UserWarning]


def test_a_training_tells_it_first_and_keeps_it(lab, capsys):
    run, warned = trained("data.csv=px.csv")
    out = capsys.readouterr().out
    lines = [line.strip() for line in out.splitlines()]
    assert [line for line in lines if line in SAID] == SAID
    assert lines.index(SAID[-1]) < lines.index(next(line for line in lines if line.startswith("report:")))
    assert not [text for text in warned if "length" in text]
    report = (run.folder / "report.md").read_text()
    assert report.index("## Data") < report.index("px.csv: 16 lengths") < report.index("## Where the rest is")
    headings = [line for line in report.splitlines() if line.startswith("## ")]
    assert "## Diagnosis" not in headings or headings.index("## Data") < headings.index("## Diagnosis")
    assert "decimal comma in length" in (run.folder / "report.html").read_text()
    (stored,) = json.loads((run.folder / "result.json").read_text())["taken"]
    assert stored["guesses"] == [{"what": "decimal comma in length", "override": "data.decimal=point"}]


def test_doubts_are_warned_of_once_and_several_runs_tell_it_once(lab, capsys):
    run, warned = trained("data.csv=low.csv", "folds=2")
    assert [text for text in warned if "below 0" in text] == ["low.csv: a length is below 0"]
    assert capsys.readouterr().out.count("low.csv: 16 lengths") == 1
    assert "low.csv: 16 lengths" in (run.folder / "report.md").read_text()
    assert read_result(run.folder)["taken"][0]["doubts"] == ["a length is below 0"]


def test_a_search_tells_it_before_its_trials(lab, capsys):
    from fulmen.search.controller import run_searches
    from fulmen.search.plans import plans

    typed = ["experiment=readlab", "search/space=null", "search.space.seed={choices:[1,2]}", "search.trials=2"]
    run_searches(plans([*typed, "search.champion_seeds=0", "data.csv=px.csv", "search.name=s"]))
    out = capsys.readouterr().out
    assert out.count(SAID[0]) == 1
    assert out.index(SAID[0]) < out.index("trials")


def test_of_many_files_the_first_are_told_and_how_many_more(capsys):
    with told_once():
        for _ in range(2):
            tell([Taken(f"{i}.csv", "3 rows") for i in range(9)])
    assert capsys.readouterr().out.splitlines() == ["0.csv: 3 rows", "1.csv: 3 rows", "and 7 more files"]
    with warnings.catch_warnings(record=True) as caught:
        tell([Taken(f"{i}.csv", "3 rows", doubts=["a", f"b{i}"]) for i in range(3)], ["a"])
    assert [str(each.message) for each in caught] == ["0.csv: b0", "1.csv: b1", "2.csv: b2"]
    assert capsys.readouterr().out.splitlines() == ["0.csv: 3 rows", "1.csv: 3 rows", "2.csv: 3 rows"]


def test_predicting_notes_what_was_decided_and_warns_of_doubts():
    import torch

    class Model(Predicts):
        def predict_step(self, batch, number):
            return batch

        def answer(self, inputs, predicted, schema):
            return Answer({"y": predicted["x"].numpy()})

    taken = Taken("a.csv", "2 rows", guesses=[Guess("decimal comma", "decimal=point")], dropped=["a line"],
                  doubts=["a.csv: constant"])  # fmt: skip
    asked = Inputs({"x": torch.ones(2)}, 2, warnings=["a.csv: constant"], taken=taken)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        table_for(Model(), asked, {}, type("Wanted", (), {"table": None, "fallback": None})())
    assert [str(each.message) for each in caught if each.category is Note] == [
        "a.csv: decimal comma (decimal=point)",
        "a.csv: left out: a line",
    ]
    assert [str(each.message) for each in caught if each.category is UserWarning] == ["a.csv: constant"]


def test_a_report_has_a_point_for_each_decision_and_not_for_more_than_a_reader_takes_in():
    guesses = [Guess("decimal comma; in a and b", "data.decimal=point"), Guess("newest first")]
    taken = Taken("a.csv", "3 rows", {"time": "t"}, guesses, ["x"], [f"doubt {i}" for i in range(15)])
    points = [each.strip() for each in taken.points()]
    assert points[:3] == [
        "a.csv: 3 rows",
        "columns: time: t",
        "decided: decimal comma; in a and b (data.decimal=point)",
    ]
    assert points[3:6] == ["decided: newest first", "left out: x", "doubtful: doubt 0"]
    assert points[-1] == "doubtful: 3 more"
