"""A project of one's own whose data read a file: what is taken from it is shown wherever fulmen shows that."""

from contextlib import contextmanager

from own_package import own_package

DATA = '''"""Numbers of a CSV."""

import csv

import torch

import fulmen
from fulmen.io.content import Recognised
from fulmen.io.taken import Guess, Taken
from fulmen.io.tables import read_table


class ReadData(fulmen.WorkloadData):
    """A batch holds `x` [B, 1] and `item` [B].

    Args:
        csv: a file, or several.
        decimal: the sign before the decimals.
        fold: which part tests.
        folds: number of parts.
    """

    reads = "csv"

    def __init__(self, csv: str | list[str] = "missing.csv", decimal: str = "auto", seed: int = 0,
                 fold: int | None = None, folds: int = 2):
        super().__init__(4, seed)
        self.csv = [csv] if isinstance(csv, str) else list(csv)
        self.fold = fold or 0

    def setup(self, stage=None):
        if self.splits:
            return
        values = []
        for path in self.csv:
            table = read_table(path, needed=["length"])
            found = [float(cell.replace(",", ".")) for cell in table.frame["length"]]
            values += found
            self.taken.append(Taken(path, f"{len(found)} lengths", {"features": "length"},
                                    [Guess("decimal comma in length", "data.decimal=point")],
                                    doubts=["a length is below 0"] if min(found) < 0 else []))
        x = torch.tensor(values)[:, None]
        whole = {"x": x, "item": torch.arange(len(x))}
        test = torch.arange(len(x)) % 2 == self.fold
        parts = {"train": ~test, "validation": ~test, "test": test}
        self.splits = {name: {key: each[rows] for key, each in whole.items()} for name, rows in parts.items()}

    @classmethod
    def recognises(cls, content, arguments):
        return Recognised("lengths", strength=2) if "length" in content.names else None


class Model(fulmen.Workload):
    def __init__(self):
        super().__init__(torch.nn.Linear(1, 1))

    def step(self, batch, stage):
        loss = (self.network(batch["x"]) - 1).square()
        return loss.mean(), {"loss": loss[:, 0]}

    def summarize(self, predicted, data, figures):
        items = {"item": data.splits["test"]["item"], "loss": predicted["loss"]}
        return fulmen.Summary({"mse": float(predicted["loss"].mean())}, items=items)
'''
EXPERIMENT = """# @package _global_
data: {_target_: readlab.data.ReadData, seed: "${seed}"}
model: {_target_: readlab.data.Model}
trainer: {max_epochs: 1, accelerator: cpu, enable_progress_bar: false}
callbacks: {progress: null, diagnosis: null}
logger: null
"""


@contextmanager
def lab(folder, name="readlab"):
    """A project of this name in a folder, the working directory inside the block, with `px.csv` and `low.csv`."""
    files = {
        "pyproject.toml": '[project]\nname = "readlab"\n[tool.fulmen]\npackages = ["readlab"]\n',
        "conf/experiment/readlab.yaml": EXPERIMENT,
        "readlab/__init__.py": "",
        "readlab/data.py": DATA,
        "px.csv": "length;what\n" + "".join(f"{i},5;a\n" for i in range(16)),
        "low.csv": "length;what\n" + "".join(f"{i - 3},5;a\n" for i in range(16)),
    }
    with own_package(folder, files, "readlab", name):
        yield folder
