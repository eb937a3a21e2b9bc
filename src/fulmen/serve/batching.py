"""Questions that arrive together are answered together, in one thread; how many may wait is bounded."""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class Full(Exception):
    """More questions wait than may."""


class Closed(Exception):
    """No more questions are taken."""


@dataclass
class Waiting(Generic[Q, A]):
    """A question, its size and the answer to come."""

    question: Q
    bytes: int
    answer: "Future[A]" = field(default_factory=Future)


class Batcher(Generic[Q, A]):
    """Answers questions in a thread of its own: whatever has come while one batch was answered is the next.

    Args:
        answer: takes the questions of a batch; an answer, or an exception, for each of them.
        together: questions in a batch at most.
        waiting: questions that may wait.
        waiting_bytes: of those, in sum.
        wait_seconds: that the first question of a batch waits for others.
    """

    def __init__(
        self,
        answer: Callable[[Sequence[Q]], Sequence[A | Exception]],
        together: int = 64,
        waiting: int = 1024,
        waiting_bytes: int = 64 << 20,
        wait_seconds: float = 0.0,
    ):
        self._answer, self._together, self._wait_seconds = answer, together, wait_seconds
        self._most, self._most_bytes = waiting, waiting_bytes
        self._waiting: deque[Waiting[Q, A]] = deque()
        self._bytes, self._closed = 0, False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._work, name="predictions", daemon=True)
        self._thread.start()

    def ask(self, question: Q, size: int) -> "Future[A]":
        """The answer to come; cancelling it takes the question back unless it is being answered.

        Raises:
            Full: as many wait as may, or as many bytes.
            Closed: after `close`.
        """
        waiting: Waiting[Q, A] = Waiting(question, size)
        with self._changed:
            if self._closed:
                raise Closed
            if len(self._waiting) >= self._most or (self._waiting and self._bytes + size > self._most_bytes):
                raise Full
            self._waiting.append(waiting)
            self._bytes += size
            self._changed.notify()
        return waiting.answer

    def close(self) -> None:
        """Take no more questions; those that wait are answered, then the thread ends."""
        with self._changed:
            self._closed = True
            self._changed.notify()

    def join(self, seconds: float) -> None:
        """Wait for the thread to end after `close`, but no longer than that."""
        self._thread.join(seconds)

    def __len__(self) -> int:
        return len(self._waiting)

    def _work(self) -> None:
        while batch := self._next():
            asked = [each for each in batch if each.answer.set_running_or_notify_cancel()]
            if not asked:
                continue
            try:
                answers: Sequence[A | Exception] = self._answer([each.question for each in asked])
            except Exception as error:  # a defect of the service: whoever waits is told, and the thread goes on
                answers = [error] * len(asked)
            for each, answer in zip(asked, answers, strict=True):
                if isinstance(answer, Exception):
                    each.answer.set_exception(answer)
                else:
                    each.answer.set_result(answer)

    def _next(self) -> list[Waiting[Q, A]]:
        """The next batch; empty once all is answered after `close`."""
        with self._changed:
            while not self._waiting and not self._closed:
                self._changed.wait()
            if self._wait_seconds and not self._closed:
                until = time.monotonic() + self._wait_seconds
                while len(self._waiting) < self._together and (left := until - time.monotonic()) > 0:
                    self._changed.wait(left)
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), self._together))]
            self._bytes -= sum(each.bytes for each in batch)
            return batch
