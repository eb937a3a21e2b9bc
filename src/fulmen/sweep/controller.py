"""A search from its first trial to its report."""

import time
from collections.abc import Sequence

from optuna.trial import TrialState

from fulmen.errors import FulmenError, Interrupted
from fulmen.signals import listening, number_of
from fulmen.surroundings import kept_surroundings
from fulmen.sweep.champion import crown
from fulmen.sweep.keeping import keep
from fulmen.sweep.report import print_leaderboard, write_report, write_summary
from fulmen.sweep.settings import Plan
from fulmen.sweep.study import Study
from fulmen.sweep.table import Progress
from fulmen.sweep.training import train_here
from fulmen.sweep.workers import POLL_SECONDS, Processes, Slots, work

STOPPED = "stopped; the same command goes on with the search"


@kept_surroundings()
def sweep(plans: Sequence[Plan]) -> list[Study]:
    """Run (or go on with) the studies that `plans` describe, report on them, and crown their champions.

    Raises:
        Interrupted: the search was asked to stop; the same command goes on with it.
        FulmenError: something the user can mend.
    """
    studies = [Study(plan) for plan in plans]
    began = sum(len(study.trials) for study in studies)
    for study in studies:
        before = f", {len(study.finished)} finished before" if study.finished else ""
        share = f" of the grid's {len(study.points)} points" if 0 < study.total < len(study.points) else ""
        print(f"{study.plan.name}: {study.total} trials{share}{before}; folder {study.folder}", flush=True)
    failure: FulmenError | None = None
    try:
        with Progress(studies) as shown, listening(lambda: STOPPED):
            run_trials(studies, shown)
    except FulmenError as error:
        failure = error
    except KeyboardInterrupt as error:
        failure = Interrupted(STOPPED, 128 + number_of(error))
    finally:
        print(shown.summary() if began or studies[0].trials else "no trials", flush=True)
    for study in studies:
        if study.finished:
            champion = crown(study) if failure is None else None
            report = write_report(study, champion)
            keep(study, champion)
            if len(studies) == 1:
                print_leaderboard(study)
                print(f"report: {report}", flush=True)
    if len(studies) > 1:
        print(f"report: {write_summary(studies)}", flush=True)
    failure = failure or nothing_came_of(studies)
    if failure:
        raise failure
    return studies


def run_trials(studies: Sequence[Study], shown: Progress) -> None:
    """Let the workers run until nothing is left to do."""
    search, plans = studies[0].search, [study.plan for study in studies]
    if search.workers == 1 and not search.isolate:
        if not work(studies, train_here, shown.update):
            raise KeyboardInterrupt
        return
    workers = (Slots if search.isolate else Processes)(search.workers, plans)
    try:
        while not workers.finished():
            shown.update()
            time.sleep(POLL_SECONDS)
    except BaseException:
        workers.stop()
        raise


def nothing_came_of(studies: Sequence[Study]) -> FulmenError | None:
    """An error if every trial there is has failed."""
    trials = [trial for study in studies for trial in study.finished]
    if not trials or any(trial.state != TrialState.FAIL for trial in trials):
        return None
    last = trials[-1].user_attrs.get("error", "its process died")
    return FulmenError(f"all {len(trials)} trials failed; trial {trials[-1].number}: {last}")
