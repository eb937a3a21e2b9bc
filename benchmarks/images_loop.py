"""The whole training loop against the classic loop: same network, recipe and sampling, one process, one thread.

    python benchmarks/images_loop.py [--arrays cifar10.npz] [--rounds 5] [--batches 30]
    python benchmarks/images_loop.py --arrays cifar10.npz --accuracy [--seeds 0 1 2] [--epochs 4] [--precision 32-true]

Classic: the PIL data path of images_datapath.py, rectifier before pooling, Adam, two batches of 128 a step, gradients
clipped to 1, the loss read after each batch. Ours: the Trainer with module, loader and callbacks as `fulmen.runs.run`
sets them up, in fp32 and bf16. They take turns; the ratio is the median over the rounds. With --accuracy both train to
the end and are tested on the same images: balanced accuracy of the last epoch, one-cycle schedule, same weights.
"""

import argparse
import os
import statistics
import tempfile
import time

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

from functools import partial

import numpy as np
import torch
from images_datapath import classic_loader
from lightning.pytorch import Callback, Trainer, seed_everything
from torch import nn
from torch.nn.functional import cross_entropy
from torch.optim.lr_scheduler import OneCycleLR

from fulmen.callbacks.divergence import DivergenceStop
from fulmen.callbacks.resume import AtomicCheckpoints, ExactResume
from fulmen.runs.loggers import EpochTable
from fulmen.runs.surroundings import quiet_libraries
from fulmen.workloads.images.augmentation import Augmentation
from fulmen.workloads.images.data import ImagesData
from fulmen.workloads.images.imbalance import Step
from fulmen.workloads.images.metrics import confusion, from_confusion
from fulmen.workloads.images.module import ImageClassifier
from fulmen.workloads.images.networks.cnn import AdvancedCNN
from fulmen.workloads.images.samplers import Weighted

RECIPE = {"lr": 3e-3, "weight_decay": 1e-4}


def classic_network() -> AdvancedCNN:
    """As usually written: rectifier, then pooling."""
    network = AdvancedCNN()
    for stage in network.features:
        stage[2], stage[3] = stage[3], stage[2]
    return network


