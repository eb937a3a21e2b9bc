"""How far a training is can be read while it goes on, and to tell changes nothing."""

import json

import pytest
import torch
from helpers import differing, quiet_trainer
from lightning.pytorch import LightningModule
from lightning.pytorch.callbacks import ModelCheckpoint
from torch.utils.data import DataLoader

from fulmen.callbacks.run_progress import RunProgress
from fulmen.utils import progress


class Line(LightningModule):
    """Eight batches of one number, noise in its loss; keeps what the file says at the start of each batch."""

    def __init__(self, folder):
        super().__init__()
        self.weight, self.folder, self.seen = torch.nn.Parameter(torch.ones(1)), folder, []

    def training_step(self, batch, number):
        path = self.folder / progress.FILE
        self.seen.append(json.loads(path.read_text()) if path.exists() else None)
        return (self.weight * batch - torch.rand(1)).square().mean()

    def validation_step(self, batch, number):
        self.log("val/loss", 5.0 - self.current_epoch)

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), 0.01)


def fit(folder, told, **options):
    torch.manual_seed(0)
    watched = ModelCheckpoint(folder, monitor="val/loss")
    callbacks = [watched, *([RunProgress(folder, watched)] if told else [])]
    trainer = quiet_trainer(**{"max_epochs": 3, "callbacks": callbacks, "enable_checkpointing": True} | options)
    model, loader = Line(folder), DataLoader(torch.arange(8.0), batch_size=1, shuffle=True)
    trainer.fit(model, loader, DataLoader(torch.zeros(1)))
    return model


def test_epochs_batches_and_the_best_are_told_while_it_trains(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    seen = fit(tmp_path, True).seen
    assert [each["done"] for each in seen] == [number / 8 for number in range(24)]
    assert seen[13]["what"] == "epoch 2 of 3, batch 5 of 8"
    assert seen[0]["best"] is seen[8]["best"] is None
    assert seen[20]["best"] == {"name": "epoch 2", "metric": "val/loss", "value": 4.0}
    assert seen[20]["seconds_left"] >= 0
    last = json.loads((tmp_path / progress.FILE).read_text())
    assert (last["done"], last["total"], last["best"]["value"]) == (3, 3, 3.0)


@pytest.mark.parametrize(("limits", "epochs"), [({"max_steps": 9, "max_epochs": -1}, 2), ({"max_steps": 99}, 3)])
def test_whatever_limit_comes_first_counts(tmp_path, monkeypatch, limits, epochs):
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    assert fit(tmp_path, True, **limits).seen[-1]["total"] == epochs


def test_to_tell_changes_no_bit_of_the_training(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    told, silent = fit(tmp_path / "told", True), fit(tmp_path / "silent", False)
    assert not differing(told.state_dict(), silent.state_dict())


def test_an_interrupted_training_leaves_how_far_it_came(tmp_path, monkeypatch):
    monkeypatch.setattr(progress, "SECONDS", 0.0)
    monkeypatch.setattr(Line, "on_train_epoch_end", lambda self: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        fit(tmp_path, True)
    left = json.loads((tmp_path / progress.FILE).read_text())
    assert (left["ended"], left["total"]) == (None, 3)
    assert not progress.ProgressFile._open
