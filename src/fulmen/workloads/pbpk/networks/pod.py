"""Curves as sums of a few learned curves: proper orthogonal decomposition, with a network for the coefficients."""

import torch
from torch import Tensor, nn

from fulmen.config.ranges import Count, Natural, refuses_out_of_range
from fulmen.data.batches import Batch
from fulmen.workloads.pbpk.graph import CONTEXT_FEATURES, NODE_FEATURES
from fulmen.workloads.pbpk.networks.inputs import GraphNetwork, require_times
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

CURVES = 4000  # training subjects from which the basis is taken: enough for a few hundred modes
EVERY = 12  # the load of the reduced model is an input at every 12th time


class POD(GraphNetwork):
    """The coefficients of a basis that is taken from the training curves (POD-NN, Hesthaven & Ubbiali 2018).

    With the mean curve m [14 T] of the training split and the R first right singular vectors v_r of its curves,

        y = m + sum_r c_r s_r v_r,    c = layers(organs, context, load of the reduced model at a few times),

    where s_r is the standard deviation of a coefficient over the training split. All that is learned is c [B, R].

    Args:
        modes: R, curves in the basis.
        hidden: width of the hidden layers.
        layers: number of hidden layers.
        times: length of the time grid (99 for the default grid without t = 0).
    """

    mean: Tensor
    basis: Tensor
    probed: Tensor

    @refuses_out_of_range
    def __init__(self, modes: Count = 96, hidden: Count = 256, layers: Natural = 3, times: Count = 99):
        super().__init__()
        self.times = times
        probed = torch.arange(min(EVERY // 2, times - 1), times, EVERY)
        self.register_buffer("probed", probed, persistent=False)
        self.register_buffer("mean", torch.zeros(len(ORGANS) * times))
        self.register_buffer("basis", torch.zeros(modes, len(ORGANS) * times))
        width = len(ORGANS) * len(NODE_FEATURES) + len(CONTEXT_FEATURES) + len(probed)
        stack: list[nn.Module] = []
        for _ in range(layers):
            stack += [nn.Linear(width, hidden), nn.SiLU()]
            width = hidden
        self.layers = nn.Sequential(*stack, nn.Linear(width, modes))

    def fit(self, train: Batch, target: Tensor) -> None:
        """Take scales and basis from the training split; each basis curve is scaled by its coefficient's deviation."""
        super().fit(train, target)
        mean, basis = principal_curves(target[:CURVES].flatten(1), len(self.basis))
        self.mean.copy_(mean)
        self.basis.copy_(basis)

    def forward(self, node: Tensor, edge: Tensor, context: Tensor, dosing: Tensor, time_h: Tensor) -> Tensor:
        require_times(self.times, time_h)
        node, _, context, dosing = self.inputs(node, edge, context, dosing)
        load = dosing[:, self.probed, -1]  # [B, P]
        coefficients = self.layers(torch.cat([node.flatten(1), context, load], -1))  # [B, R]
        return (self.mean + coefficients @ self.basis).unflatten(1, (len(ORGANS), -1))  # [B, 14, T]


def principal_curves(curves: Tensor, modes: int) -> tuple[Tensor, Tensor]:
    """The mean [D] of curves [S, D], and their first principal directions [modes, D], each times its deviation.

    Directions beyond the rank of the curves are zero.
    """
    curves = curves.double()
    mean = curves.mean(0)
    variance, direction = torch.linalg.eigh(torch.cov((curves - mean).T))  # ascending
    modes_ = min(modes, curves.shape[1])
    scaled = (direction * variance.clamp(min=0).sqrt()).T.flip(0)[:modes_]
    return mean, nn.functional.pad(scaled, (0, 0, 0, modes - modes_))
