"""What changes among the jobs, told to any number of listeners by one who looks.

A listener is told how all jobs stand when it comes, and from then on each job that changes. Nothing is kept for a slow
one: it gets the latest of each job that has changed since it was told last. The number of an event lets a listener that
was cut off go on from there.
"""

import asyncio
import json
import secrets
import threading
from collections.abc import AsyncIterator
from typing import Any

from sse_starlette import ServerSentEvent
from starlette.concurrency import run_in_threadpool

from fulmen.launch.found import Entry
from fulmen.launch.queue import NoSuchJob, Queue
from fulmen.serve.job_answers import JobAnswer, QueueAnswer, described, queue_of

SECONDS = 0.5  # between two looks
ALL = 10  # looks after which all jobs are looked at, those that have ended too
AT_FIRST = 200  # ended jobs that a new listener to all jobs is told, the latest ones


class Feed:
    """Looks at the jobs as long as somebody listens.

    Args:
        stopping: set when listeners have to go.
    """

    def __init__(self, queue: Queue, stopping: threading.Event):
        self.queue, self.stopping = queue, stopping
        self.number = 0  # of the latest change
        self.name = secrets.token_hex(4)  # of this process: numbers of another one mean nothing here
        self.jobs: dict[str, tuple[int, JobAnswer | None]] = {}  # id -> number and state; None: it is gone
        self.state: tuple[int, QueueAnswer | None] = (0, None)
        self._listeners, self._looks = 0, 0
        self._task: asyncio.Task[None] | None = None
        self._changed, self._one_look = asyncio.Condition(), asyncio.Lock()

    async def listen(self, id: str | None = None, last: str | None = None) -> AsyncIterator[ServerSentEvent]:
        """Events: `job` with a job, `gone` with an id, `queue`; at first all there is, unless `last` is of ours.

        Args:
            id: of the one job to hear of.
            last: number of the last event that was heard.
        """
        self._listeners += 1
        try:
            await self._look(everything=True)
            if self._task is None or self._task.done():
                self._task = asyncio.create_task(self._watch())
            heard = self._heard(last)
            while not self.stopping.is_set():
                events, heard = self._since(heard, id), self.number
                for event in events:
                    yield event
                async with self._changed:
                    await self._changed.wait_for(lambda: self.number > heard or self.stopping.is_set())  # noqa: B023
        finally:
            self._listeners -= 1

    async def _watch(self) -> None:
        while self._listeners and not self.stopping.is_set():
            await asyncio.sleep(SECONDS)
            self._looks += 1
            await self._look(everything=self._looks % ALL == 0)
        async with self._changed:
            self._changed.notify_all()

    async def _look(self, everything: bool) -> None:
        async with self._one_look:
            before = self.number
            self._take_in(*await run_in_threadpool(self._found, everything))
        if self.number > before:
            async with self._changed:
                self._changed.notify_all()

    def _take_in(self, found: list[Entry], gone: list[str], queue: QueueAnswer) -> None:
        for entry in found:
            answer = described(entry)
            if self.jobs.get(answer.id, (0, None))[1] != answer:
                self.number += 1
                self.jobs[answer.id] = self.number, answer
        for id in gone:
            self.number += 1
            self.jobs[id] = self.number, None
        if queue != self.state[1]:
            self.number += 1
            self.state = self.number, queue

    def _found(self, everything: bool) -> tuple[list[Entry], list[str], QueueAnswer]:
        """Jobs to look at, those that are gone, and the queue."""
        entries = {entry.job.id: entry for entry in (self.queue.jobs() if everything else self.queue.open_jobs())}
        gone = []
        for id, (_, known) in list(self.jobs.items()):
            if known is None or id in entries or not (everything or known.state in ("queued", "running", "cancelling")):
                continue
            try:
                entries[id] = self.queue.job(id)
            except NoSuchJob:
                gone.append(id)
        return list(entries.values()), gone, queue_of(self.queue)

    def _heard(self, last: str | None) -> int:
        name, _, number = (last or "").partition("-")
        known = name == self.name and number.isdecimal() and int(number) <= self.number
        return int(number) if known else 0

    def _since(self, heard: int, id: str | None) -> list[ServerSentEvent]:
        """What is new to a listener, in the order in which it came about."""
        known = {id: self.jobs[id]} if id in self.jobs else {} if id else self.jobs
        fresh: list[tuple[int, str, dict[str, Any]]] = []
        for each, (number, answer) in known.items():
            if number > heard and answer is not None:
                fresh.append((number, "job", answer.model_dump()))
            elif number > heard > 0:
                fresh.append((number, "gone", {"id": each}))
        if not heard and id is None:
            ended = sorted((each for each in fresh if each[2]["ended"]), key=lambda each: each[2]["ended"])
            fresh = [each for each in fresh if each not in ended[:-AT_FIRST]]
        if id is None and self.state[0] > heard and self.state[1] is not None:
            fresh.append((self.state[0], "queue", self.state[1].model_dump()))
        fresh.sort(key=lambda each: each[0])
        return [ServerSentEvent(json.dumps(data), event=kind, id=f"{self.name}-{n}") for n, kind, data in fresh]
