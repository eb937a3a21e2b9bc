"""Room for jobs: how many run at a time, on which GPU, and those that are just being started."""

import os
import subprocess
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from fulmen.launch.found import Entry
from fulmen.launch.record import ACTIVE, Job

LATE = 60.0  # seconds a supervisor may take to show itself on a busy machine
WORST = 60.0  # seconds between two attempts to start what cannot be started


@dataclass(frozen=True)
class Slot:
    """A place for one job: its number, and the GPU that belongs to it."""

    number: int
    gpu: str | None = None


@dataclass
class Starting:
    """A supervisor that was started for an attempt of a job; `process` is None if even that failed."""

    attempt: int
    slot: Slot
    process: subprocess.Popen[bytes] | None
    since: float


class Slots:
    """What runs where.

    Args:
        each: jobs at a time, on each GPU where there are any.
        gpus: their names, as in CUDA_VISIBLE_DEVICES.
    """

    def __init__(self, each: int, gpus: Sequence[str] = ()):
        self.all = [Slot(i, gpus[i % len(gpus)] if gpus else None) for i in range(each * max(1, len(gpus)))]
        self._running: dict[str, int] = {}  # job -> number of its slot
        self._starting: dict[str, Starting] = {}
        self._children: list[subprocess.Popen[bytes]] = []  # to be waited for once they have ended
        self._failures: dict[str, tuple[int, float]] = {}  # job -> how often it could not be started, not before when

    def look(self, entries: Iterable[Entry]) -> None:
        """Take in how the jobs that have not ended stand now."""
        by_id = {entry.job.id: entry for entry in entries}
        self._running = {id: e.attempt.slot for id, e in by_id.items() if e.state in ACTIVE and e.attempt}
        for id, starting in list(self._starting.items()):
            entry, process = by_id.get(id), starting.process
            waits = entry is not None and entry.state == "queued" and entry.job.attempt == starting.attempt
            ended = process is None or process.poll() is not None
            if waits and not ended and time.monotonic() - starting.since < LATE:
                continue
            del self._starting[id]
            if process is not None and not ended:
                self._children.append(process)
            if waits:
                times = self._failures.get(id, (0, 0.0))[0] + 1
                self._failures[id] = times, time.monotonic() + min(WORST, 0.5 * 2**times)
            else:
                self._failures.pop(id, None)
        self._children = [process for process in self._children if process.poll() is None]

    def free(self) -> Slot | None:
        """A slot for one more job; None if there is no room."""
        taken = [*self._running.values(), *(starting.slot.number for starting in self._starting.values())]
        if len(taken) >= len(self.all):  # some may run in slots there were before
            return None
        return next((slot for slot in self.all if slot.number not in taken), None)

    def may_start(self, job: Job) -> bool:
        """Whether it is not being started already, and has not just failed to."""
        return job.id not in self._starting and self._failures.get(job.id, (0, 0.0))[1] <= time.monotonic()

    def start(self, job: Job, slot: Slot, process: subprocess.Popen[bytes] | None) -> None:
        """A process was started for it, or could not be."""
        self._starting[job.id] = Starting(job.attempt, slot, process, time.monotonic())


def gpus_here() -> list[str]:
    """The GPUs that this process may use, without asking a library: as in CUDA_VISIBLE_DEVICES."""
    said = os.environ.get("CUDA_VISIBLE_DEVICES")
    if said is not None:
        return [name.strip() for name in said.split(",") if name.strip() not in ("", "-1")]
    return [str(number) for number, _ in enumerate(sorted(Path("/proc/driver/nvidia/gpus").glob("*")))]
