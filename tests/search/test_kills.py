"""Whoever is killed, and whenever: the same command ends with exactly the trials asked for."""

import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time

import optuna
import pytest
from optuna.trial import TrialState

from fulmen.config.schema import project_root
from fulmen.distributed.process_identity import is_alive, owner
from fulmen.search import trial_states
from fulmen.search.outcome import Outcome
from fulmen.search.plans import plans
from fulmen.search.settings import read_plan
from fulmen.search.storage import KernelLock
from fulmen.search.study import Study
from fulmen.search.workers import work

pytestmark = pytest.mark.usefixtures("warm_start")


def quick(study, trial):
    """Stands for a training of 20 ms."""
    time.sleep(0.02)
    folder = study.trial_folder(trial.number)
    folder.mkdir()  # fails if it was there: no folder is used twice
    return Outcome([trial.params["model.x"]], facts={"epochs": 1, "seconds": 0.02})


def labour(folder):
    """What a worker process does."""
    work([Study(read_plan(folder))], quick)


def assert_exactly(study, total):
    """`total` finished trials, none lost, none twice, numbers contiguous."""
    trials = study.trials
    assert len(study.finished) == total
    assert [trial.number for trial in trials] == list(range(len(trials)))
    assert not trial_states.owed(trials, study.search.retries)
    assert [trial.number for trial in trials if not trial.state.is_finished()] == []
    points = [tuple(trial.params.values()) for trial in study.finished]
    assert len(set(points)) == total
    for trial in trials:
        if trial_states.is_lost(trial):  # found no other end than a retry of the same point
            again = next(t for t in trials if t.user_attrs.get("retry_of") == trial.number)
            assert trial_states.known_point(trial).items() <= trial_states.known_point(again).items()


@pytest.fixture(scope="module")
def forks():
    """Processes that start with all imports done."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["fulmen.search.workers", "lightning.pytorch"])
    return context


@pytest.mark.slow
def test_20_kills_of_workers_at_random_moments(typed, forks):
    chance = random.Random(0)
    command = typed("search=random", "search.trials=100", "search.retries=99")
    study = Study(plans(command)[0])
    for _ in range(20):
        seen = len(study.trials)
        workers = [forks.Process(target=labour, args=(study.folder,)) for _ in range(2)]
        for worker in workers:
            worker.start()
        while len(study.trials) == seen and any(worker.is_alive() for worker in workers):
            time.sleep(0.002)
        time.sleep(chance.uniform(0, 0.06))
        for worker in workers:
            worker.kill()
            worker.join()
    lost = sum(trial.state == TrialState.RUNNING for trial in study.trials) + sum(
        map(trial_states.is_lost, study.trials)
    )
    labour(study.folder)
    assert_exactly(study, 100)
    assert lost >= 10, "most kills must hit a trial for the test to mean anything"


def test_four_workers_on_one_journal_share_the_trials(typed, forks):
    command = typed("search=tpe", "search.trials=40")
    study = Study(plans(command)[0])
    workers = [forks.Process(target=labour, args=(study.folder,)) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert_exactly(study, 40)
    assert len(study.trials) == 40
    assert len({trial.user_attrs["owner"]["pid"] for trial in study.trials}) == 4


@pytest.mark.slow
@pytest.mark.parametrize("isolate", [False, True], ids=["workers", "isolated"])
def test_the_controller_killed_and_the_same_command_again(typed, tmp_path, isolate):
    command = [sys.executable, "sweep.py", *typed("search=random", "search.trials=6", "search.workers=2",
               "model.seconds=0.1", f"search.isolate={isolate}".lower())]  # fmt: skip
    controller = subprocess.Popen(command, cwd=project_root(), stdout=subprocess.DEVNULL)
    journal = tmp_path / "s" / "study.journal"
    deadline = time.monotonic() + 90
    while not list((tmp_path / "s").glob("trial_*/log.txt")) and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    controller.send_signal(signal.SIGKILL)
    controller.wait()
    assert journal.exists()
    done = subprocess.run(command, cwd=project_root(), capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    study = Study(plans(typed("search=random", "search.trials=6", "model.seconds=0.1"))[0])
    assert_exactly(study, 6)
    assert [trial.number for trial in study.trials if trial_states.is_lost(trial)], "the kill must hit a trial"


def test_a_point_that_keeps_killing_its_process_is_given_up_after_two_retries(study):
    one = study("search=random", "search.trials=1")
    for attempt in range(3):
        trial = one.claim()
        assert trial.user_attrs.get("attempt", 0) == attempt
        trial.set_user_attr("owner", {**owner(), "started": "long ago"})
    assert one.claim() is trial_states.Step.DONE
    assert len(one.finished) == 1
    assert len({tuple(t.params.values()) for t in one.trials}) == 1


def test_a_live_process_keeps_its_trial(study):
    one = study("search=random", "search.trials=1")
    assert isinstance(one.claim(), optuna.Trial)
    assert one.claim() is trial_states.Step.WAIT
    assert study("search=random", "search.trials=1").claim() is trial_states.Step.WAIT


def test_a_trial_that_was_asked_to_stop_is_tried_again_without_losing_an_attempt(study):
    one = study("search=random", "search.trials=1")
    for _ in range(5):
        one.tell(one.claim(), Outcome(interrupted=True))
    trial = one.claim()
    assert trial_states.attempt(trial) == 0 if hasattr(trial, "state") else trial.user_attrs["attempt"] == 0


def test_a_trial_killed_before_it_had_an_owner_is_reclaimed(study):
    one = study("search=random", "search.trials=1")
    one.optuna.ask()
    trial = one.claim()
    assert trial.user_attrs["retry_of"] == 0
    one.tell(trial, Outcome([1.0]))
    assert one.claim() is trial_states.Step.DONE


def test_a_pid_given_to_another_process_is_not_the_owner():
    assert is_alive(owner())
    assert not is_alive({**owner(), "started": "before"})
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    who = owner(child.pid)
    assert is_alive(who)
    child.kill()
    child.wait()
    assert not is_alive(who)


def test_a_journal_line_torn_by_a_kill_or_a_full_disk_is_mended(study):
    one = study("search=random", "search.trials=2")
    one.tell(one.claim(), Outcome([1.0]))
    path = one.folder / "study.journal"
    whole = path.read_bytes()
    path.write_bytes(whole + b'{"op_code":8,"worker_')
    lock = KernelLock(path)
    lock.acquire()
    lock.release()
    assert path.read_bytes() == whole
    path.write_bytes(whole + b'{"op_code":8,"worker_')
    one.tell(one.claim(), Outcome([2.0]))
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(path)))
    assert [t.value for t in optuna.load_study(study_name="s", storage=storage).trials] == [1.0, 2.0]


def test_a_full_disk_is_one_clear_line_and_the_study_stays_readable(study, monkeypatch):
    one = study("search=random", "search.trials=3")
    one.tell(one.claim(), Outcome([1.0]))

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(Exception, match="no space left on the device"):
        one.claim()
    monkeypatch.undo()
    again = study("search=random", "search.trials=3")
    assert TrialState.COMPLETE in [trial.state for trial in again.trials]
