"""TensorBoard shows a real run in a real browser."""

import re
import shutil
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from fulmen.config import check_overrides
from fulmen.run import run

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
         "--disable-background-networking", "--disable-component-update", "--window-size=1400,2000"]  # fmt: skip
PATIENCE_S = 120

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium here: apt-get install chromium"),
]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """The address of a TensorBoard over a monitored run."""
    folder = tmp_path_factory.mktemp("board")
    typed = ["experiment=pbpk_mlp", "callbacks=monitor", "callbacks.monitor.share=0.9", "data.compounds=60",
             "data.validation_compounds=10", "data.test_compounds=10", "trainer.max_epochs=6",
             "trainer.accelerator=cpu", f"output_dir={folder / 'run'}"]  # fmt: skip
    run(check_overrides(typed), typed)
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
        while True:
            try:
                if b"train/loss" in urlopen(f"{address}/data/plugin/scalars/tags").read():
                    break
            except OSError:
                pass
            assert server.poll() is None
            assert time.monotonic() < until, "TensorBoard does not answer"
            time.sleep(0.2)
        yield address
    finally:
        server.terminate()
        server.wait()


def opened(address, profile):
    """The text that a page shows once its scripts have run, shadow roots included where they are open."""
    command = [CHROMIUM, *FLAGS, f"--user-data-dir={profile}", "--virtual-time-budget=30000", "--dump-dom", address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S)
    assert done.returncode == 0, done.stderr[-500:]
    return done.stdout


@pytest.mark.parametrize(
    ("tab", "charts"),
    [
        ("timeseries", ["train/loss", "val/loss", "diagnosis/severity", "gradients/norm"]),
        ("histograms", ["weights/network.layers.0.weight", "gradients/network.layers.0.weight"]),
        ("scalars", ["train/loss"]),
        ("hparams", ["model.optimizer", "test/"]),
    ],
)
def test_charts_are_found(board, tmp_path, tab, charts):
    page = opened(f"{board}/#{tab}", tmp_path)
    print(len(page), re.findall(r"<title>.*?</title>", page))
    for chart in charts:
        assert chart in page, f"{chart} is not on the page #{tab}"
