"""What the routers call: one object of each kind, made with the application and open as long as it runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from fulmen.launch.queue import Queue
from fulmen.launch.slots import gpus_here
from fulmen.launch.ticker import Ticker
from fulmen.serve.feed import Feed
from fulmen.serve.judging import Judge
from fulmen.serve.settings import Settings

Check = Callable[[], str | None]


@dataclass
class Services:
    """Everything a router may need.

    Attributes:
        settings: what the server was started with.
        stopping: set once the server is asked to stop; a request that waits for something then ends.
        judge: says whether a job may start.
        queue: of the jobs.
        ticker: starts them.
        feed: of what changes among them.
        checks: name -> what answers why that part is not ready, or None if it is.
    """

    settings: Settings
    stopping: threading.Event = field(default_factory=threading.Event)
    checks: dict[str, Check] = field(default_factory=dict)
    judge: Judge = field(init=False)
    queue: Queue = field(init=False)
    ticker: Ticker = field(init=False)
    feed: Feed = field(init=False)

    def __post_init__(self) -> None:
        self.judge = Judge(self.settings)
        self.queue = Queue(self.settings.outputs, self.settings.slots, gpus_here())
        self.ticker, self.feed = Ticker(self.queue), Feed(self.queue, self.stopping)
        self.checks["queue"] = lambda: self.ticker.problem

    def start(self) -> None:
        """Begin what goes on beside the requests."""
        self.ticker.start()

    def stop(self) -> None:
        """End what `start` has begun; what it has changed is kept."""
        self.stopping.set()
        self.ticker.stop()


def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Wanted = Annotated[Services, Depends(_services)]  # the type of a parameter of a route: `services: Wanted`
