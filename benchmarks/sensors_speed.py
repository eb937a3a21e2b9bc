"""Folds trained together against folds trained apart, and what a ranking costs: CPU seconds, one thread.

    python benchmarks/sensors_speed.py [--csv AI4I2020.CSV] [--epochs 20] [--repeats 3]

"loops" are five plain loops over batches in memory, one after the other; "Lightning" is five bare fits by the Trainer;
"apart" is five runs of `train.py` (folders, checkpoints and logs included, report and figures left out); "together" is
one stack. All have the same initial weights and batches: the largest difference between their training losses, over
folds and epochs, is given. Without a CSV the data are the simulated plant, whose folds are unequal: machines go whole,
and folds with unlike numbers of steps make two stacks.
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import contextlib
import io
import tempfile
import time
from pathlib import Path
from statistics import mean, median, stdev

import torch
from lightning.pytorch import Trainer
from omegaconf import OmegaConf

from fulmen.callbacks.resume import ExactResume
from fulmen.comparison.benchmark import hold
from fulmen.config.check import build, check_overrides
from fulmen.runs.run import run
from fulmen.runs.run_folder import load_run
from fulmen.runs.surroundings import quiet_libraries
from fulmen.workloads.sensors.networks.batched_fit import Fit, fit_all

FOLDS = 5
PEERS = ("loops", "bare", "apart")
QUIET = ["callbacks.summary=null", "callbacks.progress=null", "model.figures=false", "test=false"]


class Losses(ExactResume):
    """The seed of each step, as in a run, and the mean training loss of each epoch."""

    def __init__(self, seed: int):
        super().__init__(tempfile.mkdtemp(), seed)
        self.each: list[float] = []

    def on_train_epoch_start(self, trainer, module) -> None: ...

    def on_train_end(self, trainer, module) -> None:
        self._restore_handlers()

    def on_train_epoch_end(self, trainer, module) -> None:
        self.each.append(float(trainer.callback_metrics["train/loss"]))


def ready(cfg, fold: int):
    data = build(OmegaConf.merge(cfg.data, {"fold": fold}), "data")
    data.prepare_data()
    data.setup()
    return data


def together(typed: list[str], at_once: bool = True) -> list[list[float]]:
    cfg, fits = check_overrides(typed), []
    for fold in range(FOLDS):
        torch.manual_seed(cfg.seed)
        module, data = build(cfg.model, "model"), ready(cfg, fold)
        fits.append(Fit(module.network, data.splits["train"], cfg.seed, data.splits["validation"]))
    how = module.optimizer, module.scheduler, cfg.trainer.max_epochs, cfg.data.get("batch_size", 256)
    return fit_all(fits, *how) if at_once else [curve for fit in fits for curve in fit_all([fit], *how)]


def loops(typed: list[str]) -> list[list[float]]:
    return together(typed, at_once=False)


def bare(typed: list[str]) -> list[list[float]]:
    cfg, curves = check_overrides(typed), []
    for fold in range(FOLDS):
        torch.manual_seed(cfg.seed)
        module, losses = build(cfg.model, "model"), Losses(cfg.seed)
        Trainer(max_epochs=cfg.trainer.max_epochs, accelerator="cpu", logger=False, enable_checkpointing=False,
                enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
                use_distributed_sampler=False, callbacks=[losses]).fit(module, ready(cfg, fold))  # fmt: skip
        curves.append(losses.each)
    return curves


def apart(typed: list[str]) -> list[list[float]]:
    curves = []
    for fold in range(FOLDS):
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
            more = [*typed, f"data.fold={fold}", *QUIET, f"output_dir={Path(folder, 'run')}"]
            run(check_overrides(more), more)
            curves.append(load_run(Path(folder, "run")).metrics["train/loss"].dropna().tolist())
    return curves


def _ratio(seconds: dict[str, list[float]], way: str) -> str:
    """Mean and standard deviation over the repeats."""
    each = [a / b for a, b in zip(seconds[way], seconds["together"], strict=True)]
    return f"{mean(each):.1f} ({stdev(each) if len(each) > 1 else float('nan'):.1f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--csv")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--only", default="", help="the networks whose name begins so")
    parser.add_argument("--rank", action="store_true", help="also the ranking of the networks and the baselines")
    args = parser.parse_args()
    data = ["data=ai4i", f"data.csv={args.csv}"] if args.csv else []
    torch.set_num_threads(1)
    quiet_libraries()
    print(
        f"{'network':25}{'together':>10}{'loops':>9}{'ratio (sd)':>14}{'Lightning':>11}{'ratio (sd)':>14}{'apart':>9}"
        f"{'ratio (sd)':>14}{'largest difference':>20}"
    )
    for name, more in {"mlp 2 x 32": ["network=mlp", "model.network.layers=2", "model.network.width=32"],
                       "mlp 2 x 96, bare columns": ["network=mlp", "model.network.layers=2", "model.network.width=96",
                                                    "model.network.dropout=0", "model.network.inputs.log=false"],
                       "mlp 3 x 128": ["network=mlp"]}.items():  # fmt: skip
        if not name.startswith(args.only):
            continue
        typed = ["experiment=sensors", "trainer.accelerator=cpu", *data, *more, f"trainer.max_epochs={args.epochs}"]
        seconds: dict[str, list[float]] = {}
        curves = {}
        for _ in range(args.repeats):
            for way in (together, loops, bare, apart):
                started = time.process_time()
                curves[way.__name__] = way(typed)
                seconds.setdefault(way.__name__, []).append(time.process_time() - started)
        cost = {way: median(each) for way, each in seconds.items()}
        gap = max((torch.tensor(curves["together"]) - torch.tensor(curves[way])).abs().max().item() for way in PEERS)
        print(
            f"{name:25}{cost['together']:10.2f}"
            + "".join(f"{cost[way]:{9 + 2 * (way == 'bare')}.2f}{_ratio(seconds, way):>14}" for way in PEERS)
            + f"{gap:20.1e}",
            flush=True,
        )
    if args.rank:
        for models in ("logistic,mlp,mlp_bins", "tabm"):
            started = time.process_time()
            hold("sensors", [*data, f"network={models}"])
            print(f"rank {models} and the baselines: {time.process_time() - started:.0f} CPU s", flush=True)


if __name__ == "__main__":
    main()
