"""One row of a kept sensor model by HTTP: fulmen serve beside LitServe and beside a bare FastAPI handler.

    uv venv /tmp/litserve && uv pip install --python /tmp/litserve/bin/python litserve
    python benchmarks/serve_speed.py --litserve /tmp/litserve/lib/python3.11/site-packages [--rounds 5] [--seconds 4]

LitServe is no dependency of fulmen: it is looked for in that folder after everything of this environment. All three
build the same model of the same kept version, read a request by the same `read_records`, and answer with the same
columns, each as one process that listens (LitServe adds its own workers), torch with one thread. In every round each
server is started anew and asked in turn: by one client, row after row, then by 32 clients at once. Latencies are those
of the client, in milliseconds; ratios are medians over the rounds of ratios within a round. The forward pass is
`predict_step` of one row in a process that does nothing else.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import argparse
import asyncio
import json
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

import torch

sys.path.insert(0, str(Path(__file__).parents[1]))  # it may be started by its path

from benchmarks.proofs import RESULTS, ROOT, machine
from benchmarks.serve_client import Load, ask_all
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.runs.provenance import git_state
from fulmen.utils.files import write_json

MODEL, CLIENTS, PATIENCE = "plant", 32, 120
TRAIN = ["experiment=sensors", "trainer.max_epochs=2", "callbacks.progress=null", "callbacks.summary=null",
         "logger.tensorboard=null", "model.figures=false", "callbacks.diagnosis=null"]  # fmt: skip
BARE = """
import json, sys
from fastapi import FastAPI, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
import torch, uvicorn
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.serve.answers import as_json
torch.set_num_threads(1)
predictor, app = Predictor(Store(sys.argv[1]).find(sys.argv[2])), FastAPI()

def predicted(body):
    inputs = predictor.read_records(json.loads(body)["rows"])
    return as_json(*predictor.answers([inputs]), inputs, predictor)

@app.post("/predict")
async def predict(request: Request):
    return Response(await run_in_threadpool(predicted, await request.body()), media_type="application/json")

uvicorn.run(app, port=int(sys.argv[3]), log_level="warning")
"""
LITSERVE = """
import json, sys
sys.path.append(sys.argv[4])
import litserve, torch
from fulmen.registry.predictor import Predictor
from fulmen.registry.store import Store
from fulmen.serve.answers import as_json
together = int(sys.argv[5])

class Api(litserve.LitAPI):
    def setup(self, device):
        torch.set_num_threads(1)
        self.predictor = Predictor(Store(sys.argv[1]).find(sys.argv[2]))

    def decode_request(self, request):
        return self.predictor.read_records(request["rows"])

    def batch(self, inputs):
        return inputs

    def unbatch(self, output):
        return output

    def predict(self, inputs):
        questions = inputs if together > 1 else [inputs]
        answers = list(zip(self.predictor.answers(questions), questions))
        return answers if together > 1 else answers[0]

    def encode_response(self, output):
        return json.loads(as_json(*output, self.predictor))

if __name__ == "__main__":
    api = Api(max_batch_size=together, batch_timeout=0.001 if together > 1 else 0.0)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, track_requests=False)
    server.run(port=int(sys.argv[3]), generate_client_file=False, log_level="error", num_api_servers=1)
"""


def kept(registry: Path) -> Predictor:
    """The model that is served, trained first if there is none."""
    store = Store(registry)
    if MODEL not in store.names():
        from fulmen.config.check import check_overrides
        from fulmen.registry.save import save_run
        from fulmen.runs.run import run

        with tempfile.TemporaryDirectory() as folder:
            typed = [*TRAIN, f"output_dir={folder}/run"]
            run(check_overrides(typed), typed)
            save_run(f"{folder}/run", MODEL, registry=registry)
    return Predictor(store.find(MODEL))


def commands(registry: Path, litserve: str | None, port: int) -> dict[str, tuple[list[str], str]]:
    """Each server's command and the path it predicts at."""
    script = [sys.executable, "-c"]
    place = [str(registry), MODEL, str(port)]
    served = ["-m", "fulmen", "serve", "--port", str(port), "--registry", str(registry)]
    found = {
        "fulmen": ([sys.executable, *served], f"/api/models/{MODEL}/predict"),
        "bare FastAPI": ([*script, BARE, *place], "/predict"),
    }
    if litserve:
        file = Path(tempfile.gettempdir(), "fulmen_litserve_api.py")
        file.write_text(LITSERVE)  # its workers import it again
        for name, together in (("LitServe", "1"), ("LitServe, batches", "64")):
            found[name] = ([sys.executable, str(file), *place, litserve, together], "/predict")
    return found


