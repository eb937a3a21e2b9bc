"""A rank that is killed takes the others with it in seconds, with one line that says how to go on."""

import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import differing
from processes import on_ranks, trained

from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.config.schema import project_root
from fulmen.distributed import ranks
from fulmen.runs.peers import how
from fulmen.runs.run import run

pytestmark = [pytest.mark.ddp, pytest.mark.usefixtures("warm_start")]

SMALL = ["data.compounds=60", "data.validation_compounds=10", "data.test_compounds=10", "data.hours=6", "test=true",
         "model.figures=false"]  # fmt: skip
MOMENTS = {  # where the victim dies, in the second epoch: method of the module, of the rank that does it
    "training": "training_step",
    "validation": "validation_step",
    "report": "summarize",
}


def dying(moment, victim):
    def change(data, model):
        pids, method, calls = ranks.of_all_ranks(os.getpid()), getattr(model, MOMENTS[moment]), []

        def dies_in(*args):
            calls.append(args)
            if moment == "report" or (ranks.rank_and_world()[0] == victim and model.current_epoch == 1):
                os.kill(pids[victim], signal.SIGKILL)
            return method(*args)

        setattr(model, MOMENTS[moment], dies_in)

    return change


def resumed(folder):
    typed = [f"resume={folder}"]
    result = run(check_overrides(typed), typed)
    return {"status": result.status, "metrics": result.metrics}


def weights(folder):
    return read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    assert on_ranks(2, trained, "pbpk_mlp", folder, lambda *_: None, *SMALL)[0]["status"] == "completed"
    return folder


@pytest.mark.parametrize("victim", [0, 1])
@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_rank_ends_the_other_which_names_the_command_to_go_on(tmp_path, whole, moment, victim):
    folder = tmp_path / "run"
    survivor = on_ranks(2, trained, "pbpk_mlp", folder, dying(moment, victim), *SMALL, killed=1)[1 - victim]
    assert survivor["status"] == "interrupted"
    assert survivor["message"].startswith(f"rank {victim} has died, and with it the others end")
    assert survivor["message"].endswith(f"Go on with: python train.py resume={folder}")
    written = json.loads((folder / "result.json").read_text())
    assert (written["status"], written["message"]) == (survivor["status"], survivor["message"])
    again = on_ranks(2, resumed, folder)[0]
    assert again["status"] == "completed"
    assert differing(weights(whole), weights(folder)) == []
    assert (folder / "metrics.csv").read_text() == (whole / "metrics.csv").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("victim", ["the first rank", "the second rank"])
def test_a_rank_killed_before_all_have_joined_leaves_no_one_waiting(tmp_path, victim):
    typed = ["experiment=pbpk_mlp", *SMALL, "trainer=ddp_cpu", "trainer.max_epochs=2"]
    command = [sys.executable, "train.py", *typed, f"hydra.run.dir={tmp_path / 'run'}"]
    first = subprocess.Popen(
        command, cwd=project_root(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    while "run folder" not in first.stdout.readline():
        assert first.poll() is None
    children = Path(f"/proc/{first.pid}/task/{first.pid}/children")
    while not (second := [pid for pid in map(int, children.read_text().split()) if os.getpgid(pid) == first.pid]):
        assert first.poll() is None
    os.kill(first.pid if victim == "the first rank" else second[0], signal.SIGKILL)
    output, errors = first.communicate(timeout=60)  # ends when all have closed it
    said = [line for line in errors.splitlines() if line.startswith("error: ")]
    assert len(said) == 1, errors + output
    assert re.match(r"error: rank \d (has died|was killed \(SIGKILL\)), and with it the others end; nothing", said[0])
    assert f"Start it again with: python train.py {' '.join(typed)}" in said[0]
    assert "Traceback" not in errors
    assert json.loads((tmp_path / "run" / "result.json").read_text())["status"] == "interrupted"


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "was killed (SIGKILL)"), (1, "ended with exit code 1; its message stands above")]
)
def test_exit_codes_are_said_in_words(code, words):
    assert how(code) == words
