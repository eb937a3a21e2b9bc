"""A registry of a test's own, and cheap things to keep in it."""

import pytest
import torch

from fulmen.registry.store import Store

from .toys import published


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "models")


@pytest.fixture
def saved(store):
    """A registry with `pump:1`, a whole bundle of a small network."""
    published(store, "pump")
    return store


@pytest.fixture(autouse=True)
def _own_registry(tmp_path, monkeypatch):
    monkeypatch.setenv("FULMEN_REGISTRY", str(tmp_path / "models"))
    torch.manual_seed(0)
