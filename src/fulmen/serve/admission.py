"""Who may ask what: the address that was asked, the page that asks, and the key that is shown."""

import time
from collections import defaultdict, deque
from http.cookies import CookieError, SimpleCookie
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers

from fulmen.serve import pages
from fulmen.serve.keys import Key, Keys, Role
from fulmen.serve.problems import Problem
from fulmen.serve.settings import LOOPBACK, Settings

COOKIE = "fulmen_key"
OPEN = ("/health", "/ready", "/api/login", "/static/")  # asked for before anybody has a key
SAFE = ("GET", "HEAD", "OPTIONS")
FAILURES, WITHIN = 10, 60.0  # of one address, in so many seconds
ADDRESSES = 10_000  # that are remembered


class Admission:
    """Says whether a request is let in.

    Args:
        settings: of the server.
        keys: that open it.
    """

    def __init__(self, settings: Settings, keys: Keys):
        self.keys = keys
        self.asks_for_key = settings.keys or settings.host not in LOOPBACK
        self.names = {name.lower() for name in (*LOOPBACK, settings.host, *settings.names)}
        self.is_local = settings.host in LOOPBACK
        self._failures: dict[str, deque[float]] = defaultdict(deque)

    def admit(self, method: str, path: str, headers: Headers, client: str) -> Key | None:
        """The key that a request has shown, if one is asked for.

        Raises:
            Problem: the request is not let in.
        """
        self.check_host(headers.get("host", ""))
        if method not in SAFE:
            self.check_origin(headers)
        if not self.asks_for_key or path in pages.OPEN or path.startswith(OPEN):
            return None
        key = self.shown(headers, client)
        if not key.may(role := role_for(method, path)):
            raise Problem(403, f"this needs a key with the role {role}; the key {key.name} has {key.role}")
        return key

    def check_host(self, host: str) -> None:
        """Pass if the request was addressed to this server by a name of its own, not by one that leads here by trick.

        Raises:
            Problem: it was not.
        """
        name = host_of(host)
        if name in self.names or (not self.is_local and is_number(name)):
            return
        raise Problem(421, f"this server is not called {host[:80]!r}; start it with --name {name[:80] or 'NAME'}"
                           " if that is meant")  # fmt: skip

    def check_origin(self, headers: Headers) -> None:
        """Pass unless a page of another site sends the request.

        Raises:
            Problem: one does.
        """
        origin, site = headers.get("origin"), headers.get("sec-fetch-site", "none")
        foreign = origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower()
        if foreign or site in ("cross-site", "same-site"):
            raise Problem(403, "a page of another site may change nothing here")

    def shown(self, headers: Headers, client: str) -> Key:
        """The key in the Authorization header or the cookie.

        Raises:
            Problem: none, or a wrong one, or too many wrong ones.
        """
        kind, _, text = headers.get("authorization", "").partition(" ")
        text = text.strip() if kind.lower() == "bearer" else cookie(headers.get("cookie", ""))
        if not text:
            cure = "send Authorization: Bearer KEY; fulmen serve keys new NAME makes one"
            raise Problem(401, f"an API key is needed: {cure}", headers={"www-authenticate": "Bearer"})
        return self.recognised(text, client)

    def recognised(self, text: str, client: str) -> Key:
        """The key of this text.

        Raises:
            Problem: it is none, or its sender has tried too many.
        """
        if key := self.keys.of(text):  # however many wrong ones others behind the same address have tried
            return key
        failures, now = self._failures[client], time.monotonic()
        while failures and now - failures[0] > WITHIN:
            failures.popleft()
        if len(failures) >= FAILURES:
            wait = str(int(WITHIN - (now - failures[0])) + 1)
            raise Problem(429, f"too many wrong keys; try again in {wait} s", headers={"retry-after": wait})
        failures.append(now)
        if len(self._failures) > ADDRESSES:
            self._failures.pop(next(iter(self._failures)))
        raise Problem(401, "this API key is not known", headers={"www-authenticate": "Bearer"})


def role_for(method: str, path: str) -> Role:
    """The role that a request needs."""
    if method in SAFE:
        return "read"
    asks = path == "/api/alerts" or (path.startswith("/api/models/") and path.endswith("/predict"))
    return "predict" if asks else "train"


def host_of(host: str) -> str:
    """`lab` of `lab:5000`, `::1` of `[::1]:5000`."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def is_number(name: str) -> bool:
    """Whether a host is an address in numbers, which no name server can lead elsewhere."""
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


def cookie(header: str) -> str:
    """The key in a Cookie header; "" if there is none."""
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