class Classic:
    """The classic loop over the training split of `data`; `train` returns CPU microseconds per image."""

    def __init__(self, data: ImagesData, epochs: int = 1):
        train = data.splits["train"]
        self.loader = classic_loader(train["image"].permute(0, 2, 3, 1).contiguous().numpy(), train["label"].numpy())
        self.network, self.epochs = classic_network(), epochs
        self.optimizer = torch.optim.Adam(self.network.parameters(), **RECIPE)
        self.scheduler = OneCycleLR(self.optimizer, RECIPE["lr"], epochs * -(-len(self.loader) // 2) + 1)

    def train(self, batches: int | None = None) -> float:
        batches = batches or len(self.loader)
        started, seen, running = time.process_time(), 0, 0.0
        self.network.train()
        for _ in range(self.epochs):
            for i, (image, label) in enumerate(self.loader):
                loss = cross_entropy(self.network(image), label)
                (loss / 2).backward()
                running += loss.item()
                seen += len(label)
                if i % 2 or i + 1 == batches:
                    nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
                    self.optimizer.step()
                    self.optimizer.zero_grad()
                    self.scheduler.step()
                if i + 1 == batches:
                    break
        return 1e6 * (time.process_time() - started) / seen


class Stopwatch(Callback):
    """CPU seconds of the training batches, and their images."""

    seconds, images = 0.0, 0

    def on_train_epoch_start(self, *_) -> None:
        self._started = time.process_time()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        self.images += len(batch["label"])

    def on_train_epoch_end(self, *_) -> None:
        self.seconds += time.process_time() - self._started


def ours(
    data: ImagesData, precision: str, epochs: int = 1, batches: int | None = None, seed: int = 0
) -> tuple[float, ImageClassifier]:
    """CPU microseconds per image, and the trained model."""
    one_cycle = partial(OneCycleLR, max_lr=RECIPE["lr"])
    adam = partial(torch.optim.Adam, **RECIPE)
    model, watch = ImageClassifier(AdvancedCNN(), None, adam, one_cycle, Augmentation(flip=True)), Stopwatch()
    with tempfile.TemporaryDirectory() as folder:
        Trainer(
            max_epochs=epochs, accelerator="cpu", precision=precision, gradient_clip_val=1.0, accumulate_grad_batches=2,
            callbacks=[ExactResume(folder, seed), DivergenceStop(), watch], logger=EpochTable(folder),
            plugins=[AtomicCheckpoints()], use_distributed_sampler=False, num_sanity_val_steps=0, limit_val_batches=0,
            limit_train_batches=batches, enable_progress_bar=False, enable_model_summary=False,
            enable_checkpointing=False, default_root_dir=folder,
        ).fit(model, datamodule=data)  # fmt: skip
    return 1e6 * watch.seconds / watch.images, model


def speed(data: ImagesData, rounds: int, batches: int) -> None:
    kinds = ("32-true", "bf16-mixed")
    rows = [
        [Classic(data).train(batches), *(ours(data, kind, 1, batches)[0] for kind in kinds)] for _ in range(rounds + 1)
    ]
    classic, fp32, bf16 = zip(*rows[1:], strict=True)  # the first round warms up
    print(f"classic: {min(classic):.0f} us CPU per image (median {statistics.median(classic):.0f})")
    for name, times in (("fp32", fp32), ("bf16", bf16)):
        ratios = [a / b for a, b in zip(classic, times, strict=True)]
        spread = f"median of {rounds} pairs, {min(ratios):.2f} to {max(ratios):.2f}"
        print(f"ours, {name}: {min(times):.0f} us; {statistics.median(ratios):.2f} times faster ({spread})")


@torch.no_grad()
def balanced_accuracy(network: nn.Module, image: torch.Tensor, label: torch.Tensor) -> float:
    """Of a network on standardised images."""
    network.eval()
    predicted = torch.cat([network(each).argmax(1) for each in image.split(256)])
    matrix = confusion(label.numpy(), predicted.numpy(), 10)
    return from_confusion(matrix, np.ones(10))["balanced_accuracy"]


def accuracy(arrays: str, seeds: list[int], epochs: int, precision: str) -> None:
    differences = []
    for seed in seeds:
        data = prepared(arrays, seed)
        seed_everything(seed, verbose=False)
        _, model = ours(data, precision, epochs, seed=seed)
        test = data.splits["test"]
        own = balanced_accuracy(model.network, model.normalised(test["image"]), test["label"])
        seed_everything(seed, verbose=False)
        loop = Classic(data, epochs)
        loop.train()
        mean, sd = torch.tensor([0.4914, 0.4822, 0.4465]), torch.tensor([0.2470, 0.2435, 0.2616])
        image = (test["image"] / 255 - mean.view(3, 1, 1)) / sd.view(3, 1, 1)
        theirs = balanced_accuracy(loop.network, image, test["label"])
        differences.append(100 * (own - theirs))
        print(f"seed {seed}: ours ({precision}) {own:.4f}, classic {theirs:.4f}", flush=True)
    sd = statistics.stdev(differences) if len(seeds) > 1 else float("nan")
    print(f"difference {statistics.mean(differences):+.2f} points over {len(seeds)} seeds (sd {sd:.2f})")


def prepared(arrays: str | None, seed: int) -> ImagesData:
    data = ImagesData(arrays, cifar10=arrays is None, imbalance=Step(), sampler=Weighted(), seed=seed)
    data.prepare_data()
    data.setup()
    return data


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--batches", type=int, default=30)
    parser.add_argument("--accuracy", action="store_true")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--precision", default="32-true")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    if arguments.accuracy:
        accuracy(arguments.arrays, arguments.seeds, arguments.epochs, arguments.precision)
    else:
        speed(prepared(arguments.arrays, 0), arguments.rounds, arguments.batches)


if __name__ == "__main__":
    main()
