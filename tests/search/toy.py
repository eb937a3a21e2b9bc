"""A training that costs next to nothing and whose result is a known function of its hyperparameters."""

import os
import time

import torch
from torch import nn
from torch.utils.data import DataLoader

from fulmen import Workload, WorkloadData
from fulmen.report.summary import Summary


class Data(WorkloadData):
    """One batch of ones."""

    def __init__(self, seed: int = 0, tested: str | None = None):
        super().__init__(seed=seed)
        self.tested = tested

    def train_dataloader(self):
        return DataLoader(torch.ones(2, 1), batch_size=1)

    val_dataloader = train_dataloader

    def test_dataloader(self):
        if self.tested:
            with open(self.tested, "a") as file:
                file.write("touched\n")
        return self.train_dataloader()


class Model(Workload):
    """val/loss is (x - 0.3)^2 + (y - 0.6)^2 + 1 / epoch; where `fails` says so, training does."""

    def __init__(
        self,
        x: float = 0.5,
        y: float = 0.5,
        fails: str | None = None,
        width: int = 1,
        seconds: float = 0.0,
        witness: str | None = None,
        shape: list[int] | None = None,
    ):
        super().__init__(nn.Linear(1, width))
        self.x, self.y, self.fails, self.seconds, self.witness = x, y, fails, seconds, witness

    def on_fit_start(self):
        if self.witness:
            with open(self.witness, "a") as file:
                file.write(f"{self.global_rank} {self.x} {self.y}\n")

    def training_step(self, batch, batch_idx):
        time.sleep(self.seconds)
        if self.fails == "raise":
            raise RuntimeError("the model is broken")
        if self.fails == "exit":
            os._exit(9)
        if self.current_epoch == 1 and (number := os.environ.pop("TOY_SIGNAL", None)):
            os.kill(os.getpid(), int(number))
        if "TOY_BREAKS" in os.environ:
            raise RuntimeError("the model is broken")
        if self.fails == "machine" and (number := os.environ.get("TOY_MACHINE_ERROR")):
            raise OSError(int(number), os.strerror(int(number)), "somewhere")
        return self.network(batch).mean()

    def validation_step(self, batch, batch_idx):
        loss = (self.x - 0.3) ** 2 + (self.y - 0.6) ** 2 + 1 / (self.current_epoch + 1)
        if self.fails == "no_number":
            loss = float("nan")
        self.log("val/loss", loss)
        self.log("val/gain", -loss)

    def test_step(self, batch, batch_idx):
        self.log("test/loss", (self.x - 0.3) ** 2 + (self.y - 0.6) ** 2)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.1)

    def summarize(self, predicted, data, figures):
        loss = (self.x - 0.3) ** 2 + (self.y - 0.6) ** 2
        return Summary(metrics={"loss": loss}, baselines={"nothing": {"loss": 0.05}, "mean": {"loss": 0.2}})
