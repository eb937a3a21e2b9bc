"""A run of several processes as a process group of its own, for who goes through several runs: multiruns, folds, seeds.

The group's first process starts the others as ever (see `fulmen.entrypoints.lead`). What ends the run comes back as
the error it was, and is told once. A signal is handed to the first process, which saves the run and ends the others.
A group whose starter has died stops as by SIGTERM.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from fulmen.config.outside import resume_command
from fulmen.config.places import python
from fulmen.errors import FulmenError, Interrupted, Obstructed
from fulmen.runs.launcher import LAUNCHER
from fulmen.runs.result import Result
from fulmen.signals import NUMBERS, Listener, listener, listening, number_of
from fulmen.utils.files import obstruction

POLL = 0.2  # seconds
LINGER = 5.0  # seconds for the other processes to end after the first one
PATIENCE = 30.0  # seconds to save a run whose starter has died
OF_ANOTHER_GROUP = ("LOCAL_RANK", "RANK", "WORLD_SIZE", "NODE_RANK", "MASTER_ADDR", "MASTER_PORT", LAUNCHER)
LEAD = python("-c", "from fulmen.entrypoints import lead; lead()")


def train_in_group(cfg: DictConfig, overrides: Sequence[str]) -> Result:
    """As `fulmen.runs.run.run`, for a config that takes several processes.

    Raises:
        Interrupted: asked to stop, and the whole group has.
        FulmenError: what ended the run, or that a process of the group was killed.
    """
    folder = Path(cfg.output_dir)
    with tempfile.TemporaryDirectory() as place:
        answer = Path(place, "answer.json")
        task = {"cfg": OmegaConf.to_yaml(cfg), "overrides": list(overrides), "path": sys.path}
        code, asked = _led(task | {"starter": os.getpid(), "answer": str(answer)}, folder)
        said = json.loads(answer.read_text()) if answer.exists() else None
    if code or asked:
        raise _ended(code, asked, said, folder)
    return Result.read(folder)


def _led(task: Mapping[str, Any], folder: Path) -> tuple[int, int | None]:
    """The exit code of the group's first process, and the signal that this process was asked to stop by."""
    environment = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER_GROUP}
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    with tempfile.TemporaryFile("w+") as file:
        json.dump(task, file)
        file.seek(0)
        before = signal.pthread_sigmask(signal.SIG_BLOCK, NUMBERS)  # until the new process listens: it takes this over
        try:
            child = subprocess.Popen(LEAD, env=environment, stdin=file, process_group=0)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def last_words() -> str:
        _end(child, 0)
        return f"interrupted; go on with: {resume_command(folder)}"

    linger = 0.0
    with listening(last_words, patient=True) as own:
        try:
            code = _waited_for(child, own)
            linger = LINGER
        finally:
            _end(child, linger)
    return code, own.asked


def _waited_for(child: subprocess.Popen, own: Listener) -> int:
    """Its exit code; the signal this process is asked to stop by is handed on."""
    handed_on = False
    while True:
        with suppress(subprocess.TimeoutExpired):
            return child.wait(POLL)
        if own.asked and not handed_on:
            child.send_signal(own.asked)
            handed_on = True


def _end(child: subprocess.Popen, seconds: float) -> None:
    """Nobody of the group stays behind: those that do not end by themselves are killed."""
    end = time.monotonic() + seconds
    with suppress(ProcessLookupError, PermissionError):  # all have ended
        while time.monotonic() < end:
            os.killpg(child.pid, 0)
            time.sleep(POLL / 10)
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()


def _ended(code: int, asked: int | None, said: Mapping[str, Any] | None, folder: Path) -> FulmenError:
    """What ended the run in `folder`."""
    if said and code in [128 + number for number in NUMBERS]:
        return Interrupted(said["message"], code)
    if asked:
        stands = "was complete" if code == 0 else f"ended ({_how(code)})"
        return Interrupted(f"interrupted when {folder} {stands}", 128 + asked)
    if not said:
        return FulmenError(f"{folder}: {_how(code)}")
    error = (Obstructed if said["obstructed"] else FulmenError)(said["message"])
    error.status, error.exit_code = said["status"], code
    return error


def _how(code: int) -> str:
    if code < 0:
        return f"its first process was killed ({signal.Signals(-code).name})"
    return f"its first process ended with exit code {code}; its message stands above"


@contextmanager
def handing_back(task: Mapping[str, Any]) -> Iterator[None]:
    """In the first process of a group: its starter tells what ends this block, and ends it by dying."""
    threading.Thread(target=_stop_without, args=(task["starter"],), daemon=True).start()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, NUMBERS)
    try:
        yield
    except BaseException as error:
        said = error if isinstance(error, FulmenError) else obstruction(error)
        if isinstance(error, KeyboardInterrupt):
            heard = listener()
            said = Interrupted(heard.last_words() if heard else "interrupted", 128 + number_of(error))
        if said is None:
            raise
        content = {"message": str(said), "status": said.status, "obstructed": isinstance(said, Obstructed)}
        Path(task["answer"]).write_text(json.dumps(content))
        said.told = True
        raise said from error


def _stop_without(starter: int) -> None:
    """Stop this run as soon as `starter` is not the parent of this process any more."""
    while os.getppid() == starter:
        time.sleep(POLL)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(PATIENCE)
    os.killpg(0, signal.SIGKILL)
