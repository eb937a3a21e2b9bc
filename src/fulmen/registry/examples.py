"""A few samples with the predictions a model made when it was saved: what it has to make again wherever it is used."""

from collections.abc import Mapping

import torch
from lightning.pytorch import LightningDataModule, LightningModule
from torch import Tensor

from fulmen.errors import FulmenError
from fulmen.registry.manifest import Damaged, Probe

ROWS, BYTES = 8, 1 << 18  # of the inputs kept; the second limit leaves at least two rows
RTOL, ATOL = 1e-5, 1e-6

Tensors = dict[str, Tensor]


def make(model: LightningModule, data: LightningDataModule) -> tuple[Tensors, Tensors, Probe]:
    """The first samples that a data module predicts, their predictions, and what a manifest says of them.

    Raises:
        FulmenError: its batches are no dicts of tensors.
    """
    batch = next(iter(data.predict_dataloader()))
    if not isinstance(batch, Mapping) or not all(isinstance(value, Tensor) for value in batch.values()):
        raise FulmenError(
            f"{type(data).__name__} does not predict on dicts of tensors: such a model cannot be saved yet"
        )
    size = sum(value[:1].nbytes for value in batch.values())
    rows = max(2, min(ROWS, BYTES // max(size, 1)))
    inputs = used(model, data.on_after_batch_transfer({name: value[:rows] for name, value in batch.items()}, 0))
    outputs = predictions(model, inputs)
    facts: Probe = {
        "samples": min(rows, len(next(iter(batch.values())))),
        "rtol": RTOL,
        "atol": ATOL,
        "inputs": list(inputs),
        "per_sample": [name for name in inputs if name in batch],
        "outputs": list(outputs),
    }
    return inputs, outputs, facts


class Watched(dict[str, Tensor]):
    """A dict that remembers which of its entries were read."""

    def __init__(self, batch: Mapping[str, Tensor]):
        super().__init__(batch)
        self.read: set[str] = set()

    def __getitem__(self, name: str) -> Tensor:
        self.read.add(name)
        return super().__getitem__(name)


@torch.no_grad()
def used(model: LightningModule, batch: Mapping[str, Tensor]) -> Tensors:
    """The entries of a batch that a prediction is made of: targets need not be known to predict."""
    watched = Watched(batch)
    model.eval().predict_step(watched, 0)
    inputs = {name: batch[name] for name in sorted(watched.read)}
    try:
        model.predict_step(inputs, 0)
    except KeyError:  # it was copied before it was read
        return dict(batch)
    return inputs


@torch.no_grad()
def predictions(model: LightningModule, inputs: Mapping[str, Tensor]) -> Tensors:
    """What `predict_step` says, its tensors alone."""
    said = model.eval().predict_step({name: value.to(model.device) for name, value in inputs.items()}, 0)
    return {name: value.cpu() for name, value in said.items() if isinstance(value, Tensor)}


def join(inputs: Tensors, outputs: Tensors) -> Tensors:
    """Copies of both in one dict, for one file."""
    named = {f"input.{name}": v for name, v in inputs.items()} | {f"output.{name}": v for name, v in outputs.items()}
    return {name: value.clone() for name, value in named.items()}


def split(tensors: Mapping[str, Tensor]) -> tuple[Tensors, Tensors]:
    """The opposite of `join`."""
    parts: tuple[Tensors, Tensors] = {}, {}
    for name, value in sorted(tensors.items()):
        side, _, rest = name.partition(".")
        parts[side == "output"][rest] = value
    return parts


def compare(said: Mapping[str, Tensor], expected: Mapping[str, Tensor], who: object) -> float:
    """The largest difference between predictions, in multiples of the tolerance 1e-6 + 1e-5 |expected|.

    Raises:
        Damaged: it is above 1, or the predictions have other names or shapes.
    """
    worst = 0.0
    for name in {**expected, **said}:
        if name not in said or name not in expected or said[name].shape != expected[name].shape:
            raise Damaged(f"{who} does not predict {name} as it did when it was saved")
        now, then = said[name].double(), expected[name].double()
        distance = torch.where((now == then) | (now.isnan() & then.isnan()), 0.0, (now - then).abs())
        finite = torch.where(then.isfinite(), then.abs(), 0.0)
        off = (distance / (ATOL + RTOL * finite)).max().item() if distance.numel() else 0.0
        if not off <= 1:
            raise Damaged(
                f"{who} does not predict what it did when it was saved: {name} is off by {distance.max().item():.3g}; "
                f"has the code of the model changed?"
            )
        worst = max(worst, off)
    return worst
