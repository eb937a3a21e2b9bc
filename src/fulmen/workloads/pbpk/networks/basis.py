"""Curves as sums of a few learned curves: proper orthogonal decomposition."""

import torch
from torch import Tensor, nn

from fulmen.workloads.pbpk.networks.inputs import require_times
from fulmen.workloads.pbpk.simulator.physiology import ORGANS

CURVES = 4000  # training subjects from which the basis is taken: enough for a few hundred modes


class Basis(nn.Module):
    """The mean curve of the training split, and its first R principal curves, each times its deviation s_r.

        y = m + sum_r c_r s_r v_r,  for coefficients c [B, R] of order 1

    The curves are buffers: all that is left to learn are coefficients (POD-NN, Hesthaven & Ubbiali 2018).

    Args:
        modes: R.
        times: T, length of the time grid.
        every: how many times lie between two at which the load of the reduced model is an input.
    """

    mean: Tensor
    curves: Tensor
    probed: Tensor

    def __init__(self, modes: int, times: int, every: int = 12):
        super().__init__()
        self.times = times
        self.register_buffer("probed", torch.arange(min(every // 2, times - 1), times, every), persistent=False)
        self.register_buffer("mean", torch.zeros(len(ORGANS) * times))
        self.register_buffer("curves", torch.zeros(modes, len(ORGANS) * times))

    def fit(self, target: Tensor) -> None:
        """Take the curves from those of the training split [S, 14, T].

        Raises:
            FulmenError: another number of times than that of the basis.
        """
        require_times(self.times, target[0, 0])
        mean, curves = principal_curves(target[:CURVES].flatten(1), len(self.curves))
        self.mean.copy_(mean)
        self.curves.copy_(curves)

    def probe(self, dosing: Tensor, time_h: Tensor) -> Tensor:
        """The dosing features [B, T, 3] at a few times: [B, P, 3], of which the load of the reduced model is the last.

        Raises:
            FulmenError: another number of times than that of the basis.
        """
        require_times(self.times, time_h)
        return dosing[:, self.probed]

    def forward(self, coefficients: Tensor) -> Tensor:
        """[B, R] -> curves [B, 14, T]."""
        return (self.mean + coefficients @ self.curves).unflatten(1, (len(ORGANS), -1))


def principal_curves(curves: Tensor, modes: int) -> tuple[Tensor, Tensor]:
    """The mean [D] of curves [S, D], and their first principal directions [modes, D], each times its deviation.

    Directions beyond the rank of the curves are zero.
    """
    curves = curves.double()
    mean = curves.mean(0)
    variance, direction = torch.linalg.eigh(torch.cov((curves - mean).T))  # ascending
    there = min(modes, curves.shape[1])
    scaled = (direction * variance.clamp(min=0).sqrt()).T.flip(0)[:there]
    return mean, nn.functional.pad(scaled, (0, 0, 0, modes - there))
