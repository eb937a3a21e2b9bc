"""What reading other people's files costs beside an earlier commit: CPU seconds and memory, one thread.

    git worktree add --detach FOLDER d7e3c6e
    python benchmarks/reading_files.py --old FOLDER [--rounds 9] [--write]

Three files: 300,000 rows of sensors, 2,768 days of prices, the log of 100,000 checks. Both commits read each as a
training does, checks and cache included, the log as `fulmen diagnose` does: in turns, each time in a process of its own
that has imported what it needs. CPU seconds are of the read alone; memory is how far it raised the peak of the process.
Ratios are medians of ratios within a round, so that other work on the machine meets both sides. `--write` keeps them in
benchmarks/results/reading_files.json.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1")

import argparse
import json
import subprocess
import sys
import tempfile
from datetime import datetime
from pathlib import Path
from statistics import median, stdev

import numpy as np
import pandas as pd

sys.path.insert(0, str(Path(__file__).parents[1]))  # it may be started by its path

from benchmarks.proofs import RESULTS, ROOT, machine
from fulmen.runs.provenance import git_state
from fulmen.utils.files import write_json
from fulmen.workloads.stocks.simulator import simulate_market

READS = {
    "300,000 rows of sensors": "data = SensorData(csv=path, cache=cache); data.prepare_data()",
    "2,768 days of prices": "data = StocksData(csv=path, cache=cache); data.prepare_data()",
    "a log of 100,000 checks": "log = read_log(Path(path))",
}
WORKER = """
import json, resource, sys, time
from pathlib import Path
import pandas
try:
    from fulmen.io.logs import read_log
except ImportError:
    from fulmen.diagnosis.logs import read_log
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.stocks.data import StocksData
path, cache = sys.argv[1:]
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
begun = time.process_time()
{read}
cpu_s = time.process_time() - begun
print(json.dumps([cpu_s, (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024]))
"""


def write_files(folder: Path) -> dict[str, Path]:
    """The three files, by what they are."""
    rng, machines, hours = np.random.default_rng(0), 24, 12_500
    sensors = pd.DataFrame(
        {
            "machine": np.repeat([f"M-{i:02}" for i in range(machines)], hours),
            "time": np.tile(pd.date_range("2023-01-01", periods=hours, freq="h").strftime("%Y-%m-%dT%H:%M"), machines),
            "light_lux": rng.normal(500, 50, machines * hours).round(1),
            "temperature_c": rng.normal(40, 3, machines * hours).round(2),
            "vibration_mm_s": rng.normal(2, 0.3, machines * hours).round(3),
            "maintenance": rng.integers(0, 2, machines * hours),
        }
    )
    market = simulate_market(2768, seed=0)
    prices = {name.capitalize(): getattr(market, name).round(2) for name in ("open", "high", "low", "close", "volume")}
    prices["High"] = np.maximum.reduce([prices[name] for name in ("Open", "High", "Close")])
    prices["Low"] = np.minimum.reduce([prices[name] for name in ("Open", "Low", "Close")])
    days = market.day.astype("datetime64[D]").astype(str)
    falling = np.exp(-np.arange(100_000) / 20_000)
    log = {"epoch": range(100_000), "train_loss": falling.round(5), "val_loss": (falling + 0.1).round(5)}
    paths = {name: folder / f"file_{i}.csv" for i, name in enumerate(READS)}
    tables = (sensors, pd.DataFrame({"Date": days} | prices), pd.DataFrame(log))
    for path, table in zip(paths.values(), tables, strict=True):
        table.to_csv(path, index=False)
    return paths


def read_once(checkout: Path, name: str, path: Path) -> tuple[float, float]:
    """CPU seconds and MiB of one read, in a process of its own."""
    with tempfile.TemporaryDirectory() as cache:
        told = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", WORKER.replace("{read}", READS[name]), str(path), cache],
            env=os.environ | {"PYTHONPATH": str(checkout / "src")}, cwd=checkout, capture_output=True, text=True,
            check=True,
        )  # fmt: skip
    cpu_s, mib = json.loads(told.stdout.splitlines()[-1])
    return cpu_s, mib


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--old", type=Path, required=True, help="a checkout of the commit to compare with")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--write", action="store_true", help="keep the figures")
    arguments = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for name, path in write_files(Path(folder)).items():
            pairs = [[read_once(c, name, path) for c in (arguments.old, ROOT)] for _ in range(arguments.rounds)]
            (old_s, old_mib), (new_s, new_mib) = (zip(*side, strict=True) for side in zip(*pairs, strict=True))
            ratios = [b / a for a, b in zip(old_s, new_s, strict=True)]
            row = {"file": name, "old_cpu_s": median(old_s), "cpu_s": median(new_s), "ratio": median(ratios)}
            row |= {"sd_of_ratios": stdev(ratios), "old_mib": median(old_mib), "mib": median(new_mib)}
            table.append({key: value if isinstance(value, str) else round(value, 3) for key, value in row.items()})
            print(table[-1])
    if arguments.write:
        old = git_state(arguments.old)["commit"]
        about = {"date": f"{datetime.now():%Y-%m-%d}", "commit": git_state(ROOT)["commit"], "beside": old}
        kept = about | {"machine": machine(), "n": arguments.rounds, "rows": table}
        write_json(RESULTS / "reading_files.json", kept)


if __name__ == "__main__":
    main()
