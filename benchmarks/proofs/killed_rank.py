"""One of two ranks killed: the other ends within 60 s, names the command to go on, and the resumed run is equal.

Killed with SIGKILL before the ranks have joined, in training, in validation and in the report, in every experiment.
Equal are the weights and metrics.csv of an uninterrupted run of two ranks. The ranks are forks of this process; only
where one dies before they join they are real processes of train.py.
"""

import json
import multiprocessing
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch

import fulmen.runs.run
from benchmarks.proofs import ROOT, Proof
from fulmen.callbacks.resume import read_checkpoint
from fulmen.config.check import check_overrides
from fulmen.config.schema import choices
from fulmen.errors import FulmenError
from fulmen.runs.run import run

sys.path.insert(0, str(ROOT / "tests"))
from processes import on_ranks

KILLED = multiprocessing.Value("d")  # when, as all forks see it
LIMIT = 60  # seconds
MOMENTS = {"training": "training_step", "validation": "validation_step", "report": "summarize"}
FEW = ["trainer=ddp_cpu", "trainer.precision=32-true", "trainer.limit_train_batches=4", "trainer.limit_val_batches=1",
       "trainer.limit_test_batches=1", "trainer.max_epochs=2", "callbacks.summary=null"]  # fmt: skip


def trained(typed: list[str], moment: str | None = None, victim: int = 0) -> tuple[str, str, float]:
    """Status, message and seconds since the kill, of this rank."""

    def sabotaged(*arguments):
        data, model, trainer = assemble(*arguments)
        if moment:
            method = getattr(model, MOMENTS[moment])
            pids = fulmen.distributed.ranks.of_all_ranks(os.getpid())

            def dies_in(*args):
                mine = trainer.global_rank == victim or moment == "report"
                if mine and (model.current_epoch == 1 or moment == "report"):
                    KILLED.value = time.time()
                    os.kill(pids[victim], signal.SIGKILL)
                return method(*args)

            setattr(model, MOMENTS[moment], dies_in)
        return data, model, trainer

    assemble, fulmen.runs.run.assemble = fulmen.runs.run.assemble, sabotaged
    try:
        result = run(check_overrides(typed), typed)
        return result.status, result.message, 0.0
    except FulmenError as error:
        return error.status, str(error), time.time() - KILLED.value


def equal(one: Path, other: Path) -> bool:
    weights = [read_checkpoint(folder / "checkpoints" / "last.ckpt")["state_dict"] for folder in (one, other)]
    same = all(torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    return same and (one / "metrics.csv").read_text() == (other / "metrics.csv").read_text()


def before_they_join(typed: list[str], folder: Path, victim: int) -> tuple[bool, float, str]:
    """Whether the other one said it in one line, in how many seconds, and the line."""
    command = [sys.executable, "train.py", *typed, f"hydra.run.dir={folder}"]
    pipes = dict(stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    first = subprocess.Popen(command, cwd=ROOT, start_new_session=True, **pipes)
    while "run folder" not in first.stdout.readline():
        assert first.poll() is None
    while not (second := Path(f"/proc/{first.pid}/task/{first.pid}/children").read_text().split()):
        time.sleep(0.01)
    os.kill([first.pid, int(second[0])][victim], signal.SIGKILL)
    began = time.time()
    errors = first.communicate(timeout=2 * LIMIT)[1]  # until both have ended
    said = [line for line in errors.splitlines() if line.startswith("error: ")]
    told = len(said) == 1 and "Start it again with: python train.py experiment=" in said[0]
    return told and "Traceback" not in errors, time.time() - began, said[0] if said else errors[-200:]


def main() -> bool:
    proof = Proof(__name__, __doc__, seeds=[42])
    cells = [f"{e} {moment} rank {victim}" for e in choices("experiment") for moment in MOMENTS for victim in (0, 1)]
    cells += [f"synthetic_mlp start rank {victim}" for victim in (0, 1)]
    with tempfile.TemporaryDirectory() as scratch:
        for cell in proof.missing(cells):
            experiment, moment, _, victim = cell.split()
            folder, whole = Path(scratch, cell.replace(" ", "_")), Path(scratch, experiment)
            typed = [f"experiment={experiment}", *FEW]
            if moment == "start":
                told, seconds, line = before_they_join(typed, folder, int(victim))
                status = json.loads((folder / "result.json").read_text())["status"]
                ok = told and seconds < LIMIT and status == "interrupted"
                proof.keep(cell, ok=ok, seconds=round(seconds, 1), status=status, said=line.replace(scratch, ""))
                continue
            if not whole.exists():
                on_ranks(2, trained, [*typed, f"output_dir={whole}"])
            killed = on_ranks(2, trained, [*typed, f"output_dir={folder}"], moment, int(victim), killed=1)
            status, message, seconds = killed[1 - int(victim)]
            written = json.loads((folder / "result.json").read_text())
            again = on_ranks(2, trained, [f"resume={folder}"])[0][0]
            told = message.endswith(f"Go on with: python train.py resume={folder}")
            same = again == "completed" and equal(whole, folder)
            right = status == written["status"] == "interrupted" and written["message"] == message
            ok = told and right and same and seconds < LIMIT
            proof.keep(cell, ok=ok, seconds=round(seconds, 1), status=status, resumed_equal=same)
    return proof.holds()
