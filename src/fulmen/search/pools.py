"""Several trials at a time: persistent worker processes, or slots that start one process per trial."""

import os
import signal
import subprocess
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import optuna
import torch

from fulmen.config.places import python, search_path_handed_on
from fulmen.distributed.process_identity import end_group
from fulmen.errors import FulmenError, Interrupted, Obstructed
from fulmen.search.outcome import Outcome
from fulmen.search.settings import Plan
from fulmen.search.storage import ENVIRONMENT
from fulmen.search.study import Study
from fulmen.search.training import train_apart
from fulmen.search.workers import work


class Processes:
    """Persistent workers: imports are paid once, each has one thread and one of the GPUs.

    Args:
        count: how many.
        plans: of the studies they work on; written to the studies' folders.
    """

    def __init__(self, count: int, plans: Sequence[Plan]):
        self.plans = plans
        self.logs = plans[0].folder.parent if len(plans) > 1 else plans[0].folder
        self.slots = [self._start(slot) for slot in range(count)]
        self._restarts = 0

    def finished(self) -> bool:
        """Whether all workers are done; a worker that died is replaced.

        Raises:
            FulmenError: a worker gave up, or they die faster than they work.
        """
        for slot, process in enumerate(self.slots):
            code = process.poll()
            if code in (None, 0):
                continue
            tail = self._tail(slot)
            if code == FulmenError.exit_code:
                self.stop()
                raise FulmenError(tail.rpartition("error: ")[2] or f"worker {slot} gave up; see {self._log(slot)}")
            self._restarts += 1
            if self._restarts > 10 * len(self.slots) * max(1, len(self.plans)):
                self.stop()
                raise FulmenError(f"the workers keep dying; the last said: {tail.splitlines()[-1] if tail else code}")
            self.slots[slot] = self._start(slot)
        return all(process.poll() == 0 for process in self.slots)

    def stop(self, seconds: float = 20) -> None:
        """Ask the workers to stop, and kill those that do not."""
        for process in self.slots:
            if process.poll() is None:
                process.terminate()
        deadline = time.monotonic() + seconds
        for process in self.slots:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()

    def _start(self, slot: int) -> subprocess.Popen[bytes]:
        self._log(slot).parent.mkdir(parents=True, exist_ok=True)
        with open(self._log(slot), "w") as log:
            return subprocess.Popen(
                python("-m", "fulmen.search.workers", *(str(plan.folder) for plan in self.plans)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ) | environment(slot, self.plans[0], threads=1) | search_path_handed_on(),
            )

    def _log(self, slot: int) -> Path:
        return self.logs / f"worker_{slot}.txt"

    def _tail(self, slot: int) -> str:
        return self._log(slot).read_text(errors="replace").strip()[-2000:]


class Slots:
    """Threads that start one `python train.py` after the other, so that as many run at a time as there are slots."""

    def __init__(self, count: int, plans: Sequence[Plan]):
        self._errors: list[BaseException] = []
        self._studies: list[Study] = []
        self._threads = [threading.Thread(target=self._work, args=(slot, plans), daemon=True) for slot in range(count)]
        for thread in self._threads:
            thread.start()

    def finished(self) -> bool:
        """Whether all slots are done.

        Raises:
            FulmenError: what a slot gave up for.
        """
        working = any(thread.is_alive() for thread in self._threads)
        if self._errors and (not working or isinstance(self._errors[0], Interrupted | Obstructed)):
            raise self._errors[0]
        return not working

    def stop(self, seconds: float = 20) -> None:
        """Ask the trainings to stop, and kill those that do not."""
        deadline = time.monotonic() + seconds
        for number in (signal.SIGTERM, signal.SIGKILL):
            for study in self._studies:
                for child in study.children():
                    end_group(child, number)
            for thread in self._threads:
                thread.join(max(0.1, deadline - time.monotonic()))

    def _work(self, slot: int, plans: Sequence[Plan]) -> None:
        def train(study: Study, trial: optuna.Trial) -> Outcome:
            return train_apart(study, trial, environment(slot, study.plan, threads=None))

        try:
            studies = [Study(plan) for plan in plans]
            self._studies += studies
            work(studies, train)
        except BaseException as error:
            self._errors.append(error)


def environment(slot: int, plan: Plan, threads: int | None) -> dict[str, str]:
    """What a worker or trial in `slot` finds in its environment: idle threads asleep, its own GPU, the database."""
    found = {"OMP_WAIT_POLICY": os.environ.get("OMP_WAIT_POLICY", "PASSIVE")}
    if threads:
        found["OMP_NUM_THREADS"] = str(threads)
    if plan.search.storage:
        found[ENVIRONMENT] = os.environ.get(ENVIRONMENT, plan.search.storage)
    if plan.search.workers > 1 and "CUDA_VISIBLE_DEVICES" not in os.environ and (gpus := torch.cuda.device_count()):
        found["CUDA_VISIBLE_DEVICES"] = str(slot % gpus)
    return found
