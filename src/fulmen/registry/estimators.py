"""A kept estimator of scikit-learn: one file of a bundle, in skops' format, beside the weights of what is around it."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from fulmen.errors import FulmenError
from fulmen.registry.manifest import Damaged
from fulmen.utils import estimators

STATE = "_extra_state"  # how torch calls what a module adds to its weights


def taken_out(state: Mapping[str, Any]) -> tuple[dict[str, Any], bytes | None]:
    """A state dict without its estimator, and the skops file of that; None where there is none."""
    names = [name for name in state if is_estimator(name)]
    if not names:
        return dict(state), None
    if len(names) > 1:
        raise FulmenError(f"a kept model has one estimator, this one {len(names)}: {', '.join(names)}")
    content = state[names[0]].cpu().numpy().tobytes()
    if not content:
        raise FulmenError("the estimator was not fitted: there is nothing to keep")
    return {name: value for name, value in state.items() if name not in names}, content


def put_back(weights: Mapping[str, Tensor], content: bytes | None, model: nn.Module, path: object) -> dict[str, Tensor]:
    """The weights with the estimator in the place that the model has for it.

    Raises:
        Damaged: the model has none, or the weights bring an estimator of their own.
    """
    if hidden := [name for name in weights if is_estimator(name)]:
        raise Damaged(f"{path}: an estimator stands in a file of its own, not in {hidden[0][:100]}")
    if content is None:
        return dict(weights)
    places = [name for name in model.state_dict() if is_estimator(name)]
    if len(places) != 1:
        raise Damaged(f"{path} is an estimator, and the model has no place for one")
    return {**weights, places[0]: torch.frombuffer(bytearray(content), dtype=torch.uint8)}


def check(content: bytes, path: object) -> None:
    """Pass if the file names types of kept estimators alone; nothing is imported to find out.

    Raises:
        Damaged: it does not.
    """
    try:
        estimators.check(content, path)
    except FulmenError as error:
        raise Damaged(str(error)) from None


def is_estimator(name: str) -> bool:
    """Whether an entry of a state dict is one."""
    return name.rpartition(".")[2] == STATE
