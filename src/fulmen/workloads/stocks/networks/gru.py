"""A GRU layer that trains faster on a CPU than PyTorch's: the same parameters, states and gradients.

PyTorch differentiates every operation of every day by itself. Here the whole scan is one node of the graph: the way
back multiplies what can be computed for all days at once, and the gradients of the weights are one product each.
"""

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.functional import linear


class GRU(nn.GRU):
    """As `nn.GRU` with one layer, `batch_first=True` and no first state (Cho et al. 2014).

    Where no gradients are wanted, and on a GPU, it is `nn.GRU`. Autocast leaves it alone on a CPU: the products of a
    day are too small to gain by bfloat16 what its conversions cost.
    """

    weight_hh_l0: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:  # type: ignore[override]  # no first state
        """[B, T, F] -> states [B, T, directions * units], last states [directions, B, units]."""
        if x.device.type != "cpu":
            return super().forward(x)
        with torch.autocast("cpu", enabled=False):
            x = x.to(self.weight_hh_l0)
            return self._scans(x) if torch.is_grad_enabled() else super().forward(x)

    def _scans(self, x: Tensor) -> tuple[Tensor, Tensor]:
        x = x.transpose(0, 1)
        states = [self._scan(x, "")]
        last = [states[0][-1]]
        if self.bidirectional:
            backwards = self._scan(x.flip(0), "_reverse")
            states.append(backwards.flip(0))
            last.append(backwards[-1])
        return torch.cat(states, -1).transpose(0, 1), torch.stack(last)

    def _scan(self, x: Tensor, direction: str) -> Tensor:
        weight_ih, weight_hh, bias_ih, bias_hh = (
            getattr(self, f"{name}_l0{direction}") for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
        )
        return Scan.apply(linear(x, weight_ih, bias_ih), weight_hh, bias_hh)


class Scan(torch.autograd.Function):
    """States of a GRU from what its inputs add to the gates.

    With a_t = W h_{t-1} + b, and r, z, n the thirds of the gates:
    r = sigmoid(x_r + a_r), z = sigmoid(x_z + a_z), n = tanh(x_n + r a_n), h_t = n + z (h_{t-1} - n).
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
        """x [T, B, 3H], weight [3H, H], bias [3H] -> h [T, B, H]."""
        days, batch, units = x.shape[0], x.shape[1], weight.shape[1]
        a, rz, n = torch.empty_like(x), x.new_empty(days, batch, 2 * units), x.new_empty(days, batch, units)
        h = x.new_empty(days + 1, batch, units)
        h[0] = 0
        two, one = slice(2 * units), slice(2 * units, None)
        parts = (a, a[..., two], a[..., one], x[..., two], x[..., one], rz, *rz.chunk(2, -1), n, h[:-1], h[1:])
        weight_t = weight.t()
        for a_t, a_rz, a_n, x_rz, x_n, rz_t, r_t, z_t, n_t, h_before, h_t in _days(*parts):
            torch.addmm(bias, h_before, weight_t, out=a_t)
            torch.add(x_rz, a_rz, out=rz_t).sigmoid_()
            torch.addcmul(x_n, r_t, a_n, out=n_t).tanh_()
            torch.lerp(n_t, h_before, z_t, out=h_t)
        ctx.save_for_backward(weight, a[..., one], rz, n, h)
        return h[1:]

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        weight, a_n, rz, n, h = ctx.saved_tensors
        r, z = rz.chunk(2, -1)
        to_n = (1 - z) * (1 - n * n)  # of h_t, before the tanh
        to_a = torch.stack([to_n * a_n * r * (1 - r), (h[:-1] - n) * z * (1 - z), to_n * r], 2)
        grad_a, grad_h = torch.empty_like(to_a), torch.empty_like(n)
        flat = grad_a.flatten(2)
        behind = torch.zeros_like(n[0])  # what all later days say of this one
        for grad_t, to_a_t, grad_a_t, flat_t, grad_h_t, z_t in _days(grad, to_a, grad_a, flat, grad_h, z, back=True):
            torch.add(behind, grad_t, out=grad_h_t)
            torch.mul(grad_h_t[:, None], to_a_t, out=grad_a_t)
            torch.mul(grad_h_t, z_t, out=behind).addmm_(flat_t, weight)
        rows = flat.flatten(0, 1)
        grad_weight, grad_bias = rows.t() @ h[:-1].flatten(0, 1), rows.sum(0)
        torch.mul(grad_h, to_n, out=grad_a[:, :, 2])  # the input reaches n without r
        return flat, grad_weight, grad_bias


def _days(*tensors: Tensor, back: bool = False) -> Iterable[tuple[Tensor, ...]]:
    each = zip(*(tensor.unbind(0) for tensor in tensors), strict=True)
    return reversed(list(each)) if back else each
