"""The body as a graph: what all networks with messages begin with."""

import torch
from torch import Tensor, nn

from fulmen.workloads.pbpk.graph import CONTEXT_FEATURES, EDGE_FEATURES, NODE_FEATURES
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork
from fulmen.workloads.pbpk.networks.rounds import Messages, rounds
from fulmen.workloads.pbpk.simulator.physiology import CONNECTIONS, ORGANS


class GraphEncoder(GraphNetwork):
    """Organs and vessels as states that exchange messages.

    Args:
        hidden: H, width of node and edge states.
        layers: rounds of message passing.
        messages: how they pass, see `fulmen.workloads.pbpk.networks.rounds.rounds`.
    """

    def __init__(self, hidden: int, layers: int, messages: Messages):
        super().__init__()
        self.encode_node = nn.Linear(len(NODE_FEATURES), hidden)
        self.encode_edge = nn.Linear(len(EDGE_FEATURES), hidden)
        self.encode_context = nn.Linear(len(CONTEXT_FEATURES), hidden)
        self.organ = nn.Parameter(torch.randn(len(ORGANS), hidden) * 0.1)
        self.vessel = nn.Parameter(torch.randn(len(CONNECTIONS), hidden) * 0.1)
        self.messages = rounds(messages, hidden, layers)

    def encode(self, node: Tensor, edge: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """States of the organs [B, 14, H] after all rounds, and of the context [B, H], of standardised inputs."""
        c = self.encode_context(context)
        h = self.encode_node(node) + self.organ + c[:, None]
        e = self.encode_edge(edge) + self.vessel  # [B, 26, H]
        for layer in self.messages:
            h = layer(h, e)
        return h, c
