"""A `_target_` of the wrong class is refused where it stands, and a cure takes back nothing that was asked for."""

from collections.abc import Callable
from typing import Annotated, Protocol

import pytest
import torch
from torch import nn

from fulmen.config.allow_list import locate
from fulmen.config.check import check_overrides
from fulmen.config.classes import wrong_class
from fulmen.config.mistakes import ConfigError
from fulmen.config.protocols import Fulfils

IDENTITY = "torch.nn.Identity"
RESNET = "fulmen.workloads.images.networks.cnn.ResNet9"


class OneImage(Protocol):
    def forward(self, image): ...


class TwoImages(Protocol):
    def forward(self, image, other): ...


@pytest.mark.parametrize(
    ("place", "target", "wanted"),
    [
        ("data", IDENTITY, "LightningDataModule"),
        ("model", IDENTITY, "LightningModule"),
        ("trainer", IDENTITY, "Trainer"),
        ("callbacks.early_stopping", IDENTITY, "Callback"),
        ("logger.csv", IDENTITY, "Logger"),
        ("model.optimizer", IDENTITY, "Optimizer"),
    ],
)
def test_the_class_of_something_else_is_refused_before_work(place, target, wanted):
    with pytest.raises(ConfigError, match=rf"{place}\._target_: {target} makes no {wanted}"):
        check_overrides(["experiment=pbpk_mlp", f"{place}._target_={target}"])


LACKING = r"has no fit\(train, target\), which every BodyNetwork has"


@pytest.mark.parametrize(
    ("target", "problem"), [(IDENTITY, LACKING), (RESNET, "belongs to images, and the rest is of pbpk")]
)
def test_a_network_that_does_not_fulfil_the_contract_is_refused(target, problem):
    with pytest.raises(ConfigError, match=rf"model.network\._target_: {target} {problem}") as refused:
        check_overrides(["experiment=pbpk_mlp", f"model.network._target_={target}"])
    assert len(refused.value.mistakes) == 1
    assert refused.value.without == [f"model.network._target_={target}"]


def test_a_function_of_python_makes_no_part_of_a_training():
    with pytest.raises(ConfigError, match=r"^model\._target_: os\.system makes no LightningModule"):
        check_overrides(["experiment=stocks", "model._target_=os.system"])


def test_a_class_of_torch_has_not_the_attributes_of_a_network_of_stocks():
    with pytest.raises(ConfigError, match=r"^model\.network\._target_: torch\.nn\.Linear has no inputs, which every"):
        check_overrides(["experiment=stocks", "model.network._target_=torch.nn.Linear"])


def test_data_that_are_missing_are_sought_among_those_of_the_workload():
    with pytest.raises(ConfigError, match=r"^data: nothing chosen; there is pbpk, pbpk_published\n"):
        check_overrides(["experiment=pbpk_mlp", "data=null"])


def test_data_of_one_workload_and_a_model_of_another_are_refused():
    with pytest.raises(ConfigError, match="data=stocks belongs to stocks; data of pbpk: pbpk"):
        check_overrides(["experiment=pbpk_mlp", "data=stocks"])


@pytest.mark.parametrize(
    ("annotation", "node", "fits"),
    [
        (nn.Module, {"_target_": IDENTITY}, True),
        (nn.Linear, {"_target_": IDENTITY}, False),
        (nn.Linear | None, {"_target_": IDENTITY}, False),
        (nn.Linear | nn.Identity, {"_target_": IDENTITY}, True),
        (Annotated[nn.Module, Fulfils(OneImage)], {"_target_": RESNET}, True),
        (Annotated[nn.Module, Fulfils(TwoImages)], {"_target_": RESNET}, False),
        (Callable[..., torch.optim.Optimizer], {"_target_": "torch.optim.Adam", "_partial_": True}, True),
        (Callable[..., torch.optim.Optimizer], {"_target_": IDENTITY, "_partial_": True}, False),
        (Callable[..., float], {"_target_": "torch.optim.Adam"}, False),
        (Callable[..., float], {"_target_": IDENTITY}, True),
        (list, {"_target_": IDENTITY}, True),
        (nn.Linear, {"_target_": "fulmen.callbacks.progress.progress_bar"}, True),
        (nn.Linear, {"_target_": "torch.nn.Nothing"}, True),
        (nn.Linear, {"a": 1}, True),
    ],
)
def test_a_node_is_judged_by_the_class_it_calls(annotation, node, fits):
    assert (wrong_class(annotation, node, "model.network", locate) is None) is fits


@pytest.mark.parametrize(
    ("typed", "works"),
    [
        (["experiment=pbpk_mlp", "scheduler=plateau", "scheduler.patience=3"],
         ["experiment=pbpk_mlp", "scheduler=plateau", "model.scheduler.patience=3"]),
        (["experiment=pbpk_gnn", "network.hidden=32"], ["experiment=pbpk_gnn", "model.network.hidden=32"]),
        (["experiment=stocks", "sampler=weighted"], ["experiment=stocks"]),
        (["experiment=stocks", "network=resnet9", "data.tickers=8"],
         ["experiment=stocks", "data.tickers=8"]),
    ],
)  # fmt: skip
def test_a_cure_takes_back_nothing_else_that_was_asked_for(typed, works):
    with pytest.raises(ConfigError) as refused:
        check_overrides(typed)
    assert refused.value.overrides == works
    assert refused.value.without == [o for o in typed if o.startswith(("sampler=", "network=")) and o not in works]
