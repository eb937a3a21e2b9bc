"""Verdicts of small trainings on themselves, where the truth is known from the law that made their data.

    python benchmarks/diagnosis_own.py [--first 2000] [--runs 60] [--show]

A run is drawn by its number: a table of 10 features whose classes or values follow a law that is linear or not, rows,
noise, a linear model or a perceptron, its learning rate and schedule. The truth comes from 10,000 fresh rows at every
epoch and from the risk of the law itself: overfitting is a risk that ends more than 8 % above its best; a good fit one
that ends less than 2 % above it and 1.5 times that of the training rows, and has at least 80 % of what the law gains
over a constant predictor; no learning one of the training rows that moved by less than 1 % of the constant's;
underfitting one that has less than 60 % of what the law gains, and a third of the constant's at most, on training rows
too. What lies between is left out and counted.

A verdict is contradicted by the log if it says that nothing was learned where the logged training loss fell to 5 %
below where it began and below the constant's, good fit where the logged validation loss ended more than 3 % above its
best, or quotes another logged training loss than the log has. The training loss that it judges is that of a sample;
where it is off that of all training rows by more than three standard errors as stated, 2 % at least, that is counted
apart.

Runs below 2000 may be looked at to set the rules, those from 2000 on are for the score.
"""

import argparse
import contextlib
import io
import math
import time
import warnings
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, Trainer, seed_everything
from sklearn.metrics import f1_score
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, mse_loss

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.runs.surroundings import quiet_libraries
from fulmen.workload import Workload, WorkloadData

FRESH, FEATURES = 10_000, 10
WORDS = ("good_fit", "overfitting", "underfitting", "no_learning")


def draw(number: int) -> dict[str, Any]:
    """The settings of a run."""
    rng = np.random.default_rng(70_000 + number)
    kind = ("good", "few", "rigid", "slow")[number % 4]
    return {
        "kind": kind, "number": number, "classes": bool(rng.integers(2)), "bent": kind == "rigid",
        "rows": int({"good": rng.choice([800, 2000, 4000, 8000]), "few": rng.choice([60, 100, 150])}.get(kind, 1500)),
        "val": int(rng.choice([200, 400, 800])), "width": 64 if kind == "few" else 0,
        "noise": float(rng.uniform(0.2, 0.5)), "epochs": int(rng.choice([20, 30, 40])) * (2 if kind == "few" else 1),
        "lr": 1e-6 if kind == "slow" else float(10 ** rng.uniform(-2.2, -1.6)),
        "cosine": bool(rng.integers(2)), "batch": int(rng.choice([32, 64])),
    }  # fmt: skip


class Law:
    """Logits or values of features: a line, or products of pairs that no line can follow."""

    def __init__(self, s: dict[str, Any]):
        self.rng, self.s = np.random.default_rng(90_000 + s["number"]), s
        self.weights = self.rng.normal(size=FEATURES) * (3.0 / math.sqrt(FEATURES))

    def rows(self, count: int) -> tuple[dict[str, Tensor], Tensor]:
        """Samples, and what the law itself predicts of them [count, 1]."""
        x = self.rng.normal(size=(count, FEATURES))
        line = x @ self.weights
        f = 2.5 * (x[:, 0] * x[:, 1] + x[:, 2] * x[:, 3]) + 0.8 * line if self.s["bent"] else line
        if self.s["classes"]:
            y = self.rng.random(count) < 1 / (1 + np.exp(-1.5 * f))
            known = 1.5 * f
        else:
            y, known = f + self.s["noise"] * 3 * self.rng.normal(size=count), f
        numbers = (torch.tensor(each, dtype=torch.float32) for each in (x, y[:, None], known[:, None]))
        inputs, target, law = numbers
        return {"x": inputs, "y": target}, law


class Table(WorkloadData):
    def __init__(self, law: Law):
        super().__init__(law.s["batch"], seed=law.s["number"])
        self.splits = {name: law.rows(law.s[size])[0] for name, size in (("train", "rows"), ("validation", "val"))}
        self.fresh, self.law = law.rows(FRESH)


class Model(Workload):
    def __init__(self, s: dict[str, Any], base: float):
        width = s["width"]
        layers = [nn.Linear(FEATURES, width), nn.ReLU(), nn.Linear(width, 1)] if width else [nn.Linear(FEATURES, 1)]
        super().__init__(nn.Sequential(*layers))
        self.s, self.naive_loss = s, base

    def loss(self, predicted: Tensor, target: Tensor) -> Tensor:
        return (binary_cross_entropy_with_logits if self.s["classes"] else mse_loss)(predicted, target)

    def step(self, batch: dict[str, Tensor], stage: str) -> tuple[Tensor, dict]:
        return self.loss(self.network(batch["x"]), batch["y"]), {}

    def constant_loss(self, batch: dict[str, Tensor]) -> Tensor:
        mean = self.trainer.datamodule.splits["train"]["y"].mean()
        constant = torch.logit(mean, 1e-3) if self.s["classes"] else mean
        return self.loss(constant.expand_as(batch["y"]), batch["y"])

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), self.s["lr"])
        if not self.s["cosine"]:
            return optimizer
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, self.s["epochs"])
        return {"optimizer": optimizer, "lr_scheduler": schedule}


