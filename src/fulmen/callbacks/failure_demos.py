"""Mistakes made on purpose, so that a diagnosis can be seen at work; `debug=...` puts one on top of an experiment.

They change the splits of data in memory, or the weights, before training starts.
"""

from collections.abc import Sequence

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from fulmen.callbacks.side_effect_free import evenly
from fulmen.data.batches import Batch, size
from fulmen.errors import FulmenError
from fulmen.lightning_private import datamodule_of
from fulmen.workload import splits_of


class Fault(Callback):
    """Breaks the training split before the module fits its preprocessing to it."""

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        if stage != "fit":
            return
        splits = splits_of(datamodule_of(trainer))
        if "train" not in splits:
            raise FulmenError(f"{type(self).__name__} needs data that hold their splits in memory")
        self.spoil(splits)

    def spoil(self, splits: dict[str, Batch]) -> None:
        raise NotImplementedError


class FewSamples(Fault):
    """Keeps so many samples of a part; null keeps all."""

    def __init__(self, train: int | None = None, validation: int | None = None):
        self.left = {"train": train, "validation": validation}

    def spoil(self, splits: dict[str, Batch]) -> None:
        for name, samples in self.left.items():
            if samples is not None:
                splits[name] = evenly(splits[name], samples)


class Leak(Fault):
    """Copies the validation split into the training split."""

    def spoil(self, splits: dict[str, Batch]) -> None:
        train, val = splits["train"], splits["validation"]
        splits["train"] = {name: torch.cat([train[name], val[name]]) for name in train}


class WrongTargets(Fault):
    """Deals the targets of a share of the training samples among them anew.

    Args:
        names: what belongs to the target; all of it moves together.
        share: of the samples.
    """

    def __init__(self, names: Sequence[str] = ("target",), share: float = 1.0, seed: int = 0):
        self.names, self.share, self.seed = names, share, seed

    def spoil(self, splits: dict[str, Batch]) -> None:
        generator = torch.Generator().manual_seed(self.seed)
        total = size(splits["train"])
        chosen = torch.randperm(total, generator=generator)[: round(self.share * total)]
        others = chosen[torch.randperm(len(chosen), generator=generator)]
        for name in self.names:
            if name not in splits["train"]:
                raise FulmenError(f"the training split has no {name}; there is {', '.join(splits['train'])}")
            spoiled = splits["train"][name].clone()
            spoiled[chosen] = spoiled[others]
            splits["train"][name] = spoiled


class FrozenBackbone(Callback):
    """Lets nothing but the last layer train."""

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        layers = [layer for layer in module.modules() if list(layer.parameters(recurse=False))]
        for layer in layers[:-1]:
            layer.requires_grad_(False)


class DeadStart(Callback):
    """Starts with biases so low that no ReLU lets anything through."""

    def __init__(self, bias: float = -10.0):
        self.bias = bias

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        norms = nn.modules.batchnorm._BatchNorm | nn.LayerNorm | nn.GroupNorm  # which would cancel a bias before them
        layers = [one for one in module.modules() if isinstance(one, nn.Linear | nn.Conv1d | nn.Conv2d | norms)]
        for layer in layers[:-1] if trainer.global_step == 0 else []:
            if layer.bias is not None:
                nn.init.constant_(layer.bias, self.bias)
