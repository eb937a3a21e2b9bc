"""`fulmen serve` is ready soon and says in one line why it is not."""

import json
import subprocess
import sys

import pytest

from fulmen.errors import FulmenError
from fulmen.serve.server import listening_at


def test_it_says_that_it_is_alive_and_ready(client):
    assert client.get("/health").json() == {"status": "ok"}
    assert client.get("/ready").json()["status"] == "ready"


def test_an_unknown_address_is_answered_with_problem_details(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["title"] == "Not Found"


def test_the_application_imports_nothing_heavy():
    program = "import sys, json; import fulmen.serve.app; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    modules = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert modules & {"torch", "lightning", "numpy", "pandas", "optuna", "sklearn", "scipy", "hydra"} == set()


def test_a_port_in_use_is_told_with_another():
    with listening_at("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        first.listen()
        with pytest.raises(FulmenError, match=f"port {port} is in use; choose another: fulmen serve --port {port + 1}"):
            listening_at("127.0.0.1", port)


@pytest.mark.service
def test_a_real_server_is_ready_and_ends_in_peace(server):
    assert server.client.get("/ready").json()["status"] == "ready"
    said = server.stop()
    assert "stopped; " in said
    assert server.process.returncode == 0
