"""Runs of several processes in a multirun, over seeds and over folds: each is a process group of its own."""

import json
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from omegaconf import OmegaConf

from fulmen.config.check import check_overrides
from fulmen.config.schema import project_root
from fulmen.distributed.devices import refuse_unless_here
from fulmen.errors import FulmenError, Interrupted, Obstructed
from fulmen.runs import process_group
from fulmen.runs.reading import read_result
from fulmen.runs.run import run

pytestmark = [pytest.mark.ddp, pytest.mark.timeout(900), pytest.mark.usefixtures("warm_start")]

QUIET = ["trainer=ddp_cpu", "callbacks.summary=null", "callbacks.progress=null", "logger.tensorboard=null"]
MLP = ["experiment=synthetic_mlp", *QUIET, "data.features=20"]
SHORT = [*MLP, "trainer.max_epochs=1", "trainer.limit_train_batches=2", "test=false"]
TRAIN = [sys.executable, str(project_root() / "train.py")]


def metrics(folder):
    result = read_result(folder)
    assert result["status"] == "completed"
    return result["metrics"]


@pytest.fixture(scope="module")
def alone(tmp_path_factory):
    """The metrics of two runs, each started by itself."""
    folder = tmp_path_factory.mktemp("alone")
    for seed in (1, 2):
        typed = [*SHORT, f"seed={seed}", f"output_dir={folder / str(seed)}"]
        run(check_overrides(typed), typed)
    return [metrics(folder / "1"), metrics(folder / "2")]


def test_a_multirun_of_two_processes_each_gives_what_two_runs_give(alone, tmp_path):
    done = subprocess.run([*TRAIN, "-m", *SHORT, "seed=1,2"], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    folders = sorted((tmp_path / "outputs" / "runs" / "synthetic_mlp").iterdir())
    assert [metrics(folder) for folder in folders] == alone
    assert done.stdout.count("ranking: outputs/sweeps/") == 1


def test_seeds_of_two_processes_each_give_the_mean_of_their_runs(alone, tmp_path):
    typed = [*SHORT, "seed=1", "seeds=2", f"output_dir={tmp_path / 'run'}"]
    result = run(check_overrides(typed), typed)
    assert [metrics(tmp_path / "run" / name) for name in result.runs] == alone
    assert result.metrics["val/loss"] == pytest.approx(np.mean([each["val/loss"] for each in alone]))


def test_folds_of_two_processes_each_are_summed_up(tmp_path):
    small = [
        "trainer.max_epochs=1",
        "trainer.limit_train_batches=2",
        "data.days=900",
        "model.figures=false",
        "test=false",
    ]
    typed = ["experiment=stocks", *QUIET, *small, "folds=2", f"output_dir={tmp_path / 'run'}"]
    result = run(check_overrides(typed), typed)
    assert (result.status, result.runs) == ("completed", ["seed_42/fold_0", "seed_42/fold_1"])
    each = [metrics(tmp_path / "run" / name) for name in result.runs]
    assert result.metrics["val/loss"] == pytest.approx(np.mean([one["val/loss"] for one in each]))


def processes_of(group):
    found = subprocess.run(["ps", "-e", "-o", "pgid=,pid="], capture_output=True, text=True).stdout.split("\n")
    return [line.split()[1] for line in found if line.split()[:1] == [str(group)]]


def test_an_interruption_ends_the_whole_group_with_one_line(tmp_path):
    long = [*MLP, "trainer.max_epochs=100000", "callbacks.diagnosis=null", "seed=1,2"]
    program = subprocess.Popen([*TRAIN, "-m", *long], cwd=tmp_path, stderr=subprocess.PIPE, text=True)
    try:
        while not (saved := list(tmp_path.glob("outputs/runs/*/*/checkpoints/last.ckpt"))) and program.poll() is None:
            time.sleep(0.2)
        folder = saved[0].parents[1]
        group = json.loads((folder / "run.lock").read_text())["pid"]
        assert len(processes_of(group)) == 2
        assert program.pid not in processes_of(group)
        program.send_signal(signal.SIGTERM)
        _, said = program.communicate()
    finally:
        program.kill()
    assert program.returncode == 128 + signal.SIGTERM
    assert [line.partition("last.ckpt")[0] for line in said.splitlines() if line.strip()] == [
        f"error: {read_result(folder)['message'].partition('last.ckpt')[0]}"
    ]
    assert read_result(folder)["status"] == "interrupted"
    assert processes_of(group) == []


@pytest.mark.parametrize(
    ("code", "asked", "said", "kind", "words"),
    [(130, 2, {"message": "go on"}, Interrupted, "go on"),
     (0, 15, None, Interrupted, "interrupted when run was complete"),
     (-9, None, None, FulmenError, r"its first process was killed \(SIGKILL\)"),
     (1, None, None, FulmenError, "exit code 1; its message stands above"),
     (69, None, {"message": "rank 1 has died", "status": "interrupted", "obstructed": False}, FulmenError, "rank 1"),
     (2, None, {"message": "disk full", "status": "failed", "obstructed": True}, Obstructed, "disk full")],
)  # fmt: skip
def test_what_ended_a_group_comes_back_as_what_it_was(code, asked, said, kind, words):
    error = process_group._ended(code, asked, said, "run")
    assert type(error) is kind
    with pytest.raises(kind, match=words):
        raise error


def test_a_group_whose_starter_has_died_stops():
    child = "import sys, time; from fulmen.runs.process_group import handing_back\n"
    child += "with handing_back({'starter': int(sys.argv[1])}): time.sleep(1000)"
    starter = f"import os, subprocess, sys; subprocess.Popen([sys.executable, '-c', {child!r}, str(os.getpid())])"
    subprocess.run(
        [sys.executable, "-c", starter], check=True, capture_output=True, timeout=200
    )  # until both have ended


def test_runs_over_several_machines_are_refused():
    refuse_unless_here(OmegaConf.create({"devices": 8}), "-m")
    with pytest.raises(FulmenError, match="-m cannot go through runs over several machines"):
        refuse_unless_here(OmegaConf.create({"num_nodes": 2}), "-m")
