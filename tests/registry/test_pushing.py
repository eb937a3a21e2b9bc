"""What goes to an MLflow server, seen by a stand-in for its client."""

from types import SimpleNamespace

import pytest

from fulmen.errors import FulmenError
from fulmen.registry import promote, push

from .toys import published

ANSWERS = {
    "create_run": SimpleNamespace(info=SimpleNamespace(run_id="r1", artifact_uri="uri")),
    "create_model_version": SimpleNamespace(version="7"),
}


class Client:
    """The calls that `push` makes, remembered."""

    def __init__(self):
        self.calls, self.files = [], set()

    def __getattr__(self, name):
        def call(*args, **kwargs):
            self.calls.append((name, args, kwargs))
            return ANSWERS.get(name)

        return call

    def of(self, name):
        return [(args, kwargs) for called, args, kwargs in self.calls if called == name]


def test_the_bundle_its_metrics_and_aliases_are_pushed(store):
    version = published(store, "pump", metrics={"test/rmse": 1.5, "bad": None}, data_fingerprint="f")
    promote("pump", "champion")
    client = Client()
    assert push("pump@champion", "http://server", client=client) == "pump:1 is pump version 7 at http://server"
    assert client.of("log_artifacts") == [(("r1", str(version.folder), "model"), {})]
    assert client.of("log_metric") == [(("r1", "test/rmse", 1.5), {})]
    assert client.of("create_registered_model") == [(("pump",), {})]
    assert client.of("set_registered_model_alias") == [(("pump", "champion", "7"), {})]
    assert client.of("create_model_version")[0][1]["tags"]["fulmen.version"] == "pump:1"


def test_a_server_that_refuses_is_one_line(saved):
    class Down(Client):
        def create_run(self, *args, **kwargs):
            raise ConnectionError("connection refused\nsecond line")

    with pytest.raises(FulmenError, match=r"http://server refuses pump:1: connection refused$"):
        push("pump", "http://server", client=Down())


def test_a_damaged_version_is_not_pushed(saved):
    (saved.root / "pump" / "1" / "config.yaml").write_text("model: other")
    client = Client()
    with pytest.raises(FulmenError, match=r"config\.yaml is damaged"):
        push("pump", "http://server", client=client)
    assert client.calls == []


def test_without_mlflow_the_extra_is_named(saved, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "mlflow", None)
    with pytest.raises(FulmenError, match=r"pip install mlflow"):
        push("pump", "http://server")
