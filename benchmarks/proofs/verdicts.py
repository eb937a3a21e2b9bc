"""Noise is called better than chance in at most 33 of 400 runs, and called noise where the test split is large enough.

Every run trains a small network, fits the baselines and asks the evaluation of its workload what its test split shows.

- Zero signal, 400 runs, 100 of each workload: at most 33 are called better than chance. Labels are drawn at random (two
  and three classes; of machines, whole series of another machine, so that rows are no independent evidence), images
  have labels of their own, markets no signal, PBPK subjects the curves of others.
- Zero signal, 100 runs whose test split has a power of .95 at the margin (ROC-AUC .56, 3 points of balanced accuracy,
  R2 1 % of returns, R2 10 % between subjects; two-sided .05, independent units): at least 85 are called no signal.
- Data at exactly twice the margin (.62, 6 points, 2 %, 20 %), 100 runs: at most 12 are called no signal.

A cell is 25 runs, so that a proof that was stopped goes on; the last three cells count them.

    python -m benchmarks.proofs verdicts
"""

import logging
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from math import sqrt
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Trainer
from scipy.stats import norm
from torch import Tensor, nn

from benchmarks.proofs import Proof
from fulmen.callbacks.outputs import predict_test
from fulmen.report.shown import Shown
from fulmen.workload import Workload, WorkloadData
from fulmen.workloads.images.data import ImagesData
from fulmen.workloads.images.module import ImageClassifier
from fulmen.workloads.pbpk.data import PBPKData
from fulmen.workloads.pbpk.metrics import FLOOR, normalized
from fulmen.workloads.pbpk.module import PBPKSurrogate
from fulmen.workloads.pbpk.networks.mlp import MLP as Curves
from fulmen.workloads.sensors.data import SensorData
from fulmen.workloads.sensors.module import SensorClassifier
from fulmen.workloads.sensors.networks.tabular import MLP, Inputs
from fulmen.workloads.sensors.synthetic import SyntheticClassification
from fulmen.workloads.stocks.data import StocksData
from fulmen.workloads.stocks.module import StockForecaster
from fulmen.workloads.stocks.networks.sequence_net import SequenceNet

QUIET: dict[str, Any] = {
    "accelerator": "cpu", "logger": False, "enable_checkpointing": False, "enable_progress_bar": False,
    "enable_model_summary": False, "num_sanity_val_steps": 0,
}  # fmt: skip
Z2 = (norm.ppf(0.975) + norm.ppf(0.95)) ** 2  # squared effect, in standard errors, that is found in 95 of 100
ROWS, IMAGES, DAYS, SUBJECTS = (round(Z2 * each) for each in (1 / 3 / 0.06**2, 0.25 / 0.03**2, 1 / 0.01, 1 / 0.1))
BUNCH, POPULATION = 25, 600
NOISE, POWER, TWICE = "zero signal", "zero signal at a power of .95", "twice the margin"


def main() -> bool:
    torch.set_num_threads(1)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    proof = Proof(__name__, __doc__, seeds=range(100))
    counts = {NOISE: 100, POWER: 25, TWICE: 25}
    bunches = {f"{row}, {name}, {start} to {start + BUNCH - 1}": (row, name, start)
               for row, runs in counts.items() for name in WORKLOADS for start in range(0, runs, BUNCH)}  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        for cell in proof.missing([*bunches, *(f"{row}: all" for row in counts)]):
            if cell in bunches:
                proof.keep(cell, **bunch(*bunches[cell], Path(folder)))
            else:
                row = cell.removesuffix(": all")
                proof.keep(cell, **total(row, [proof.kept()[name] for name, each in bunches.items() if each[0] == row]))
    return proof.holds()


def bunch(row: str, workload: str, start: int, folder: Path, runs: int = BUNCH) -> dict[str, Any]:
    """How often each finding, and "better than chance", came of so many runs."""
    found = [WORKLOADS[workload](row, seed, folder) for seed in range(start, start + runs)]
    return {"ok": True, "runs": runs, "better_than_chance": sum(each.better_than_chance for each in found),
            "findings": dict(Counter(each.code for each in found))}  # fmt: skip


