"""Does the diagnosis name what is wrong with real runs, and keep silent where nothing is?

    python benchmarks/diagnosis_runs.py [--seeds 3] [--only NAME]

Twelve mistakes on the handwritten digits, and healthy runs of four tasks: a perceptron and a convolutional network on
the digits, the PBPK surrogate and the stock forecaster on a market with a strong signal. A mistake is named if one of
the verdicts that mean it is among the warnings and errors of the run; a false alarm is any of those on a healthy one.
"""

import argparse
import contextlib
import io
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import torch
from digits import Classifier, Digits, PixelByPixel, cnn, mlp
from lightning.pytorch import Callback, Trainer, seed_everything
from torch import nn

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.divergence import DivergenceStop
from fulmen.callbacks.failure_demos import DeadStart, FewSamples, FrozenBackbone, Leak, WrongTargets
from fulmen.config.check import check_overrides
from fulmen.diagnosis import Verdict
from fulmen.errors import Diverged
from fulmen.runs.run import run
from fulmen.runs.surroundings import quiet_libraries

Make = Callable[[], tuple[nn.Module, dict, list[Callback], int]]  # network, module options, faults, epochs

BROKEN: dict[str, tuple[set[str], Make]] = {
    "learning rate x 1000": (
        {"diverged", "no_learning", "non_finite"}, lambda: (mlp(), {"lr": 1.0}, [], 25)),
    "learning rate / 10,000": (
        {"no_learning"}, lambda: (mlp(), {"lr": 1e-7}, [], 15)),
    "frozen backbone": (
        {"no_learning", "underfitting"}, lambda: (mlp(16, 6, nn.Tanh), {}, [FrozenBackbone()], 40)),
    "one hidden unit": (
        {"underfitting", "no_learning"}, lambda: (mlp(1, 2), {"lr": 1e-2}, [], 60)),
    "200 training images": (
        {"overfitting"}, lambda: (mlp(512), {"weight_decay": 0.0, "lr": 2e-3}, [FewSamples(train=200)], 200)),
    "shuffled labels": (
        {"no_learning", "overfitting"}, lambda: (mlp(128), {}, [WrongTargets()], 40)),
    "validation copied into training": (
        {"validation_too_good"}, lambda: (mlp(), {}, [Leak()], 15)),
    "negative-bias ReLU": (
        {"dead_units"}, lambda: (mlp(), {}, [DeadStart(-10.0)], 15)),
    "30 sigmoid layers": (
        {"vanishing"}, lambda: (mlp(32, 30, nn.Sigmoid), {}, [], 15)),
    "validation set of 12": (
        {"small_validation_set"}, lambda: (mlp(), {}, [FewSamples(validation=12)], 15)),
    "RNN without clipping": (
        {"exploding", "diverged", "non_finite"}, lambda: (PixelByPixel(gain=2.0), {}, [], 15)),
    "40 % label noise": (
        {"overfitting"}, lambda: (mlp(512), {"weight_decay": 0.0}, [WrongTargets(share=0.44)], 80)),
}  # fmt: skip

HEALTHY: dict[str, Make] = {
    "digits, perceptron": lambda: (mlp(dropout=0.3), {}, [], 40),
    "digits, convolutions": lambda: (cnn(), {}, [], 25),
}

CONFIGURED = {
    "PBPK perceptron": ["experiment=pbpk_mlp", "data.compounds=400", "trainer.max_epochs=40"],
    "stocks, strong signal": [
        "experiment=stocks", "network=01_lstm_classic", "data.tickers=4", "data.days=2000", "data.lookback_days=10",
        "data.signal=0.5", "data.batch_size=128", "model.figures=false", "trainer.max_epochs=20",
        "callbacks.early_stopping=null",
    ],
}  # fmt: skip


def train(make: Make, seed: int) -> list[Verdict]:
    seed_everything(seed, verbose=False)
    network, options, faults, epochs = make()
    diagnosis = Diagnosis()
    trainer = Trainer(
        max_epochs=epochs, accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0, callbacks=[*faults, DivergenceStop(), diagnosis],
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Diverged):
        trainer.fit(Classifier(network, **options), datamodule=Digits(seed))
    return diagnosis.verdicts


def configured(overrides: list[str], seed: int) -> list[Verdict]:
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        quiet = ["logger=null", "callbacks.summary=null", "callbacks.progress=null", "callbacks.learning_rate=null"]
        typed = [*overrides, f"seed={seed}", *quiet, "test=false", "trainer.accelerator=cpu"]
        typed.append(f"output_dir={Path(folder, 'run')}")
        return [Verdict.from_dict(plain) for plain in run(check_overrides(typed), typed).verdicts]


def graver(verdicts: list[Verdict]) -> list[str]:
    return [verdict.code for verdict in verdicts if verdict.severity in ("warning", "error")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", default="", help="part of a name")
    args = parser.parse_args()
    torch.set_num_threads(1)
    quiet_libraries()
    warnings.filterwarnings("ignore")
    began, seeds, named, alarms, healthy = time.process_time(), range(1, args.seeds + 1), [], 0, 0
    for name, (meant, make) in BROKEN.items():
        if args.only not in name:
            continue
        said = [graver(train(make, seed)) for seed in seeds]
        right = sum(bool(meant & set(codes)) for codes in said)
        named.append(right == len(said))
        print(
            f"{name:32} named {right}/{len(said)}   {' | '.join(', '.join(codes) or '-' for codes in said)}", flush=True
        )
    runs = {name: [train(make, seed) for seed in seeds] for name, make in HEALTHY.items() if args.only in name}
    runs |= {name: [configured(o, seed) for seed in seeds] for name, o in CONFIGURED.items() if args.only in name}
    for name, verdicts in runs.items():
        said = [graver(each) for each in verdicts]
        alarms, healthy = alarms + sum(map(bool, said)), healthy + len(said)
        print(f"{name:32} healthy     {' | '.join(', '.join(v.code for v in each) for each in verdicts)}", flush=True)
    print(f"mistakes named in every seed: {sum(named)} of {len(named)}; false alarms: {alarms} in {healthy} healthy "
          f"runs; {time.process_time() - began:.0f} CPU s")  # fmt: skip


if __name__ == "__main__":
    main()
