"""What the routers call: one object of each kind, made with the application and open as long as it runs."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from fulmen.serve.judging import Judge
from fulmen.serve.results import Results
from fulmen.serve.settings import Settings

Check = Callable[[], str | None]


@dataclass
class Services:
    """Everything a router may need.

    Attributes:
        settings: what the server was started with.
        stopping: set once the server is asked to stop; a request that waits for something then ends.
        judge: says whether a job may start.
        results: runs, searches, rankings and comparisons below the outputs folder.
        checks: name -> what answers why that part is not ready, or None if it is.
    """

    settings: Settings
    stopping: threading.Event = field(default_factory=threading.Event)
    checks: dict[str, Check] = field(default_factory=dict)
    judge: Judge = field(init=False)
    results: Results = field(init=False)

    def __post_init__(self) -> None:
        self.judge, self.results = Judge(self.settings), Results(self.settings)

    def start(self) -> None:
        """Begin what goes on beside the requests."""

    def stop(self) -> None:
        """End what `start` has begun; what it has changed is kept."""
        self.stopping.set()


def _services(request: Request) -> Services:
    return cast(Services, request.app.state.services)


Wanted = Annotated[Services, Depends(_services)]  # the type of a parameter of a route: `services: Wanted`
