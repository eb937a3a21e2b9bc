"""Classes in what a model predicts."""

from typing import Any

import torch
from torch import Tensor


def targets(batch: Any) -> Tensor | None:
    """The integer vector [N] of a batch called target, label, labels, y or class; None without one."""
    if not isinstance(batch, dict):
        return None
    target = next((batch[name] for name in ("target", "label", "labels", "y", "class") if name in batch), None)
    return target if isinstance(target, Tensor) and target.ndim == 1 and not target.is_floating_point() else None


def class_probabilities(outputs: Any, batch: Any) -> tuple[Tensor, Tensor] | None:
    """Probabilities [N, C] in what `predict_step` returned and the targets [N] in its batch; None without classes.

    The targets are those of `targets`; logits are taken as what they are.
    """
    target = targets(batch)
    if not isinstance(outputs, dict) or target is None:
        return None
    for name, x in outputs.items():
        if not isinstance(x, Tensor) or not x.is_floating_point() or len(x) != len(target):
            continue
        if x.ndim == 1 and "prob" in name and target.max() <= 1:
            x = torch.stack([1 - x, x], 1)
        if x.ndim != 2 or x.shape[1] < 2 or not 0 <= target.min() <= target.max() < x.shape[1]:
            continue
        x = x.float()
        if "logit" in name:
            return x.softmax(1), target
        if (x >= 0).all() and torch.allclose(x.sum(1), torch.ones(len(x), device=x.device), atol=1e-3):
            return x, target
    return None
