"""Who trains the trials: this process, persistent worker processes, or slots that start one process per trial.

All of them do the same: claim, train, tell, until no study has anything left. The studies are the queue they share.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import optuna

from fulmen.distributed.process_identity import end_group, owner
from fulmen.errors import FulmenError, Interrupted, Obstructed
from fulmen.runs.surroundings import kept_surroundings
from fulmen.search.outcome import Outcome
from fulmen.search.settings import Plan, read_plan
from fulmen.search.stopping import finishing, going_on
from fulmen.search.storage import ENVIRONMENT, heartbeat
from fulmen.search.study import Study
from fulmen.search.training import train_apart, train_here
from fulmen.search.trial_states import Step
from fulmen.utils.files import obstruction

POLL_SECONDS = 0.2

Train = Callable[[Study, optuna.Trial], Outcome]


def work(studies: Sequence[Study], train: Train, changed: Callable[[], None] = lambda: None) -> None:
    """Run trials until no study has anything left for anyone; a study that keeps failing is left at that.

    Raises:
        Interrupted, KeyboardInterrupt: training was asked to stop.
        Obstructed: the machine stood in the way.
        FulmenError: the last complaint of a study that kept failing, once all others are done.
    """
    hopeless: dict[str, FulmenError] = {}
    while True:
        steps = []
        for study in studies:
            if study.plan.name in hopeless:
                continue
            try:
                step = study.claim()
            except Obstructed:
                raise
            except FulmenError as error:
                hopeless[study.plan.name] = error
                continue
            steps.append(step)
            if isinstance(step, optuna.Trial):
                run_trial(study, step, train)
                changed()
                break
        if all(step is Step.DONE for step in steps):
            break
        if not isinstance(steps[-1], optuna.Trial):
            time.sleep(POLL_SECONDS)
            changed()
    if hopeless:
        raise FulmenError("\n".join(map(str, hopeless.values())))


def run_trial(study: Study, trial: optuna.Trial, train: Train) -> None:
    """Train and tell.

    Raises:
        Interrupted, KeyboardInterrupt: training was asked to stop; the trial is owed another try.
        Obstructed: the machine stood in the way; the trial is owed another try.
    """
    me = owner()
    try:
        with heartbeat(study.storage, study.folder, trial._trial_id, f"{me['host']}-{me['pid']}"):
            outcome = train(study, trial)
    except (Exception, KeyboardInterrupt) as error:
        refusal = obstruction(error)
        if not isinstance(error, Interrupted | KeyboardInterrupt) and refusal is None:
            raise
        with suppress(FulmenError):  # the journal may lie on the disk that is full
            study.tell(trial, Outcome(interrupted=True))
        raise refusal or error from error
    with finishing():
        study.tell(trial, outcome)
    study.drop_checkpoints()


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

    def _start(self, slot: int) -> subprocess.Popen:
        self._log(slot).parent.mkdir(parents=True, exist_ok=True)
        with open(self._log(slot), "w") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "fulmen.search.workers", *(str(plan.folder) for plan in self.plans)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ) | environment(slot, self.plans[0], threads=1),
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
    if plan.search.workers > 1 and "CUDA_VISIBLE_DEVICES" not in os.environ and (gpus := _gpus()):
        found["CUDA_VISIBLE_DEVICES"] = str(slot % gpus)
    return found


def _gpus() -> int:
    import torch

    return torch.cuda.device_count()


@kept_surroundings()
def main(folders: Sequence[str], train: Train = train_here) -> int:
    """A worker process: works on the studies in `folders`, and ends when whoever started it ends."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        with going_on():
            work([Study(read_plan(folder)) for folder in folders], train)
    except FulmenError as error:
        with suppress(OSError):  # the log may lie on the disk that is full
            print(f"error: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    return 0


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(POLL_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
