"""Rounds of messages by torch_geometric, on the batches that it makes of graphs: nodes [B 14, H], edges [B 26, H]."""

import torch
from torch import Tensor, nn
from torch_geometric.nn import GATv2Conv
from torch_geometric.nn import MessagePassing as Propagation

from fulmen.errors import FulmenError
from fulmen.workloads.pbpk.graph import SOURCE, TARGET
from fulmen.workloads.pbpk.networks.messages import MessagePassing
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

HEADS = 4


class Vessels(Propagation):
    """The sum over the vessels that enter an organ of silu(source + target + edge)."""

    def __init__(self) -> None:
        super().__init__(aggr="sum")

    def forward(self, edge_index: Tensor, source: Tensor, target: Tensor, edge: Tensor) -> Tensor:
        return self.propagate(edge_index, source=source, target=target, edge=edge)

    def message(self, source_j: Tensor, target_i: Tensor, edge: Tensor) -> Tensor:
        return nn.functional.silu(source_j + target_i + edge)


class ScatteredMessagePassing(MessagePassing):
    """The equations of `MessagePassing`, with the same weights, gathered and scattered by torch_geometric."""

    def __init__(self, hidden: int, incidence: Tensor):
        super().__init__(hidden, incidence)
        self.vessels = Vessels()

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        flat = h.flatten(0, 1)
        received = self.vessels(edge_index(h), self.source(flat), self.target(flat), self.edge(e).flatten(0, 1))
        return h + self.update(self.norm(torch.cat([h, received.view_as(h)], -1)))


class GATv2(nn.Module):
    """One round of attention between the two ends of each vessel (Brody et al. 2022), residual."""

    def __init__(self, hidden: int, incidence: Tensor):
        super().__init__()
        if hidden % HEADS:
            raise FulmenError(f"hidden is {hidden}; messages=gatv2 has {HEADS} heads and needs a multiple of {HEADS}")
        self.norm = nn.LayerNorm(hidden)
        self.attend = GATv2Conv(hidden, hidden // HEADS, heads=HEADS, edge_dim=hidden, add_self_loops=False)
        self.update = nn.Sequential(nn.SiLU(), nn.Linear(hidden, hidden))

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        received = self.attend(self.norm(h).flatten(0, 1), edge_index(h), e.flatten(0, 1))
        return h + self.update(received).view_as(h)


def edge_index(h: Tensor) -> Tensor:
    """The vessels of B bodies as one graph: [2, B 26] of node states [B, 14, H]."""
    ends = torch.stack([SOURCE, TARGET]).to(h.device)  # [2, 26]
    first = len(ORGANS) * torch.arange(len(h), device=h.device)  # [B]
    return (ends[:, None] + first[:, None]).flatten(1)
