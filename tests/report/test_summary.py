import io

import pytest
from rich.console import Console
from rich.text import Text

from fulmen.diagnosis import diagnose
from fulmen.report.document import number
from fulmen.report.markdown import markdown_table
from fulmen.report.of_run import sections, write_report
from fulmen.report.summary import OF_CELL, Summary, print_table
from fulmen.report.training_curve import training_curve

ROWS = [{"": "network", "R2": 0.99871, "RMSE": 1.2e-7}, {"": "mean", "R2": 0.5, "RMSE": None}]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.99871, "0.9987"), (1.2e-7, "1.20e-07"), (123456.0, "1.23e+05"), (3, "3"), (None, ""), (0.0, "0")],
)
def test_numbers_read_as_people_write_them(value, text):
    assert number(value) == text


def test_report_holds_every_section(tmp_path):
    summary = Summary({"r2": 1.0}, tables={"Main": ROWS}, figures={"A curve": "curve.png"}, notes=["t = 0 is left out"])
    cost = {"fit_seconds": 61.0, "parameters": 1234, "device": "cpu", "threads": 2, "precision": "32-true"}
    result = {"status": "completed", "epochs": 3, "cost": cost}
    text = write_report(tmp_path, "pbpk", summary, result, ["seed=1"]).read_text()
    for part in ("# pbpk", "Completed after 3 epochs", "1,234 parameters", "`seed=1`", "t = 0", "figures/curve.png"):
        assert part in text
    assert markdown_table(ROWS).replace("|  |", "| model |", 1) in text


def test_console_leaves_out_the_columns_that_do_not_fit():
    for width, there in ((80, True), (24, False)):
        console = Console(file=io.StringIO(), width=width)
        print_table("Runs", ROWS, console)
        text = console.file.getvalue()
        assert "0.9987" in text
        assert ("RMSE" in text) == there
        assert "…" not in text


def test_training_curve_is_drawn_from_the_table(tmp_path):
    assert training_curve(tmp_path) is None
    (tmp_path / "metrics.csv").write_text("epoch,step,lr-Adam,train/loss,val/loss\n0,1,0.1,2,3\n1,2,0.1,1,\n")
    assert training_curve(tmp_path).stat().st_size > 5_000


def test_the_diagnosis_begins_with_what_may_make_the_numbers_worthless_and_says_what_was_cut_off():
    verdicts = [diagnose([1.0], [1.0])[0].as_dict()]
    summary = Summary({}, warnings=["drift: x has moved"], notes=["PSI is an index."])

    def diagnosis(**result):
        return next(section for section in sections(summary, result) if section.heading == "Diagnosis").text

    assert diagnosis()[0] == "**drift**: x has moved", "a warning needs no verdict beside it"
    assert diagnosis(status="completed", verdicts=verdicts)[1].startswith("**FUL-D26 not enough data**")
    said = diagnosis(status="interrupted", verdicts=verdicts)
    assert said[1] == "The training did not come to its end: these lines are of the epochs it had."


def test_a_table_in_a_notebook_is_as_wide_as_its_cell(monkeypatch):
    """The lines of a cell hold fewer letters than a console; what is cut off there cannot be seen."""
    shown = []
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    monkeypatch.setattr("rich.jupyter.display", lambda _, text: shown.append(text))
    names = [f"a score {i}" for i in range(12)]
    left_out = print_table("Scores", [{"": "network", **dict.fromkeys(names, 0.123456)}])
    assert left_out == names[-len(left_out) :] != []
    assert max(len(line) for line in Text.from_ansi("".join(shown)).plain.splitlines()) <= OF_CELL


def test_what_a_table_comes_to_stands_above_it_and_is_no_heading():
    said = "Trading by its sign is shown to lose. Buying and holding: +1.0% a year."
    summary = Summary({}, tables={"Main": ROWS, "Trading": ROWS}, said={"Trading": said})
    (section,) = [each for each in sections(summary, {}) if each.tables]
    assert (section.heading, section.text) == ("Trading", [said])
