"""Many clients at once, of a real server: the right answer for each of them."""

import asyncio
import json
import shutil

import pytest

from benchmarks.serve_client import ask_all
from fulmen.config.schema import project_root

FROZEN = project_root() / "tests" / "frozen" / "4332109" / "models"


@pytest.mark.service
@pytest.mark.slow
def test_ten_clients_at_once_get_right_answers_alone(server):
    """A large one, with the server killed in between, is benchmarks/proofs/serve_load.py."""
    shutil.copytree(FROZEN / "images", server.home / "outputs" / "models" / "images")
    examples = server.client.get("/api/models/images/examples").json()
    expected = server.client.post("/api/models/images/predict", json=examples).json()["rows"]

    def right(body):
        said = json.loads(body)["rows"]
        pairs = list(zip(said, expected, strict=True))
        close = all(ours["probability"] == pytest.approx(theirs["probability"], rel=1e-5) for ours, theirs in pairs)
        return close and all(ours["class"] == theirs["class"] for ours, theirs in pairs)

    host, port = server.client.base_url.host, server.client.base_url.port
    body = json.dumps(examples).encode()
    load = asyncio.run(ask_all(host, port, "/api/models/images/predict", body, clients=10, seconds=2.0, right=right))
    assert len(load.seconds) > 10
    assert (load.wrong, load.lost, load.open, load.refused) == (0, 0, 0, 0), load.example
