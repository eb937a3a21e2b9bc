"""How well the loss of a probe is known, and what a forecast that costs nothing has on the same samples."""

import math
from typing import NamedTuple

import torch
from lightning.pytorch import LightningModule, Trainer

from fulmen.callbacks.probe_metrics import classes_of, loss_of, on_device
from fulmen.callbacks.side_effect_free import undisturbed
from fulmen.data.batches import Batch, size
from fulmen.diagnosis.measured import EXACT, Errors
from fulmen.workload import hooks

BLOCKS = 16  # parts of a probe whose losses say how much it could be off
CONSTANT, UNTRAINED = "a constant predictor", "the untrained model"


class Base(NamedTuple):
    """What a training loss is compared with, and of whom it is; None and "" where nothing is known."""

    loss: float | None
    of: str


def blocks(rows: Batch, trainer: Trainer) -> list[Batch]:
    """Every 16th sample from the first on, from the second on, ...: `BLOCKS` parts, fewer of fewer samples."""
    count = min(BLOCKS, size(rows))
    return [on_device(trainer, {name: value[i::count] for name, value in rows.items()}) for i in range(count)]


def constant_losses(parts: list[Batch], start: float, trainer: Trainer, module: LightningModule) -> list[float] | None:
    """Of the forecast that costs nothing, for each part; None where it is not known.

    The module's `constant_loss`, or for classes the log loss of their shares in all parts together, if the loss before
    the first step, `start`, is that large.
    """
    with undisturbed(trainer, module):
        own = [hooks(module).constant_loss(part) for part in parts]
    if all(each is not None for each in own):
        return [float(each) for each in own if each is not None]
    found = [classes_of(part, trainer, module) for part in parts]
    labels = [each[1] for each in found if each is not None]
    if not labels or len(labels) < len(parts):
        return None
    counts = torch.cat(labels).bincount().float()
    log_share = (counts / counts.sum()).log()
    if 0.5 * -float((counts / counts.sum() * log_share).nansum()) >= start:
        return None  # the loss is no cross-entropy, as it seems
    return [-float(log_share[label].mean()) for label in labels]


def base_of(start: float, probe: Batch, trainer: Trainer, module: LightningModule) -> Base:
    """Of a constant predictor on the samples of the probe, or on all; else of the model before its first step."""
    same = constant_losses([probe], start, trainer, module)
    if same is not None and math.isfinite(same[0]):
        return Base(same[0], CONSTANT)
    naive = hooks(module).naive_loss
    if math.isfinite(naive):
        return Base(naive, CONSTANT)
    return Base(start, UNTRAINED) if math.isfinite(start) else Base(None, "")


def errors_of(
    rows: Batch | None,
    val_rows: Batch | None,
    sizes: tuple[int, int],
    start: float,
    trainer: Trainer,
    module: LightningModule,
    name: str,
) -> Errors:
    """Standard errors of the probe's loss as that of its split, and of the validation loss as that of all samples.

    Args:
        rows: of the probe, as the split holds them.
        val_rows: likewise of the validation split.
        sizes: samples of the training and the validation split.
        start: loss of the probe before the first step.
        name: of the validation loss.
    """
    if rows is None:
        return EXACT
    parts, (train, val) = blocks(rows, trainer), sizes
    losses = [loss_of(part, trainer, module, name) for part in parts]
    mean, error = _mean_and_error(losses)
    left_out = math.sqrt(max(1 - size(rows) / max(train, 1), 0.0))
    constant = constant_losses(parts, start, trainer, module)
    gain = EXACT.gain
    if constant is not None:
        gained = [each - loss for loss, each in zip(losses, constant, strict=True)]
        gain = _mean_and_error(gained)[1] / max(abs(sum(constant)) / len(constant), 1e-12)
    elif math.isfinite(start):
        gain = error / max(abs(start), 1e-12)
    val_error = 0.0
    if val_rows is not None and size(val_rows):
        val_mean, val_error = _mean_and_error(
            [loss_of(part, trainer, module, name) for part in blocks(val_rows, trainer)]
        )
        val_error *= math.sqrt(size(val_rows) / max(val, 1)) / max(abs(val_mean), 1e-12)
    found = (left_out * error / max(abs(mean), 1e-12), val_error, left_out * gain)
    return Errors(*(each if math.isfinite(each) else 0.0 for each in found))


def _mean_and_error(values: list[float]) -> tuple[float, float]:
    """The mean and its standard error; NaN of fewer than two."""
    mean = sum(values) / max(len(values), 1)
    if len(values) < 2:
        return mean, math.nan
    return mean, math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1) / len(values))