def total(row: str, bunches: list[dict[str, Any]]) -> dict[str, Any]:
    """Of all runs of a row, and whether it holds."""
    named: Counter[str] = Counter()
    for each in bunches:
        named.update(each["findings"])
    claims, none = sum(each["better_than_chance"] for each in bunches), named["no_signal"]
    ok = {NOISE: claims <= 33, POWER: none >= 85, TWICE: none <= 12}[row]
    return {"ok": ok, "runs": sum(each["runs"] for each in bunches), "better_than_chance": claims,
            "findings": dict(named)}  # fmt: skip


def sensors(row: str, seed: int, folder: Path) -> Shown:
    """Tables of two or three classes, every third a plant."""
    rng = np.random.default_rng(seed)
    data = plant(seed, folder) if row == NOISE and seed % 3 == 0 else table(row, seed, rng)
    torch.manual_seed(seed)
    columns = data.features.columns
    inputs = Inputs(columns.numeric, wear=[], windows=[], missing=columns.missing, log=False, bins=0)
    return judged(SensorClassifier(MLP(inputs, data.labels, 1, 16), figures=False), data, epochs=2)


def table(row: str, seed: int, rng: np.random.Generator) -> SyntheticClassification:
    """Five columns, the first of which tells the classes apart by so much."""
    classes = 2 + (row == NOISE and seed % 3 == 2)
    data = SyntheticClassification(rows=200, features=5 * classes, classes=classes, seed=seed)
    data.setup()
    apart = sqrt(2) * norm.ppf(0.62) if row == TWICE else 0.0
    sizes = {"train": 300, "validation": 80, "test": 150} if row == NOISE else {
        "train": 2 * ROWS, "validation": ROWS // 4, "test": ROWS}  # fmt: skip
    for name, count in sizes.items():
        target = rng.integers(classes, size=count)
        x = rng.normal(size=(count, 5 * classes))
        x[:, 0] += apart * target
        data.splits[name] = {
            "x": torch.tensor(x, dtype=torch.float32), "category": torch.empty((count, 0), dtype=torch.int64),
            "target": torch.tensor(target), "row": torch.arange(count), "group": torch.arange(count),
        }  # fmt: skip
    data.hours = {"train": np.full(sizes["train"], np.nan)}
    return data


def plant(seed: int, folder: Path) -> SensorData:
    """Readings of machines with the labels of others, late or early by hours of chance: both are slow."""
    data = SensorData(machines=25, days=15, seed=seed, cache=str(folder))
    data.prepare_data()
    data.setup()
    rng = np.random.default_rng(seed)
    whole = {name: torch.cat([split[name] for split in data.splits.values()]) for name in ("target", "group", "row")}
    series = [whole["target"][whole["group"] == g] for g in range(25)]
    order = rng.permutation(25)
    for split in data.splits.values():
        for g in split["group"].unique().tolist():
            own = split["group"] == g
            other = series[(order[g] + 1) % 25] if order[g] == g else series[order[g]]
            split["target"][own] = torch.roll(other, int(rng.integers(len(other))))[: int(own.sum())]
    data.bayes = None
    return data


class Pooled(nn.Module):
    """Means of quarters of an image, and a hidden layer."""

    def __init__(self, classes: int):
        super().__init__()
        self.classes = classes
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(12, 16), nn.ReLU(), nn.Linear(16, classes)
        )

    def forward(self, image: Tensor) -> Tensor:
        return self.layers(image)


