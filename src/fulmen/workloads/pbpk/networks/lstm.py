"""A recurrent network over flat features: what it learns of time without a graph."""

import torch
from torch import Tensor, nn

from fulmen.config.ranges import Count, refuses_out_of_range
from fulmen.workloads.pbpk.graph import CONTEXT_FEATURES, DOSING_FEATURES, NODE_FEATURES
from fulmen.workloads.pbpk.networks.dynamic_gnn import time_features
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork, stack
from fulmen.workloads.pbpk.simulator.physiology import ORGANS


class LSTM(GraphNetwork):
    """The flat features of a subject, and the clock and the dosing of each time, through an LSTM.

    Args:
        hidden: width of the layer that reads the subject.
        recurrent: width of the LSTM.
    """

    @refuses_out_of_range
    def __init__(self, hidden: Count = 128, recurrent: Count = 128):
        super().__init__()
        flat = len(ORGANS) * len(NODE_FEATURES) + len(CONTEXT_FEATURES)
        self.subject = stack(flat, hidden, 1, hidden)
        self.lstm = nn.LSTM(hidden + 4 + len(DOSING_FEATURES), recurrent, batch_first=True)
        self.read = nn.Linear(recurrent, len(ORGANS))

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        node, _, context, dosing = self.inputs(node, edge, context, dosing)
        subject = self.subject(torch.cat([node.flatten(1), context], -1))  # [B, H]
        clock = torch.cat([time_features(time_h).expand(len(node), -1, -1), dosing], -1)  # [B, T, 7]
        steps, _ = self.lstm(torch.cat([subject[:, None].expand(-1, len(time_h), -1), clock], -1))
        return self.read(steps).transpose(1, 2)  # [B, 14, T]
