"""The routers of the service, one file per subject; none knows another."""

from fastapi import APIRouter

from fulmen.serve.api import jobs, models, operations, predictions, rankings, runs, searches, session

ROUTERS: tuple[APIRouter, ...] = (
    operations.router, session.router, jobs.router, runs.router, searches.router, rankings.router, predictions.router,
    models.router,
)  # fmt: skip
