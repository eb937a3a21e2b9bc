"""A run without a whole report leaves one as far as it goes: what is known, what is missing, what to type next."""

import json
import shlex
from contextlib import suppress
from pathlib import Path

import pytest
from helpers import PBPK, StopAt

from fulmen.config.check import check_overrides
from fulmen.errors import Diverged, Interrupted
from fulmen.report.html import as_page
from fulmen.report.markdown import as_markdown
from fulmen.runs import partial_report as module
from fulmen.runs.partial_report import partial_report
from fulmen.runs.run import run

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
SMALL = {  # the least of two workloads
    "pbpk_mlp": [*PBPK, "data.batch_size=5"],
    "sensors": ["trainer.limit_train_batches=4", "model.figures=false"],
}
ENDS = {
    "not tested": (["test=false"], "The training has come to its end and was not tested", "test=true"),
    "interrupted": ([], "The run was interrupted", "resume="),
    "diverged": (["model.optimizer.lr=1e30"], "The training diverged", "model.optimizer.lr=0.001"),
}


def go(folder, *typed, stop=None):
    """Train in `folder`, stopped at an optimizer step if that is given."""
    cfg = check_overrides([*typed, "trainer.accelerator=cpu", f"output_dir={folder}"])
    return run(cfg, list(typed), {"progress": StopAt(stop)} if stop else {})


def next_command(text):
    """The words of the command in a report."""
    return shlex.split(text.partition("```bash\n")[2].partition("\n```")[0])


@pytest.mark.slow
@pytest.mark.parametrize("experiment", SMALL)
@pytest.mark.parametrize("end", ENDS)
def test_the_report_is_written_whatever_ends_a_run(end, experiment, tmp_path):
    typed, said, holds = ENDS[end]
    typed = [f"experiment={experiment}", *SMALL[experiment], "trainer.max_epochs=3", *typed]
    with suppress(Interrupted, Diverged):
        go(tmp_path / "r", *typed, stop=2 if end == "interrupted" else None)
    text = (tmp_path / "r" / "report.md").read_text()
    assert f"**{said}" in text
    assert "- Nothing was tested: there are no scores of a test split, and no baselines.\n" in text
    assert "<h2>What is missing</h2>" in (tmp_path / "r" / "report.html").read_text()
    assert not list((tmp_path / "r").glob(".report*")), "it is written whole or not at all"
    program, script, *words = next_command(text)
    assert (program, script) == ("python", "train.py")
    assert any(holds in word for word in words)
    check_overrides(words)


@pytest.mark.slow
def test_the_next_command_of_a_run_without_a_test_tests_it_and_trains_no_more(tmp_path, capsys):
    typed = ["experiment=pbpk_mlp", *PBPK, "trainer.max_epochs=2"]
    before = go(tmp_path / "r", *typed, "test=false")
    words = next_command((tmp_path / "r" / "report.md").read_text())[2:]
    after = run(check_overrides(words), words)
    assert "the training had ended already" in capsys.readouterr().out
    assert (after.epochs, after.steps) == (before.epochs, before.steps)
    text = (tmp_path / "r" / "report.md").read_text()
    assert "What is missing" not in text
    assert "the best baseline" in text


@pytest.mark.slow
def test_a_report_that_is_still_true_stays_and_one_that_is_not_goes(tmp_path):
    typed = ["experiment=pbpk_mlp", *PBPK, "trainer.max_epochs=1"]
    go(tmp_path / "r", *typed)
    whole = (tmp_path / "r" / "report.md").read_text()
    again = [f"resume={tmp_path / 'r'}"]
    run(check_overrides([*again, "test=false"]), [*again, "test=false"])
    assert (tmp_path / "r" / "report.md").read_text() == whole
    longer = [*again, "trainer.max_epochs=3", "test=false"]
    run(check_overrides(longer), longer)
    assert "was not tested" in (tmp_path / "r" / "report.md").read_text()


@pytest.mark.slow
def test_runs_over_seeds_that_were_stopped_say_how_far_each_came(tmp_path):
    typed = ["experiment=pbpk_mlp", *SMALL["pbpk_mlp"], "model.optimizer.lr=1e30", "seeds=2"]
    with pytest.raises(Diverged):
        go(tmp_path / "r", *typed)
    text = (tmp_path / "r" / "report.md").read_text()
    assert "| seed_42 | diverged |" in text
    assert "| seed_43 | not begun |" in text
    assert "Nothing can be said of mean and spread while seed_42, seed_43 did not complete." in text


@pytest.mark.slow
@pytest.mark.parametrize("fault", [OSError("no space"), KeyboardInterrupt()], ids=["disk", "Ctrl-C"])
def test_what_goes_wrong_with_the_report_hides_no_error(fault, tmp_path, monkeypatch, capsys):
    def fails(*_):
        raise fault

    monkeypatch.setattr(module, "partial_report", fails)
    with pytest.raises(Diverged, match="lr="):
        go(tmp_path / "r", "experiment=pbpk_mlp", *SMALL["pbpk_mlp"], "model.optimizer.lr=1e30")
    assert f"no report was written: {type(fault).__name__}" in capsys.readouterr().out


@pytest.mark.parametrize("name", STORED)
def test_what_is_there_is_shown_and_what_is_missing_is_said(name, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(STORED[name]))
    report = partial_report(tmp_path)
    text = as_markdown(report)
    for line in ("no scores of a test split", "There are no figures", "There is no diagnosis"):
        assert line in text
    assert report.next_command
    assert report.answer.endswith(".")
    assert "<h1>" in as_page(report, tmp_path)


@pytest.mark.parametrize(("kept", "holds"), [(True, "resume={}"), (False, "experiment=")])
def test_an_interrupted_run_says_how_to_go_on_or_to_start_again(kept, holds, tmp_path):
    (tmp_path / "result.json").write_text(json.dumps(STORED["interrupted"]))
    if kept:
        (tmp_path / "checkpoints").mkdir()
        (tmp_path / "checkpoints" / "last.ckpt").touch()
    assert holds.format(tmp_path) in partial_report(tmp_path).next_command


def test_a_folder_without_a_result_has_no_report(tmp_path):
    assert partial_report(tmp_path) is None


@pytest.mark.parametrize("folder", sorted(FROZEN.glob("*/runs/*")), ids=lambda path: f"{path.parts[-3]}-{path.name}")
def test_runs_of_earlier_releases_are_shown(folder):
    if (folder / "result.json").is_file():
        assert partial_report(folder).answer.endswith(".")
