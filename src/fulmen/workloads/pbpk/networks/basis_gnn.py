"""The body as a graph that weighs a basis of curves."""

import torch
from torch import Tensor, nn

from fulmen.config.ranges import Count, Natural, refuses_out_of_range
from fulmen.data.batches import Batch
from fulmen.workloads.pbpk.networks.basis import Basis
from fulmen.workloads.pbpk.networks.graph_encoder import GraphEncoder
from fulmen.workloads.pbpk.networks.inputs import stack
from fulmen.workloads.pbpk.networks.rounds import Messages
from fulmen.workloads.pbpk.simulator.physiology import ORGANS


class BasisGNN(GraphEncoder):
    """Messages between organs, then the coefficients of a basis of curves: `POD` with a graph in front.

    Args:
        hidden: width of node and edge states.
        layers: rounds of message passing.
        modes: curves in the basis.
        read: width of the two layers that read the organs.
        times: length of the time grid (99 for the default grid without t = 0).
        messages: "dense", our own; "scattered", the same equations by torch_geometric; "gatv2", its attention.
        every: the load of the reduced model is an input at every so many times.
    """

    @refuses_out_of_range
    def __init__(
        self,
        hidden: Count = 48,
        layers: Natural = 3,
        modes: Count = 96,
        read: Count = 128,
        times: Count = 99,
        messages: Messages = "dense",
        every: Count = 12,
    ):
        super().__init__(hidden, layers, messages)
        self.basis = Basis(modes, times, every)
        self.norm = nn.LayerNorm(hidden)
        self.read = stack((len(ORGANS) + 1) * hidden + len(self.basis.probed), read, 2, modes)

    def fit(self, train: Batch, target: Tensor) -> None:
        """Take scales and basis from the training split."""
        super().fit(train, target)
        self.basis.fit(target)

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        node, edge, context, dosing = self.inputs(node, edge, context, dosing)
        h, c = self.encode(node, edge, context)
        load = self.basis.probe(dosing, time_h)[..., -1]  # [B, P]
        return self.basis(self.read(torch.cat([self.norm(h).flatten(1), c, load], -1)))  # [B, 14, T]
