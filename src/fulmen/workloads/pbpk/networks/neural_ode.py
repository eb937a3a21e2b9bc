"""A latent state that follows an ordinary differential equation of its own (Chen et al. 2018)."""

import torch
from torch import Tensor, nn
from torchdiffeq import odeint

from fulmen.config.ranges import Count, refuses_out_of_range
from fulmen.workloads.pbpk.graph import CONTEXT_FEATURES, DOSING_FEATURES, NODE_FEATURES
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork, stack
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

CLOCK_H = 0.02  # the solver walks along asinh(t / 0.02 h), on which curves bend evenly


class NeuralODE(GraphNetwork):
    """dz/ds = f(z, subject), s = asinh(t / 0.02 h), solved by torchdiffeq; the organs read z and the dosing of a time.

    The solver takes Runge-Kutta steps of the fourth order, `steps` over the whole time, whatever times are reported.

    Args:
        hidden: width of all layers.
        latent: width of z.
        steps: of the solver.
    """

    @refuses_out_of_range
    def __init__(self, hidden: Count = 128, latent: Count = 32, steps: Count = 24):
        super().__init__()
        self.steps = steps
        flat = len(ORGANS) * len(NODE_FEATURES) + len(CONTEXT_FEATURES)
        self.subject = stack(flat, hidden, 1, hidden)
        self.initial = nn.Linear(hidden, latent)
        self.slope = nn.Sequential(nn.Linear(latent + hidden + 1, hidden), nn.Tanh(), nn.Linear(hidden, latent))
        self.read = stack(latent + hidden + len(DOSING_FEATURES), hidden, 1, len(ORGANS))

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        node, _, context, dosing = self.inputs(node, edge, context, dosing)
        subject = nn.functional.silu(self.subject(torch.cat([node.flatten(1), context], -1)))  # [B, H]

        def slope(s: Tensor, z: Tensor) -> Tensor:
            return self.slope(torch.cat([z, subject, s.expand(len(z), 1)], -1))

        s = torch.cat([time_h.new_zeros(1), (time_h / CLOCK_H).asinh()])
        s = s / s[-1]
        z = odeint(
            slope, self.initial(subject), s, method="rk4", options={"step_size": 1 / self.steps, "interp": "cubic"}
        )[1:]
        each = subject[:, None].expand(-1, len(time_h), -1)  # [B, T, H]
        return self.read(torch.cat([z.transpose(0, 1), each, dosing], -1)).transpose(1, 2)  # [B, 14, T]
