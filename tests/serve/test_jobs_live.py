"""A training that a real server has started outlives it; the next server finds it again and tells of it."""

import json
import signal

import pytest
from serving import started
from short_jobs import until

pytestmark = [pytest.mark.slow, pytest.mark.service, pytest.mark.usefixtures("warm_start")]
FEW = ["trainer.max_epochs=400", "callbacks.summary=null", "callbacks.early_stopping=null", "trainer.accelerator=cpu",
       "callbacks.divergence=null"]  # fmt: skip


def events(server, path, wanted, **headers):
    """The events up to the first that is wanted."""
    heard = []
    with server.client.stream("GET", path, headers=headers, timeout=120) as stream:
        for line in stream.iter_lines():
            key, _, value = line.partition(": ")
            if key == "event":
                heard.append({"event": value})
            elif key in ("data", "id") and value:
                (heard[-1] if heard else {}).update({key: value if key == "id" else json.loads(value)})
            elif not line and heard and wanted(heard[-1]):
                return heard
    raise AssertionError("the stream has ended")


def test_a_training_outlives_a_killed_server_and_is_cancelled_and_resumed_by_the_next(tmp_path):
    server = started(tmp_path)
    asked = server.client.post("/api/jobs", json={"experiment": "synthetic_mlp", "overrides": FEW})
    assert asked.status_code == 201, asked.text
    path = asked.headers["location"]
    events(server, f"{path}/events", lambda event: (event["data"]["progress"] or {}).get("done", 0) > 1)
    server.stop(signal.SIGKILL)
    again = started(tmp_path)
    try:
        job = again.client.get(path).json()
        assert (job["state"], job["attempt"]) == ("running", 1)
        done = job["progress"]["done"]
        events(
            again, "/api/events", lambda e: e["event"] == "job" and (e["data"]["progress"] or {}).get("done", 0) > done
        )
        assert again.client.post(f"{path}/cancel").json()["state"] == "cancelling"
        job = until(lambda: (found := again.client.get(path).json())["state"] == "cancelled" and found, 60)
        assert f"resume=outputs/{job['folder']}" in job["message"]
        assert again.client.post(f"{path}/resume").status_code == 200
        events(again, f"{path}/events", lambda e: e["data"]["state"] == "running" and e["data"]["progress"])
        folder = tmp_path / "outputs" / job["folder"]
        assert json.loads((folder / "result.json").read_text())["status"] == "running"
        again.client.post(f"{path}/cancel")
        until(lambda: again.client.get(path).json()["state"] == "cancelled", 60)
    finally:
        again.stop(signal.SIGTERM)
