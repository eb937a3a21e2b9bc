"""What the monitor, the diagnosis and the progress file cost: the same training with and without them, taking turns.

    python benchmarks/monitor_cost.py [--rounds 10] [--long]

A convolutional network on the handwritten digits, fewer or repeated to make epochs of several lengths. `own` is the CPU
time inside the callback's hooks over that of the whole training, which no other process disturbs; `paired` the
difference in CPU time to the training beside it without the callback, which holds what the hooks cause elsewhere (the
thread that writes events) and the noise of the machine; `off` is what counting and that noise come to, of hooks that do
nothing.
Beside it the histograms of one epoch by the monitor and by TensorBoard's `add_histogram`.
"""

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from collections import Counter, defaultdict
from statistics import mean, median, stdev

import torch
from digits import Classifier, Digits, cnn
from lightning.pytorch import Callback, Trainer, seed_everything
from torch.utils.tensorboard import SummaryWriter
from torchvision.models import resnet18

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.monitor import Monitor
from fulmen.callbacks.run_progress import RunProgress
from fulmen.callbacks.writing import histogram
from fulmen.runs.loggers import TensorBoard
from fulmen.runs.surroundings import quiet_libraries


class Sized(Digits):
    """So many training samples, the same ones again and again if there are not enough."""

    def __init__(self, samples: int):
        super().__init__(seed=1)
        self.samples = samples

    def setup(self, stage: str) -> None:
        super().setup(stage)
        rows = torch.arange(self.samples) % len(self.splits["train"]["target"])
        self.splits["train"] = {name: x[rows] for name, x in self.splits["train"].items()}


class Idle(Callback):
    """Every hook that one of the three has, doing nothing."""


for hook in dir(Callback):
    if hook.startswith("on_") and any(hook in vars(each) for each in (Monitor, Diagnosis, RunProgress)):
        setattr(Idle, hook, lambda *_, **__: None)


def progress() -> RunProgress:
    return RunProgress(tempfile.mkdtemp())


def accounted(callback: Callback) -> Counter[str]:
    """CPU seconds by hook, filled while the callback works."""
    spent: Counter[str] = Counter()
    for name in dir(Callback):
        hook = getattr(callback, name)
        if name.startswith("on_") and getattr(type(callback), name) is not getattr(Callback, name):

            def timed(*args, hook=hook, name=name, **options):
                began = time.process_time()
                try:
                    return hook(*args, **options)
                finally:
                    spent[name] += time.process_time() - began

            setattr(callback, name, timed)
    return spent


def fit(samples: int, epochs: int, callbacks: list[Callback]) -> float:
    """CPU seconds of a training."""
    seed_everything(1, verbose=False)
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        trainer = Trainer(
            max_epochs=epochs, accelerator="cpu", logger=TensorBoard(folder), enable_checkpointing=False,
            enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, callbacks=callbacks,
        )  # fmt: skip
        began = time.process_time()
        trainer.fit(Classifier(cnn()), datamodule=Sized(samples))
        return time.process_time() - began


def histograms() -> None:
    model = resnet18()
    tensors = [("weights", name, p.detach()) for name, p in model.named_parameters()]
    with tempfile.TemporaryDirectory() as folder:
        writer = SummaryWriter(folder)
        costs = []
        for write in (lambda: [writer.add_histogram(f"a/{name}", x, 0) for _, name, x in tensors],
                      lambda: [histogram(writer, f"b/{name}", x, 0) for _, name, x in tensors]):  # fmt: skip
            write()
            began = time.process_time()
            write()
            costs.append(time.process_time() - began)
        writer.close()
    print(f"histograms of ResNet-18, 62 tensors: add_histogram {1e3 * costs[0]:.0f} ms CPU, monitor "
          f"{1e3 * costs[1]:.0f} ms: {costs[0] / costs[1]:.1f} times faster")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--long", action="store_true", help="epochs of many seconds too")
    parser.add_argument("--only", type=int, help="one number of training samples")
    args = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    warnings.filterwarnings("ignore")
    histograms()
    fit(64, 1, [Monitor(), Diagnosis()])  # imports
    lengths = {64: 40, 1437: 60, 8 * 1437: 2} | ({100 * 1437: 1} if args.long else {})
    for samples, epochs in lengths.items():
        if args.only in (None, samples):
            compare(samples, epochs, args.rounds)


def compare(samples: int, epochs: int, rounds: int) -> None:
    own, paired, bare = defaultdict(list), defaultdict(list), []
    for _ in range(rounds):
        bare.append(fit(samples, epochs, []))
        for name, make in (("off", Idle), ("monitor", Monitor), ("diagnosis", Diagnosis), ("progress", progress)):
            callback = make()
            spent = accounted(callback)
            total = fit(samples, epochs, [callback])
            own[name].append(spent.total() / (total - spent.total()))
            paired[name].append(total / bare[-1] - 1)
    print(f"epochs of {mean(bare) / epochs:.2f} CPU s x {epochs}, {samples} samples, n = {rounds}")
    for name, each in paired.items():
        sd = [stdev(values) if rounds > 1 else 0.0 for values in (own[name], each)]
        print(f"  {name:10} own {mean(own[name]):5.1%} (sd {sd[0]:.1%})   paired {mean(each):+5.1%} (sd {sd[1]:.1%}, "
              f"median {median(each):+.1%})", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
