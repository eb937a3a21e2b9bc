"""A page in Chromium that complains where its console does, or where it asks for anything from elsewhere."""

import re
import shutil
from contextlib import contextmanager

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
SECONDS = 60_000  # milliseconds that a training on a busy machine may take
SAID = re.compile(r"status of 4(01|09|22) ")  # a refusal that the page shows is no complaint

MARKS = [
    pytest.mark.service, pytest.mark.slow, pytest.mark.timeout(600), pytest.mark.usefixtures("warm_start"),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]  # fmt: skip


@contextmanager
def chromium():
    """A browser without a window."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with playwright.sync_playwright() as started:
        browser = started.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@contextmanager
def visiting(browser, url, **options):
    """A page of the server at `url`, in a context of its own."""
    page = browser.new_page(base_url=url, **options)
    complaints, asked = [], []
    page.set_default_timeout(SECONDS)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    yield page
    page.close()
    assert [each for each in complaints if not SAID.search(each)] == []
    assert [address for address in asked if not address.startswith((url, "data:", "blob:"))] == []


def fill(place, key, value):
    """Type into the one field of a page or dialog that sends `key`."""
    place.locator(f'[data-key="{key}"] :is(input, textarea)').fill(value)
