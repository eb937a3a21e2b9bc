"""Who is let in, and what a request may take."""

from dataclasses import replace

import pytest
from fastapi import Request
from starlette.testclient import TestClient

from fulmen.cli import main as command
from fulmen.errors import FulmenError
from fulmen.serve.app import create_app
from fulmen.serve.keys import Keys
from fulmen.serve.server import refuse_impossible
from fulmen.serve.settings import Limits

ADDRESS = "http://127.0.0.1:5000"


def asking(settings):
    app = create_app(settings)

    @app.post("/api/echo")
    async def echo(request: Request) -> int:
        return len(await request.body())

    @app.post("/api/defect")
    def defect() -> None:
        raise ZeroDivisionError("a secret")

    return TestClient(app, ADDRESS)


@pytest.fixture
def echo(settings):
    with asking(replace(settings, limits=Limits(body_bytes=1000))) as client:
        yield client


@pytest.mark.parametrize("host", ["evil.example", "evil.example:5000", "127.0.0.1.evil.example", ""])
def test_a_name_that_was_led_here_is_refused(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 421


@pytest.mark.parametrize("host", ["localhost:5000", "127.0.0.1", "[::1]:5000", "LOCALHOST"])
def test_names_of_the_loopback_are_ours(client, host):
    assert client.get("/health", headers={"host": host}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [{"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://127.0.0.1:1"},
     {"sec-fetch-site": "cross-site"}],
)  # fmt: skip
def test_a_page_of_another_site_changes_nothing(echo, headers):
    answer = echo.post("/api/echo", content=b"x", headers=headers)
    assert answer.status_code == 403
    assert "another site" in answer.json()["detail"]


def test_our_own_page_may_post(echo):
    headers = {"origin": ADDRESS, "sec-fetch-site": "same-origin"}
    assert echo.post("/api/echo", content=b"abc", headers=headers).json() == 3


def test_a_large_body_is_refused_before_it_is_read_and_while_it_comes(echo):
    def parts():
        for _ in range(20):
            yield b"x" * 100

    assert echo.post("/api/echo", content=b"x" * 1001).status_code == 413
    assert echo.post("/api/echo", content=parts()).status_code == 413
    assert echo.post("/api/echo", content=b"x" * 1000).json() == 1000


def test_every_answer_has_safe_headers_and_an_id(echo):
    for answer in (echo.get("/health"), echo.get("/nowhere"), echo.post("/api/defect")):
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-request-id"]
    assert echo.get("/health", headers={"x-request-id": "my-own-id"}).headers["x-request-id"] == "my-own-id"


def test_a_defect_is_answered_without_its_traceback(echo):
    answer = echo.post("/api/defect")
    assert answer.status_code == 500
    assert "secret" not in answer.text
    assert answer.json()["request_id"] == answer.headers["x-request-id"]


def test_too_many_requests_at_once_are_told_to_come_again(settings):
    with asking(replace(settings, limits=Limits(concurrency=0))) as client:
        answer = client.get("/health")
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


@pytest.fixture
def keys(settings):
    return Keys(settings.state / "keys.json")


def bearer(key):
    return {"authorization": f"Bearer {key}"}


def test_a_key_opens_what_its_role_may(settings, keys):
    read, train = keys.new("reader", "read"), keys.new("trainer", "train")
    with asking(replace(settings, keys=True)) as client:
        assert client.get("/health").status_code == 200
        assert client.get("/metrics").status_code == 401
        assert client.get("/metrics", headers=bearer(read)).status_code == 200
        refused = client.post("/api/echo", content=b"x", headers=bearer(read))
        assert refused.status_code == 403
        assert "role train" in refused.json()["detail"]
        assert client.post("/api/echo", content=b"x", headers=bearer(train)).json() == 1
        keys.revoke("trainer")
        assert client.post("/api/echo", content=b"x", headers=bearer(train)).status_code == 401


def test_a_browser_shows_its_key_once(settings, keys):
    key = keys.new("ada", "read")
    with asking(replace(settings, keys=True)) as client:
        answer = client.post("/api/login", json={"key": key})
        assert answer.json() == {"name": "ada", "role": "read"}
        assert "HttpOnly" in answer.headers["set-cookie"]
        assert "SameSite=strict" in answer.headers["set-cookie"]
        assert client.get("/metrics").status_code == 200
        client.post("/api/logout")
        client.cookies.clear()
        assert client.get("/metrics").status_code == 401


def test_wrong_keys_are_counted_and_lock_nobody_out_who_has_a_right_one(settings, keys):
    key = keys.new("ada", "read")
    with asking(replace(settings, keys=True)) as client:
        codes = [client.get("/metrics", headers=bearer(f"wrong{i}")).status_code for i in range(12)]
        assert codes == [401] * 10 + [429] * 2
        assert client.get("/metrics", headers=bearer(key)).status_code == 200
        assert client.get("/api/session", headers=bearer(key)).json() == {"name": "ada", "role": "read"}


def test_keys_are_kept_as_hashes_and_never_logged(settings, keys, caplog):
    key = keys.new("ada", "read")
    assert key not in keys.path.read_text()
    with asking(replace(settings, keys=True)) as client, caplog.at_level("INFO"):
        client.get("/metrics", headers=bearer(key))
    assert key not in caplog.text


def test_keys_are_made_listed_and_revoked_on_the_command_line(settings, capsys):
    where = ["--outputs", str(settings.outputs)]
    assert command(["serve", "keys", "new", "ada", "--role", "train", *where]) == 0
    key = capsys.readouterr().out.splitlines()[0]
    assert Keys(settings.state / "keys.json").of(key).role == "train"
    command(["serve", "keys", "list", *where])
    assert "ada" in capsys.readouterr().out
    assert command(["serve", "keys", "new", "ada", *where]) == 2
    assert "revoke it first" in capsys.readouterr().err
    assert command(["serve", "keys", "revoke", "ada", *where]) == 0
    assert Keys(settings.state / "keys.json").of(key) is None


def test_other_machines_are_let_in_with_a_key_alone(settings):
    open_to_all = replace(settings, host="0.0.0.0")
    with pytest.raises(FulmenError, match="needs an API key; make one: fulmen serve keys new"):
        refuse_impossible(open_to_all)
    Keys(settings.state / "keys.json").new("ada", "read")
    refuse_impossible(open_to_all)


def test_a_folder_of_data_that_is_not_there_is_told(settings, tmp_path):
    with pytest.raises(FulmenError, match=r"--data: there is no folder .*gone"):
        refuse_impossible(replace(settings, data=(tmp_path / "gone",)))
