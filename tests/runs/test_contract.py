"""A workload that breaks the contract is told which hook, and how it has to look, before work starts."""

import re

import pytest
import torch
from lightning.pytorch import LightningModule
from torch import nn

from fulmen import Summary, Workload, WorkloadData
from fulmen.errors import FulmenError
from fulmen.runs.contract import refuse_unless_kept
from fulmen.workload import fingerprint_of, hooks, splits_of


class OtherStep(Workload):
    def step(self, batch):
        return batch["x"].mean(), {}


class OldSummary(Workload):
    def summarize(self, data, figures):
        return {}


class Stranger(LightningModule):
    def probe_loss(self, batch):
        return None


class OtherWhole(WorkloadData):
    def whole(self):
        return []


class Whole(Workload):
    def step(self, batch, stage, *, weight=1.0):
        return batch["x"].mean() * weight, {}

    def predict_file(self, path, schema, delimiter=",", **reading):
        return None


@pytest.mark.parametrize(
    ("kind", "contract", "said"),
    [
        (
            OtherStep,
            Workload,
            r"OtherStep\.step\(self, batch\) cannot be called as the contract calls it: step\(self, batch",
        ),
        (
            OldSummary,
            Workload,
            r"OldSummary\.summarize\(self, data, figures\) cannot be called .*: summarize\(self, predicted",
        ),
        (Stranger, Workload, r"Stranger has probe_loss, a hook of fulmen\.Workload: derive it from that class"),
        (
            OtherWhole,
            WorkloadData,
            r"OtherWhole\.whole\(self\) cannot be called as the contract calls it: whole\(self, name",
        ),
    ],
)
def test_a_broken_hook_is_one_line(kind, contract, said):
    with pytest.raises(FulmenError, match=said) as refused:
        refuse_unless_kept(kind, contract)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "contract"), [(Whole, Workload), (LightningModule, Workload), (WorkloadData, WorkloadData)]
)
def test_what_can_be_called_passes(kind, contract):
    refuse_unless_kept(kind, contract)


def test_a_module_that_is_no_workload_has_the_defaults_of_every_hook():
    plain = LightningModule()
    assert hooks(plain).naive_loss == float("inf")
    assert hooks(plain).probe_loss({}) is None
    assert hooks(plain).class_probabilities({}) is None
    own = Whole(nn.Identity())
    assert hooks(own) is own
    assert (splits_of(None), fingerprint_of(None)) == ({}, "")


def test_a_split_of_another_name_is_told_by_its_name():
    class Data(WorkloadData):
        def setup(self, stage=None):
            self.splits = {"train": {}, "val": {}, "test": {}}

    data = Data()
    data.setup()
    with pytest.raises(FulmenError, match=re.escape("Data.setup has to fill self.splits with train, validation, test")):
        data.val_dataloader()


class TakesNoIndex(Workload):
    def predict_step(self, batch):
        return {}


def test_a_hook_of_lightning_is_held_to_the_contract_too():
    with pytest.raises(FulmenError, match=r"TakesNoIndex\.predict_step\(self, batch\) cannot be called"):
        refuse_unless_kept(TakesNoIndex, Workload)


@pytest.mark.parametrize(
    ("returned", "said"),
    [
        (torch.tensor(1.0), r"it returned a Tensor of shape \[\]"),
        (torch.ones(3), r"it returned a Tensor of shape \[3\]"),
        ((torch.ones(3), {}), "it returned a tuple"),
        (None, "it returned a NoneType"),
    ],
)
def test_a_step_that_returns_something_else_is_told_what_to_return(returned, said):
    class Other(Workload):
        def step(self, batch, stage):
            return returned

    with pytest.raises(FulmenError, match=f"Other.step has to return the mean loss, a scalar tensor, .*{said}"):
        Other(nn.Identity()).training_step({"x": torch.ones(2)}, 0)


@pytest.mark.parametrize(
    ("summary", "said"),
    [
        ({"metrics": {"test/accuracy": 1.0}}, "write accuracy, without test/"),
        ({"metrics": {}, "items": {"correct": [1]}}, "Summary.items has no item and no loss"),
        ({"metrics": {}, "items": {"item": [1, 2], "loss": [1.0]}}, "Summary.items differ in length"),
    ],
)
def test_a_summary_that_cannot_be_used_is_told_where_it_is_made(summary, said):
    with pytest.raises(FulmenError, match=said):
        Summary(**summary)


def test_an_empty_training_split_is_told_before_it_is_trained_on():
    data = WorkloadData()
    data.splits = {"train": {"x": torch.zeros(0)}, "validation": {"x": torch.zeros(3)}, "test": {"x": torch.zeros(2)}}
    with pytest.raises(FulmenError, match=re.escape("it filled train (0), validation (3), test (2)")):
        data.train_dataloader()
    assert len(list(data.val_dataloader())) == 1


def test_what_a_workload_has_to_write_is_said_where_it_is_missing():
    nothing = Workload(nn.Identity())
    with pytest.raises(FulmenError, match=re.escape("has to say what its loss is: def step(self, batch, stage)")):
        nothing.step({}, "train")
    with pytest.raises(FulmenError, match="predicts nothing: it needs def predict_step"):
        nothing.predict_step({})
    assert nothing.class_probabilities({}) is None