class Truth(Callback):
    """Risks of fresh and of training rows, and what was logged, at every epoch."""

    def __init__(self) -> None:
        self.fresh: list[float] = []
        self.train: list[float] = []
        self.logged: dict[str, list[float]] = {"train/loss": [], "val/loss": []}
        self.train_base = math.nan

    def on_train_epoch_end(self, trainer: Trainer, module: Model) -> None:
        data = trainer.datamodule
        with torch.no_grad():
            for found, rows in ((self.fresh, data.fresh), (self.train, data.splits["train"])):
                found.append(float(module.loss(module.network(rows["x"]), rows["y"])))
        for name, values in self.logged.items():
            values.append(float(trainer.callback_metrics[name]))


def run(s: dict[str, Any]) -> tuple[Diagnosis, Truth, str]:
    """The diagnosis, what was seen beside it, and the word that is true; "" between words."""
    seed_everything(s["number"], verbose=False)
    data = Table(Law(s))
    y = data.splits["train"]["y"]
    constant = torch.logit(y.mean(), 1e-3) if s["classes"] else y.mean()
    model = Model(s, 0.0)
    base = float(model.loss(constant.expand_as(data.fresh["y"]), data.fresh["y"]))
    model.naive_loss = float(model.loss(constant.expand_as(y), y))
    diagnosis, seen = Diagnosis(), Truth()
    trainer = Trainer(
        max_epochs=s["epochs"], accelerator="cpu", logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0, callbacks=[seen, diagnosis],
    )  # fmt: skip
    with contextlib.redirect_stdout(io.StringIO()):
        trainer.fit(model, datamodule=data)
    best_possible = 1 - float(model.loss(data.law, data.fresh["y"])) / base
    seen.train_base = base
    return diagnosis, seen, word(np.array(seen.fresh), np.array(seen.train), base, best_possible)


def word(fresh: np.ndarray, train: np.ndarray, base: float, possible: float) -> str:
    """The truth; "" where it is between words."""
    end = fresh[-3:].mean()
    rise, gain, own = end / fresh.min() - 1, 1 - end / base, 1 - train[-3:].mean() / base
    if rise > 0.08 and train[-1] < 0.9 * train[int(fresh.argmin())]:
        return "overfitting"
    if rise > 0.02:
        return ""
    if gain > 0.8 * possible and end < 1.5 * train[-1] and fresh[-len(fresh) // 4] / end < 1.03:
        return "good_fit"
    if abs(train[-1] - train[0]) < 0.01 * base and own < 0.33 < possible:
        return "no_learning"
    return "underfitting" if 0.03 < own < min(0.33, 0.6 * possible) and gain > 0.02 else ""


def contradictions(diagnosis: Diagnosis, seen: Any) -> list[str]:
    """What the log says against the verdicts.

    Args:
        seen: losses of the log, and `train_base`, the constant's on the training rows.
    """
    found, train, val = [], seen.logged["train/loss"], np.array(seen.logged["val/loss"])
    smooth = np.convolve(val, np.ones(3) / 3, "valid")
    for verdict in diagnosis.verdicts:
        if verdict.code == "no_learning" and train[-1] < 0.95 * min(train[0], seen.train_base):
            found.append("nothing learned, and yet the logged training loss fell")
        if verdict.code == "good_fit" and smooth[-1] > 1.03 * smooth.min():
            found.append("good fit, and yet the logged validation loss rose")
        quoted = verdict.evidence.get("train_logged", train[-1])
        if abs(quoted - train[-1]) > 1e-5 * abs(train[-1]):
            found.append(f"{verdict.code}: logged training loss {quoted:.3g}, in the log {train[-1]:.3g}")
    return found


def off_by_more(diagnosis: Diagnosis, seen: Any) -> list[str]:
    """Training losses of a sample that are further from that of all training rows than their error explains."""
    found, all_rows = [], seen.train[-1]
    for verdict in diagnosis.verdicts:
        named, error = verdict.evidence.get("train"), verdict.evidence.get("train_error", 0.0)
        if named is not None and abs(named - all_rows) > max(1.5 * error, 0.02 * all_rows):
            found.append(f"{verdict.code}: training loss {named:.3g} +- {error:.2g}, of all rows {all_rows:.3g}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--first", type=int, default=2000, help="number of the first run")
    parser.add_argument("--runs", type=int, default=60)
    parser.add_argument("--show", action="store_true", help="every run whose first word is wrong")
    args = parser.parse_args()
    torch.set_num_threads(1)
    warnings.filterwarnings("ignore")
    quiet_libraries()
    began, pairs, against, off, grey = time.process_time(), [], [], [], 0
    for number in range(args.first, args.first + args.runs):
        s = draw(number)
        diagnosis, seen, true = run(s)
        against += contradictions(diagnosis, seen)
        off += off_by_more(diagnosis, seen)
        said = diagnosis.verdicts[0].code
        grey += not true
        if true:
            pairs.append((true, said))
        if args.show and true and said != true:
            print(f"{true}, said {said}: {[str(v)[:150] for v in diagnosis.verdicts]}\n    {s}")
    true, said = zip(*pairs, strict=True)
    each = f1_score(true, said, labels=WORDS, average=None, zero_division=0)
    scores = dict(zip(WORDS, (round(float(f), 3) for f in each), strict=True))
    print(f"{len(pairs)} runs, {grey} between words: macro-F1 {each.mean():.3f} {scores}")
    print(f"contradicted: {len(against)} {sorted(set(against))[:6]}")
    print(f"training loss of a sample off by more than it says: {len(off)} {sorted(set(off))[:6]}")
    print(f"{time.process_time() - began:.0f} CPU s")


if __name__ == "__main__":
    main()
