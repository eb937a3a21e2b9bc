"""All features flattened, one stack of layers, and a basis of curves that it weighs."""

import torch
from torch import Tensor

from fulmen.config.ranges import Count, Natural, refuses_out_of_range
from fulmen.data.batches import Batch
from fulmen.workloads.pbpk.graph import CONTEXT_FEATURES, NODE_FEATURES
from fulmen.workloads.pbpk.networks.basis import Basis
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork, stack
from fulmen.workloads.pbpk.simulator.physiology import ORGANS


class POD(GraphNetwork):
    """The coefficients of a basis of curves, from organs, context and the load of the reduced model at a few times.

    Args:
        modes: curves in the basis.
        hidden: width of the hidden layers.
        layers: number of hidden layers.
        times: length of the time grid (99 for the default grid without t = 0).
        every: the load of the reduced model is an input at every so many times.
    """

    @refuses_out_of_range
    def __init__(
        self, modes: Count = 96, hidden: Count = 256, layers: Natural = 3, times: Count = 99, every: Count = 12
    ):
        super().__init__()
        self.basis = Basis(modes, times, every)
        width = len(ORGANS) * len(NODE_FEATURES) + len(CONTEXT_FEATURES) + len(self.basis.probed)
        self.layers = stack(width, hidden, layers, modes)

    def fit(self, train: Batch, target: Tensor) -> None:
        """Take scales and basis from the training split."""
        super().fit(train, target)
        self.basis.fit(target)

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        load = self.inputs.dosing(self.basis.probe(dosing, time_h))[..., -1]  # [B, P]
        read = torch.cat([self.inputs.node(node.flatten(1)), self.inputs.context(context), load], -1)
        return self.basis(self.layers(read))  # [B, 14, T]
