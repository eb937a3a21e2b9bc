"""A training that costs next to nothing, notes what happens to it, and whose validation loss is a given curve."""

from typing import ClassVar

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import nn
from torch.utils.data import DataLoader

from fulmen.data.batches import BatchLoader
from fulmen.optim.schedulers import optimizers

CURVE = [5.0, 3.0, 4.0, 2.0, 6.0, 7.0]  # of val/loss over the epochs: the fourth is best


class Numbers(LightningDataModule):
    """`samples` numbers x = 1, 2, ... in batches; in loaders of ours or, with `torch_loader`, of torch."""

    def __init__(self, samples: int = 10, batch_size: int = 4, torch_loader: bool = False, seed: int = 0):
        super().__init__()
        self.x, self.batch_size, self.torch_loader, self.seed = (
            torch.arange(1.0, samples + 1),
            batch_size,
            torch_loader,
            seed,
        )

    def train_dataloader(self):
        if self.torch_loader:
            return DataLoader([{"x": x} for x in self.x], self.batch_size, shuffle=True)
        return BatchLoader({"x": self.x}, self.batch_size, shuffle=True, seed=self.seed)

    def val_dataloader(self):
        return BatchLoader({"x": self.x}, self.batch_size)

    test_dataloader = val_dataloader


class Curve(LightningModule):
    """One weight that learns the mean of x by gradient descent.

    Attributes:
        made: the last one.
        shown: for every epoch the x of each training batch.
        validated: optimizer steps before each validation, and the batches that it had.
    """

    directions: ClassVar = {"val/score": "max"}
    made: "Curve"

    def __init__(self, optimizer=None, scheduler=None, lr: float = 0.1, curve=CURVE):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(()))
        self.optimizer = optimizer or (lambda parameters: torch.optim.SGD(parameters, lr=lr))
        self.scheduler, self.curve = scheduler, curve
        self.shown, self.validated, self.batches = {}, [], []
        Curve.made = self

    def training_step(self, batch, _):
        self.shown.setdefault(self.current_epoch, []).append(batch["x"].tolist())
        loss = ((self.weight - batch["x"]) ** 2).mean()
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["x"]))
        return loss

    def on_validation_epoch_start(self):
        self.batches = []

    def validation_step(self, batch, _):
        self.batches.append(batch["x"].tolist())
        loss = self.curve[self.current_epoch % len(self.curve)]
        self.log_dict({"val/loss": loss, "val/score": -loss}, batch_size=len(batch["x"]))

    def on_validation_epoch_end(self):
        if not self.trainer.sanity_checking:
            self.validated.append((self.trainer.global_step, self.batches))

    def test_step(self, batch, batch_idx):
        self.log("test/loss", ((self.weight - batch["x"]) ** 2).mean(), batch_size=len(batch["x"]))

    def configure_optimizers(self):
        return optimizers(self)
