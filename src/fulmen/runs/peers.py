"""A run of several processes ends as a whole: if one of them dies, the others say so, write it down and end.

By themselves they would wait for the dead one in a collective, for half an hour, or end with the traceback of a broken
connection, and Lightning would kill the first rank without a word. Here a thread of every rank watches the processes of
the run on this machine: at first the one that launched it or those that it launched, from the first collective on all.
What it finds is raised in the main thread; a main thread that hangs in a collective is ended after `PATIENCE` seconds.
Of processes on other machines a broken connection is all that is seen.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from omegaconf import DictConfig

from fulmen.config.mistakes import command, key_of
from fulmen.config.outside import resume_command
from fulmen.distributed.process_identity import Owner, is_alive, is_here, owner
from fulmen.distributed.ranks import has_joined, of_all_ranks, part, wait_for_all
from fulmen.errors import Diverged, FulmenError, Interrupted, PeerLost
from fulmen.lightning_private import callbacks_of
from fulmen.runs.launcher import LAUNCHER, Launcher
from fulmen.runs.result import Result

POLL = 0.5  # seconds
PATIENCE = 10.0  # seconds for the main thread to end by itself once a peer is lost
ALARM = signal.SIGUSR2
BROKEN = ("connection closed", "connection reset", "connection refused", "broken pipe", "socket", "nccl", "gloo")


@contextmanager
def together(trainer: Trainer, cfg: DictConfig, overrides: Sequence[str]) -> Iterator[None]:
    """What is done in this block is done by all processes of a run or ends for all; with one process nothing happens.

    The other processes of this machine are started here, if nobody else has: each runs `cfg`, not this program again.

    Raises:
        PeerLost: another process has died.
    """
    if trainer.world_size == 1:
        yield
        return
    watch, joined_before = Watch(trainer, Path(cfg.output_dir), overrides), has_joined()
    callbacks_of(trainer).append(watch)
    strategy = trainer.strategy
    if Launcher.replaces(strategy):
        watch.launcher = Launcher.of(strategy, cfg, overrides)
    try:
        watch.start()
        yield
        wait_for_all()  # the report is the first rank's work, and needs it alive
    except BaseException as error:
        try:
            watch.explain(error)
        finally:
            watch.end_children()
        raise
    finally:
        watch.stop()
        callbacks_of(trainer).remove(watch)
        if not joined_before:
            part()  # the next run of this process finds others


class Watch(Callback):
    """Finds that a peer is gone, and ends this process with words.

    Attributes:
        launcher: of the other ranks, on the rank that launches them.
        lost: what became of which rank.
    """

    def __init__(self, trainer: Trainer, folder: Path, overrides: Sequence[str]):
        self.trainer, self.folder = trainer, folder
        self.rank, self.overrides = trainer.global_rank, [o for o in overrides if not key_of(o).startswith("hydra.")]
        self.launcher: Launcher | None = None
        self.peers: dict[int, Owner] = {}
        self.lost: dict[int, str] = {}
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fulmen-peers", daemon=True)
        self._handler: Any = None
        if pid := int(os.environ.get(LAUNCHER, 0)) if self.rank else 0:
            self.peers[0] = owner(pid)

    def __deepcopy__(self, memo: dict[int, Any]) -> "Watch":
        return self  # whoever copies a model with its trainer means no second thread

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        """All have joined."""
        everyone = enumerate(of_all_ranks(owner()))
        self.peers = {rank: who for rank, who in everyone if rank != self.rank and is_here(who)}

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        if isinstance(exception, FulmenError) and not self.lost:
            self._leaving.set()  # all know it; the others may be gone before this process is

    def start(self) -> None:
        if lost := self._gone():  # before there is anything to wait for
            self.lost = lost
            raise self._error()
        if threading.current_thread() is threading.main_thread():
            self._handler = signal.signal(ALARM, self._raise)
        self._thread.start()

    def stop(self) -> None:
        self._leaving.set()
        if self._thread.is_alive():
            self._thread.join()  # an alarm that comes after its handler would end the process
        if self._handler is not None:
            signal.signal(ALARM, self._handler)

    def explain(self, error: BaseException) -> None:
        """Put a lost peer in the place of what it made of this process.

        Raises:
            PeerLost: that is what happened.
        """
        self._leaving.set()  # nothing is raised from here on
        if isinstance(error, PeerLost):
            self._write_down(error)
            return
        if isinstance(error, Interrupted | Diverged):
            error.told = self.rank > 0  # all ranks end with it; the first one says it
        asked = isinstance(error, KeyboardInterrupt | SystemExit)  # by torchrun, perhaps, since another rank has died
        unwritten = 0 in self._gone() and Result.read(self.folder).status == "running"
        if isinstance(error, FulmenError) or (asked and not unwritten):
            return
        end = time.monotonic() + 4 * POLL
        while not (lost := self.lost or self._gone()) and time.monotonic() < end:
            with suppress(KeyboardInterrupt):  # torchrun asks the others to stop as soon as it has seen it
                time.sleep(POLL / 5)  # a broken connection is seen before the end of the process
        broken = isinstance(error, RuntimeError) and any(word in str(error).lower() for word in BROKEN)
        if lost or broken:
            self.lost = lost or {-1: "another rank has died"}  # it ran on another machine
            found = self._error()
            self._write_down(found)
            raise found from error

    def _run(self) -> None:
        while not self._leaving.wait(POLL):
            gone = self._gone()
            if gone and not self._leaving.wait(POLL):
                self.lost = gone
                break
        if not self.lost:
            return
        self._write_down(self._error())  # however this process ends
        if self._handler is not None:
            signal.pthread_kill(threading.main_thread().ident or 0, ALARM)
        if not self._leaving.wait(PATIENCE):
            error = self._error()
            self._write_down(error)
            if not error.told:
                print(f"error: {error}", file=sys.stderr, flush=True)
            self.end_children()
            os._exit(error.exit_code)

    def _raise(self, number: int, frame: FrameType | None) -> None:
        if self.lost and not self._leaving.is_set():
            raise self._error()

    def _gone(self) -> dict[int, str]:
        """What became of the ranks that are gone."""
        ended = {rank: process.poll() for rank, process in self._children().items()}
        gone = {rank: how(code) for rank, code in ended.items() if code}
        lost = {rank: "has died" for rank, who in self.peers.items() if rank not in ended and not is_alive(who)}
        return {rank: f"rank {rank} {end}" for rank, end in (gone | lost).items()}

    def _children(self) -> dict[int, subprocess.Popen]:
        return {self.rank + n: process for n, process in enumerate(self.launcher.procs if self.launcher else [], 1)}

    def _error(self) -> PeerLost:
        """The first rank that is left speaks for all."""
        end = next(iter(self.lost.values()))
        if (self.folder / "checkpoints" / "last.ckpt").is_file():
            on = f"the run is saved up to its last whole epoch. Go on with: {resume_command(self.folder)}"
        else:
            on = f"nothing is saved yet. Start it again with: {command(self.overrides)}"
        error = PeerLost(f"{end}, and with it the others end; {on}")
        error.told = -1 not in self.lost and any(rank not in self.lost for rank in range(self.rank))
        return error

    def _write_down(self, error: PeerLost) -> None:
        """The first rank does it where it is left (see `recorded`), or in a hanging process; else another."""
        if error.told:
            return
        result = Result.read(self.folder)
        result.status, result.message = error.status, str(error)
        with suppress(OSError):
            result.write()

    def end_children(self) -> None:
        """No process stays behind: those that do not end by themselves are killed."""
        children = self._children().values()
        end = time.monotonic() + (0 if self.lost else 10 * POLL)
        for process in children:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, end - time.monotonic()))
            process.kill()  # does nothing if it has ended


def how(code: int) -> str:
    """What the exit code of another rank says."""
    if code > 0:
        return f"ended with exit code {code}; its message stands above"
    return f"was killed ({signal.Signals(-code).name})"
