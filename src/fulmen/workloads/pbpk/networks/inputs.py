"""What every network begins with: standardised inputs, and scales that are taken from the training split."""

import torch
from torch import Tensor, nn

from fulmen.data.batches import Batch
from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.graph import (
    CONTEXT_FEATURES,
    DOSING_FEATURES,
    EDGE_FEATURES,
    LOG_DOSE,
    NODE_FEATURES,
    without_saturation,
)
from fulmen.workloads.pbpk.simulator.physiology import CONNECTIONS, ORGANS


class Standardize(nn.Module):
    """(x - mean) / sd per feature; the statistics are buffers, taken from the training split."""

    mean: Tensor
    sd: Tensor

    def __init__(self, features: int):
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("sd", torch.ones(features))

    def fit(self, x: Tensor) -> None:
        """Take the statistics of `x` [..., F]; a constant feature keeps a unit deviation."""
        x = x.flatten(0, -2).double()
        sd = x.std(0)
        self.mean.copy_(x.mean(0))
        self.sd.copy_(torch.where(sd > 1e-6, sd, 1.0))

    def ignore(self, feature: int) -> None:
        """Let a feature be 0 whatever its value."""
        self.sd[feature] = torch.inf

    def forward(self, x: Tensor) -> Tensor:
        return (x - self.mean) / self.sd


class GraphInputs(nn.Module):
    """The three standardised inputs every network begins with."""

    def __init__(self) -> None:
        super().__init__()
        self.node = Standardize(len(NODE_FEATURES) * len(ORGANS))  # each organ has its own scale
        self.edge = Standardize(len(EDGE_FEATURES) * len(CONNECTIONS))
        self.context = Standardize(len(CONTEXT_FEATURES))
        self.dosing = Standardize(len(DOSING_FEATURES))

    def fit(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor) -> None:
        self.node.fit(node.flatten(1))
        self.edge.fit(edge.flatten(1))
        self.context.fit(context)
        if without_saturation(context):
            self.context.ignore(LOG_DOSE)  # so that curves are proportional to the dose
        self.dosing.fit(dosing)

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor) -> tuple[Tensor, ...]:
        node_ = self.node(node.flatten(1)).view_as(node)
        edge_ = self.edge(edge.flatten(1)).view_as(edge)
        return node_, edge_, self.context(context), self.dosing(dosing)


class GraphNetwork(nn.Module):
    """A network with standardised inputs."""

    def __init__(self) -> None:
        super().__init__()
        self.inputs = GraphInputs()

    def fit(self, train: Batch, target: Tensor) -> None:
        """Take the scales of the inputs from the training split; `target` [S, 14, T] is left to those that need it."""
        self.inputs.fit(train["node"], train["edge"], train["context"], train["dosing"])


def require_times(times: int, grid: Tensor) -> None:
    """Pass if a network that was built for a number of times gets as many: what is on the grid, [T]."""
    if len(grid) != times:
        raise FulmenError(
            f"the network was built for {times} times, the grid has {len(grid)}: set model.network.times={len(grid)}"
        )


def stack(width: int, hidden: int, layers: int, outputs: int) -> nn.Sequential:
    """`layers` hidden layers with SiLU, and a linear one."""
    made: list[nn.Module] = []
    for _ in range(layers):
        made += [nn.Linear(width, hidden), nn.SiLU()]
        width = hidden
    return nn.Sequential(*made, nn.Linear(width, outputs))
