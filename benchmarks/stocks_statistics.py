"""Does the verdict of a stock run deserve belief? False claims, found signals and coverage over many seeds.

    python benchmarks/stocks_statistics.py [--seeds 20] [--signal 0.05]

Each seed is a market of its own (8 tickers, 4,000 days) and a whole run of experiment=stocks: once with nothing to find
(signal 0), once with a share of variance that yesterday explains. A claim is that the network is better than
persistence, at the two-sided level of 0.05.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path

import numpy as np

from fulmen.config.check import check_overrides
from fulmen.runs.run import run

QUICK = [
    "experiment=stocks", "network=01_lstm_classic", "data.tickers=8", "data.days=4000", "data.lookback_days=10",
    "data.batch_size=256", "model.optimizer.lr=3e-3", "model.figures=false", "logger=null", "trainer.accelerator=cpu",
    "callbacks.summary=null", "callbacks.progress=null", "callbacks.learning_rate=null",
]  # fmt: skip


def metrics(seed: int, signal: float) -> dict[str, float]:
    """Those of a run, and how far it is shown to be ahead of persistence."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        typed = [*QUICK, f"seed={seed}", f"data.signal={signal}", f"output_dir={Path(folder, 'run')}"]
        result = run(check_overrides(typed), typed)
    return result.metrics | {"test/ahead": result.shown["persistence"]["low"]}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--signal", type=float, default=0.05)
    args = parser.parse_args()
    print(f"{'signal':>7}{'claims':>9}{'mean skill':>12}{'mean R2 OOS':>13}{'coverage 80':>13}{'95':>7}{'CPU s':>8}")
    for signal in (0.0, args.signal):
        started = time.process_time()
        runs = [metrics(seed, signal) for seed in range(args.seeds)]
        column = {name: np.array([m[f"test/{name}"] for m in runs]) for name in
                  ("ahead", "skill", "r2_oos", "coverage_80", "coverage_95")}  # fmt: skip
        claims = f"{(column['ahead'] > 0).sum()} / {args.seeds}"
        means = {name: values.mean() for name, values in column.items()}
        print(
            f"{signal:7.3g}{claims:>9}{means['skill']:12.4f}{means['r2_oos']:13.4f}{means['coverage_80']:13.3f}"
            f"{means['coverage_95']:7.3f}{time.process_time() - started:8.0f}",
            flush=True,
        )
        within = {level: np.mean(np.abs(column[f"coverage_{level}"] - level / 100) <= 0.03) for level in (80, 95)}
        print(f"        within 3 points of nominal: {within[80]:.0%} of the runs at 80 %, {within[95]:.0%} at 95 %")


if __name__ == "__main__":
    main()
