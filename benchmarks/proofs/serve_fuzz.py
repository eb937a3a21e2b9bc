"""Malformed requests made of the description of the interface are all answered as described, none with a defect.

schemathesis makes them of /api/openapi.json, for every operation in turn, and holds each answer against it. Nothing is
trained meanwhile: the queue is paused, and what waits for a job is told at once that the server stops.
"""

import tempfile
import warnings
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CheckContext, CheckFunction
from schemathesis.core.errors import SerializationNotPossible
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from benchmarks.proofs import Proof
from fulmen.serve.app import create_app
from fulmen.serve.settings import Settings

EACH = 30  # cases of an operation; of one that takes nothing there is one
BYTES_ONLY = ("POST /api/models",)  # a tar, of which schemathesis makes none


def no_defect(context: CheckContext, response: Any, case: Any) -> None:
    """500 is a defect; 503 says that the server stops."""
    assert response.status_code != 500, response.text


CHECKS: list[CheckFunction] = [
    no_defect, content_type_conformance, response_schema_conformance, status_code_conformance,
]  # fmt: skip


def main() -> bool:
    proof = Proof(__name__, __doc__, seeds=[1])
    with tempfile.TemporaryDirectory() as home:
        operations = list(operations_of(Path(home)))
        for cell in proof.missing([operation.label for operation in operations]):
            operation = next(operation for operation in operations if operation.label == cell)
            count, wrong = tried(operation, EACH, 1)
            proof.keep(cell, ok=wrong == "", cases=sum(count.values()), statuses=dict(count), wrong=wrong)
    return proof.holds()


def operations_of(home: Path) -> Iterator[Any]:
    """Every operation of a server of empty folders in which nothing is started."""
    app = create_app(Settings(outputs=home / "outputs", registry=home / "models", names=("testserver",)))
    app.state.services.queue.pause()
    app.state.services.stopping.set()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a newer httpx
        schema = schemathesis.openapi.from_asgi("/api/openapi.json", app)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.label not in BYTES_ONLY:
            yield operation


def tried(operation: Any, cases: int, start: int) -> tuple[Counter[int], str]:
    """Answers by their status to `cases` requests from the seed `start` on; what is wrong with one, "" if nothing."""
    statuses: Counter[int] = Counter()

    @seed(start)
    @settings(max_examples=cases, deadline=None, database=None, suppress_health_check=list(HealthCheck),
              phases=[Phase.generate])  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        response = case.call()
        statuses[response.status_code] += 1
        case.validate_response(response, checks=CHECKS)

    try:
        ask()
    except SerializationNotPossible as error:
        return statuses, str(error)
    except BaseException as error:
        causes = error.exceptions if isinstance(error, BaseExceptionGroup) else [error]
        return statuses, "; ".join(str(cause)[:300] for cause in causes)
    return statuses, ""
