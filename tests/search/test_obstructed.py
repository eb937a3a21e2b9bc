"""A full disk is no result: the search stops with one line, and the same command tries the trial again."""

import errno
import os
import shutil
import subprocess
import sys

import pytest
from optuna.trial import TrialState

from fulmen.config.schema import project_root
from fulmen.errors import FulmenError, Obstructed
from fulmen.search import trial_states
from fulmen.search.outcome import Outcome
from fulmen.utils.files import cannot_write, obstruction

pytestmark = pytest.mark.usefixtures("warm_start")

OF_THE_MACHINE = [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO, errno.EMFILE]


def raised(make):
    try:
        make()
    except BaseException as error:
        return error


def wrapped(cause):
    raise RuntimeError("PytorchStreamWriter failed") from cause


def in_handling(cause):
    try:
        raise cause
    except OSError:
        raise ValueError("what came of it")  # noqa: B904


@pytest.mark.parametrize("number", OF_THE_MACHINE, ids=errno.errorcode.get)
def test_the_machine_is_to_blame_however_deep_its_refusal_lies(number, tmp_path):
    cause = OSError(number, os.strerror(number))
    deep = [raised(lambda: wrapped(cause)), raised(lambda: in_handling(cause))]
    for error in (cause, cannot_write(tmp_path, cause), *deep):
        assert isinstance(obstruction(error), Obstructed)


@pytest.mark.parametrize(
    "error", [FileNotFoundError(2, "no such file"), FulmenError("no"), MemoryError(), ValueError()]
)
def test_what_was_tried_is_to_blame_for_the_rest(error):
    assert obstruction(error) is None


def test_a_machine_that_refuses_stops_the_search_and_the_same_command_goes_on(search, study, monkeypatch):
    command = ["search=random", "search.trials=3", "model.fails=machine", "search.max_failures=1"]
    monkeypatch.setenv("TOY_MACHINE_ERROR", str(errno.EROFS))
    for _ in range(4):  # more often than a point may kill its process
        with pytest.raises(Obstructed, match="cannot write somewhere"):
            search(*command)
    assert study(*command).finished == []
    monkeypatch.delenv("TOY_MACHINE_ERROR")
    done = search(*command)
    assert [trial.state for trial in done.finished] == [TrialState.COMPLETE] * 3
    assert done.finished[0].params == done.trials[0].params, "what could not write is the first to be tried again"


@pytest.mark.slow
@pytest.mark.parametrize("how", [["search.isolate=true"], ["search.workers=2"]], ids=["isolated", "workers"])
def test_other_processes_tell_a_full_disk_from_a_bad_point(whole_search, study, monkeypatch, how):
    command = ["search=random", "search.trials=2", "search.pruner=none", "model.fails=machine", *how]
    monkeypatch.setenv("TOY_MACHINE_ERROR", str(errno.ENOSPC))
    with pytest.raises(FulmenError, match="no space left on the device") as told:
        whole_search(*command)
    assert told.value.exit_code == 2
    assert study(*command).finished == []
    monkeypatch.delenv("TOY_MACHINE_ERROR")
    assert len(whole_search(*command).ranked()) == 2


def test_a_study_of_an_earlier_version_tries_again_what_a_full_disk_ended(study):
    command = ["search=random", "search.trials=3", "search.retries=0"]
    one = study(*command)
    errors = [
        "cannot write /data/last.ckpt: no space left on the device; free some and start again",
        "OSError: [Errno 28] No space left on device",
        "RuntimeError: the model is broken",
    ]
    for trial, error in zip([one.claim() for _ in errors], errors, strict=True):
        one.tell(trial, Outcome(error=error))
    assert [trial.number for trial in one.finished] == [2]
    again = [one.claim(), one.claim()]
    assert [trial.params for trial in again] == [trial.params for trial in one.trials[:2]]
    assert one.claim() is trial_states.Step.WAIT


@pytest.fixture
def small_disk(tmp_path):
    """A file system of 2 MiB in `tmp_path`."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = shutil.which("mount") and subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(folder)], check=False, capture_output=True
    )
    if not mounted or mounted.returncode:
        pytest.skip("no file system may be mounted here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=False)


@pytest.mark.slow
def test_a_disk_that_really_is_full_is_one_line_and_exit_code_2(small_disk, typed):
    ballast = small_disk / "ballast"
    asked = typed("search=random", "search.pruner=none", "search.trials=3", f"search.folder={small_disk}")

    def run():
        command = [sys.executable, "sweep.py", *asked]
        return subprocess.run(command, cwd=project_root(), capture_output=True, text=True, timeout=120)

    ballast.write_bytes(bytes(2**21 - 2**15))  # what is left is enough for a journal, not for a trial
    for _ in range(2):
        full = run()
        assert full.returncode == 2, full.stderr
        assert "Traceback" not in full.stderr
        assert full.stderr.count("error: ") == 1
    ballast.unlink()
    done = run()
    assert done.returncode == 0, done.stdout + done.stderr
    assert "3/3 trials  3 complete" in done.stdout
