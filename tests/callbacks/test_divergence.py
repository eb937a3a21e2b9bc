"""A training that has left all bounds ends with a verdict, and nothing of it passes for a result."""

import json

import pytest
import torch
from helpers import PBPK, quiet_trainer

from fulmen import Workload
from fulmen.callbacks.divergence import DivergenceStop, advice
from fulmen.config.check import check_overrides
from fulmen.errors import Diverged, FulmenError
from fulmen.registry.save import save_run
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


class Validating(Falling):
    """Its validation loss is the last of its losses, from the second epoch on."""

    def validation_step(self, batch, batch_idx):
        first = self.trainer.current_epoch == 0 and not self.trainer.sanity_checking
        self.log("val/loss", 1.0 if first else self.losses[-1], batch_size=1)


def fit(module, **options):
    trainer = quiet_trainer(max_epochs=2, callbacks=[DivergenceStop()], **options)
    items = torch.utils.data.DataLoader([0.0, 0.0])
    trainer.fit(module, items, items if isinstance(module, Validating) else None)
    return trainer.global_step


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_loss_that_is_no_number_stops_at_its_step(loss):
    with pytest.raises(
        Diverged, match=f"loss of step 2 is {loss}, first in the loss itself; try model.optimizer.lr=0.05"
    ):
        fit(Falling([1.0, loss, 1.0, 1.0]))


@pytest.mark.parametrize("loss", [float("nan"), float("inf")])
def test_a_validation_loss_that_is_no_number_stops_at_its_epoch(loss):
    """Not at the check before the training, which judges weights that nothing has changed."""
    with pytest.raises(Diverged, match=f"val/loss of epoch 2 is {loss}; try model.optimizer.lr=0.05"):
        fit(Validating([1.0] * 4 + [loss]), num_sanity_val_steps=1)


@pytest.mark.parametrize(("rate", "try_next"), [(0.1, "0.01"), (3e-4, "3e-05"), (1e6, "0.001"), (1e30, "0.001")])
def test_the_advised_learning_rate_is_one_that_may_train(rate, try_next):
    assert advice(rate) == f"; try model.optimizer.lr={try_next}"
    assert advice(None) == ""


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


def test_a_training_that_ends_at_no_finite_loss_is_no_result_however_often_it_is_resumed(tmp_path):
    """Early stopping ends it in peace where nothing watches for divergence: no test, no report, no model to keep."""
    folder = tmp_path / "run"
    typed = ["experiment=pbpk_mlp", "model.optimizer.lr=1e6", *PBPK, "trainer.max_epochs=6", f"output_dir={folder}",
             "callbacks.divergence=null", "trainer.accelerator=cpu"]  # fmt: skip
    for again in (typed, [f"resume={folder}"]):
        with pytest.raises(Diverged, match=r"val/loss is not finite after 1 epoch; try model.optimizer.lr=0.001$"):
            run(check_overrides(again), again)
        result = json.loads((folder / "result.json").read_text())
        assert (result["status"], result["epochs"]) == ("diverged", 1)
        assert not [name for name in result["metrics"] if name.startswith("test/")]
    with pytest.raises(FulmenError, match="has diverged, val/loss was never finite: nothing to keep"):
        save_run(folder, "worthless", registry=tmp_path / "models")


def test_the_best_weights_of_before_a_divergence_are_kept_with_a_warning(tmp_path, capsys):
    folder = tmp_path / "run"
    typed = ["experiment=pbpk_mlp", *PBPK, "trainer.max_epochs=1", f"output_dir={folder}", "trainer.accelerator=cpu"]
    run(check_overrides(typed), typed)
    result = json.loads((folder / "result.json").read_text())
    (folder / "result.json").write_text(json.dumps(result | {"status": "diverged"}))
    save_run(folder, "early", registry=tmp_path / "models")
    assert "its training has diverged; kept are the best weights of before, val/loss" in capsys.readouterr().err
