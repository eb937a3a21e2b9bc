"""One cache and one registry for the whole test session, and one thread: many small fits run side by side."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import pytest


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cache")
    os.environ["FULMEN_CACHE"] = str(folder)
    os.environ["FULMEN_REGISTRY"] = str(tmp_path_factory.mktemp("models"))
    return folder
