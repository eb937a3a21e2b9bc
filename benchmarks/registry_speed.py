"""What keeping, loading and listing models costs, and what importing the registry does.

    python benchmarks/registry_speed.py [--rounds 50]

A recurrent network of 11,000 weights (45 kB) is saved with its config, preprocessing, examples and manifest, every file
synced to disk; loaded, every file verified; 100 versions are listed. Loading takes turns with building the module
alone, and saving with a bare torch.save, which syncs and verifies nothing. Medians; wall milliseconds include the disk
and whatever else the machine does, CPU milliseconds do not.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median, stdev

import torch
import yaml

from fulmen.config.check import build
from fulmen.registry import examples
from fulmen.registry.bundle import Bundle, preprocessing
from fulmen.registry.models import list_models
from fulmen.registry.store import Store
from fulmen.registry.verification import CONFIG, PREPROCESS, PROBE, WEIGHTS
from fulmen.registry.weights import encode

NODE = {
    "_target_": "fulmen.workloads.stocks.module.StockForecaster",
    "network": {
        "_target_": "fulmen.workloads.stocks.networks.sequence_net.SequenceNet",
        "inputs": ["return", "range", "volume", "moving_average_20", "volatility_20"],
        "stages": [{"rnn": "lstm", "units": 49, "last": True}],
    },
    "optimizer": {"_target_": "torch.optim.Adam", "_partial_": True, "lr": 0.001},
}
IMPORT = """
import time, torch
began = time.process_time()
import fulmen.registry.cli, fulmen.registry.store, fulmen.registry.models
print(time.process_time() - began)
"""


def timed(call: Callable[[], object]) -> tuple[float, float]:
    """Wall and CPU milliseconds."""
    wall, cpu = time.perf_counter(), time.process_time()
    call()
    return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - cpu)


def row(name: str, wall: list[float], cpu: list[float], promise: str) -> None:
    spread = f"{stdev(wall):.2f} / {stdev(cpu):.2f}"
    print(f"| {name} | {median(wall):.2f} | {median(cpu):.2f} | {spread} | {len(wall)} | {promise} |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=50)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    model = build(NODE, "model").eval()
    batch = {
        "window": torch.randn(8, 60, 5),
        "price": torch.rand(8) + 1,
        "volatility": torch.rand(8),
        "day": torch.arange(8),
        "ticker": torch.zeros(8, dtype=torch.long),
    }
    probe = examples.join(batch, examples.predictions(model, batch))

    def files() -> dict[str, bytes]:
        return {
            WEIGHTS: encode(model.state_dict())[0],
            CONFIG: yaml.safe_dump({"model": NODE}).encode(),
            PREPROCESS: preprocessing(model),
            PROBE: encode(probe)[0],
        }

    facts = {
        "metrics": {f"test/{i}": i / 7 for i in range(30)},
        "baselines": {"ridge": {str(i): i / 7 for i in range(99)}},
    }
    print("| | wall ms | CPU ms | sd | n | promised |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as folder:
        store = Store(folder)
        saves, plain, loads, builds = [], [], [], []
        for i in range(rounds):
            saves.append(timed(lambda: store.publish("pump", files(), facts)))
            plain.append(timed(lambda: torch.save(model.state_dict(), Path(folder, f"plain-{i}.pt"))))  # noqa: B023
        version = store.find("pump")
        Bundle(version).model()
        for _ in range(rounds):
            builds.append(timed(lambda: build(NODE, "model")))
            loads.append(timed(lambda: Bundle(store.find("pump")).model()))
        while len(store.numbers("pump")) < 100:
            store.publish("pump", files(), facts)
        for old in store.versions("pump")[100:]:
            store.delete(old)
        lists = [timed(lambda: list_models(registry=folder)) for _ in range(rounds)]
        size = version.manifest["files"][WEIGHTS]["bytes"]
    row(f"save, weights of {size / 1000:.0f} kB", *zip(*saves, strict=True), "20")
    row("bare torch.save, no sync", *zip(*plain, strict=True), "")
    row("load, verified", *zip(*loads, strict=True), "")
    row("building the module alone", *zip(*builds, strict=True), "")
    over = [(a[0] - b[0], a[1] - b[1]) for a, b in zip(loads, builds, strict=True)]
    row("load over building", *zip(*over, strict=True), "5")
    row("list 100 versions", *zip(*lists, strict=True), "20")
    seconds = [1e3 * float(subprocess.check_output([sys.executable, "-c", IMPORT])) for _ in range(5)]
    row("import over torch", seconds, seconds, "100 (CPU)")


if __name__ == "__main__":
    main()
