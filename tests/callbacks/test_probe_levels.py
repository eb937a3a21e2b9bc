"""What a diagnosis compares losses with: the same rows, and errors that it knows."""

import math

import pytest
import torch
from torch import nn
from torch.nn.functional import mse_loss

from fulmen.callbacks.diagnosis import Diagnosis
from fulmen.callbacks.levels import BLOCKS, errors_of
from fulmen.callbacks.probe_metrics import loss_of
from fulmen.workload import Workload, WorkloadData

from .blobs import fit


class Rows(WorkloadData):
    """A line through noise, whose later rows are noisier: a few rows tell little of all."""

    def __init__(self, rows=4000, signal=1.0):
        super().__init__(batch_size=100, seed=1)
        self.rows, self.signal = rows, signal

    def setup(self, stage):
        generator = torch.Generator().manual_seed(5)
        for name, count in (("train", self.rows), ("validation", 600)):
            x, noise = (torch.randn(count, width, generator=generator) for width in (4, 1))
            self.splits[name] = {"x": x, "y": self.signal * x[:, :1] + noise**3}


class Line(Workload):
    def __init__(self, lr=0.01, rate_of_base=1.0):
        super().__init__(nn.Linear(4, 1), lambda parameters: torch.optim.Adam(parameters, lr))
        self.naive_loss = 50.0 * rate_of_base  # of other rows: 10 times what these have

    def step(self, batch, stage):
        return mse_loss(self.network(batch["x"]), batch["y"]), {}


class Compared(Line):
    def constant_loss(self, batch):
        return batch["y"].square().mean()


def test_the_loss_of_a_constant_predictor_is_that_of_the_same_rows(tmp_path):
    diagnosis = Diagnosis()
    _, trainer = fit(tmp_path, [diagnosis], epochs=1, model=Compared(), data=Rows())
    y, all_y = diagnosis.probes.train["y"], trainer.datamodule.splits["train"]["y"]
    assert len(y) == 512
    assert diagnosis.seen.base == pytest.approx(float(y.square().mean()), rel=1e-6)
    assert diagnosis.seen.base != pytest.approx(float(all_y.square().mean()), rel=0.01)


def test_the_error_of_a_probe_is_that_of_means_of_its_size(tmp_path):
    """Against the standard deviation of the loss of many other probes of as many rows."""
    diagnosis = Diagnosis()
    model, trainer = fit(tmp_path, [diagnosis], epochs=2, model=Compared(), data=Rows())
    train, loss = trainer.datamodule.splits["train"], lambda rows: loss_of(rows, trainer, model, "val/loss")
    others = [torch.randperm(4000, generator=torch.Generator().manual_seed(i))[:512] for i in range(200)]
    losses = torch.tensor([loss({name: value[rows] for name, value in train.items()}) for rows in others])
    found = []
    for rows in others[:40]:
        probe = {name: value[rows] for name, value in train.items()}
        found.append(errors_of(probe, None, (4000, 600), 1.0, trainer, model, "val/loss").train * loss(probe))
    assert torch.tensor(found).square().mean().sqrt() == pytest.approx(float(losses.std()), rel=0.3)


def test_a_probe_of_all_rows_has_no_error(tmp_path):
    diagnosis = Diagnosis()
    fit(tmp_path, [diagnosis], epochs=2, model=Compared(), data=Rows(300))
    assert diagnosis.seen.errors.train == diagnosis.seen.errors.gain == 0
    assert diagnosis.seen.errors.val > 0
    assert BLOCKS < 300


def test_a_loss_of_other_rows_is_no_reason_to_say_that_nothing_was_learned(tmp_path):
    said = {}
    for name, model in {"same rows": Compared(lr=1e-9), "no constant": Line(lr=1e-9, rate_of_base=math.inf)}.items():
        diagnosis = Diagnosis()
        fit(tmp_path / name, [diagnosis], epochs=8, model=model, data=Rows(600))
        said[name] = next(str(verdict) for verdict in diagnosis.verdicts if verdict.code == "no_learning")
    assert "a constant predictor has" in said["same rows"]
    assert "the untrained model has" in said["no constant"]


def test_a_verdict_names_the_error_of_its_training_loss_and_what_the_log_has(tmp_path):
    diagnosis = Diagnosis(expected_gain=0.5)
    _, trainer = fit(tmp_path, [diagnosis], epochs=8, model=Compared(lr=1e-9), data=Rows())
    verdict = diagnosis.verdicts[0]
    logged = float(trainer.callback_metrics["train/loss"])
    assert verdict.evidence["train_logged"] == pytest.approx(logged)
    assert abs(verdict.evidence["train"] - logged) < 2 * verdict.evidence["train_error"]
    assert f"in evaluation mode, {logged:.3g} in the log" in verdict.finding


def test_every_validation_counts_though_the_probe_is_looked_at_now_and_then(tmp_path):
    diagnosis = Diagnosis()
    fit(tmp_path, [diagnosis], epochs=20, model=Compared(), data=Rows(300))
    seen = diagnosis.seen.lists
    assert len(seen["epoch"]) < len(seen["validated"]) == 20
    assert [seen["every_val"][epoch - 1] for epoch in seen["epoch"]] == seen["val"]


class Cosine(Compared):
    def configure_optimizers(self):
        optimizer = torch.optim.Adam(self.parameters(), 0.05)
        return [optimizer], [torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 30)]


@pytest.mark.parametrize("model", [Cosine, Compared], ids=["cosine", "constant"])
def test_no_lower_learning_rate_is_advised_where_a_schedule_has_lowered_it(tmp_path, model):
    diagnosis = Diagnosis()
    fit(tmp_path, [diagnosis], epochs=30, model=model(0.05), data=Rows(600))
    plateau = next(verdict for verdict in diagnosis.verdicts if verdict.code == "plateau")
    assert ("a scheduler that lowers the learning rate" in plateau.cures) == (model is Compared)
    assert plateau.cures
