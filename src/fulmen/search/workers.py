"""What whoever trains trials does: claim, train, tell, until no study has anything left.

The studies are the queue that all workers share. Started as a program, this file is a worker process.
"""

import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress

import optuna

from fulmen.distributed.process_identity import owner
from fulmen.errors import FulmenError, Interrupted, Obstructed
from fulmen.runs.surroundings import kept_surroundings
from fulmen.search.outcome import Outcome
from fulmen.search.settings import read_plan
from fulmen.search.stopping import finishing, going_on
from fulmen.search.storage import heartbeat
from fulmen.search.study import Study
from fulmen.search.training import train_here
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
