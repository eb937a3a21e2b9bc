"""The surrogate without structure."""

import torch
from torch import Tensor

from fulmen.config.ranges import Count, Natural, refuses_out_of_range
from fulmen.workloads.pbpk.graph import CONTEXT_FEATURES, DOSING_FEATURES, NODE_FEATURES
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork, require_times, stack
from fulmen.workloads.pbpk.simulator.physiology import ORGANS


class MLP(GraphNetwork):
    """All features flattened, one stack of layers, all organs and times at once: the surrogate without structure.

    Args:
        hidden: width of the hidden layers.
        layers: number of hidden layers.
        times: length of the time grid (99 for the default grid without t = 0).
    """

    @refuses_out_of_range
    def __init__(self, hidden: Count = 80, layers: Natural = 2, times: Count = 99):
        super().__init__()
        self.times = times
        width = len(ORGANS) * len(NODE_FEATURES) + len(CONTEXT_FEATURES) + times * len(DOSING_FEATURES)
        self.layers = stack(width, hidden, layers, len(ORGANS) * times)

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        require_times(self.times, time_h)
        node, _, context, dosing = self.inputs(node, edge, context, dosing)
        flat = torch.cat([node.flatten(1), context, dosing.flatten(1)], -1)
        return self.layers(flat).unflatten(1, (len(ORGANS), -1))  # [B, 14, T]
