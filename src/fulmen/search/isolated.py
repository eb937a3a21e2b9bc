"""A training as a `python train.py` of its own: whatever number of processes that starts, its death is not ours."""

import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

from fulmen.config.places import search_path_handed_on, train_program
from fulmen.distributed.process_identity import Owner, owner
from fulmen.errors import IN_A_TRIAL, OBSTRUCTED, PEER_LOST, FulmenError, Interrupted, Obstructed


class Killed(FulmenError):
    """A training's own process died of a signal."""


def run_apart(
    folder: Path,
    typed: Sequence[str],
    environment: Mapping[str, str] = MappingProxyType({}),
    started: Callable[[Owner], None] = lambda child: None,
) -> None:
    """`python train.py <typed>`, what it prints in the `log.txt` of `folder`.

    Raises:
        Killed: it died of a signal.
        Interrupted, Obstructed: it was asked to stop; the machine stood in its way.
        FulmenError: it failed; the message is what it said.
    """
    folder = folder.resolve()
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "log.txt", "a") as log:
        child = subprocess.Popen(
            [*train_program(), *typed],
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(os.environ) | dict(environment) | search_path_handed_on() | {IN_A_TRIAL: "1"},
            start_new_session=True,
        )
        started(owner(child.pid))
        try:
            code = child.wait()
        except BaseException:
            os.killpg(child.pid, signal.SIGKILL)
            raise
    if code < 0 or code == PEER_LOST:
        raise Killed(f"killed by {signal.Signals(-code).name}" if code < 0 else "one of its processes was killed")
    if code == OBSTRUCTED:
        raise Obstructed(_said(folder) or f"{folder} could not be written; see {folder / 'log.txt'}")
    if code in (128 + signal.SIGTERM, 128 + signal.SIGINT, 128 + signal.SIGUSR1):
        raise Interrupted(f"{folder} was asked to stop", code)
    if code != 0:
        raise FulmenError(_said(folder) or f"exit code {code}")


def _said(folder: Path) -> str:
    """The complaint that a training ended with, by its log."""
    lines = (folder / "log.txt").read_text(errors="replace").strip().splitlines()
    said = next((line for line in reversed(lines) if line.startswith("error: ")), lines[-1] if lines else "")
    return said.removeprefix("error: ")
