"""What the diagnosis sees of a model on a probe of samples."""

import math
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.states import RunningStage
from torch import Tensor

from fulmen.callbacks.side_effect_free import undisturbed
from fulmen.data.batches import Batch
from fulmen.workload import hooks


def on_device(trainer: Trainer, batch: Batch) -> Batch:
    """Moved as a batch of the validation split is: nothing is augmented."""
    stage, trainer.state.stage = trainer.state.stage, RunningStage.VALIDATING
    try:
        return trainer.strategy.batch_to_device(batch)
    finally:
        trainer.state.stage = stage


def loss_of(probe: Batch | None, trainer: Trainer, module: LightningModule, name: str) -> float:
    """The module's `probe_loss`, or what its validation logs for a probe as `name`; NaN if that is not one number."""
    if probe is None:
        return math.nan
    with undisturbed(trainer, module) as logged:
        own = hooks(module).probe_loss(probe)
        if own is not None:
            return float(own)
        module.validation_step(probe, 0)
    values = [float(value) for value in logged.get(name, []) if isinstance(value, Tensor | float)]
    return values[0] if len(values) == 1 else math.nan


def classes_of(probe: Batch | None, trainer: Trainer, module: LightningModule) -> tuple[Tensor, Tensor] | None:
    """Predicted probabilities [N, C] and targets [N]; None without classes."""
    if probe is None:
        return None
    with undisturbed(trainer, module):
        return hooks(module).class_probabilities(probe)


def class_scores(
    probe: Batch | None, val_probe: Batch | None, trainer: Trainer, module: LightningModule
) -> tuple[dict[str, Any], dict[int, float], dict[int, float]]:
    """What there is to say of validation as a whole, and the recall of each class in both; empty without classes."""
    train, val = (classes_of(each, trainer, module) for each in (probe, val_probe))
    if train is None or val is None:
        return {}, {}, {}
    (p, target), (q, val_target) = train, val
    whole = {
        "accuracy": float((q.argmax(1) == val_target).float().mean()),
        "confidence": float(q.max(1).values.mean()),
        "samples": len(val_target),
        "counts": {int(c): int(n) for c, n in zip(*val_target.unique(return_counts=True), strict=True)},
    }
    return whole, recalls(p, target), recalls(q, val_target)


def recalls(probability: Tensor, target: Tensor) -> dict[int, float]:
    """Of each class that is there."""
    right = probability.argmax(1) == target
    return {int(label): float(right[target == label].float().mean()) for label in target.unique()}


def frozen(trainer: Trainer, module: LightningModule) -> str:
    """`; 92 % of the parameters do not train (backbone)`, or nothing."""
    trained = {id(p) for optimizer in trainer.optimizers for group in optimizer.param_groups for p in group["params"]}
    named: list[tuple[str, Any]] = list(module.named_parameters())
    still = [(name, p) for name, p in named if not p.requires_grad or id(p) not in trained]
    share = sum(p.numel() for _, p in still) / max(sum(p.numel() for _, p in named), 1)
    if share < 0.1:
        return ""
    names = list(dict.fromkeys(name.rpartition(".")[0] or name for name, _ in still))
    return f"; {share:.0%} of the parameters do not train ({', '.join(names[:3])}{', ...' if len(names) > 3 else ''})"
