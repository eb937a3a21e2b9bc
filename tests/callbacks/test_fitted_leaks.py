"""A module whose set-up or threshold knows the test split is found, without a list of what it fits."""

import numpy as np
import pytest
import torch
from lightning.pytorch import Trainer
from torch import nn

from fulmen.callbacks.fitted_leaks import choice_leaks, setup_leaks
from fulmen.data.leaks.samples import Fitted, rows_in, rows_of
from fulmen.workload import Workload, WorkloadData


class Data(WorkloadData):
    def setup(self, stage=None):
        if not self.splits:
            rng = torch.Generator().manual_seed(0)
            sizes = {"train": 200, "validation": 50, "test": 60}
            self.splits = {
                name: {"x": torch.randn(n, 3, generator=rng), "target": torch.arange(n) % 2}
                for name, n in sizes.items()
            }


class Scales(Workload):
    on = ("train",)

    def __init__(self):
        super().__init__(nn.Linear(3, 1))
        self.register_buffer("mean", torch.zeros(3))
        self.register_buffer("threshold", torch.tensor(0.5))

    def setup(self, stage):
        self.mean.copy_(torch.cat([self.datamodule.splits[name]["x"] for name in self.on]).mean(0))

    def chosen(self, data):
        def again(rows):
            return rows_of(data.splits, rows)["x"][:, 0].median()[None].numpy()

        return [Fitted("threshold", self.threshold[None].numpy(), again, rows_in(data.splits, "validation"), "choice")]


class ScalesAll(Scales):
    on = ("train", "validation", "test")


class Draws(Scales):
    def setup(self, stage):
        super().setup(stage)
        self.mean += torch.rand(3)


def set_up(kind):
    data, module, trainer = Data(), kind(), Trainer(logger=False, enable_checkpointing=False, accelerator="cpu")
    data.setup()
    trainer.datamodule = data
    module.trainer = trainer
    module.setup("fit")
    return trainer, module, data


@pytest.mark.parametrize(("kind", "names"), [(Scales, []), (Draws, []), (ScalesAll, [("mean",)])])
def test_a_set_up_that_depends_on_the_test_split_is_found(kind, names):
    trainer, module, data = set_up(kind)
    before = {name: value.clone() for name, value in module.state_dict().items()}
    leaks = setup_leaks(trainer, module, data)
    assert [leak.columns for leak in leaks] == names
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert module.trainer is trainer


def test_a_threshold_that_the_test_split_chose_is_found():
    _, module, data = set_up(Scales)
    for name, codes in (("validation", []), ("test", ["chosen_on_test"])):
        module.threshold.copy_(data.splits[name]["x"][:, 0].median())
        assert [leak.code for leak in choice_leaks(module, data)] == codes


def test_samples_are_counted_through_all_splits():
    _, _, data = set_up(Scales)
    rows = rows_in(data.splits, "test")
    assert (rows[0], len(rows)) == (250, 60)
    assert torch.equal(rows_of(data.splits, np.array([0, 250]))["x"][1], data.splits["test"]["x"][0])
