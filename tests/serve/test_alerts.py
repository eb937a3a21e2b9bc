"""An alert reaches the command or the address that was named, and nothing else; without one it is refused in words."""

import json
import shlex
import sys
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from starlette.testclient import TestClient

from fulmen.serve.app import create_app

ALERT = {"model": "pump:1", "row": {"decision": "1", "p(1)": 0.9}, "note": "look at it"}
TOLD = ALERT | {"by": ""}


@pytest.fixture
def alerting(settings):
    """Asks a server that was started with `--alert TARGET`."""

    def alerting(target):
        return TestClient(create_app(replace(settings, alert=target)), "http://127.0.0.1:5000")

    return alerting


def test_without_a_target_none_is_sent(client):
    assert client.get("/api/alerts").json() == {"configured": False}
    refused = client.post("/api/alerts", json=ALERT)
    assert (refused.status_code, refused.json()["detail"]) == (409, "this server sends no alerts")
    assert "--alert" in refused.json()["works"]


def test_a_command_reads_the_alert(alerting, tmp_path):
    copy = f"import sys, pathlib; pathlib.Path({str(tmp_path / 'alert')!r}).write_text(sys.stdin.read())"
    client = alerting(shlex.join([sys.executable, "-c", copy]))
    assert client.get("/api/alerts").json() == {"configured": True}
    assert client.post("/api/alerts", json=ALERT).status_code == 204
    assert json.loads((tmp_path / "alert").read_text()) == TOLD


@pytest.mark.parametrize("command", ["false", "no-such-program"])
def test_a_command_that_does_not_take_it_is_told(alerting, command):
    refused = alerting(command).post("/api/alerts", json=ALERT)
    assert refused.status_code == 502
    assert "not taken: the command" in refused.json()["detail"]


@pytest.mark.parametrize(("answer", "status"), [(200, 204), (500, 502)])
def test_an_address_is_sent_the_alert(alerting, answer, status):
    heard = []

    class Listener(BaseHTTPRequestHandler):
        def do_POST(self):
            heard.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(answer)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Listener) as server:
        Thread(target=server.handle_request, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_port}/alerts"
        assert alerting(address).post("/api/alerts", json=ALERT).status_code == status
    assert heard == [TOLD]
