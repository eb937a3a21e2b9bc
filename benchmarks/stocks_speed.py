"""What the framework adds to the training of small recurrent networks, in CPU seconds of one thread.

    python benchmarks/stocks_speed.py [--csv prices.csv] [--rounds 5] [--screen]

A plain loop (forward, loss, backward, Adam) and the Trainer with our module, loader and callbacks train the same LSTM
(64 and 32 units, 60 days, batches of 64); they take turns, and the fastest epoch of each counts. With --screen all
networks are screened by one multirun of experiment=stocks_fast, and by plain loops that do nothing but train.
"""

import os

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import argparse
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import torch
import yaml
from lightning.pytorch import Trainer
from torch.nn.functional import mse_loss

from fulmen.callbacks.divergence import DivergenceStop
from fulmen.callbacks.progress import EpochLines
from fulmen.callbacks.resume import AtomicCheckpoints, ExactResume
from fulmen.config.schema import choices, project_root
from fulmen.runs.loggers import EpochTable
from fulmen.runs.surroundings import quiet_libraries
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.module import StockForecaster
from fulmen.workloads.stocks.networks.sequence_net import SequenceNet


def network(name: str, data: StocksData) -> SequenceNet:
    stages = yaml.safe_load((project_root() / "conf" / "network" / "stocks" / f"{name}.yaml").read_text())["stages"]
    return SequenceNet(data.features, stages, data.horizon_days)


def plain_epochs(name: str, data: StocksData, epochs: int) -> list[float]:
    """CPU seconds of each epoch of a plain loop."""
    net, seconds = network(name, data), []
    optimizer = torch.optim.Adam(net.parameters())
    sd = data.splits["train"]["log_return"].std()
    for _ in range(epochs):
        started = time.process_time()
        net.train()
        for batch in data.train_dataloader():
            optimizer.zero_grad()
            mse_loss(net(batch["window"]), batch["log_return"] / sd).backward()
            optimizer.step()
        net.eval()
        with torch.no_grad():
            for batch in data.val_dataloader():
                mse_loss(net(batch["window"]), batch["log_return"] / sd)
        seconds.append(time.process_time() - started)
    return seconds


class Clock(EpochLines):
    """CPU seconds from one end of an epoch to the next."""

    def __init__(self) -> None:
        super().__init__()
        self.ends: list[float] = []

    def on_train_epoch_end(self, *_) -> None:
        self.ends.append(time.process_time())


def trainer_epochs(name: str, data: StocksData, epochs: int) -> list[float]:
    """CPU seconds of each epoch under the Trainer, as `fulmen.runs.run` sets it up."""
    clock = Clock()
    with tempfile.TemporaryDirectory() as folder:
        watching = [ExactResume(folder, 0), DivergenceStop(), clock]
        Trainer(
            max_epochs=epochs + 1, accelerator="cpu", num_sanity_val_steps=0, use_distributed_sampler=False,
            logger=EpochTable(folder), callbacks=watching, enable_checkpointing=False, enable_model_summary=False,
            plugins=[AtomicCheckpoints()], default_root_dir=folder,
        ).fit(StockForecaster(network(name, data)), data)  # fmt: skip
    return [end - begin for begin, end in zip(clock.ends, clock.ends[1:], strict=False)]


def overhead(rounds: int) -> None:
    data = StocksData(days=2768, batch_size=64)
    data.prepare_data()
    data.setup()
    plain, ours = [], []
    for _ in range(rounds):
        plain += plain_epochs("01_lstm_classic", data, 2)
        ours += trainer_epochs("01_lstm_classic", data, 2)
    print(f"LSTM 64/32, {len(data.splits['train']['day'])} windows x 60 days, fastest of {len(plain)} epochs:")
    print(f"  plain loop {min(plain):.3f} s, Trainer {min(ours):.3f} s: {min(ours) / min(plain) - 1:+.1%}")


def screen(csv: str | None) -> None:
    options = {"csv": csv, "features": ["return"]} if csv else {"days": 2768, "features": ["return"]}
    typed = [f"data.{name}={value}".replace("'", "").replace(" ", "") for name, value in options.items()]
    with tempfile.TemporaryDirectory() as folder:
        command = [
            sys.executable,
            str(project_root() / "train.py"),
            "-m",
            "experiment=stocks_fast",
            "network=glob(*)",
            *typed,
        ]
        started = time.monotonic()
        subprocess.run(command, check=True, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wall = time.monotonic() - started
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    data = StocksData(**options, batch_size=32)
    data.prepare_data()
    data.setup()
    plain = {name: sum(plain_epochs(name, data, 1)) for name in choices("network/stocks")}
    print(f"all {len(plain)} networks x 1 epoch of {len(data.splits['train']['day'])} windows, batches of 32:")
    cpu, bare = used.ru_utime + used.ru_stime, sum(plain.values())
    print(f"  one multirun {cpu:.1f} CPU s ({wall:.0f} s), plain loops {bare:.1f} CPU s")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv", type=lambda path: str(Path(path).resolve()), help="prices for the screen")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--screen", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    overhead(args.rounds)
    if args.screen:
        screen(args.csv)


if __name__ == "__main__":
    main()
