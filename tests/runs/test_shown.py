"""A run shows itself as far as it goes, with a line on what is missing."""

import json
from pathlib import Path

import pytest

from fulmen.runs.result import Result
from fulmen.runs.run_folder import load_run
from fulmen.runs.shown import Figures
from tests.result_folders import RESULT, loadable, locked

PIXEL = bytes.fromhex("89504e470d0a1a0a")


@pytest.fixture
def folder(tmp_path):
    found = loadable(tmp_path)
    (found / "figures").mkdir()
    (found / "figures" / "roc.png").write_bytes(PIXEL)
    (found / "report.md").write_text("# sensors\n\n## is better than \\<b\\>guessing\\</b\\>\n")
    return found


def changed(folder, **values):
    (folder / "result.json").write_text(json.dumps(RESULT | values))
    return load_run(folder)._repr_html_()


def test_a_whole_run_shows_verdict_table_curve_and_figures(folder):
    shown = load_run(folder)._repr_html_()
    assert "is better than &lt;b&gt;guessing&lt;/b&gt;" in shown  # what a report says is text, never HTML
    assert "warning: val rises from epoch 2 on" in shown
    for cell in (">network<", ">logistic<", "<th>AUC</th>", ">0.9</td>", ">0.7</td>"):
        assert cell in shown, cell
    assert 'alt="learning curve"' in shown
    assert 'alt="roc"' in shown
    assert "<em>" not in shown, "nothing is missing"


def test_a_run_in_a_line_names_its_status_and_scores(folder):
    assert repr(load_run(folder)) == f"Run({folder}, completed, 3 epochs, auc 0.9, f1 0.8, loss 0.5)"
    assert repr(Result.read(folder)) == "Result(sensors, completed, 3 epochs, auc 0.9, f1 0.8, loss 0.5)"


def test_a_result_shows_what_its_run_shows(folder):
    run, result = load_run(folder)._repr_html_(), Result.read(folder)._repr_html_()
    assert ">0.9</td>" in result
    assert result.count("<tr>") == run.count("<tr>")
    assert 'alt="learning curve"' in result


def test_a_figure_of_a_report_is_found_by_its_name(folder):
    run = load_run(folder)
    assert dict(run.figures) == {"roc": folder / "figures" / "roc.png"}
    assert run.figures._repr_html_().count("<img") == 1
    (folder / "figures" / "roc.png").unlink()
    assert "it is gone" in Figures(roc=Path(folder / "figures" / "roc.png"))._repr_html_()
    assert "no figures" in run.figures._repr_html_()


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"metrics": {"val/auc": 0.9}, "baselines": {}}, "The test split has not been evaluated: test=false"),
        ({"metrics": {"val/auc": 0.9}, "status": "interrupted", "message": "go on"}, "has not been evaluated yet"),
        ({"status": "diverged", "message": "train/loss is no number"}, "train/loss is no number"),
        ({"baselines": {}}, "There are no baselines beside it."),
        ({"status": "running"}, "killed"),
    ],
)
def test_what_a_run_has_not_is_a_sentence(folder, values, said):
    assert said in changed(folder, **values)


def test_runs_without_curves_figures_or_result_show_what_they_have(folder):
    (folder / "metrics.csv").unlink()
    (folder / "figures" / "roc.png").unlink()
    shown = load_run(folder)._repr_html_()
    assert "There is no learning curve" in shown
    assert "There are no figures." in shown
    assert ">0.9</td>" in shown
    (folder / "result.json").unlink()
    assert "Nothing was written yet" in load_run(folder)._repr_html_()
    assert repr(load_run(folder)) == f"Run({folder}, not begun)"


def test_a_damaged_run_says_so_and_shows_its_curve(folder):
    (folder / "result.json").write_text("{")
    run = load_run(folder)
    assert "result.json is damaged" in run._repr_html_()
    assert 'alt="learning curve"' in run._repr_html_()
    assert repr(run) == f"Run({folder}, damaged)"
    (folder / "metrics.csv").write_text("epoch,train/loss\nx,y\n")
    assert "The learning curve cannot be drawn" in load_run(folder)._repr_html_()


def test_a_run_is_where_it_was_after_a_change_of_directory(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    run = load_run(folder.name)
    assert run.folder == Path(folder.name)
    monkeypatch.chdir("/")
    assert run.folder == folder
    assert list(run.figures) == ["roc"]
    assert "damaged" not in run._repr_html_()


def test_a_running_run_is_running(folder):
    locked(folder)
    assert "running" in changed(folder, status="running", metrics={})
    assert "The test split has not been evaluated yet" in changed(folder, status="running", metrics={})
