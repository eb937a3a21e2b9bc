"""Rounds of messages along the blood vessels: node states [B, 14, H] and edge states [B, 26, H] to node states."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn

from fulmen.workloads.pbpk.graph import SOURCE, TARGET
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

Messages = Literal["dense", "scattered", "gatv2"]


class MessagePassing(nn.Module):
    """One round of messages along the blood vessels, residual.

    m_ij = silu(W_s h_i + W_t h_j + W_e e_ij);  h_j <- h_j + MLP([h_j, sum_i m_ij]).
    The sum is a product with the constant [14, 26] incidence matrix: as fast as scattering, and deterministic on a GPU.
    """

    incidence: Tensor

    def __init__(self, hidden: int, incidence: Tensor):
        super().__init__()
        self.source, self.target, self.edge = (nn.Linear(hidden, hidden) for _ in range(3))
        self.norm = nn.LayerNorm(2 * hidden)
        self.update = nn.Sequential(nn.Linear(2 * hidden, hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.register_buffer("incidence", incidence, persistent=False)

    def forward(self, h: Tensor, e: Tensor) -> Tensor:
        message = nn.functional.silu(self.source(h)[:, SOURCE] + self.target(h)[:, TARGET] + self.edge(e))  # [B, E, H]
        received = self.incidence @ message  # [B, 14, H]
        return h + self.update(self.norm(torch.cat([h, received], -1)))


def rounds(kind: Messages, hidden: int, layers: int) -> nn.ModuleList:
    """`layers` rounds of messages between states of the width `hidden`.

    Args:
        kind: "dense", products with a constant matrix; "scattered", the same equations by torch_geometric on its
            batches; "gatv2", attention between the ends of a vessel (Brody et al. 2022), by torch_geometric.
        hidden: H; with "gatv2" a multiple of its 4 heads.
        layers: number of rounds.
    """
    make: Callable[..., nn.Module] = MessagePassing
    if kind != "dense":  # importing torch_geometric takes a second
        from fulmen.workloads.pbpk.networks.pyg_messages import GATv2, ScatteredMessagePassing

        make = {"scattered": ScatteredMessagePassing, "gatv2": GATv2}[kind]
    incidence = nn.functional.one_hot(TARGET, len(ORGANS)).T.float().contiguous()
    return nn.ModuleList(make(hidden, incidence) for _ in range(layers))
