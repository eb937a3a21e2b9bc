"""What the routers call: one object of each kind, made with the application and open as long as it runs."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Annotated, cast

from fastapi import Depends, Request

from fulmen.launch.queue import Queue
from fulmen.launch.record import ACTIVE
from fulmen.launch.slots import gpus_here
from fulmen.launch.ticker import Ticker
from fulmen.serve.admission import Admission
from fulmen.serve.alerts import Alerts
from fulmen.serve.feed import Feed
from fulmen.serve.judging import Judge
from fulmen.serve.keys import Keys
from fulmen.serve.metrics import Metrics
from fulmen.serve.predictions import Predictions
from fulmen.serve.results import Results
from fulmen.serve.settings import Settings

Check = Callable[[], str | None]


@dataclass
class Services:
    """Everything a router may need.

    Attributes:
        settings: what the server was started with.
        stopping: set once the server is asked to stop; a request that waits for something then ends.
        metrics: what Prometheus is told.
        keys: of the API.
        admission: says whether a request is let in.
        alerts: hands on what calls for somebody.
        judge: says whether a job may start.
        results: runs, searches, rankings and comparisons below the outputs folder.
        queue: of the jobs.
        ticker: starts them.
        feed: of what changes among them.
        checks: name -> what answers why that part is not ready, or None if it is.
        predictions: of kept models.
    """

    settings: Settings
    stopping: threading.Event = field(default_factory=threading.Event)
    checks: dict[str, Check] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    keys: Keys = field(init=False)
    admission: Admission = field(init=False)
    alerts: Alerts = field(init=False)
    judge: Judge = field(init=False)
    results: Results = field(init=False)
    queue: Queue = field(init=False)
    ticker: Ticker = field(init=False)
    feed: Feed = field(init=False)
    predictions: Predictions = field(init=False)

    def __post_init__(self) -> None:
        limits = self.settings.limits
        self.predictions = Predictions(self.settings.registry, limits.models_bytes, limits.prediction_seconds)
        self.predictions.observers.append(self.metrics.predicted)
        self.keys = Keys(self.settings.state / "keys.json")
        self.admission = Admission(self.settings, self.keys)
        self.alerts = Alerts(self.settings.alert)
        self.judge, self.results = Judge(self.settings), Results(self.settings)
        self.queue = Queue(self.settings.outputs, self.settings.slots, gpus_here())
        self.ticker, self.feed = Ticker(self.queue), Feed(self.queue, self.stopping)
        self.checks["queue"] = lambda: self.ticker.problem
        self.metrics.watch_jobs(lambda: Counter(entry.state for entry in self.queue.jobs()))

    def start(self) -> None:
        """Begin what goes on beside the requests."""
        self.ticker.start()

    def stop(self) -> None:
        """End what `start` has begun; what it has changed is kept."""
        self.stopping.set()
        self.ticker.stop()
        self.predictions.close()

    def left_running(self) -> str:
        """What goes on without the server, in words."""
        running = sum(entry.state in ACTIVE for entry in self.queue.open_jobs())
        return f"{running} job{'s' * (running != 1)} still at work: the next server finds them again"


async def _services(request: Request) -> Services:  # a plain function would cost each request a change of threads
    return cast(Services, request.app.state.services)


Wanted = Annotated[Services, Depends(_services)]  # the type of a parameter of a route: `services: Wanted`
