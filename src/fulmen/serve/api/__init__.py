"""The routers of the service, one file per subject; none knows another."""

from fastapi import APIRouter

from fulmen.serve.api import jobs, operations

ROUTERS: tuple[APIRouter, ...] = (operations.router, jobs.router)
