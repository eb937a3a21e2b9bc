"""fulmen's diagnosis of its own runs says what is true of them: macro-F1 of .9, nothing that their log contradicts.

200 runs of the four workloads, settings and seeds that no threshold was set with. A run is drawn by its number: how
many training rows, which network, learning rate and epochs; every second one is meant to be healthy, the others have
few rows and many epochs, a network of one hidden unit or too low a learning rate, or one of next to nothing. The test
split, a thousand rows and more that nothing is chosen by, tells the truth, and a refit on all training rows what can be
learned at all:

* overfitting: the loss of the test split ends more than 8 % above its best while that of the training rows fell;
* good fit: it ends less than 2 % above its best, has fallen by less than 3 % over the last quarter, is below 1.5 times
  that of the training rows, and the run has at least 70 % of what the refit gains over a constant predictor;
* generalization gap: it has come to rest, at more than 2.5 times that of the training rows and .1 of the constant's;
* still improving: it has fallen by more than 8 % over the last quarter;
* no learning: the loss of the training rows moved by less than 1 % of the constant's, where the refit gains 10 %;
* underfitting: training has come to rest with at least 3 % and at most four fifths of what the run was told to expect
  (`expected_gain`), and 60 % of what the refit gains.

What lies between is left out and counted, and so is a run whose validation split rose by 3 % where the test split did
not. The first verdict is compared with the truth. Contradicted is one by which nothing was learned where the logged
training loss fell to 5 % below where it began and below the constant's, a good fit where the logged validation loss
ended more than 3 % above its best, or one that quotes another logged training loss than the log has. The training loss
that is judged is that of a sample: how often it is off that of all training rows by more than three standard errors is
counted apart. An alarm is a warning or an error in a healthy run, unless it is true of it; overfitting of one whose
test loss ends 2 to 8 % above its best lies between, and is counted apart too. Broken runs: the twelve mistakes of
benchmarks/diagnosis_runs.py with new seeds. Runs below 7000 may be looked at to set the rules.

    python -m benchmarks.proofs own_runs     # 212 cells of 1 to 10 CPU seconds
"""

import contextlib
import io
import math
import sys
import warnings
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer, seed_everything
from sklearn.metrics import f1_score
from torch import Tensor, nn

from benchmarks.proofs import ROOT, Proof
from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.failure_demos import Fault
from fulmen.callbacks.levels import base_of
from fulmen.callbacks.probe_metrics import loss_of, on_device
from fulmen.config.check import build, check_overrides
from fulmen.data.batches import Batch, size
from fulmen.lightning_private import datamodule_of
from fulmen.runs.surroundings import quiet_libraries
from fulmen.utils.threads import set_threads

sys.path.insert(0, str(ROOT / "benchmarks"))
from diagnosis_own import contradictions, off_by_more

FIRST, RUNS, HEALTHY = 7000, 200, "healthy"
FRESH = 1500  # rows that tell the truth, at most
KINDS = (HEALTHY, "few rows", HEALTHY, "held back", HEALTHY, "few rows", HEALTHY, "slow")
DATA_SEEDS = (11, 12)
DATA = {
    "sensors": ["experiment=sensors", "network=sensors/mlp", "data.machines=60", "data.days=40", "data.batch_size=64"],
    "images": ["experiment=images_plain", "imbalance=null", "data.validation=0.5", "data.batch_size=32",
               "model.augmentation=null"],
    "stocks": ["experiment=stocks", "network=06_gru_classic", "data.tickers=3", "data.days=1600", "data.signal=0.5",
               "data.lookback_days=10", "data.batch_size=64", "callbacks.diagnosis.expected_gain=0.15",
               "model.network.stages=[{rnn: gru, units: 24, last: true}]"],
    "pbpk": ["experiment=pbpk_mlp", "data.compounds=220", "data.subjects_per_compound=4", "data.test_compounds=70",
             "data.validation_compounds=30", "data.time_points=24", "model.network.times=23", "data.batch_size=32",
             "scheduler=null"],
}  # fmt: skip
ROWS = {"sensors": (800, 1500), "images": (400, 700), "stocks": (1200, 2000), "pbpk": (300, 360)}
EPOCHS = {"sensors": 12, "images": 20, "stocks": 14, "pbpk": 24}
RATE = {"sensors": 1e-3, "images": 1e-3, "stocks": 2e-3, "pbpk": 1e-3}


