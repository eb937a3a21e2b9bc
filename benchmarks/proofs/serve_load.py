"""200 clients for 60 s on one kept model, the server killed and started in between: no wrong answer, none lost unsaid.

    make proofs ARGS="serve_load"

The clients send one row of a sensor model over and over, each on a connection of its own; after a third of the time the
server is killed (-9), and started again two seconds later on the same port. Every answer is compared with what
`fulmen predict` says of the same row. A request that was not answered has ended with an error of its connection; one
that was refused (503) was told when to come again. Memory is that of the server, looked at every second.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pandas as pd

from benchmarks.proofs import ROOT, Proof
from benchmarks.serve_client import Load, ask_all
from fulmen.registry.store import Store
from fulmen.registry.using import predict

CLIENTS, SECONDS, PATIENCE = 200, 60.0, 120
GROWN = 300 << 20  # bytes above those of a warm server that nobody asks
MODEL = "plant"
TRAIN = ["experiment=sensors", "network=mlp", "trainer.max_epochs=1", "callbacks.progress=null",
         "callbacks.summary=null", "logger.tensorboard=null", "model.figures=false", "callbacks.diagnosis=null",
         "data.machines=8", "data.days=14"]  # fmt: skip


class Server:
    """`fulmen serve` on one port, killed and started as often as wanted; `peak` is its largest memory in bytes."""

    def __init__(self, home: Path, registry: Path):
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            self.port = int(found.getsockname()[1])
        self.home, self.registry, self.peak = home, registry, 0
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, body: bytes) -> None:
        """Ready and warm when it returns."""
        command = [sys.executable, "-m", "fulmen", "serve", "--port", str(self.port), "--registry", str(self.registry)]
        own = os.environ | {"PYTHONPATH": str(ROOT / "src"), "OMP_NUM_THREADS": "1"}
        with open(self.home / "log", "ab") as log:
            self.process = subprocess.Popen(command, cwd=self.home, stdout=log, stderr=log, env=own)
        until = time.monotonic() + PATIENCE
        while time.monotonic() < until:
            with suppress(httpx.HTTPError):
                if httpx.post(self.url, content=body, timeout=60).status_code == 200:
                    return
            time.sleep(0.1)
        raise RuntimeError((self.home / "log").read_text()[-2000:])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/api/models/{MODEL}/predict"

    def stop(self, number: int = signal.SIGTERM) -> None:
        assert self.process is not None
        self.process.send_signal(number)
        self.process.wait(timeout=PATIENCE)

    def memory(self) -> int:
        """Bytes that it holds now."""
        with suppress(OSError, AttributeError, IndexError):
            pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])  # type: ignore[union-attr]
            self.peak = max(self.peak, pages * os.sysconf("SC_PAGE_SIZE"))
            return pages * os.sysconf("SC_PAGE_SIZE")
        return 0


def kept(registry: Path) -> None:
    """A small sensor model."""
    from fulmen.config.check import check_overrides
    from fulmen.registry.save import save_run
    from fulmen.runs.run import run

    with tempfile.TemporaryDirectory() as folder:
        typed = [*TRAIN, f"output_dir={folder}/run"]
        run(check_overrides(typed), typed)
        save_run(f"{folder}/run", MODEL, registry=registry)


def expected(registry: Path, row: dict[str, Any]) -> dict[str, Any]:
    """What `fulmen predict` says of a row."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "x.csv")
        pd.DataFrame([row]).to_csv(path, index=False)
        said: dict[str, Any] = predict(Store(registry).find(MODEL), path, registry).iloc[0].to_dict()
    return said


def rightly(said: dict[str, Any]) -> Any:
    """Whether the body of an answer says the same, probabilities to the registry's tolerance."""
    numbers = {name: float(value) for name, value in said.items() if name.startswith("p(")}

    def right(body: bytes) -> bool:
        (row,) = json.loads(body)["rows"]
        close = all(abs(row[name] - value) <= 1e-6 + 1e-5 * abs(value) for name, value in numbers.items())
        return close and row["decision"] == said["decision"]

    return right


async def load(server: Server, body: bytes, right: Any, clients: int, seconds: float) -> Load:
    """All clients, and the server killed and started again meanwhile."""
    asking = asyncio.create_task(
        ask_all("127.0.0.1", server.port, f"/api/models/{MODEL}/predict", body, clients, seconds, right)
    )
    watching = asyncio.create_task(watch(server))
    await asyncio.sleep(seconds / 3)
    await asyncio.to_thread(server.stop, signal.SIGKILL)
    await asyncio.sleep(min(2.0, seconds / 10))
    await asyncio.to_thread(server.start, body)
    found = await asking
    watching.cancel()
    return found


async def watch(server: Server) -> None:
    while True:
        server.memory()
        await asyncio.sleep(1.0)


def tried(clients: int, seconds: float) -> dict[str, Any]:
    """What came of it, in plain values."""
    with tempfile.TemporaryDirectory() as folder:
        home, registry = Path(folder), Path(folder, "models")
        kept(registry)
        row = {"light_lux": 200.0, "temperature_c": 21.5, "vibration_mm_s": 1.8, "time": "2024-01-31T14:00"}
        body, server = json.dumps({"rows": [row]}).encode(), Server(home, registry)
        server.start(body)
        try:
            idle = server.memory()
            found = asyncio.run(load(server, body, rightly(expected(registry, row)), clients, seconds))
        finally:
            server.stop(signal.SIGKILL)
    milliseconds = sorted(1e3 * each for each in found.seconds)
    return {
        "clients": clients, "seconds": seconds, "answered": len(milliseconds), "wrong": found.wrong,
        "refused": found.refused, "connections_lost": found.lost, "unanswered": found.open,
        "p50_ms": milliseconds[len(milliseconds) // 2], "p99_ms": milliseconds[int(0.99 * len(milliseconds))],
        "idle_mib": idle >> 20, "peak_mib": server.peak >> 20, "grown": server.peak - idle,
    }  # fmt: skip


def holds(said: dict[str, Any]) -> bool:
    """No answer was wrong, no request is without an answer or an error, and memory is bounded."""
    return said["answered"] > 0 and not said["wrong"] and not said["unanswered"] and said["grown"] < GROWN


def main() -> bool:
    proof = Proof(__name__, __doc__)
    for cell in proof.missing([f"{CLIENTS} clients, {SECONDS:.0f} s"]):
        said = tried(CLIENTS, SECONDS)
        proof.keep(cell, ok=holds(said), **said)
    return proof.holds()
