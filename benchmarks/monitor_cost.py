"""What the monitor costs: epochs with it beside epochs without it, in one process, taking turns.

    python benchmarks/monitor_cost.py [--rounds 3]

A convolutional network on the handwritten digits, repeated to make epochs of several lengths. Cost is CPU time over
that of the same training without the monitor; `own account` is what the governor says. Beside it the histograms of one
epoch by the monitor and by TensorBoard's `add_histogram`.
"""

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from statistics import mean, stdev

import torch
from digits import Classifier, Digits, cnn
from lightning.pytorch import Callback, Trainer, seed_everything
from torch.utils.tensorboard import SummaryWriter
from torchvision.models import resnet18

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.monitor import Monitor
from fulmen.loggers import TensorBoard
from fulmen.run import quiet_libraries


class Repeated(Digits):
    def __init__(self, times: int):
        super().__init__(seed=1)
        self.times = times

    def setup(self, stage: str) -> None:
        super().setup(stage)
        self.parts["train"] = {
            name: x.repeat(self.times, *[1] * (x.ndim - 1)) for name, x in self.parts["train"].items()
        }


def fit(times: int, epochs: int, callbacks: list[Callback]) -> float:
    """CPU seconds of a training."""
    seed_everything(1, verbose=False)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        trainer = Trainer(
            max_epochs=epochs, accelerator="cpu", logger=TensorBoard(folder), enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, callbacks=callbacks,
        )  # fmt: skip
        began = time.process_time()
        trainer.fit(Classifier(cnn()), datamodule=Repeated(times))
        return time.process_time() - began


def histograms() -> None:
    model, monitor = resnet18(), Monitor()
    tensors = [("weights", name, p.detach()) for name, p in model.named_parameters()]
    with tempfile.TemporaryDirectory() as folder:
        writer = monitor._writer = SummaryWriter(folder)
        costs = []
        for write in (lambda: [writer.add_histogram(f"a/{name}", x, 0) for _, name, x in tensors],
                      lambda: [monitor._histogram(f"b/{name}", x, 0) for _, name, x in tensors]):  # fmt: skip
            write()
            began = time.process_time()
            write()
            costs.append(time.process_time() - began)
        writer.close()
    print(f"histograms of ResNet-18, 62 tensors: add_histogram {1e3 * costs[0]:.0f} ms CPU, monitor "
          f"{1e3 * costs[1]:.0f} ms: {costs[0] / costs[1]:.1f} times faster")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--long", action="store_true", help="an epoch of 20 s too")
    args = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    warnings.filterwarnings("ignore")
    histograms()
    fit(1, 1, [Monitor()])  # imports
    for times, epochs in ((1, 10), (8, 3), *([(40, 1)] if args.long else [])):
        costs, accounts = {"monitor": [], "diagnosis": []}, []
        for _ in range(args.rounds):
            bare, monitor = fit(times, epochs, []), Monitor()
            costs["monitor"].append(fit(times, epochs, [monitor]) / bare - 1)
            accounts.append(monitor.governor.spent / (monitor.governor.clock() - monitor.governor.started))
            costs["diagnosis"].append(fit(times, epochs, [Diagnosis()]) / bare - 1)
        said = "; ".join(f"{name} {mean(c):+.1%} (sd {stdev(c) if len(c) > 1 else 0:.1%})" for name, c in costs.items())
        print(f"epochs of {bare / epochs:.1f} CPU s x {epochs}, n = {args.rounds}: {said}; own account of the monitor "
              f"{mean(accounts):.1%} of its wall time", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
