"""train.py as a process of its own: real signals, real exit codes, several ranks."""

import os
import random
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from helpers import differing

from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.config.schema import project_root
from fulmen.runs.reading import read_result
from fulmen.runs.run import run

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("warm_start")]

SMALL = ["experiment=pbpk_mlp", "trainer.accelerator=cpu", "trainer.max_epochs=40", "data.compounds=320",
         "data.hours=6", "test=false"]  # fmt: skip
QUICK_END = ["model.optimizer.lr=1e-4", "callbacks.early_stopping=null", "callbacks.summary=null"]


def start(*overrides):
    command = [sys.executable, "train.py", *overrides]
    return subprocess.Popen(command, cwd=project_root(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def read_until(process, pattern):
    seen = []
    for line in process.stdout:
        seen.append(line)
        if re.search(pattern, line):
            return "".join(seen)
    raise AssertionError(f"never printed {pattern}:\n{''.join(seen)}")


def last_weights(folder):
    return read_checkpoint(Path(folder) / "checkpoints" / "last.ckpt")["state_dict"]


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    typed = [*SMALL, *QUICK_END, f"output_dir={tmp_path_factory.mktemp('whole') / 'run'}"]
    return last_weights(run(check_overrides(typed), typed).folder)


def test_sigterm_saves_and_the_printed_command_goes_on(tmp_path, uninterrupted):
    process = start(*SMALL, *QUICK_END, f"output_dir={tmp_path / 'run'}")
    read_until(process, r"^epoch 3/40")
    process.send_signal(signal.SIGTERM)
    output = process.communicate()[0]
    assert process.returncode == 128 + signal.SIGTERM
    assert read_result(tmp_path / "run")["status"] == "interrupted"
    command = shlex.split(re.search(r"Go on with: python (.*)", output)[1])
    again = subprocess.run([sys.executable, *command], cwd=project_root(), capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert read_result(tmp_path / "run")["status"] == "completed"
    assert differing(uninterrupted, last_weights(tmp_path / "run")) == []


def test_sigkill_at_any_moment_loses_at_most_an_epoch(tmp_path, uninterrupted):
    moments = random.Random(0)
    overrides = [*SMALL, *QUICK_END, f"output_dir={tmp_path / 'run'}"]
    for last_seen in (4, 15):
        process = start(*overrides)
        read_until(process, rf"^epoch {last_seen + moments.randrange(5)}/40")
        process.kill()
        process.wait()
        process.stdout.close()
        overrides = [f"resume={tmp_path / 'run'}"]
        assert read_result(tmp_path / "run")["status"] == "running"
    process = start(*overrides)
    process.communicate()
    assert process.returncode == 0
    assert differing(uninterrupted, last_weights(tmp_path / "run")) == []
    assert len((tmp_path / "run" / "metrics.csv").read_text().splitlines()) == 1 + 40


def test_sigterm_while_data_are_prepared_says_so(tmp_path):
    process = start(*SMALL, f"output_dir={tmp_path / 'run'}", "data.compounds=2000", "data.seed=9")
    read_until(process, "run folder")
    process.send_signal(signal.SIGTERM)
    output = process.communicate()[0]
    assert process.returncode == 128 + signal.SIGTERM, output
    assert "error: interrupted before the first step; start it again" in output
    assert read_result(tmp_path / "run")["status"] == "interrupted"


def test_sigterm_while_it_is_evaluated_loses_no_training(tmp_path):
    tested = [o for o in SMALL if not o.startswith(("test=", "trainer.max"))]
    process = start(*tested, "trainer.max_epochs=2", f"output_dir={tmp_path / 'run'}")
    read_until(process, r"^epoch 2/2")
    process.send_signal(signal.SIGTERM)
    output = process.communicate()[0]
    assert process.returncode == 128 + signal.SIGTERM, output
    result = read_result(tmp_path / "run")
    assert (result["status"], result["trained"]) == ("interrupted", True)
    typed = [f"resume={tmp_path / 'run'}"]
    result = run(check_overrides(typed), typed)
    assert (result.status, result.epochs) == ("completed", 2)
    assert "test/r2_log" in result.metrics


@pytest.mark.ddp
def test_two_ranks_are_interrupted_and_resumed_as_one(tmp_path):
    overrides = [*SMALL, *QUICK_END, "trainer=ddp_cpu", "trainer.max_epochs=20", "data.batch_size=16"]
    whole = start(*overrides, f"output_dir={tmp_path / 'whole'}")
    output = whole.communicate()[0]
    assert whole.returncode == 0, output
    parts = start(*overrides, f"output_dir={tmp_path / 'parts'}")
    read_until(parts, r"^epoch 3/20")
    parts.send_signal(signal.SIGTERM)
    output = parts.communicate()[0]
    assert parts.returncode == 128 + signal.SIGTERM, output
    resumed = start(f"resume={tmp_path / 'parts'}")
    output = resumed.communicate()[0]
    assert resumed.returncode == 0, output
    assert differing(last_weights(tmp_path / "whole"), last_weights(tmp_path / "parts")) == []


def test_a_mistake_ends_with_exit_code_2_and_no_folder(tmp_path):
    before = set(Path("outputs").rglob("*")) if os.path.isdir("outputs") else set()
    process = start("experiment=pbpk_mlp", "data.npz=absent.npz", f"hydra.run.dir={tmp_path / 'run'}")
    assert "error: data.npz: there is no file absent.npz" in process.communicate()[0]
    assert process.returncode == 2
    assert not (tmp_path / "run").exists()
    assert before == (set(Path("outputs").rglob("*")) if os.path.isdir("outputs") else set())
