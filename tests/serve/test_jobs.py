"""Jobs over HTTP: asked for, watched, cancelled, gone on with; work of a fraction of a second stands for fulmen."""

import errno
import json

import pytest
from short_jobs import PROGRAM, until

TINY = {"kind": "train", "experiment": "synthetic_mlp"}


@pytest.fixture
def asked(client):
    """Asks for jobs whose work is a short program."""
    services = client.app.state.services
    services.queue.program, services.ticker.seconds = PROGRAM, 0.05
    services.judge.refuse = lambda *_: None  # the words of the short program are no overrides of ours
    yield lambda *overrides, **more: client.post("/api/jobs", json=TINY | {"overrides": list(overrides)} | more).json()
    for job in client.get("/api/jobs?state=running&state=cancelling").json()["items"]:
        client.post(f"/api/jobs/{job['id']}/cancel")


def reached(client, id, *states):
    return until(lambda: (job := client.get(f"/api/jobs/{id}").json())["state"] in states and job)


def test_a_job_is_asked_for_runs_and_tells_how_it_ended(client, asked):
    first = asked("seed=1")
    assert first["state"] == "queued"
    assert first["typed"] == "fulmen train experiment=synthetic_mlp seed=1"
    job = reached(client, first["id"], "completed")
    assert (job["exit_code"], job["message"], job["can"]) == (0, "", ["retry", "delete"])
    assert client.get(f"/api/jobs/{job['id']}/log").json() == {"lines": ["gpu None"]}
    page = client.get("/api/jobs?state=completed&limit=1").json()
    assert (page["total"], page["items"][0]["id"]) == (1, job["id"])
    assert client.delete(f"/api/jobs/{job['id']}?folder=true").status_code == 204
    assert client.get(f"/api/jobs/{job['id']}").status_code == 404


def test_a_job_is_cancelled_goes_on_and_is_tried_again(client, asked):
    job = reached(client, asked("seconds=60")["id"], "running")
    place = client.app.state.services.queue.job(job["id"]).folder
    until((place / "ran.txt").exists)
    assert client.delete(f"/api/jobs/{job['id']}").status_code == 409
    assert client.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelling"
    assert reached(client, job["id"], "cancelled")["message"] == "interrupted; it goes on"
    client.patch("/api/queue", json={"paused": True})
    assert client.post(f"/api/jobs/{job['id']}/resume").json()["attempt"] == 2
    assert client.get("/api/queue").json() == {"paused": True, "slots": 1, "running": 0, "queued": 1}
    assert client.post(f"/api/jobs/{job['id']}/cancel").json()["state"] == "cancelled"
    again = client.post(f"/api/jobs/{job['id']}/retry")
    assert again.status_code == 201
    assert client.patch(f"/api/jobs/{again.json()['id']}", json={"priority": 5}).json()["priority"] == 5


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (TINY | {"kind": "fly"}, "kind"),
        (TINY | {"colour": "red"}, "colour"),
        (TINY | {"priority": 10**6}, "priority"),
        (TINY | {"experiment": "synthetic"}, ""),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_started(client, body, key):
    answer = client.post("/api/jobs", json=body)
    assert answer.status_code == 422
    assert [each["key"] for each in answer.json()["errors"]] == [key]
    assert client.get("/api/jobs").json()["total"] == 0


def test_a_full_disk_takes_no_job_and_leaves_nothing(client, asked, settings, monkeypatch):
    def full(_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as disk:
        disk.setattr("fulmen.utils.files.os.fsync", full)
        refused = client.post("/api/jobs", json=TINY)
    assert (refused.status_code, "no space left" in refused.json()["detail"]) == (507, True)
    assert client.get("/api/jobs").json()["total"] == 0
    assert not list(settings.outputs.glob("runs/*/*"))
    assert reached(client, asked()["id"], "completed")


def test_a_job_that_there_is_not_is_404(client):
    for path in ("", "/log", "/events"):
        assert client.get(f"/api/jobs/none{path}").status_code == 404
    assert client.post("/api/jobs/none/cancel").status_code == 404


def test_files_that_are_no_progress_are_none(client, asked):
    entry = client.app.state.services.queue.job(reached(client, asked()["id"], "completed")["id"])
    (entry.folder / "progress.json").write_text(json.dumps({"updated": "2999-01-01T00:00:00+00:00", "unit": []}))
    assert client.get(f"/api/jobs/{entry.job.id}").json()["progress"] is None
