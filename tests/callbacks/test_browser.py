"""TensorBoard shows real runs in a real browser."""

import json
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

import fulmen.callbacks.monitor
from fulmen.callbacks.time_budget import TimeBudget
from fulmen.config.check import check_overrides
from fulmen.runs.loggers import TensorBoard
from fulmen.runs.run import run

from .blobs import fit
from .browser import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
PATIENCE_S = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The address of a TensorBoard over a monitored run of an experiment, and one of an image classifier."""
    folder = tmp_path_factory.mktemp("board")
    few = ["data.compounds=60", "data.validation_compounds=10", "data.test_compounds=10", "trainer.max_epochs=6",
           "model.figures=false"]  # fmt: skip
    typed = ["experiment=pbpk_mlp", "callbacks=monitor", *few, f"output_dir={folder / 'run'}"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fulmen.callbacks.monitor, "TimeBudget", lambda share: TimeBudget(1e9))
        run(check_overrides(typed), [*typed, "trainer.accelerator=cpu"])
        monitor = fulmen.callbacks.monitor.Monitor(epochs=1)
        fit(folder / "images", [monitor], epochs=3, logger=TensorBoard(str(folder / "images")))
    with served(folder) as address:
        yield address


@contextmanager
def served(folder):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port),
               "--host", "127.0.0.1", "--load_fast", "false"]  # fmt: skip
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address, until = f"http://127.0.0.1:{port}", time.monotonic() + PATIENCE_S
    try:
        while not loaded(address):
            assert server.poll() is None
            assert time.monotonic() < until, "TensorBoard does not answer"
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def loaded(address):
    try:
        tags = json.loads(urlopen(f"{address}/data/plugin/scalars/tags").read())
    except OSError:
        return False
    return sum("train/loss" in found for found in tags.values()) == 2


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    with Browser(CHROMIUM, tmp_path_factory.mktemp("profile")) as browser:
        yield browser


@pytest.mark.parametrize(
    ("page", "words"),
    [
        ("?tagFilter=loss#timeseries", ["train/loss", "val/loss", "Smoothed"]),
        ("?tagFilter=^watch.diagnosis|norm$#timeseries", ["watch/diagnosis_severity", "watch/gradient_norm"]),
        ("?tagFilter=^weights.network#timeseries", ["weights/network.layers.0.weight", "weights/network.0.weight"]),
        (
            "?tagFilter=images|confusion#timeseries",
            ["watch_images/predictions", "val_classes/confusion", "watch_images/filters"],
        ),
        (
            "#hparams",
            ["TABLEVIEW", "Command", "compounds=60", "Learningrate", "main/best/val/loss", "main/test/loss"],
        ),
        ("#text", ["diagnosis", "smallvalidationset", "Try:alargervalidationsplit"]),
    ],
    ids=["scalars", "diagnosis", "histograms", "images", "hparams", "text"],
)
def test_charts_are_found(board, browser, page, words):
    assert not browser.shows(browser.open(f"{board}/{page}"), words, PATIENCE_S)
