"""A browser shows its key once and then has a cookie that no script can read."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from fulmen.serve.admission import COOKIE
from fulmen.serve.keys import Role
from fulmen.serve.problems import answers
from fulmen.serve.services import Wanted

router = APIRouter(tags=["session"])


class Login(BaseModel):
    """An API key."""

    key: str = Field(max_length=200)


class Session(BaseModel):
    """Who asks: the name of the key and its role; both empty where no keys are asked for."""

    name: str
    role: Role | None


class LoggedIn(BaseModel):
    """Whose key it was, and what it allows."""

    name: str
    role: Role


@router.get("/api/session")
def session(request: Request) -> Session:
    """Whose key this is."""
    return Session(name=request.state.by, role=request.state.role)


@router.post("/api/login", responses=answers(401, 403, 422, 429))
def login(given: Login, request: Request, response: Response, services: Wanted) -> LoggedIn:
    """Let this browser in."""
    client = request.client.host if request.client else ""
    key = services.admission.recognised(given.key, client)
    secure = request.url.scheme == "https"
    response.set_cookie(COOKIE, given.key, httponly=True, samesite="strict", secure=secure, path="/")
    return LoggedIn(name=key.name, role=key.role)


@router.post("/api/logout", status_code=204)
def logout(response: Response) -> None:
    """Forget the key of this browser."""
    response.delete_cookie(COOKIE, path="/")
