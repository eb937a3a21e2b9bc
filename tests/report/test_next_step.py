"""What a report says to type next works as it stands."""

import re
import shlex

import pytest
from kinds import KINDS
from markupsafe import escape

from fulmen.cli import parser
from fulmen.config.check import check_overrides
from fulmen.report.next_of_run import next_of
from fulmen.report.of_run import facts
from fulmen.search.plans import plans

TYPED = ["experiment=pbpk_mlp", "seed=3", "output_dir=outputs/x y", "resume=outputs/x y", "trainer.max_epochs=3"]
RESULT = {"experiment": "pbpk_mlp", "status": "completed", "epochs": 4}


def judge(command):
    """What the program makes of a command before it begins any work; it refuses one that is wrong."""
    program, *words = shlex.split(command)
    if program == "fulmen":
        return parser().parse_args(words).call
    return {"train.py": check_overrides, "sweep.py": plans}[words[0]](words[1:])


def verdict(code, severity="note"):
    return [{"code": code, "severity": severity}]


@pytest.mark.parametrize(
    ("result", "typed", "holds"),
    [
        ({}, TYPED, "seeds=3"),
        ({"verdicts": verdict("still_improving")}, TYPED, "trainer.max_epochs=8"),
        ({"verdicts": verdict("no_learning", "error")}, TYPED, "fulmen diagnose"),
        ({"status": "diverged"}, TYPED, "fulmen diagnose"),
        ({}, [*TYPED[:2], "seeds=2"], "fulmen runs show"),
        ({}, [*TYPED[:2], "test=false"], "seed=3 seeds=3"),
        ({}, [], "experiment=pbpk_mlp"),
    ],
)
def test_the_next_command_of_a_run_is_one_that_its_parser_takes(result, typed, holds, tmp_path):
    why, command = next_of(tmp_path / "it's a run", RESULT | result, typed)
    assert why.endswith(":")
    assert holds in command
    judged = judge(command)
    if not command.startswith("fulmen "):
        assert judged.experiment == "pbpk_mlp"
        assert not [word for word in shlex.split(command) if word.startswith(("resume=", "output_dir="))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "sweep"])
def test_every_kind_of_report_names_a_next_command_that_is_taken(kind, tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    folder = tmp_path / kind.replace(" ", "_")
    KINDS[kind](folder)
    (text,) = (path.read_text() for path in folder.glob("*.md"))
    (command,) = re.findall(r"## What to do next\n\n.*:\n\n```bash\n(.*)\n```", text)
    assert judge(command)
    assert f"<pre class=next><code>{escape(command)}</code>" in (folder / "report.html").read_text()


def test_an_interrupted_run_is_gone_on_with(tmp_path):
    (tmp_path / "x" / "checkpoints").mkdir(parents=True)
    (tmp_path / "x" / "checkpoints" / "last.ckpt").touch()
    _, command = next_of(tmp_path / "x", RESULT | {"status": "interrupted"}, TYPED)
    assert f"resume={tmp_path / 'x'}" in command


def test_a_resumed_run_says_how_it_began_and_how_often_it_was_resumed():
    said = facts(RESULT | {"cost": {"fit_seconds": 12.0}}, TYPED)
    assert "after 4 epochs and 12 s of training" in said
    assert "`experiment=pbpk_mlp seed=3 output_dir=outputs/x y`" in said
    assert "Resumed 1 time, all of which the numbers cover: `resume=outputs/x y trainer.max_epochs=3`" in said


WORSE = {"id": "FUL-V01", "code": "better_than_constant", "simple": {"name": "linear", "high": -0.2}}
UNLIKE = {"id": "FUL-V03", "code": "undecided_result", "simple": {"name": "linear", "high": 0.2}}
GAIN = ("Logit adjustment gains. This chooses its strength:", "model.logit_adjustment=validation")


@pytest.mark.parametrize(
    ("result", "asked", "why", "holds"),
    [
        ({"epochs": 1, "shown": WORSE}, ("", ""), "worse than the best simple model (linear) after 1 epoch alone",
         "trainer.max_epochs=20"),
        ({"epochs": 1, "shown": WORSE}, GAIN, "This trains longer:", "trainer.max_epochs=20"),
        ({"epochs": 1, "shown": {"code": "worse_than_constant"}}, ("", ""), "worse than a constant prediction",
         "trainer.max_epochs=20"),
        ({"epochs": 30, "shown": WORSE}, ("", ""), "worse than the best simple model", "fulmen diagnose"),
        ({"epochs": 30, "shown": WORSE}, GAIN, "This chooses its strength:", "model.logit_adjustment=validation"),
        ({"epochs": 30, "shown": UNLIKE}, GAIN, "This chooses its strength:", "model.logit_adjustment=validation"),
        ({"epochs": 1, "shown": WORSE}, ("This trains on others:", "data.permute_labels=false"), "on others:",
         "data.permute_labels=false"),
        ({"epochs": 9, "members": [{}]}, ("", ""), "This keeps it as a model:", "fulmen models save"),
        ({"epochs": 1, "shown": UNLIKE}, ("", ""), "It was trained for 1 epoch alone.", "trainer.max_epochs=20"),
        ({"epochs": 1, "shown": UNLIKE | {"code": "better_than_baselines"}}, ("", ""), "three seeds", "seeds=3"),
        ({"epochs": 1, "steps": 1, "shown": UNLIKE}, ("", ""), "repeats it", "seeds=3"),
        ({"epochs": 9, "shown": UNLIKE}, ("", ""), "repeats it with three seeds", "seeds=3"),
    ],
)  # fmt: skip
def test_the_next_step_follows_from_the_finding(result, asked, why, holds, tmp_path):
    tested = {"metrics": {"test/accuracy": 0.1}}
    said, command = next_of(tmp_path, RESULT | tested | result, TYPED[:1], asked)
    assert why in said
    assert holds in command


def test_a_training_that_was_stopped_before_its_last_epoch_is_not_trained_longer(tmp_path):
    (tmp_path / "config.yaml").write_text("format: 4\ntrainer:\n  max_epochs: 50\n")
    assert next_of(tmp_path, RESULT | {"epochs": 2, "shown": WORSE}, TYPED[:1])[1].startswith("fulmen diagnose")
