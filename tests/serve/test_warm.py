"""Warm models: loaded once, verified, followed when an alias moves, let go when memory is short."""

import threading
from dataclasses import dataclass

import pytest

from fulmen.errors import FulmenError
from fulmen.registry.store import Store
from fulmen.registry.versions import NotFound
from fulmen.serve.warm import WarmModels

PATIENCE = 10  # seconds
FILES = dict.fromkeys(("weights.safetensors", "config.yaml", "preprocess.json", "probe.safetensors"), b"x")


@dataclass
class Loaded:
    version: object
    bytes: int = 10


@pytest.fixture
def store(tmp_path):
    found = Store(tmp_path / "models")
    for name in ("a", "a", "b", "c"):
        found.publish(name, FILES, {})
    return found


@pytest.fixture
def loads():
    return []


@pytest.fixture
def warm(store, loads):
    def load(version):
        version.verify()
        loads.append(str(version))
        return Loaded(version)

    found = WarmModels(
        store.root, 25, load, lambda predictor, questions: [str(predictor.version)] * len(questions), 0.0
    )
    yield found
    found.close()


def version_of(warm, reference):
    return str(warm.get(reference).result(PATIENCE).predictor.version)


def test_a_model_is_loaded_once_however_many_ask_at_once(warm, loads):
    asked = []
    threads = [threading.Thread(target=lambda: asked.append(version_of(warm, "a"))) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == ["a:2"] * 20
    assert loads == ["a:2"]


def test_an_alias_that_moved_and_a_newer_version_are_seen_by_the_next_request(warm, store):
    store.promote(store.find("a:1"), "best")
    assert [version_of(warm, "a@best") for _ in range(3)] == ["a:1"] * 3
    store.promote(store.find("a:2"), "best")
    assert version_of(warm, "a@best") == "a:2"
    assert version_of(warm, "a") == "a:2"
    store.publish("a", FILES, {})
    assert version_of(warm, "a") == "a:3"


def test_the_least_recently_used_goes_where_memory_is_short(warm, loads):
    for reference in ("a", "b", "a", "c"):
        version_of(warm, reference)
    assert warm.sizes() == {"a:2": 10, "c:1": 10}
    version_of(warm, "a")
    assert loads == ["a:2", "b:1", "c:1"]
    version_of(warm, "b")
    assert loads[3:] == ["b:1"]


def test_what_waits_for_a_model_that_is_let_go_is_answered(warm):
    gone = warm.get("a").result(PATIENCE)
    for reference in ("b", "c"):
        version_of(warm, reference)
    assert "a:2" not in warm.sizes()
    gone.batcher.join(PATIENCE)


def test_a_deleted_version_and_one_that_was_damaged_since_are_told(warm, store):
    version_of(warm, "b")
    file = store.find("b").folder / "weights.safetensors"
    file.write_bytes(b"y")
    with pytest.raises(FulmenError, match="does not match its checksum"):
        version_of(warm, "b")
    file.write_bytes(b"x")
    assert version_of(warm, "b") == "b:1"
    store.delete(store.find("b"))
    with pytest.raises(NotFound, match="there is no model b"):
        warm.get("b")


def test_an_unknown_name_is_told_with_those_there_are(warm):
    for strange in ("d", "a@best", "a:9", "../a", "a\0b", ""):
        with pytest.raises(FulmenError):
            warm.get(strange)
