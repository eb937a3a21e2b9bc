"""A round of messages along the blood vessels, on dense tensors."""

import torch
from torch import Tensor, nn

from fulmen.workloads.pbpk.graph import SOURCE, TARGET


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