def measure(command: list[str], path: str, port: int, body: bytes, seconds: float) -> dict[str, float]:
    """Start a server, ask it, stop it: requests a second and latencies in ms."""
    with tempfile.TemporaryDirectory() as folder, open(Path(folder, "log"), "wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True,
                                   env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}"})  # fmt: skip
        try:
            wait_for(process, f"http://127.0.0.1:{port}{path}", body, Path(folder, "log"))
            asyncio.run(ask_all("127.0.0.1", port, path, body, clients=4, seconds=1.0))
            alone = asyncio.run(ask_all("127.0.0.1", port, path, body, clients=1, seconds=seconds))
            before = cpu_seconds(process.pid)
            many = asyncio.run(ask_all("127.0.0.1", port, path, body, clients=CLIENTS, seconds=seconds))
            cost = 1e3 * (cpu_seconds(process.pid) - before) / max(1, len(many.seconds))
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return {**summed("alone", alone, seconds), **summed("many", many, seconds), "many_cpu_ms": cost}


def cpu_seconds(session: int) -> float:
    """Of all processes of a session so far."""
    ticks = 0
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = path.read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12]) if int(fields[3]) == session else 0
    return ticks / os.sysconf("SC_CLK_TCK")


def summed(name: str, load: Load, seconds: float) -> dict[str, float]:
    milliseconds = sorted(1e3 * each for each in load.seconds)
    if load.wrong:
        raise SystemExit(f"{load.wrong} wrong answers, such as {load.example!r}")
    quantiles = {quantile: milliseconds[int(quantile / 100 * len(milliseconds))] for quantile in (50, 99)}
    return {
        f"{name}_per_second": len(milliseconds) / seconds,
        **{f"{name}_p{quantile}_ms": value for quantile, value in quantiles.items()},
        f"{name}_n": len(milliseconds),
    }


def wait_for(process: subprocess.Popen[bytes], url: str, body: bytes, log: Path) -> None:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until and process.poll() is None:
        try:
            with urllib.request.urlopen(
                urllib.request.Request(url, body, {"Content-Type": "application/json"}), timeout=60
            ) as answer:
                answer.read()
            return
        except OSError:
            time.sleep(0.2)
    raise SystemExit(f"no answer at {url}: {log.read_text()[-2000:]}")


def forward(predictor: Predictor, body: bytes, n: int = 2000) -> dict[str, float]:
    """The bare forward pass of one row, in ms."""
    torch.set_num_threads(1)
    batch, times = predictor.read_records(json.loads(body)["rows"]).batch, []
    with torch.no_grad():
        for _ in range(n):
            began = time.perf_counter()
            predictor.model.predict_step(batch, 0)
            times.append(1e3 * (time.perf_counter() - began))
    return {"p50_ms": sorted(times)[n // 2], "p99_ms": sorted(times)[int(0.99 * n)], "n": n}


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def ratios(rounds: list[dict[str, dict[str, float]]], peer: str) -> dict[str, float]:
    """fulmen against a peer: medians over the rounds."""
    names = [name for name in rounds[0]["fulmen"] if not name.endswith("_n")]
    each = {name: [one["fulmen"][name] / one[peer][name] for one in rounds] for name in names}
    return {name: round(statistics.median(values), 3) for name, values in each.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--litserve", help="the site-packages that hold it")
    parser.add_argument("--registry", type=Path, help=f"one that keeps a model {MODEL}")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--write", action="store_true", help="keep the figures in benchmarks/results")
    given = parser.parse_args()
    registry = (given.registry or Path(tempfile.mkdtemp())).resolve()
    predictor = kept(registry)
    body = json.dumps({"rows": predictor.examples()[:1]}).encode()
    rounds: list[dict[str, dict[str, float]]] = []
    bare = forward(predictor, body)
    for number in range(given.rounds):
        port = free_port()
        servers = list(commands(registry, given.litserve, port).items())
        found = {}
        for name, (command, path) in servers if number % 2 == 0 else servers[::-1]:
            found[name] = measure(command, path, port, body, given.seconds)
            print(f"{number + 1} {name:20}", {key: round(value, 2) for key, value in found[name].items()}, flush=True)
        rounds.append(found)
    peers = [name for name in rounds[0] if name != "fulmen"]
    above = statistics.median(each["fulmen"]["alone_p99_ms"] for each in rounds) - bare["p99_ms"]
    result: dict[str, Any] = {
        **git_state(ROOT), "date": f"{datetime.now():%Y-%m-%d}", "machine": machine(), "load": os.getloadavg(),
        "n": len(rounds), "clients": CLIENTS, "seconds": given.seconds, "forward": bare,
        "alone_p99_above_forward_ms": above, "fulmen_over": {peer: ratios(rounds, peer) for peer in peers},
        "rounds": rounds,
    }  # fmt: skip
    print(json.dumps({key: value for key, value in result.items() if key != "rounds"}, indent=2))
    if given.write:
        write_json(RESULTS / "serve_speed.json", result)


if __name__ == "__main__":
    main()
