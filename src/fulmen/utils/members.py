"""Models side by side, for an ensemble that says the mean of what they say."""

from collections.abc import Callable, Sequence

import torch
from torch import Tensor, nn

from fulmen.errors import FulmenError


class Members(nn.Module):
    """The members of an ensemble, in the place of a network; each has its own weights and scales.

    Args:
        models: whole models, which make of a batch what they predict; two or more.
    """

    def __init__(self, models: Sequence[nn.Module]):
        super().__init__()
        if len(models) < 2:
            raise FulmenError(f"an ensemble of {len(models)} is none: name two members or more")
        self.models = nn.ModuleList(models)

    def mean(self, say: Callable[[nn.Module], Tensor]) -> Tensor:
        """The mean of what `say` makes of each member, tensors of one shape."""
        return torch.stack([say(model) for model in self.models]).mean(0)

    def of_one(self, name: str) -> Tensor:
        """The mean of a buffer of that name, in its own type."""
        found = [model.get_buffer(name) for model in self.models]
        return torch.stack(found).double().mean(0).to(found[0].dtype)

    def shared(self, what: str, values: Sequence[object]) -> None:
        """Pass if all members have the same.

        Raises:
            FulmenError: they have not.
        """
        if any(value != values[0] for value in values):
            raise FulmenError(f"these models cannot be averaged: they differ in {what} ({values[0]}, {values[1]})")

    def forward(self, *inputs: Tensor) -> Tensor:
        raise FulmenError("an ensemble is made of trained models; it is not trained itself")
