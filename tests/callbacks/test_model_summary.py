"""The summary of a network at the start of a training is a line."""

from lightning.pytorch import LightningModule
from torch import nn

from fulmen.callbacks.model_summary import ShortSummary, described


def model(**layers):
    whole = LightningModule()
    whole.network = nn.ModuleDict(layers)
    return whole


def test_the_largest_parts_are_told_and_the_rest_is_counted():
    layers = {f"layer_{size}": nn.Linear(size, 1, bias=False) for size in (1, 2, 3, 10, 20, 300, 4000)}
    assert described(model(**layers)) == (
        "network ModuleDict: layer_4000 4.0 K, layer_300 300, layer_20 20, layer_10 10, 3 smaller parts 6"
    )


def test_frozen_and_lazy_parameters_and_an_empty_model_are_told():
    frozen = model(a=nn.Linear(3, 1).requires_grad_(False), b=nn.Linear(1, 1), c=nn.LazyLinear(5))
    assert described(frozen).endswith("a 4, b 2, c 0; 4 of 6 parameters are frozen")
    assert described(LightningModule()) == "network LightningModule: 0 parameters"
    assert described(model(a=nn.Linear(3, 1)), depth=1) == "network ModuleDict: 4 parameters"


def test_a_depth_of_zero_prints_nothing(capsys):
    class Trainer:
        is_global_zero = True

    ShortSummary(max_depth=0).on_fit_start(Trainer(), model(a=nn.Linear(3, 1)))
    assert capsys.readouterr().out == ""
    ShortSummary().on_fit_start(Trainer(), model(a=nn.Linear(3, 1)))
    assert capsys.readouterr().out == "network ModuleDict: a 4\n"
