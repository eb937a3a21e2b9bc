"""On CIFAR-10-LT, factor 100, the long-tail recipe is 3 points better than tuned plain training at equal cost.

    LONG_TAIL_ARRAYS=cifar10.npz make proofs ARGS="long_tail"                          # 6 cells
    LONG_TAIL_ARRAYS=cifar10.npz LONG_TAIL_MINUTES=30 make proofs ARGS="long_tail"     # the same, longer

Each cell trains one recipe with one seed for about LONG_TAIL_MINUTES of CPU time (6 unless said), in a number of epochs
that is fixed by a table of what an epoch costs, and tests it once on the 10,000 test images. The classes keep as many
images as the generator of LDAM-DRW draws (5,000 to 50). The arrays are those of `data=image_arrays`. What both recipes
are was chosen on 5,000 training images that were held out for it: of five pairs of learning rate and weight decay for
plain training (24 epochs; .1 and 5e-4 the best with .579, .2 and 1e-3 .576, .03 and 5e-4 .558), and of networks and
mixing for the other. The last cell says what their mean difference is over the seeds.
"""

import contextlib
import io
import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ.update(OMP_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

from benchmarks.proofs import ROOT, Proof
from fulmen.config.check import check_overrides
from fulmen.runs.run import run

SEEDS, POINTS = (1, 2, 3), 3.0
ARRAYS = Path(os.environ.get("LONG_TAIL_ARRAYS", ROOT.parent / "shared" / "data" / "cifar10.npz"))
MINUTES = float(os.environ.get("LONG_TAIL_MINUTES", "6"))
RECIPES = {  # name -> overrides, CPU seconds of an epoch of 12,158 images on this kind of machine, and of the test
    "plain": (["experiment=images_long_tail_plain", "network=advanced_cnn"], 5.5, 10.0),
    "balanced": (["experiment=images_long_tail", "network=advanced_cnn"], 5.5, 15.0),
}
QUIET = ["model.figures=false", "callbacks.summary=null", "callbacks.progress=null", "logger.tensorboard=null"]
SHOWN = ("balanced_accuracy", "minority_f1", "majority_f1", "worst_recall", "few_recall", "ece")


def main() -> bool:
    if not ARRAYS.is_file():
        print(f"nothing to do: there is no {ARRAYS}; LONG_TAIL_ARRAYS names an .npz of CIFAR-10")
        return True
    proof = Proof(__name__, __doc__, seeds=SEEDS)
    names = [f"{name}, {MINUTES:g} min, seed {seed}" for seed in SEEDS for name in RECIPES]
    for cell in proof.missing([*names, f"difference, {MINUTES:g} min"]):
        if cell.startswith("difference"):
            proof.keep(cell, **difference(proof))
            continue
        typed, of_epoch, of_test = RECIPES[cell.partition(",")[0]]
        epochs = max(1, round((60 * MINUTES - of_test) / of_epoch))
        proof.keep(
            cell, ok=True, **trained([*typed, f"seed={cell.rpartition(' ')[2]}", f"trainer.max_epochs={epochs}"])
        )
    return proof.holds()


def trained(typed: list[str]) -> dict[str, float]:
    """Test scores of one run, and what it cost."""
    begun = time.process_time()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        own = ["data=image_arrays", f"data.arrays={ARRAYS}", "imbalance=exponential", f"output_dir={folder}/run"]
        result = run(check_overrides([*typed, *own, *QUIET]), [*typed, *own, *QUIET])
    scores = {name: round(result.metrics[f"test/{name}"], 4) for name in SHOWN}
    return {**scores, "epochs": result.epochs, "cpu_seconds": round(time.process_time() - begun)}


def difference(proof: Proof) -> dict[str, float]:
    """Balanced less plain, in points of balanced accuracy, mean and sd over the seeds."""
    kept = proof.kept()
    each = [
        100 * (b["balanced_accuracy"] - a["balanced_accuracy"])
        for a, b in ([kept[f"{name}, {MINUTES:g} min, seed {seed}"] for name in RECIPES] for seed in SEEDS)
    ]
    mean = statistics.mean(each)
    return {"ok": mean >= POINTS, "points": round(mean, 2), "sd": round(statistics.stdev(each), 2)}
