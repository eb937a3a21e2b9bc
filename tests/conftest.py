"""One cache for the whole test session, a registry per process, and one thread: many small fits run side by side."""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before torch is imported

import pytest
from installed import built
from warm import warm_processes

from fulmen.config.schema import project_root


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """Prepared data, shared by the processes of pytest-xdist: no entry is built twice."""
    place = tmp_path_factory.getbasetemp()
    folder = (place.parent if "PYTEST_XDIST_WORKER" in os.environ else place) / "cache"
    folder.mkdir(exist_ok=True)
    os.environ["FULMEN_CACHE"] = str(folder)
    os.environ["FULMEN_REGISTRY"] = str(tmp_path_factory.mktemp("models"))
    return folder


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of this checkout, made of its sdist."""
    return built(project_root(), tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="module")
def warm_start():
    """Processes of this interpreter start with all imports done, for tests that start many: see `warm.py`."""
    with warm_processes():
        yield
