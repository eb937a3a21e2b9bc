"""Kept models over HTTP: listed, shown, promoted, deleted, carried away and brought in."""

import io
import shutil
import tarfile
import warnings

import pytest

from fulmen.config.schema import project_root
from fulmen.registry.using import verify_version
from fulmen.serve.api.models import named_only
from fulmen.serve.app import create_app
from fulmen.serve.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a newer httpx
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:5000"
FROZEN = project_root() / "tests" / "frozen" / "4332109" / "models" / "stocks"


@pytest.fixture
def registry(tmp_path):
    shutil.copytree(FROZEN, tmp_path / "models" / "stocks")
    return tmp_path / "models"


@pytest.fixture
def client(registry, tmp_path):
    settings = Settings(outputs=tmp_path / "outputs", registry=registry)
    with TestClient(create_app(settings), ADDRESS, raise_server_exceptions=False) as found:
        yield found


def archive(**files):
    """A .tar of these files; a text is a link to it."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            if isinstance(content, str):
                entry.type, entry.linkname = tarfile.SYMTYPE, content
                made.addfile(entry)
            else:
                entry.size = len(content)
                made.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def opened(content):
    with tarfile.open(fileobj=io.BytesIO(content)) as found:
        return {entry.name: found.extractfile(entry).read() for entry in found}


def test_versions_are_listed_in_pages_and_shown_without_paths_of_the_machine(client, registry):
    (row,) = client.get("/api/models").json()["items"]
    assert (row["model"], row["version"], row["aliases"], row["state"]) == ("stocks:1", 1, [], "")
    assert client.get("/api/models?offset=1").json() == {"items": [], "total": 1, "limit": 50, "offset": 1}
    shown = client.get("/api/models/stocks").json()
    assert shown["predicts"]
    assert shown["metrics"]
    assert str(registry) not in client.get("/api/models/stocks").text
    assert "folder" not in shown
    missing = client.get("/api/models/pump")
    assert missing.status_code == 404
    assert "there is no model pump in models" in missing.json()["detail"]
    assert str(registry) not in missing.text


def test_paths_in_what_a_model_was_trained_on_are_names():
    assert named_only({"csv": "/home/me/x.csv", "all": ["/a/b", "c/d", 3]}) == {"csv": "x.csv", "all": ["b", "c/d", 3]}


def test_an_alias_moves_only_from_where_it_is_expected(client):
    def promote(**asked):
        return client.post("/api/models/stocks:1/promote", json={"alias": "best", **asked})

    assert promote(expect=4).status_code == 409
    assert promote(expect=None).json() == {"model": "stocks:1", "aliases": ["best"]}
    assert promote(expect=None).status_code == 409
    assert promote().status_code == 200
    assert client.get("/api/models/stocks@best").json()["aliases"] == ["best"]
    assert client.post("/api/models/stocks/promote", json={"alias": "7"}).status_code == 422


def test_a_version_that_an_alias_points_to_is_deleted_only_by_force(client):
    client.post("/api/models/stocks/promote", json={"alias": "best"})
    assert client.delete("/api/models/stocks").status_code == 422
    refused = client.delete("/api/models/stocks:1")
    assert refused.status_code == 409
    assert "stocks:1 is best; promote another first" in refused.json()["detail"]
    assert client.delete("/api/models/stocks:1?force=true").json() == {"model": "stocks:1"}
    assert client.get("/api/models").json()["total"] == 0


def test_what_is_exported_can_be_brought_in_under_another_name_and_is_whole(client, registry):
    from fulmen.registry.store import Store

    content = client.get("/api/models/stocks/export").content
    assert content == client.get("/api/models/stocks:1/export").content
    assert client.post("/api/models", content=content).json() == {"model": "stocks:2"}
    assert client.post("/api/models?name=pump", content=content).json() == {"model": "pump:1"}
    assert verify_version(Store(registry).find("pump")) <= 1
    one, other = (client.get(f"/api/models/{name}").json() for name in ("pump", "stocks:1"))
    assert one["metrics"] == other["metrics"]
    assert one["input_schema"] == other["input_schema"]


def changed(name, content):
    return lambda files: files | {name: content}


HOSTILE = {
    "it is no .tar archive": lambda files: None,
    "the archive holds 'a.pkl'": changed("a.pkl", b"x"),
    "the archive holds '../x'": changed("../x", b"x"),
    "the archive holds '/etc/passwd'": changed("/etc/passwd", b"x"),
    "config.yaml in the archive is no plain file": changed("config.yaml", "/etc/passwd"),
    "config.yaml is damaged": changed("config.yaml", b"model: {_target_: os.system}"),
    "manifest.json is damaged": changed("manifest.json", b"{}"),
    "the archive holds no manifest.json": lambda files: {name: files[name] for name in files if name[0] != "m"},
    "weights.safetensors is missing": lambda files: {name: files[name] for name in files if name[0] != "w"},
}


@pytest.mark.parametrize("said", HOSTILE)
def test_an_archive_that_is_anything_else_is_refused_and_nothing_is_kept(client, registry, said):
    files = HOSTILE[said](opened(client.get("/api/models/stocks/export").content))
    answer = client.post("/api/models", content=archive(**files) if files else b"x" * 600)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
    assert str(registry) not in answer.text
    assert client.get("/api/models").json()["total"] == 1
    assert list((registry / ".tmp").iterdir()) == []
