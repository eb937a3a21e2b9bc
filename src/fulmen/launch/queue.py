"""The queue of an outputs folder: takes jobs, starts what there is room for, and finds all of them again at any time.

All it knows lies in the folders of the jobs, and whether it is paused in `.fulmen/queue.json`. Each change is one file
that is whole or absent, or one folder that takes its name, so it may be killed at any moment. Starting a job writes
nothing: the supervisor takes it, once (see `supervisor.py`), and lives on without the queue.
"""

import json
import os
import secrets
import shutil
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from fulmen.errors import FulmenError
from fulmen.launch import commands
from fulmen.launch.found import Entry, Found
from fulmen.launch.record import ACTIVE, ATTEMPT, JOB, LOG, OWN, Job, Kind, held, now, write
from fulmen.launch.slots import Slot, Slots
from fulmen.utils.files import write_json

PYTHON = (sys.executable, "-P", "-m")  # no module is taken from the working directory first
WORK = (*PYTHON, "fulmen")
SUPERVISOR = (*PYTHON, "fulmen.launch.supervisor")


class NoSuchJob(FulmenError):
    """There is no job of this id."""


class WrongState(FulmenError):
    """The job stands in a way in which that cannot be done."""


class Queue:
    """The jobs of one outputs folder; any number of threads may call it, one process at a time should.

    Args:
        outputs: folder of runs, searches, rankings and comparisons.
        slots: jobs that run at a time, for each GPU where there are several.
        gpus: names for CUDA_VISIBLE_DEVICES, one of which each job is given; without any, jobs choose.
        program: what the work is started by; the job's command follows.
        supervisor: what the process that runs a job is started by.
    """

    def __init__(
        self, outputs: str | Path = "outputs", slots: int = 1, gpus: Sequence[str] = (),
        program: Sequence[str] = WORK, supervisor: Sequence[str] = SUPERVISOR,
    ):  # fmt: skip
        self.outputs, self.slots = Path(outputs), Slots(slots, gpus)
        self.program, self.supervisor = tuple(program), tuple(supervisor)
        self._lock = threading.RLock()
        self._found = Found(self.outputs)
        self._private = self.outputs / ".fulmen"
        self._paused, self._tidy = self._was_paused(), False

    @property
    def paused(self) -> bool:
        """Whether nothing new is started."""
        return self._paused

    def pause(self, paused: bool = True) -> None:
        """Start nothing new (or go on): what runs is not touched, and a restart does not change it."""
        with self._lock:
            write_json(self._private / "queue.json", {"format": 1, "paused": paused})
            self._paused = paused

    def unpause(self) -> None:
        """Go on."""
        self.pause(False)

    def submit(
        self, kind: Kind, experiment: str = "", overrides: Sequence[str] = (),
        options: Mapping[str, Any] | None = None, by: str = "", priority: int = 0,
    ) -> Entry:  # fmt: skip
        """Take a job; when this returns it is on disk and will be started.

        Args:
            overrides: judged already by who takes them from elsewhere.
            options: of rank: metric, folds, seeds, save_top; of compare: runs.
            by: who asks for it.

        Raises:
            FulmenError: no command can be made of it.
            WrongState: the run that it would go on with belongs to another job.
            Obstructed: the disk is full.
        """
        commands.check(kind, experiment, overrides, options or {})
        options = commands.with_places(kind, options or {}, self.outputs)
        with self._lock:
            folder = commands.folder_for(kind, experiment, overrides, self.outputs, self._is_free)
            stamp = f"{datetime.now():%Y%m%d-%H%M%S}-{secrets.token_hex(3)}"
            job = Job(
                stamp, kind, folder, experiment, tuple(overrides), options, cwd=os.getcwd(), by=by,
                created=now(), priority=priority,
            )  # fmt: skip
            return self._take(replace(job, command=commands.command(job, self.outputs)))

    def jobs(self) -> list[Entry]:
        """All jobs, the oldest first."""
        with self._lock:
            return self._found.all()

    def open_jobs(self) -> list[Entry]:
        """Those that wait or run, the oldest first; cheaper to ask for, again and again, than all."""
        with self._lock:
            return self._found.open()

    def job(self, id: str) -> Entry:
        """One job.

        Raises:
            NoSuchJob: there is none of this id.
        """
        with self._lock:
            entry = self._found.of(id)
        if entry is None:
            raise NoSuchJob(f"there is no job {id}")
        return entry

    def cancel(self, id: str) -> Entry:
        """One that waits is cancelled at once; one that runs saves itself and ends, and asked twice is killed."""
        with self._lock:
            entry = self.job(id)
            if not entry.is_open:
                raise WrongState(f"job {id} has ended already ({entry.state})")
            asked_before = entry.state == "cancelling"
            return self._write(entry, replace(entry.job, wanted="kill" if asked_before else "cancel"))

    def resume(self, id: str) -> Entry:
        """Let it go on where it stopped: a training from its last checkpoint, all else by the same command."""
        with self._lock:
            entry = self.job(id)
            if entry.is_open or entry.state == "completed":
                raise WrongState(f"job {id} is {entry.state}: there is nothing to go on with")
            if entry.job.kind == "multirun" and entry.attempt is not None:
                raise WrongState("a multirun does not go on; retry begins it again, and its runs go on one by one")
            again = replace(entry.job, attempt=entry.job.attempt + 1, wanted="run", resume=True)
            return self._write(entry, replace(again, command=commands.command(again, self.outputs)))

    def retry(self, id: str, by: str = "") -> Entry:
        """The same again from the beginning, as a job of its own in a folder of its own."""
        job = self.job(id).job
        if commands.resumed_folder(job.overrides) is not None:
            raise WrongState(f"job {id} goes on with a run; resume it")
        overrides = [each for each in job.overrides if not each.lstrip("+").startswith("search.name=")]
        return self.submit(job.kind, job.experiment, overrides, job.options, by or job.by, job.priority)

    def prioritize(self, id: str, priority: int) -> Entry:
        """The highest is started first, of equal ones the oldest."""
        with self._lock:
            entry = self.job(id)
            return self._write(entry, replace(entry.job, priority=priority))

    def delete(self, id: str, folder: bool = False) -> None:
        """Forget a job that does not run; what it has made stays, unless its folder is to go too.

        Raises:
            WrongState: it runs.
        """
        with self._lock:
            entry, runs = self.job(id), WrongState(f"job {id} runs; cancel it first")
            if entry.state in ACTIVE:
                raise runs
            with held(entry.folder) as lock:  # nobody begins to run it meanwhile
                if lock is None or self.job(id).state in ACTIVE:
                    raise runs
                for name in OWN:  # job.json first: without it there is no job any more
                    (entry.folder / name).unlink(missing_ok=True)
                if folder:
                    gone = self._private / "deleted" / id
                    gone.parent.mkdir(parents=True, exist_ok=True)
                    entry.folder.rename(gone)
                    shutil.rmtree(gone, ignore_errors=True)
                else:
                    with suppress(OSError):
                        entry.folder.rmdir()  # only if it is empty
            self._found.at(entry.folder)

    def log(self, id: str, tail: int = 200, most: int = 262144) -> list[str]:
        """The last lines that it has printed, at most `most` bytes of them."""
        try:
            with open(self.job(id).folder / LOG, "rb") as file:
                file.seek(max(0, os.fstat(file.fileno()).st_size - most))
                return file.read().decode(errors="replace").splitlines()[-tail:] if tail > 0 else []
        except OSError:
            return []

    def tick(self) -> list[str]:
        """Start what there is room for, the highest priority first, then the oldest; the ids of what was started.

        Call it now and then, from one thread; it does not wait for anything.
        """
        with self._lock:
            self._tidy_up()
            entries = self._found.open()
            self.slots.look(entries)
            if self.paused:
                return []
            started = []
            waiting = [entry for entry in entries if entry.state == "queued" and self.slots.may_start(entry.job)]
            for entry in sorted(waiting, key=lambda entry: -entry.job.priority):
                if (slot := self.slots.free()) is None:
                    break
                self._start(entry, slot)
                started.append(entry.job.id)
            return started

    def _tidy_up(self) -> None:
        """Remove what a queue that was killed had begun to take, or to delete."""
        for left_over in ("staging", "deleted") if not self._tidy else ():
            shutil.rmtree(self._private / left_over, ignore_errors=True)
        self._tidy = True

    def _start(self, entry: Entry, slot: Slot) -> None:
        words = [*self.supervisor, str(entry.folder.resolve()), str(slot.number), slot.gpu or "", *self.program]
        try:
            with open(entry.folder / LOG, "ab") as log:
                process = subprocess.Popen(
                    words, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
                )
        except OSError:  # the folder has just been deleted, or the machine has no process left
            process = None
        self.slots.start(entry.job, slot, process)

    def _take(self, job: Job) -> Entry:
        folder = self.outputs / job.folder
        if folder.exists():
            if there := self._found.at(folder):
                raise WrongState(f"{folder} belongs to job {there.job.id}, which is {there.state}; go on with that")
            (folder / ATTEMPT).unlink(missing_ok=True)  # of a job that was deleted
            write(folder, job)
        else:
            staging = self._private / "staging" / job.id
            write(staging, job)
            folder.parent.mkdir(parents=True, exist_ok=True)
            staging.rename(folder)
        entry = self._found.at(folder)
        assert entry is not None, f"{folder / JOB} was written"
        return entry

    def _write(self, entry: Entry, job: Job) -> Entry:
        write(entry.folder, job)
        return self._found.at(entry.folder) or replace(entry, job=job)

    def _is_free(self, folder: str) -> bool:
        return not (self.outputs / folder).exists()

    def _was_paused(self) -> bool:
        with suppress(OSError, ValueError, AttributeError):
            return bool(json.loads((self._private / "queue.json").read_bytes()).get("paused"))
        return False
