"""A thread that lets a queue start what there is room for."""

import logging
import threading

from fulmen.launch.queue import Queue

LOG = logging.getLogger("fulmen.launch")
SECONDS = 0.25


class Ticker:
    """Works from `start` to `stop`; the jobs live on without it.

    Args:
        seconds: between two looks.
    """

    def __init__(self, queue: Queue, seconds: float = SECONDS):
        self.queue, self.seconds = queue, seconds
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, name="queue", daemon=True)

    def start(self) -> None:
        """Begin; what a queue before this one has left is started too."""
        self._thread.start()

    def stop(self) -> None:
        """Start nothing any more."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join()

    @property
    def problem(self) -> str | None:
        """Why jobs are not started; None if they are."""
        return None if self._thread.is_alive() else "the queue is not at work"

    def _work(self) -> None:
        while not self._stop.is_set():
            try:
                self.queue.tick()
            except Exception:  # a folder that cannot be read now may be another time
                LOG.exception("the queue could not be looked at")
            self._stop.wait(self.seconds)
