"""Accuracy on balanced CIFAR-10 by training time: the whitened network and its recipe, against advanced_cnn.

    python benchmarks/images_fast.py [--arrays cifar10.npz] [--seeds 0 1 2]           # a GPU: recipe=airbench as it is
    python benchmarks/images_fast.py --cpu-seconds 40 --images 10000 [...]            # both networks, equal CPU seconds

On a GPU the whole recipe is run (ten epochs, published widths) and its seconds stand beside the published 3.83 s of
airbench94 on an A100, not compiled (arXiv 2404.00498). On a CPU both networks train on the same images for about the
same CPU seconds: a pilot epoch of each says how many epochs that is; the whitened network is narrow there
(16, 64, 64), advanced_cnn has images_plain's recipe with a learning rate of 3e-3. The test images are looked at once.
"""

import argparse
import contextlib
import io
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import numpy as np

from fulmen.config.check import check_overrides
from fulmen.runs.run import run

QUIET = ["model.figures=false", "callbacks.early_stopping=null", "callbacks.summary=null", "callbacks.diagnosis=null",
         "logger.tensorboard=null", "data.validation=0.01", "callbacks.best.monitor=null"]  # fmt: skip
PLAIN = ["imbalance=none", "model.optimizer.lr=3e-3", "trainer.precision=auto", "trainer.accumulate_grad_batches=1"]
CPU = {
    "advanced_cnn": PLAIN,
    "whitened_cnn": ["recipe=airbench", "model.network.widths=[16,64,64]", "data.batch_size=256",
                     "model.optimizer.lr=0.37"],
}  # fmt: skip
AIRBENCH_SECONDS = 3.83


def train(source: list[str], overrides: list[str], seed: int, *more: str) -> tuple[float, float, float]:
    """Test accuracy, seconds of the fit, CPU seconds of the fit."""
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        typed = ["experiment=images_plain", *source, *overrides, *QUIET, *more, f"seed={seed}", f"output_dir={folder}"]
        started = time.process_time()
        result = run(check_overrides(typed), typed)
        return result.metrics.get("test/accuracy", 0.0), result.cost["fit_seconds"], time.process_time() - started


def on_cpu(source: list[str], name: str, seconds: float, seed: int) -> None:
    more = ("test=false", "trainer.accelerator=cpu")
    _, _, one = train(source, CPU[name], seed, *more, "trainer.max_epochs=1")
    _, _, two = train(source, CPU[name], seed, *more, "trainer.max_epochs=2")
    epochs = max(1, round((seconds - (one - (two - one))) / (two - one)))
    accuracy, _, _ = train(source, CPU[name], seed, "trainer.accelerator=cpu", f"trainer.max_epochs={epochs}")
    cost = epochs * (two - one)
    print(f"seed {seed} {name}: {epochs} epochs, {cost:.0f} CPU s of training, accuracy {accuracy:.4f}", flush=True)


def subset(arrays: Path, images: int, folder: Path) -> Path:
    with np.load(arrays) as stored:
        first = {name: stored[name][:images] if "train" in name else stored[name] for name in stored.files}
    np.savez(folder / "subset.npz", **first)
    return folder / "subset.npz"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays", type=Path, help="as data=image_arrays takes them; without, torchvision downloads")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0])
    parser.add_argument("--cpu-seconds", type=float)
    parser.add_argument("--images", type=int, help="the first so many training images; needs --arrays")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        arrays = arguments.arrays
        if arguments.images:
            arrays = subset(arrays, arguments.images, Path(folder))
        source = ["data=image_arrays", f"data.arrays={arrays}"] if arrays else ["data=cifar10"]
        if arguments.cpu_seconds:
            for seed in arguments.seeds:
                for name in CPU:
                    on_cpu(source, name, arguments.cpu_seconds, seed)
            return
        found = [train(source, ["recipe=airbench"], seed, "trainer=gpu") for seed in arguments.seeds]
    accuracy, seconds = (statistics.mean(row[i] for row in found) for i in (0, 1))
    print(f"{len(found)} seeds: accuracy {accuracy:.4f}, {seconds:.1f} s of fitting; airbench94 {AIRBENCH_SECONDS} s")


if __name__ == "__main__":
    main()