def images(row: str, seed: int, folder: Path) -> Shown:
    """Images whose brightness tells two classes apart by so much; without a signal 2, 4 or 10 classes."""
    rng, classes = np.random.default_rng(seed), (2, 4, 10)[seed % 3] if row == NOISE else 2
    apart = 2 * norm.ppf(0.56) if row == TWICE else 0.0
    arrays, share = {}, 0.7 ** np.arange(classes) if seed % 2 and row == NOISE else np.ones(classes)
    for part, count in {"train": 2 * IMAGES, "test": IMAGES}.items():
        count = count // 9 if row == NOISE else count
        label = np.concatenate([np.arange(classes).repeat(10), rng.choice(classes, count, p=share / share.sum())])
        label = label if part == "train" else label[10 * classes :]
        level = 128 + 25 * (rng.normal(size=len(label)) + apart * label)
        pixels = level[:, None, None, None] + rng.normal(0, 5, (len(label), 8, 8, 3))
        arrays |= {f"x_{part}": pixels.clip(0, 255).astype(np.uint8), f"y_{part}": label}
    np.savez(folder / "images.npz", **arrays)
    data = ImagesData(arrays=str(folder / "images.npz"), classes=classes, cache=str(folder), seed=seed)
    torch.manual_seed(seed)
    return judged(ImageClassifier(Pooled(classes), figures=False), data, epochs=3)


def stocks(row: str, seed: int, folder: Path) -> Shown:
    """Markets of one or four tickers, forecast by one or five days; of a signal the day before explains a share."""
    wide = row == NOISE
    data = StocksData(
        days=900 if wide else 2 * DAYS + 100, tickers=(1, 4)[seed % 2] if wide else 1,
        horizon_days=(1, 1, 5)[seed % 3] if wide else 1, signal=0.02 if row == TWICE else 0.0, lookback_days=10,
        features=["return", "range"], test=0.25 if wide else DAYS / (2 * DAYS + 100), seed=seed, cache=str(folder),
    )  # fmt: skip
    torch.manual_seed(seed)
    network = SequenceNet(data.features, [{"rnn": "lstm", "units": 8, "last": True}], data.horizon_days)
    return judged(StockForecaster(network, figures=False), data, epochs=2)


def pbpk(row: str, seed: int, folder: Path) -> Shown:
    """Subjects with a share of the difference of their own curves from the mean, the rest that of another subject."""
    test = 40 if row == NOISE else SUBJECTS
    data = PBPKData(compounds=POPULATION, test_compounds=SUBJECTS, hours=24, time_points=25, cache=str(folder))
    data.prepare_data()
    data.setup()
    rng, own = np.random.default_rng(seed), 0.2 if row == TWICE else 0.0
    whole = {name: torch.cat([split[name] for split in data.splits.values()]) for name in data.splits["test"]}
    dose, weight = whole["dose_mg"], whole["weight_kg"]
    logs = (normalized(whole["concentration"].double(), dose, weight) + FLOOR).log()
    away = logs - logs.mean(0)
    mixed = logs.mean(0) + sqrt(own) * away + sqrt(1 - own) * away[torch.tensor(rng.permutation(POPULATION))]
    u = (mixed.exp() - FLOOR).clamp(min=0)
    whole["concentration"] = (u * (dose / weight)[:, None, None]).to(whole["concentration"])
    ends = np.cumsum([POPULATION - 50 - test, 50])
    places = np.split(rng.permutation(POPULATION), ends)
    for name, place in zip(("train", "validation", "test"), places, strict=True):
        data.splits[name] = {key: value[torch.tensor(place)] for key, value in whole.items()}
    torch.manual_seed(seed)
    return judged(PBPKSurrogate(Curves(times=len(data.time_h), hidden=32), trusted=False, figures=False), data, 3)


WORKLOADS: dict[str, Callable[[str, int, Path], Shown]] = {
    "sensors": sensors, "images": images, "stocks": stocks, "pbpk": pbpk,
}  # fmt: skip


def judged(module: Workload, data: WorkloadData, epochs: int) -> Shown:
    """What the evaluation of the workload says of the module, trained for so many epochs."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as folder:
        warnings.simplefilter("ignore")
        Trainer(**QUIET, max_epochs=epochs).fit(module, datamodule=data)
        shown = module.summarize(predict_test(module, data), data, Path(folder)).verdict
    assert shown is not None
    return shown
