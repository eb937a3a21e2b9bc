"""What every request passes on its way in and out: limits, admission, an id, safe headers, a line in the log."""

import asyncio
import json
import logging
import random
import re
import time
from collections.abc import Iterable
from datetime import UTC, datetime

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from fulmen.serve.admission import Admission
from fulmen.serve.metrics import Metrics
from fulmen.serve.problems import Problem, answer
from fulmen.serve.settings import Limits

LOG, DEFECTS = logging.getLogger("fulmen.serve.requests"), logging.getLogger("fulmen.serve")
REQUEST_ID = re.compile(r"[\w-]{8,64}")
UPLOADS = re.compile(r"/api/(uploads|models)/?")
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-src 'self'; frame-ancestors 'self'"
)
SAFE_HEADERS = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "SAMEORIGIN",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "cache-control": "no-store",
}


class Guard:
    """Pure ASGI, so that streams pass through unchanged.

    Args:
        app: what answers.
        limits: of a request and of all together.
    """

    def __init__(self, app: ASGIApp, admission: Admission, limits: Limits, metrics: Metrics):
        self.app, self.admission, self.limits, self.metrics = app, admission, limits, metrics
        self.at_work = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await Passage(self, scope, receive, send).go()


class Passage:
    """One request on its way."""

    def __init__(self, guard: Guard, scope: Scope, receive: Receive, send: Send):
        self.guard, self.scope, self._receive, self._send = guard, scope, receive, send
        self.headers = Headers(scope=scope)
        given = self.headers.get("x-request-id", "")
        self.id = given if REQUEST_ID.fullmatch(given) else f"{random.getrandbits(64):016x}"
        has_body = "transfer-encoding" in self.headers or self.headers.get("content-length", "0") != "0"
        self.status, self.by, self.received = 0, "", 0 if has_body else -1
        self.refusal: Problem | None = None
        limits = guard.limits
        self.most = limits.upload_bytes if UPLOADS.fullmatch(scope["path"]) else limits.body_bytes
        scope.setdefault("state", {})["request_id"] = self.id

    async def go(self) -> None:
        """Let it through, or say why not."""
        guard, began = self.guard, time.perf_counter()
        guard.at_work += 1
        guard.metrics.begin()
        try:
            try:
                self.admit()
                await guard.app(self.scope, self.receive, self.send)
            except Problem as problem:
                self.refusal = self.refusal or problem
            except Exception:
                if self.status:  # half of an answer is out: nothing can be said any more
                    raise
                DEFECTS.exception("request %s: a defect of the service", self.id)
                self.refusal = self.refusal or Problem(500, "the service has a defect here; its log has the details")
            if self.refusal and not self.status:
                await answer(Request(self.scope), self.refusal)(self.scope, self._receive, self.send_on)
        finally:
            guard.at_work -= 1
            seconds = time.perf_counter() - began
            route = route_of(self.scope)
            guard.metrics.end(self.scope["method"], route, self.status, seconds)
            self.log(seconds)

    def admit(self) -> None:
        """Pass if the request may go on.

        Raises:
            Problem: it may not.
        """
        if self.guard.at_work > self.guard.limits.concurrency:
            raise Problem(503, "too many requests at once; try again", headers={"retry-after": "1"})
        client = (self.scope.get("client") or ("", 0))[0]
        key = self.guard.admission.admit(self.scope["method"], self.scope["path"], self.headers, client)
        self.by = key.name if key else ""
        self.scope["state"] |= {"by": self.by, "role": key.role if key else None}
        length = self.headers.get("content-length", "0")
        if length.isdecimal() and int(length) > self.most:
            raise self.too_large()

    async def receive(self) -> Message:
        """The next part of the request, within its limits of size and time."""
        if self.refusal:
            raise self.refusal
        waits_for_body = self.received >= 0
        try:
            async with asyncio.timeout(self.guard.limits.body_seconds if waits_for_body else None):
                message = await self._receive()
        except TimeoutError:
            self.refusal = Problem(408, f"nothing came for {self.guard.limits.body_seconds:g} s; send the body at once",
                                   headers={"connection": "close"})  # fmt: skip
            raise self.refusal from None
        if message["type"] == "http.request" and waits_for_body:
            self.received += len(message.get("body", b""))
            if self.received > self.most:
                self.refusal = self.too_large()
                raise self.refusal
            if not message.get("more_body"):
                self.received = -1  # all is there; from now on only the end of the connection is waited for
        return message

    async def send(self, message: Message) -> None:
        """A part of the answer; nothing of one that was made of half a request."""
        if not self.refusal or self.status:
            await self.send_on(message)

    async def send_on(self, message: Message) -> None:
        """A part of the answer, with safe headers."""
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers = MutableHeaders(scope=message)
            for name, value in SAFE_HEADERS.items():
                headers.setdefault(name, value)
            headers["x-request-id"] = self.id
        await self._send(message)

    def too_large(self) -> Problem:
        """413 with the limit; the rest of the body is not read."""
        return Problem(413, f"the body may have {self.most} bytes at most", headers={"connection": "close"})

    def log(self, seconds: float) -> None:
        """One line of JSON: who asked what, and what came of it; no query, no header, no body."""
        line = {
            "time": datetime.now(UTC).isoformat(timespec="milliseconds"), "request_id": self.id,
            "method": self.scope["method"], "path": self.scope["path"][:200], "status": self.status,
            "ms": round(1000 * seconds, 1), "client": (self.scope.get("client") or ("", 0))[0], "by": self.by,
        }  # fmt: skip
        LOG.info(json.dumps(line))


def route_of(scope: Scope) -> str:
    """The pattern of the path that was asked for, such as /api/jobs/{id}; of a path that is none, `unknown`."""
    route = scope.get("route")
    return route.path if isinstance(route, Route) else "unknown"


def listen_to_logs(names: Iterable[str] = ("fulmen.serve", "uvicorn.error")) -> None:
    """Print what loggers say to stderr: requests as lines of JSON, all else as one with its level."""
    for name in names:
        handler = logging.StreamHandler()
        handler.setFormatter(_Line())
        logging.getLogger(name).addHandler(handler)
    logging.getLogger("fulmen.serve").setLevel(logging.INFO)
    logging.getLogger("fulmen.serve").propagate = False


class _Line(logging.Formatter):
    """A record as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage()
        if record.name == LOG.name:
            return text
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "level": record.levelname.lower()}
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps({**line, "message": text})
