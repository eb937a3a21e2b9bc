"""A search from its first trial to its report."""

import time
from collections.abc import Sequence

from optuna.trial import TrialState

from fulmen.callbacks.taken import told_once
from fulmen.errors import FulmenError, Obstructed
from fulmen.runs.surroundings import kept_surroundings
from fulmen.search.champion import Champion, crown
from fulmen.search.checks import data_in_files, refuse_unusable_data, tell_data
from fulmen.search.design import Design
from fulmen.search.leaderboard import print_leaderboard
from fulmen.search.live_display import Progress, best_of, progress_of
from fulmen.search.pools import Processes, Slots
from fulmen.search.register import keep
from fulmen.search.report import write_report
from fulmen.search.settings import Plan
from fulmen.search.stopping import going_on
from fulmen.search.storage import concluding
from fulmen.search.study import Study
from fulmen.search.summary_report import write_summary
from fulmen.search.training import train_here
from fulmen.search.workers import POLL_SECONDS, work


@kept_surroundings()
@told_once()
def run_searches(plans: Sequence[Plan]) -> list[Study]:
    """Run (or go on with) the studies that `plans` describe, report on them, and crown their champions.

    Raises:
        Interrupted: the search was asked to stop; the same command goes on with it.
        FulmenError: something the user can mend.
    """
    for plan in plans:
        design = Design(plan)
        tell_data(data_in_files(refuse_unusable_data(plan, design.parameters)), design.config)
    studies = [Study(plan) for plan in plans]
    for study in studies:
        announce(study)
    failure: FulmenError | None = None
    file = progress_of(studies)
    shown = Progress(studies, file=file)
    with file, going_on():
        try:
            with going_on(), shown:
                run_trials(studies, shown)
        except Obstructed:
            raise
        except FulmenError as error:
            failure = error
        print(shown.summary(), flush=True)
        file.update(file.done, best=best_of(studies), what="champion and report")
        uncrowned = conclude_each(studies, whole=failure is None)
        failure = failure or uncrowned
        done = sum(len(study.finished) for study in studies)
        if failure and done < sum(study.total for study in studies):  # within: the file of progress has no end then
            file.update(done, what="stopped")
            raise failure
    failure = failure or nothing_came_of(studies)
    if failure:
        raise failure
    return studies


def announce(study: Study) -> None:
    """How many trials there are to be, how many there are already, where they lie."""
    points, done = len(study.design.points), len(study.finished)
    share = f" of the grid's {points} points" if 0 < study.total < points else ""
    before = f", {done} finished before" if done else ""
    if study.total < study.design.asked:
        share = f", not {study.design.asked}: the space has no more different points"
    print(f"{study.plan.name}: {study.total} trials{share}{before}; folder {study.folder}", flush=True)


def conclude_each(studies: Sequence[Study], whole: bool) -> FulmenError | None:
    """The end of every study, and of several their common report; the first error of a champion that came to nothing.

    Args:
        whole: whether all trials are done.
    """
    champions: dict[str, Champion | None] = {}
    failure: FulmenError | None = None
    for study in studies:
        if study.finished:
            champion = conclude(study, whole and failure is None, alone=len(studies) == 1)
            champions[study.folder.name] = champion
            if champion and not champion.folders:
                failure = failure or FulmenError(champion.conclusion)
    if len(studies) > 1:
        path = write_summary(studies, champions)
        print(f"report: {path.with_suffix('.html')}, the same in {path.name}", flush=True)
    return failure


def conclude(study: Study, whole: bool, alone: bool) -> Champion | None:
    """Champion, report and models of a study, by one process at a time; the champion, if this process trained one.

    Args:
        whole: whether all trials are done; else there is no champion yet, and nobody waits for another process.
        alone: whether it is the only study, which has the console to itself.
    """
    with concluding(study.storage, study.plan.name, study.folder, wait=whole) as mine:
        if not mine:
            return None
        champion = crown(study) if whole else None
        report = write_report(study, champion, keep(study, champion))
    if alone:
        print_leaderboard(study)
        if champion:
            print(champion.conclusion)
        print(f"report: {report.with_suffix('.html')}, the same in report.md", flush=True)
    return champion


def run_trials(studies: Sequence[Study], shown: Progress) -> None:
    """Let the workers run until nothing is left to do."""
    search, plans = studies[0].search, [study.plan for study in studies]
    if search.workers == 1 and not search.isolate:
        work(studies, train_here, shown.update)
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
