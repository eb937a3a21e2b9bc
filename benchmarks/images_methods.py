"""What each remedy for unequal classes buys on CIFAR-10, in balanced accuracy and minority F1, mean and sd over seeds.

    python benchmarks/images_methods.py --arrays cifar10.npz [--seeds 0 1 2] [--epochs 4] [--only balanced_softmax ...]
    python benchmarks/images_methods.py --arrays cifar10.npz --long [--seeds 0]

Classes 0, 1, 2 keep a tenth of their images; 2 % of what is left is the validation split, which chooses the epoch; the
10,000 test images are looked at once, at the end. All methods share network (advanced_cnn), images, augmentation,
optimizer and schedule (Adam, one cycle to 3e-3, batches of 128, no accumulation: four epochs are few steps). The arrays
are those of `data=image_arrays`; without them torchvision downloads CIFAR-10. With --long: experiment=images_strong as
it is, 45 epochs, of which the last counts, and the same recipe without re-balancing beside it.
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

import torch

import fulmen
from fulmen.config.check import check_overrides
from fulmen.runs.run import run
from fulmen.workloads.images.losses import log_prior
from fulmen.workloads.images.module import best_tau

METHODS = {
    "cross_entropy": [],
    "weighted_sampler": ["sampler=weighted"],
    "balanced_softmax": ["loss=balanced_softmax"],
    "deferred_sampler": ["sampler=deferred"],
    "deferred_weights": ["loss=deferred_weights"],
    "class_balanced_loss": ["loss=class_balanced"],
    "focal": ["loss=focal"],
    "ldam_drw": ["loss=ldam"],
    "balanced_softmax_mixup": ["loss=balanced_softmax", "model.mixup=0.2"],
}
LONG = {"images_strong": [], "images_strong_cross_entropy": ["sampler=shuffle", "loss=cross_entropy"]}
SHOWN = ("balanced_accuracy", "minority_f1", "majority_f1", "worst_recall", "macro_f1", "ece")
Row = dict[str, float]


def train(folder: Path, arguments: argparse.Namespace, method: str, seed: int) -> Row:
    """Test scores of one run, and the CPU seconds it took."""
    source = ["data=image_arrays", f"data.arrays={arguments.arrays}"] if arguments.arrays else ["data=cifar10"]
    if method in LONG:
        recipe = ["experiment=images_strong", *LONG[method]]
    else:
        recipe = ["experiment=images_plain", *METHODS[method], f"trainer.max_epochs={arguments.epochs}",
                  "model.optimizer.lr=3e-3", "data.validation=0.02", "trainer.accumulate_grad_batches=1",
                  "callbacks.early_stopping=null"]  # fmt: skip
    typed = [*recipe, *source, f"seed={seed}", f"trainer.precision={arguments.precision}", "model.figures=false",
             "callbacks.summary=null", "logger.tensorboard=null", f"output_dir={folder}",
             *arguments.override]  # fmt: skip
    started = time.process_time()
    with contextlib.redirect_stdout(io.StringIO()):
        result = run(check_overrides(typed), typed)
    row = {name: result.metrics[f"test/{name}"] for name in SHOWN}
    return row | {"CPU s": time.process_time() - started}


def adjusted(folder: Path) -> dict[str, Row]:
    """The same network with its logits adjusted afterwards: tau 1, and tau chosen on the validation split."""
    done = fulmen.load_run(folder)
    model, validation = done.model, done.data.splits["validation"]
    with torch.no_grad():
        logits = torch.cat([model.adjusted(model(each)) for each in validation["image"].split(256)])
    chosen = best_tau(logits, validation["label"], log_prior(model.counts))
    rows = {}
    for name, tau in (("+ logit adjustment, tau 1", torch.tensor(1.0)), ("+ tau of validation", chosen)):
        model.tau.copy_(tau)
        summary = done.summarize(folder / "anew")
        rows[name] = {key: summary.metrics[key] for key in SHOWN} | {"CPU s": 0.0}
    return rows


def show(name: str, rows: list[Row]) -> None:
    cells = []
    for key in SHOWN:
        values = [row[key] for row in rows]
        sd = statistics.stdev(values) if len(values) > 1 else float("nan")
        cells.append(f"{statistics.mean(values):.3f} ± {sd:.3f}")
    print(f"| {name} | " + " | ".join(cells) + f" | {statistics.mean(row['CPU s'] for row in rows):.0f} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--arrays", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=4)
    parser.add_argument("--precision", default="bf16-mixed")
    parser.add_argument("--only", nargs="+", choices=[*METHODS, *LONG], metavar="METHOD")
    parser.add_argument("--long", action="store_true", help="experiment=images_strong: 25 CPU minutes a run")
    parser.add_argument("--override", nargs="*", default=[], help="more changes for every run")
    arguments = parser.parse_args()
    rows: dict[str, list[Row]] = {}
    for seed in arguments.seeds:
        for method in arguments.only or (LONG if arguments.long else METHODS):
            with tempfile.TemporaryDirectory() as folder:
                found = {method: train(Path(folder, "run"), arguments, method, seed)}
                if "cross_entropy" in method:
                    found |= {f"{method} {name}": row for name, row in adjusted(Path(folder, "run")).items()}
            for name, row in found.items():
                rows.setdefault(name, []).append(row)
                print(
                    f"seed {seed} {name}: " + ", ".join(f"{key} {value:.4g}" for key, value in row.items()), flush=True
                )
    print(f"\n{len(arguments.seeds)} seeds, {arguments.precision}, one thread")
    print("| method | " + " | ".join((*SHOWN, "CPU s")) + " |\n| --- |" + " ---: |" * (len(SHOWN) + 1))
    for name, found in rows.items():
        show(name, found)


if __name__ == "__main__":
    main()
