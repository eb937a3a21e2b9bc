"""What Prometheus is told: requests, predictions, jobs. The names of requests are those that programs know already."""

from collections.abc import Callable, Iterator, Mapping

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 600.0)

States = Callable[[], Mapping[str, int]]


class Metrics:
    """Counters of one server, in a registry of its own."""

    def __init__(self) -> None:
        self.registry = own = CollectorRegistry()
        self.requests = Counter("http_requests", "Requests answered.", ["method", "route", "status"], registry=own)
        self.seconds = Histogram(
            "http_request_duration_seconds", "From the first byte of a request to the last of its answer.",
            ["method", "route"], buckets=SECONDS, registry=own,
        )  # fmt: skip
        self.in_progress = Gauge("http_requests_in_progress", "Requests at work.", registry=own)
        self.predictions = Counter("predictions", "Rows predicted.", ["model", "version"], registry=own)
        self.inference = Histogram(
            "inference_seconds", "Of one prediction, in the model.", ["model"], buckets=SECONDS, registry=own
        )
        self.retrain = Counter("retrain", "Trainings asked for by /api/train-advanced.", ["mode"], registry=own)
        self.retrain_seconds = Histogram(
            "retrain_duration_seconds", "Of trainings asked for by /api/train-advanced.", ["mode"],
            buckets=(1, 10, 60, 600, 3600, 36000), registry=own,
        )  # fmt: skip

    def begin(self) -> None:
        """A request has come."""
        self.in_progress.inc()

    def end(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered; `route` is the pattern of its path, so that there are few."""
        self.in_progress.dec()
        self.requests.labels(method, route, status).inc()
        self.seconds.labels(method, route).observe(seconds)

    def predicted(self, model: str, version: int | str, rows: int, seconds: float) -> None:
        """So many rows were predicted by a version of a model."""
        self.predictions.labels(model, version).inc(rows)
        self.inference.labels(model).observe(seconds)

    def watch_jobs(self, states: States) -> None:
        """Tell the jobs by their states, counted at each request of /metrics."""
        self.registry.register(_Jobs(states))

    def text(self) -> bytes:
        """All of it, as Prometheus reads it."""
        return generate_latest(self.registry)


class _Jobs(Collector):
    def __init__(self, states: States):
        self.states = states

    def describe(self) -> list[GaugeMetricFamily]:  # registering asks nothing of the queue
        return []

    def collect(self) -> Iterator[GaugeMetricFamily]:
        found = self.states()
        jobs = GaugeMetricFamily("jobs", "Jobs by how they stand.", labels=["state"])
        for state, count in found.items():
            jobs.add_metric([state], count)
        yield jobs
        yield GaugeMetricFamily("queue_length", "Jobs that wait.", value=found.get("queued", 0))
