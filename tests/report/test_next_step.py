"""What a report says to type next works as it stands."""

import shlex

import pytest

from fulmen.cli import parser
from fulmen.config.check import check_overrides
from fulmen.report.of_run import facts, next_of

TYPED = ["experiment=pbpk_mlp", "seed=3", "output_dir=outputs/x y", "resume=outputs/x y", "trainer.max_epochs=3"]
RESULT = {"experiment": "pbpk_mlp", "status": "completed", "epochs": 4}


def verdict(code, severity="note"):
    return [{"code": code, "severity": severity}]


@pytest.mark.parametrize(
    ("result", "typed", "holds"),
    [
        ({}, TYPED, "seeds=3"),
        ({"verdicts": verdict("still_improving")}, TYPED, "trainer.max_epochs=8"),
        ({"verdicts": verdict("no_learning", "error")}, TYPED, "fulmen diagnose"),
        ({"status": "diverged"}, TYPED, "fulmen diagnose"),
        ({}, [*TYPED[:2], "seeds=2"], "fulmen models save"),
        ({}, [], "experiment=pbpk_mlp"),
    ],
)
def test_the_next_command_of_a_run_is_one_that_its_parser_takes(result, typed, holds, tmp_path):
    why, command = next_of(tmp_path / "it's a run", RESULT | result, typed)
    assert why.endswith(":")
    assert holds in command
    first, *words = shlex.split(command)
    if first == "fulmen":
        assert parser().parse_args(words).call
    else:
        assert check_overrides(words[1:]).experiment == "pbpk_mlp"
        assert not [word for word in words if word.startswith(("resume=", "output_dir="))]


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
