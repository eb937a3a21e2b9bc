"""The routers of the service, one file per subject; none knows another."""

from fastapi import APIRouter

from fulmen.serve.api import operations, rankings, runs, searches

ROUTERS: tuple[APIRouter, ...] = (operations.router, runs.router, searches.router, rankings.router)
