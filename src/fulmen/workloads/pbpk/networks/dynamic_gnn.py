"""The body as a graph, and one recurrent state that carries it through time."""

import torch
from torch import Tensor, nn

from fulmen.config.ranges import Count, Natural, refuses_out_of_range
from fulmen.workloads.pbpk.graph import DOSING_FEATURES
from fulmen.workloads.pbpk.networks.graph_encoder import GraphEncoder
from fulmen.workloads.pbpk.networks.rounds import Messages


def time_features(time_h: Tensor) -> Tensor:
    """[T] hours -> [T, 4]: log time, log step, linear time, and where the first half hour ends."""
    step = torch.diff(time_h, prepend=torch.zeros_like(time_h[:1]))
    return torch.stack([(time_h + 0.05).log(), (step + 0.05).log(), time_h / 12 - 1, torch.exp(-2 * time_h)], -1)


class DynamicGNN(GraphEncoder):
    """Message passing over the organs, then one recurrent state that carries the whole body through time.

    The graph is encoded once (`layers` rounds of messages); a GRU, driven by the clock and the encoded body, emits a
    state per time; organ o reads it out bilinearly: y[o, t] = <P h_o, Q g_t> / sqrt(rank) + b_o.

    Args:
        hidden: width of node and edge states.
        layers: rounds of message passing.
        recurrent: width of the GRU.
        rank: of the bilinear read-out.
        messages: "dense", our own; "scattered", the same equations by torch_geometric; "gatv2", its attention.
    """

    @refuses_out_of_range
    def __init__(
        self,
        hidden: Count = 64,
        layers: Natural = 3,
        recurrent: Count = 64,
        rank: Count = 64,
        messages: Messages = "dense",
    ):
        super().__init__(hidden, layers, messages)
        self.body = nn.Sequential(nn.Linear(3 * hidden, 2 * hidden), nn.SiLU())
        self.initial = nn.Linear(2 * hidden, recurrent)
        self.drive = nn.Linear(2 * hidden, hidden)
        self.clock = nn.Sequential(nn.Linear(4 + len(DOSING_FEATURES), hidden), nn.SiLU(), nn.Linear(hidden, hidden))
        self.gru = nn.GRU(hidden, recurrent, batch_first=True)
        self.read_organ = nn.Sequential(nn.LayerNorm(hidden), nn.Linear(hidden, rank))
        self.read_time = nn.Linear(recurrent, rank)
        self.offset = nn.Linear(hidden, 1)

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        node, edge, context, dosing = self.inputs(node, edge, context, dosing)
        h, c = self.encode(node, edge, context)
        body = self.body(torch.cat([h.mean(1), h.amax(1), c], -1))  # [B, 2H]
        clock = torch.cat([time_features(time_h).expand(node.shape[0], -1, -1), dosing], -1)  # [B, T, 7]
        drive = self.drive(body)[:, None] + self.clock(clock)  # [B, T, H]
        g, _ = self.gru(drive, self.initial(body).tanh()[None].contiguous())  # [B, T, R]
        y = self.read_organ(h) @ self.read_time(g).transpose(1, 2)  # [B, 14, T]
        return y / self.read_time.out_features**0.5 + self.offset(h)
