"""A service in this process without a socket, and a real one on a free port, once for a module."""

import signal
import warnings

import pytest
from browsing import SECONDS, chromium, visiting
from serving import started

from fulmen.serve.app import create_app
from fulmen.serve.settings import Settings

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # of a newer httpx
    from starlette.testclient import TestClient

ADDRESS = "http://127.0.0.1:5000"


@pytest.fixture
def settings(tmp_path):
    """A server of empty folders."""
    return Settings(outputs=tmp_path / "outputs", registry=tmp_path / "models")


@pytest.fixture
def client(settings):
    """Asks the application in this process, its services started."""
    with TestClient(create_app(settings), ADDRESS, raise_server_exceptions=False) as found:
        yield found


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """One for all tests of a module that ask for it."""
    found = started(tmp_path_factory.mktemp("server"))
    yield found
    found.client.close()
    if found.process.poll() is None:
        found.stop(signal.SIGKILL)


@pytest.fixture(scope="module")
def browser():
    """Chromium; while it is open, no other event loop can run."""
    with chromium() as found:
        yield found


@pytest.fixture
def page(browser, server):
    """A page of the module's server."""
    with visiting(browser, server.url) as found:
        yield found


@pytest.fixture
def expect():
    """Waits for what the page must show, as long as a training on a busy machine takes."""
    from playwright.sync_api import expect

    expect.set_options(timeout=SECONDS)
    return expect
