"""What the activation layers put out while a probe goes through the network."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

RECTIFIERS = (nn.ReLU, nn.ReLU6)
SQUASHERS = (nn.Sigmoid, nn.Tanh)
ACTIVATIONS = (*RECTIFIERS, *SQUASHERS, nn.GELU, nn.SiLU, nn.ELU, nn.LeakyReLU, nn.PReLU, nn.Softplus, nn.Mish)
FEWEST = 4  # units of a layer whose share means something
NEAR = {nn.Sigmoid: 0.47, nn.Tanh: 0.97}  # distance from the centre at which a unit counts as saturated


@contextmanager
def recorded_activations(network: nn.Module) -> Iterator[dict[str, list[Tensor]]]:
    """layer -> its outputs in this block, in the order of the forward passes."""
    seen: dict[str, list[Tensor]] = {}

    def keep(name: str) -> Any:
        return lambda layer, inputs, output: seen.setdefault(name, []).append(output.detach())

    layers = [(name, layer) for name, layer in network.named_modules() if isinstance(layer, ACTIVATIONS)]
    hooks = [layer.register_forward_hook(keep(name)) for name, layer in layers]
    try:
        yield seen
    finally:
        for hook in hooks:
            hook.remove()


def idle_shares(network: nn.Module, seen: dict[str, list[Tensor]]) -> tuple[dict[str, float], dict[str, float]]:
    """Shares of dead units of the ReLU layers and of saturated units of the sigmoid and tanh layers, by layer."""
    dead, saturated = {}, {}
    for name, outputs in seen.items():
        layer = network.get_submodule(name)
        outputs = [output for output in outputs if output.ndim > 1]
        units = {output.shape[_unit(output)] for output in outputs}
        if len(units) != 1 or min(units) < FEWEST:
            continue
        if isinstance(layer, RECTIFIERS):
            largest = torch.stack([output.amax(_others(output)) for output in outputs]).amax(0)
            dead[name] = float((largest == 0).float().mean())
        elif isinstance(layer, SQUASHERS):
            centre = 0.5 if isinstance(layer, nn.Sigmoid) else 0.0
            near = [((x - centre).abs() > NEAR[type(layer)]).float().mean(_others(x)) * x.numel() for x in outputs]
            often = torch.stack(near).sum(0) / sum(x.numel() for x in outputs) > 0.9
            saturated[name] = float(often.float().mean())
    return dead, saturated


def _unit(output: Tensor) -> int:
    """The dimension of the units: channels of an image, features of all else."""
    return 1 if output.ndim >= 4 else output.ndim - 1


def _others(output: Tensor) -> list[int]:
    return [i for i in range(output.ndim) if i != _unit(output)]
