"""Alerts: a person who sees a prediction that calls for somebody lets the server say so."""

from typing import Annotated, Any

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from fulmen.serve.problems import answers
from fulmen.serve.services import Wanted

router = APIRouter(prefix="/api/alerts", tags=["predictions"])


class Alert(BaseModel):
    """What shall be told."""

    model_config = ConfigDict(extra="forbid")

    model: Annotated[str, Field(max_length=200, description="that made the prediction")]
    row: Annotated[dict[str, Any], Field(max_length=200, description="a row of its answer")]
    note: Annotated[str, Field(max_length=2000)] = ""


class Alerting(BaseModel):
    """Whether alerts are sent at all."""

    configured: bool


@router.get("")
def alerting(services: Wanted) -> Alerting:
    """Whether this server sends alerts."""
    return Alerting(configured=services.alerts.target is not None)


@router.post("", status_code=204, responses=answers(409, 422, 502))
def send(alert: Alert, request: Request, services: Wanted) -> None:
    """Hand an alert to the command or address that the server was started with."""
    services.alerts.send(alert.model_dump() | {"by": request.state.by})
