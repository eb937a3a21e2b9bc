"""A project of one's own whose table can be given any leak: what is found of it is told wherever fulmen tells that."""

from contextlib import contextmanager

import numpy as np
import pandas as pd
from own_package import own_package

DATA = '''"""A table of numbers with a target of 0 and 1."""

import numpy as np
import pandas as pd
import torch

import fulmen
from fulmen.data.leaks import Samples

SPLITS = ("train", "validation", "test")


class TableData(fulmen.WorkloadData):
    """A batch holds `x` [B, D], `target` [B] and `item` [B].

    Args:
        csv: a file with a column y, and inputs by any other names; `group` is none.
        leave_out: inputs that are not used.
        fold: which rows test.
        folds: number of parts.
    """

    reads = "csv"

    def __init__(self, csv: str = "honest.csv", leave_out: list[str] | None = None, seed: int = 0,
                 fold: int | None = None, folds: int = 5):
        super().__init__(64, seed)
        self.csv, self.leave_out, self.fold, self.folds = csv, list(leave_out or ()), fold, folds

    def setup(self, stage=None):
        if self.splits:
            return
        self.table = pd.read_csv(self.csv)
        self.inputs = [name for name in self.table if name not in ("y", "group", "part", *self.leave_out)]
        part = np.arange(len(self.table)) % self.folds
        test = self.fold or 0
        self.split = np.where(part == test, 2, np.where(part == (test + 1) % self.folds, 1, 0))
        x = torch.tensor(self.table[self.inputs].to_numpy(), dtype=torch.float32)
        whole = {"x": x, "target": torch.tensor(self.table["y"].to_numpy()), "item": torch.arange(len(x))}
        self.splits = {name: {key: each[self.split == i] for key, each in whole.items()}
                       for i, name in enumerate(SPLITS)}

    def all_samples(self):
        columns = {name: self.table[name].to_numpy() for name in self.inputs}
        return Samples(self.table["y"].to_numpy(), "classes", self.split, columns, splitting="random", sample="row",
                       group=self.table["group"].to_numpy() if "group" in self.table else None, target_name="y",
                       without=lambda names: [f"data.leave_out=[{','.join(names)}]"])
'''
MODEL = '''"""A logistic regression."""

from functools import partial

import torch
from torch.nn.functional import cross_entropy

import fulmen


class Model(fulmen.Workload):
    ranking_metrics = {"accuracy": True}
    directions = {"accuracy": "max"}

    def __init__(self, network: torch.nn.Module):
        super().__init__(network, partial(torch.optim.Adam, lr=0.05))

    def step(self, batch, stage):
        loss = cross_entropy(self.network(batch["x"]), batch["target"], reduction="none")
        right = self.network(batch["x"]).argmax(1) == batch["target"]
        return loss.mean(), {"loss": loss, "right": right}

    def summarize(self, predicted, data, figures):
        items = {"item": data.splits["test"]["item"], "loss": predicted["loss"]}
        shares = data.splits["test"]["target"].double().mean()
        constant = {"accuracy": float(max(shares, 1 - shares))}
        return fulmen.Summary({"accuracy": float(predicted["right"].double().mean())}, items=items,
                              baselines={"constant": constant})
'''
EXPERIMENT = """# @package _global_
data: {_target_: leaklab.data.TableData, seed: "${seed}"}
model: {_target_: leaklab.model.Model, network: {_target_: torch.nn.Linear, in_features: 4, out_features: 2}}
trainer: {max_epochs: 1, accelerator: cpu, enable_progress_bar: false}
callbacks: {progress: null, diagnosis: null, summary: null}
logger: null
"""


@contextmanager
def lab(folder, name="leaklab"):
    """A project of this name in a folder, the working directory inside the block, with `honest.csv` and `copies.csv`.

    Args:
        name: another one for each module of tests, for what is imported is remembered.
    """
    files = {
        "pyproject.toml": '[project]\nname = "leaklab"\n[tool.fulmen]\npackages = ["leaklab"]\n',
        "conf/experiment/leaklab.yaml": EXPERIMENT,
        "leaklab/__init__.py": "",
        "leaklab/data.py": DATA,
        "leaklab/model.py": MODEL,
    }
    with own_package(folder, files, "leaklab", name):
        honest().to_csv("honest.csv", index=False)
        copies().to_csv("copies.csv", index=False)
        yield folder


def honest(rows=400, seed=0, noise=1.0):
    """Four inputs, of which the first two say something of the target."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(rows, 4))
    table = pd.DataFrame(x, columns=["a", "b", "c", "d"])
    return table.assign(y=(x[:, 0] + x[:, 1] + noise * rng.normal(size=rows) > 0).astype(int))


def copies(rows=400, seed=0):
    """Every row three times, its label drawn by chance: only who has seen a row before knows its label."""
    table = honest(rows, seed)
    table["y"] = np.random.default_rng(seed + 1).integers(0, 2, rows)
    return pd.concat([table] * 3, ignore_index=True).sample(frac=1, random_state=seed)


def tripled(rows=400, seed=0):
    """Every row of an easy table three times."""
    return pd.concat([honest(rows, seed, noise=0.2)] * 3, ignore_index=True).sample(frac=1, random_state=seed)


def leaky(column="b", strength=1.0, **more):
    """As `honest`, a column of which tells the target: 1 does without an error."""
    table = honest(**more)
    noise = np.random.default_rng(9).normal(size=len(table))
    table[column] = strength * (2.0 * table["y"] - 1) + (1 - strength) * noise
    return table
