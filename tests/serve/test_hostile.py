"""100 hostile requests against a real server: each is answered with 4xx, nothing is run or read, and it lives on."""

import io
import json
import socket
import tarfile
import time
import zipfile
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from test_untrusted import HOSTILE

PATHS = [
    "../../../etc/passwd", "..%2f..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "/etc/passwd", "//etc/passwd",
    "..\\..\\etc\\passwd", "x%00.csv", "%ff%fe", ".fulmen/keys.json", "runs/../.fulmen/keys.json",
    "." * 300, "a" * 5000,
]  # fmt: skip
PLACES = [
    "/api/runs/{}", "/api/runs/{}/report", "/api/searches/{}", "/api/rankings/{}", "/api/models/{}", "/api/schema/{}",
]  # fmt: skip
YAML_TAGS = ["model={x: !!python/object/apply:os.system [ls]}", "data.csv=!!python/name:os.system", "seed=!!int 3"]
MOST = 1200 * 2**20  # bytes of the server, in which what is sent as a model has torch imported
pytestmark = [pytest.mark.service, pytest.mark.slow]


def answer_to(server, raw: bytes, patience: float = 15.0) -> bytes:
    """What a connection is told that sends `raw`, until it is closed."""
    with socket.create_connection((urlsplit(server.url).hostname, urlsplit(server.url).port), patience) as connection:
        connection.sendall(raw)
        found = b""
        try:
            while part := connection.recv(65536):
                found += part
        except (TimeoutError, ConnectionResetError):
            pass
    return found


def memory(server) -> int:
    """Bytes that the server holds."""
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return 1024 * int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


@pytest.fixture(autouse=True)
def lives_on_unharmed(server):
    yield
    assert server.client.get("/health").json() == {"status": "ok"}
    assert server.client.get("/api/jobs").json()["total"] == 0
    assert memory(server) < MOST


def test_paths_lead_nowhere(server):
    asked = 0
    for place in PLACES:
        for path in PATHS:
            answer = server.client.get(place.format(path))
            asked += 1
            assert 400 <= answer.status_code < 500, (place, path, answer.text[:200])
            assert "root:" not in answer.text
            assert "sha256" not in answer.text
    assert asked >= 70


def test_overrides_run_nothing(server):
    for override in [*HOSTILE.values(), *YAML_TAGS]:
        answer = server.client.post("/api/jobs", json={"experiment": "stocks", "overrides": [override]})
        assert answer.status_code == 422, (override[:80], answer.text[:200])
        assert answer.json()["errors"], override[:80]
    nested = "data.csv=" + "[" * 1500 + "]" * 1500
    assert server.client.post("/api/jobs", json={"experiment": "stocks", "overrides": [nested]}).status_code == 422


@pytest.mark.parametrize(
    "body",
    [b"", b"{", b"[" * 100_000, b'{"a":' * 50_000, b"\xff\xfe", b"NaN", b'{"experiment": NaN}', b'{"overrides": null}',
     b'{"experiment": "' + b"x" * 10**6 + b'"}', json.dumps({"overrides": ["seed=1"] * 100_000}).encode()],
    ids=range(10),
)  # fmt: skip
def test_bodies_that_are_none_are_refused(server, body):
    headers = {"content-type": "application/json"}
    answer = server.client.post("/api/jobs", content=body, headers=headers)
    assert 400 <= answer.status_code < 500
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_too_large_is_not_read(server):
    raw = b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999\r\n\r\n"
    assert b" 413 " in answer_to(server, raw).splitlines()[0]


def test_compressed_bombs_stay_small(server):
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("x.csv", b"0" * 200_000_000)
    assert server.client.post("/api/uploads", files={"file": ("x.zip", bomb.getvalue())}).status_code == 422
    encoded = {"content-encoding": "gzip", "content-type": "application/json"}
    assert 400 <= server.client.post("/api/jobs", content=bomb.getvalue(), headers=encoded).status_code < 500
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        member = tarfile.TarInfo("../../escaped")
        member.size = 4
        archive.addfile(member, io.BytesIO(b"evil"))
    sent = server.client.post("/api/models", content=tar.getvalue(), headers={"content-type": "application/x-tar"})
    assert 400 <= sent.status_code < 500
    assert not list(server.home.parent.rglob("escaped"))


def test_header_bombs_are_cut(server):
    many = b"".join(b"X-%d: %s\r\n" % (i, b"x" * 1000) for i in range(100))
    assert b" 431 " in answer_to(server, b"GET /health HTTP/1.1\r\nHost: localhost\r\n" + many + b"\r\n")
    assert b" 431 " in answer_to(server, b"GET /" + b"x" * 100_000 + b" HTTP/1.1\r\n\r\n")
    for raw in (b"\x00" * 100, b"GET / HTTP/9.9\r\n\r\n", b"BOMB\r\n\r\n", b"GET /health HTTP/1.1\r\nHost : x\r\n\r\n"):
        assert b" 400 " in answer_to(server, raw).splitlines()[0]


def test_two_requests_in_one_are_none(server):
    smuggled = (b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
                b"0\r\n\r\nGET /health HTTP/1.1\r\nHost: localhost\r\n\r\n")  # fmt: skip
    assert b" 200 " not in answer_to(server, smuggled, 5).splitlines()[0]


def test_slow_clients_are_cut_and_hold_up_nobody(server):
    place = (urlsplit(server.url).hostname, urlsplit(server.url).port)
    slow = [socket.create_connection(place) for _ in range(50)]
    body = (
        b"POST /api/jobs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"
    )
    for number, connection in enumerate(slow):
        connection.sendall(b"GET /health HTTP/1.1\r\nHo" if number % 2 else body)
    began = time.monotonic()
    assert server.client.get("/health").status_code == 200
    assert time.monotonic() - began < 5
    for number, connection in enumerate(slow):
        connection.settimeout(40)
        assert b" 408 " in connection.recv(4096), number
        connection.close()
