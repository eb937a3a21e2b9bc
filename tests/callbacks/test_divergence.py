"""A training that has left all bounds ends with a verdict."""

import json

import pytest
import torch
from helpers import quiet_trainer

from fulmen import Workload
from fulmen.callbacks.divergence import DivergenceStop
from fulmen.config.check import check_overrides
from fulmen.errors import Diverged
from fulmen.runs.run import run


class Falling(Workload):
    """Logs the losses it is given, one a step."""

    def __init__(self, losses, naive_loss=None):
        super().__init__(torch.nn.Identity())
        self.losses = losses
        self.weight = torch.nn.Parameter(torch.zeros(()))
        if naive_loss:
            self.naive_loss = naive_loss

    def training_step(self, batch, batch_idx):
        loss = self.weight * 0 + self.losses[self.trainer.global_step]
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=1)
        return loss

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.5)


def fit(module):
    trainer = quiet_trainer(max_epochs=2, callbacks=[DivergenceStop()])
    trainer.fit(module, torch.utils.data.DataLoader([0.0, 0.0]))
    return trainer.global_step


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_at_its_step(loss):
    with pytest.raises(
        Diverged, match=f"loss of step 2 is {loss}, first in the loss itself; try model.optimizer.lr=0.05"
    ):
        fit(Falling([1.0, loss, 1.0, 1.0]))


def test_an_epoch_beyond_three_times_the_naive_loss_stops():
    with pytest.raises(Diverged, match=r"train/loss of epoch 2 is 3.1, more than 3 times the 1"):
        fit(Falling([1.0, 1.0, 3.1, 3.1], naive_loss=1.0))


@pytest.mark.parametrize(("losses", "naive"), [([1.0, 5.0, 0.5, 0.5], 1.0 + 1e-6), ([9.0] * 4, None)])
def test_one_bad_batch_or_a_module_without_naive_loss_goes_on(losses, naive):
    assert fit(Falling(losses, naive)) == 4


def test_a_diverged_run_says_so_in_its_folder(tmp_path):
    typed = ["experiment=stocks", "model.optimizer.lr=1000", "data.days=600", f"output_dir={tmp_path / 'run'}",
             "trainer.accelerator=cpu"]  # fmt: skip
    with pytest.raises(Diverged, match="diverged"):
        run(check_overrides(typed), typed)
    result = json.loads((tmp_path / "run" / "result.json").read_text())
    assert result["status"] == "diverged"
    assert result["message"].startswith("diverged: ")
