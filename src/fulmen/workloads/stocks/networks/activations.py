"""Activations by name, for the dense, convolutional and highway stages."""

import torch
from torch import Tensor, nn

from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError


class Exponential(nn.Module):
    """exp(min(x, 15)): beyond that a single step would leave the range of float32 training."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.exp(x.clamp(max=15))


ACTIVATIONS: dict[str, type[nn.Module]] = {
    "relu": nn.ReLU,
    "tanh": nn.Tanh,
    "sigmoid": nn.Sigmoid,
    "linear": nn.Identity,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
    "exponential": Exponential,
    "softplus": nn.Softplus,
    "softsign": nn.Softsign,
    "swish": nn.SiLU,
    "silu": nn.SiLU,
    "mish": nn.Mish,
    "gelu": nn.GELU,
    "hard_sigmoid": nn.Hardsigmoid,
    "hard_swish": nn.Hardswish,
}


def activation(name: str) -> nn.Module:
    """A new module of that name.

    Raises:
        FulmenError: there is none.
    """
    if name not in ACTIVATIONS:
        raise FulmenError(f"there is no activation {name!r}{did_you_mean(str(name), ACTIVATIONS)}")
    return ACTIVATIONS[name]()