class Subset(Fault):
    """So many random training rows; validation and test split are put together, and so many of these validate.

    Both are of the same law then, whatever the time or the machines they come from.
    """

    def __init__(self, train: int, validation: int, seed: int):
        self.train, self.validation, self.seed = train, validation, seed

    def spoil(self, splits: dict[str, Batch]) -> None:
        both = [splits[name] for name in ("validation", "test")]
        rows = {name: torch.cat([one[name] for one in both]) if is_row(both[0], name) else value
                for name, value in both[0].items()}  # fmt: skip
        order = torch.randperm(size(rows), generator=torch.Generator().manual_seed(self.seed))
        count = min(self.validation, len(order) // 2)
        splits["validation"] = chosen(rows, order[:count])
        splits["test"] = chosen(rows, order[count : count + FRESH])
        order = torch.randperm(size(splits["train"]), generator=torch.Generator().manual_seed(self.seed))
        splits["train"] = chosen(splits["train"], order[: self.train].sort().values)


def is_row(batch: Batch, name: str) -> bool:
    """Whether an entry has a value for each row, as the time grid has not."""
    return len(batch[name]) == size(batch)


def chosen(batch: Batch, rows: Tensor) -> Batch:
    return {name: value[rows] if is_row(batch, name) else value for name, value in batch.items()}


class Perceptron(nn.Sequential):
    """Of small pictures: a network whose training takes a second."""

    def __init__(self, width: int, classes: int = 10):
        last = [nn.Linear(192, width), nn.ReLU(), nn.Linear(width, classes)] if width else [nn.Linear(192, classes)]
        super().__init__(nn.AdaptiveAvgPool2d(8), nn.Flatten(), *last)
        self.classes = classes


class Truth(Callback):
    """Losses of the test split and of all training rows, and what was logged, at every epoch."""

    def __init__(self) -> None:
        self.fresh: list[float] = []
        self.train: list[float] = []
        self.logged: dict[str, list[float]] = {"train/loss": [], "val/loss": []}
        self.base = self.train_base = math.nan

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.rows = [on_device(trainer, datamodule_of(trainer).splits[name]) for name in ("test", "train")]
        found = [base_of(loss_of(rows, trainer, module, "val/loss"), rows, trainer, module).loss for rows in self.rows]
        self.base, self.train_base = (float(each or math.nan) for each in found)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        for found, rows in zip((self.fresh, self.train), self.rows, strict=True):
            found.append(loss_of(rows, trainer, module, "val/loss"))
        for name, values in self.logged.items():
            values.append(float(trainer.callback_metrics[name]))


def draw(number: int) -> dict[str, Any]:
    """The settings of a run."""
    rng = np.random.default_rng(310_000 + number)
    workload, kind = tuple(DATA)[number % 4], KINDS[number // 4 % len(KINDS)]
    rows, epochs, rate = (
        int(rng.integers(*ROWS[workload])),
        EPOCHS[workload],
        RATE[workload] * float(rng.uniform(0.7, 2)),
    )
    s = {"workload": workload, "kind": kind, "number": number, "data_seed": int(rng.choice(DATA_SEEDS)), "rows": rows,
         "validation": int(rng.choice([150, 300, 600])), "lr": rate,
         "epochs": int(epochs * rng.uniform(0.8, 1.4)), "width": 64}  # fmt: skip
    if kind == "few rows":
        few = {"sensors": (100, 250), "images": (60, 120), "stocks": (80, 200), "pbpk": (16, 40)}[workload]
        s |= {"rows": int(rng.integers(*few)), "epochs": int(3 * epochs), "lr": 3 * rate}
    elif kind == "held back":
        small, slow = {"width": 1, "epochs": 2 * epochs, "lr": 5 * rate}, {"lr": rate / 40}
        s |= small if workload in ("images", "pbpk") else slow
    elif kind == "slow":
        s |= {"lr": 1e-8}
    return s


def train(s: dict[str, Any]) -> tuple[Diagnosis, Truth]:
    """The diagnosis of a run, and what was seen beside it."""
    typed = [*DATA[s["workload"]], f"data.seed={s['data_seed']}", f"model.optimizer.lr={s['lr']}"]
    if s["workload"] == "pbpk":
        typed.append(f"model.network.hidden={s['width']}")
    cfg = check_overrides(typed)
    seed_everything(s["number"], verbose=False)
    data, model = build(cfg.data, "data"), build(cfg.model, "model")
    if s["workload"] == "images":
        model.network = Perceptron(s["width"])
    diagnosis, seen = Diagnosis(expected_gain=cfg.callbacks.diagnosis.get("expected_gain", 0.4)), Truth()
    trainer = Trainer(
        max_epochs=s["epochs"], accelerator="cpu", logger=False, enable_checkpointing=False, enable_progress_bar=False,
        enable_model_summary=False, num_sanity_val_steps=0,
        callbacks=[Subset(s["rows"], s["validation"], s["number"]), seen, diagnosis],
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.fit(model, datamodule=data)
    return diagnosis, seen


@cache
def possible(workload: str, data_seed: int) -> float:
    """What a refit on all training rows takes away of the constant's loss on the test split."""
    s = draw(0) | {"workload": workload, "data_seed": data_seed, "rows": 1500, "validation": 600, "lr": RATE[workload],
                   "epochs": 2 * EPOCHS[workload], "width": 64, "number": 1}  # fmt: skip
    _, seen = train(s)
    return 1 - min(seen.fresh) / seen.base


def risen(losses: Sequence[float]) -> float:
    """How far the mean of the last three lies above the lowest mean of three."""
    smooth = np.convolve(losses, np.ones(3) / 3, "valid")
    return float(smooth[-1] / smooth.min() - 1)


def word(seen: Truth, expected: float, gain_there_is: float) -> str:
    """The truth; "" where it is between words."""
    fresh, train, base = np.array(seen.fresh), np.array(seen.train), seen.base
    quarter, end = max(len(fresh) // 4, 1), float(np.mean(fresh[-3:]))
    smooth = np.convolve(fresh, np.ones(3) / 3, "valid")
    rise, gain, own = risen(fresh), 1 - end / base, 1 - float(np.mean(train[-3:])) / seen.train_base
    if rise > 0.08:
        return "overfitting" if train[-1] < 0.95 * train[int(fresh.argmin())] else ""
    if rise > 0.02:
        return ""
    if abs(train[-1] - train[0]) < 0.01 * base and own < 0.9 * expected and gain_there_is > 0.1:
        return "no_learning"
    val = np.convolve(seen.logged["val/loss"], np.ones(3) / 3, "valid")
    settled = fresh[-1 - quarter] / end < 1.03
    if val[-1] > 1.03 * val.min():
        return ""
    if smooth[-1 - quarter] > 1.08 * smooth[-1]:
        return "still_improving"
    if settled and end > max(2.5 * train[-1], 0.1 * base):
        return "generalization_gap"
    if settled and gain > 0.7 * gain_there_is and end < 1.5 * train[-1] and own > 1.1 * expected:
        return "good_fit"
    at_rest = train[-1 - quarter] - train[-1] < 0.01 * base
    if at_rest and 0.03 < own < min(0.8 * expected, 0.6 * gain_there_is):
        return "underfitting"
    return ""


def judged(number: int) -> dict[str, Any]:
    """What is kept of a run."""
    s = draw(number)
    diagnosis, seen = train(s)
    expected = diagnosis.expected_gain
    there = possible(s["workload"], s["data_seed"])
    true = word(seen, expected, there)
    graver = [verdict.code for verdict in diagnosis.verdicts if verdict.severity in ("warning", "error")]
    false = [code for code in graver if code != true] if s["kind"] == HEALTHY else []
    between = [code for code in false if code == "overfitting" and risen(seen.fresh) > 0.02]
    return {
        "kind": s["kind"], "true": true, "said": diagnosis.verdicts[0].code, "graver": graver,
        "alarms": [code for code in false if code not in between], "between": between,
        "contradicted": contradictions(diagnosis, seen), "off": off_by_more(diagnosis, seen),
        "gain": round(1 - seen.fresh[-1] / seen.base, 4),
        "possible": round(there, 4), "rise": round(seen.fresh[-1] / min(seen.fresh) - 1, 4),
        "rows": s["rows"], "epochs": s["epochs"],
    }  # fmt: skip


def macro_f1(pairs: Sequence[tuple[str, str]]) -> float:
    true, said = zip(*pairs, strict=True)
    labels = sorted(set(true))
    return float(f1_score(true, said, labels=labels, average="macro", zero_division=0))


def summed(cells: Iterable[dict[str, Any]], seed: int = 1) -> dict[str, Any]:
    """Macro-F1 with a 95 % interval over runs drawn again, contradictions, alarms in healthy runs."""
    cells = list(cells)
    pairs = [(one["true"], one["said"]) for one in cells if one["true"]]
    rng = np.random.default_rng(seed)
    again = [macro_f1([pairs[i] for i in rng.integers(len(pairs), size=len(pairs))]) for _ in range(1000)]
    return {
        "runs": len(cells), "judged": len(pairs), "macro_f1": round(macro_f1(pairs), 3),
        "interval": [round(float(q), 3) for q in np.quantile(again, [0.025, 0.975])],
        "contradicted": sum(bool(one["contradicted"]) for one in cells),
        "healthy": sum(one["kind"] == HEALTHY for one in cells), "alarms": sum(bool(one["alarms"]) for one in cells),
        "between": sum(bool(one["between"]) for one in cells), "off_by_more": sum(bool(one["off"]) for one in cells),
    }  # fmt: skip


def broken(name: str, seed: int) -> tuple[bool, list[str]]:
    """Whether one of the twelve mistakes is named, and what was said."""
    from diagnosis_runs import BROKEN, graver
    from diagnosis_runs import train as spoiled

    meant, make = BROKEN[name]
    said = graver(spoiled(make, seed))
    return bool(meant & set(said)), said


def quiet() -> None:
    set_threads(1)
    warnings.filterwarnings("ignore")
    quiet_libraries()


def main(workloads: Sequence[str] = tuple(DATA), mistakes: bool = True) -> bool:
    from diagnosis_runs import BROKEN

    quiet()
    proof = Proof(__name__, __doc__, seeds=[FIRST])
    numbers = {f"{draw(n)['workload']} run {n}": n for n in range(FIRST, FIRST + RUNS)}
    faults = {f"mistake: {name}": 700 + i for i, name in enumerate(BROKEN)}
    for cell in proof.missing([*(c for c in numbers if c.split()[0] in workloads), *(faults if mistakes else ())]):
        if cell in faults:
            named, said = broken(cell.partition(": ")[2], faults[cell])
            proof.keep(cell, ok=True, named=named, said=said)
        else:
            proof.keep(cell, ok=True, **judged(numbers[cell]))
    kept = {cell: one for cell, one in proof.kept().items() if one["code"] == proof.code}
    runs = summed(kept[cell] for cell in numbers if cell in kept)
    named = sum(kept[cell]["named"] for cell in faults if cell in kept)
    print(runs, f"mistakes named: {named} of {len(faults)}", sep="\n")
    holds = runs["macro_f1"] >= 0.9 and not runs["contradicted"] and runs["alarms"] <= 5 and named >= 11
    proof.keep("all together", ok=holds, **runs, mistakes_named=named)
    return holds and proof.holds()
