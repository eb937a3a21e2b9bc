"""What forms are made of: experiments and their settings, files to choose, and what is wrong while one types."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from fulmen.config.schema import choices
from fulmen.serve.app import create_app
from fulmen.serve.settings import Limits

ADDRESS = "http://127.0.0.1:5000"


def test_all_experiments_are_listed_with_what_they_are(client):
    answer = client.get("/api/experiments").json()
    assert [each["name"] for each in answer["items"]] == choices("experiment")
    assert [each["name"] for each in answer["items"] if not each["about"]] == []


def test_an_unknown_experiment_is_answered_with_the_nearest(client):
    answer = client.get("/api/schema/stoks")
    assert answer.status_code == 404
    assert "did you mean stocks?" in answer.json()["detail"]


@pytest.mark.slow
def test_the_settings_of_an_experiment_are_told_and_a_form_is_judged(client):
    found = client.get("/api/schema/stocks").json()["experiment"]
    paths = {argument["path"] for node in found["nodes"] for argument in node["arguments"]}
    assert {"data.lookback_days", "model.optimizer.lr"} <= paths
    assert "06_gru_classic" in next(each for each in found["groups"] if each["name"] == "network")["choices"]
    right = {"experiment": "stocks", "overrides": ["data.lookback_days=30"]}
    assert client.post("/api/judge", json=right).json() == {
        "ok": True, "errors": [], "works": None, "command": "fulmen train experiment=stocks data.lookback_days=30",
    }  # fmt: skip
    wrong = client.post("/api/judge", json=right | {"overrides": ["data.lookbak_days=30"]}).json()
    assert (wrong["ok"], wrong["errors"][0]["key"]) == (False, "data.lookbak_days")
    assert "data.lookback_days=30" in wrong["works"]


@pytest.fixture
def desk(settings, tmp_path):
    """A server with a data folder and little room for uploads."""
    (tmp_path / "data" / "below").mkdir(parents=True)
    (tmp_path / "data" / "below" / "prices.csv").write_text("Date,Close\n")
    (tmp_path / "data" / "link.csv").symlink_to("/etc/passwd")
    limits = Limits(upload_bytes=5000, quota_bytes=3000)
    with TestClient(create_app(replace(settings, data=(tmp_path / "data",), limits=limits)), ADDRESS) as found:
        yield found


def send(client, name, content=b"a,b\n1,2\n"):
    return client.post("/api/uploads", files={"file": (name, content)})


def test_files_of_data_folders_and_uploads_are_offered(desk):
    assert send(desk, "mine.csv").status_code == 201
    found = desk.get("/api/data").json()
    assert [(each["name"], each["source"]) for each in found["items"]] == [
        ("below/prices.csv", "data"), ("mine.csv", "upload"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "kept"),
    [("../../etc/mine.csv", "mine.csv"), ("..\\..\\mine.csv", "mine.csv"), ("a b;$(x).csv", "a_b___x_.csv"),
     (".hidden.csv", "hidden.csv"), ("ü.csv", "_.csv")],
)  # fmt: skip
def test_names_are_made_plain(desk, settings, name, kept):
    assert send(desk, name).json()["name"] == kept
    assert (settings.uploads / "anybody" / kept).is_file()


@pytest.mark.parametrize("name", ["model.pkl", "run.py", "x", "x.ckpt", "x.csv.pt"])
def test_what_is_no_data_is_refused(desk, name):
    answer = send(desk, name)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["key"] == "file"


def test_a_name_that_is_taken_gets_a_number(desk):
    assert [send(desk, "x.csv").json()["name"] for _ in range(3)] == ["x.csv", "x_2.csv", "x_3.csv"]


def test_uploads_have_a_quota_and_leave_nothing_half(desk, settings):
    assert send(desk, "a.csv", b"x" * 2000).status_code == 201
    assert send(desk, "b.csv", b"x" * 2000).status_code == 413
    assert send(desk, "c.csv", b"x" * 6000).status_code == 413
    assert [path.name for path in (settings.uploads / "anybody").iterdir()] == ["a.csv"]
    assert desk.delete("/api/uploads/a.csv").status_code == 204
    assert desk.delete("/api/uploads/a.csv").status_code == 404


def test_the_description_is_served_from_this_machine(client):
    page = client.get("/api/docs")
    assert "http" not in page.text.replace("<!doctype html>", "")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css", "start.js"):
        assert client.get(f"/api/docs/{name}").status_code == 200
    assert client.get("/api/docs/other.js").status_code == 404
    assert client.get("/api/openapi.json").json()["info"]["title"] == "fulmen"
