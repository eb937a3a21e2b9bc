"""Layers of K networks side by side: every tensor begins with the dimension K, none mixes two networks."""

import math
from functools import cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu


class StackedLinear(nn.Module):
    """K linear layers side by side: [K, B, in] -> [K, B, out]; started as `nn.Linear`."""

    def __init__(self, inputs: int, outputs: int):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(1, inputs, outputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(1, 1, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        return torch.baddbmm(self.bias, x, self.weight)


class StackedDropout(nn.Module):
    """Dropout of [K, B, ...] whose mask depends on the seed and the row of the batch, not on K; with `silu` after SiLU.

    So each network of a stack sees what it would see alone under the same seed. `generators`, one per seed, serve equal
    shares of the stack; without them torch's own serves all.
    """

    def __init__(self, p: float, silu: bool = False):
        super().__init__()
        self.p, self.silu = p, silu
        self.generators: list[torch.Generator] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return silu(x) if self.silu else x
        several = self.generators or (None,)
        keep = torch.empty((len(several), 1, *x.shape[1:]), device=x.device)
        drawn = _generator(x.device)
        for part, generator in zip(keep, several, strict=True):  # one number each: the next mask must not depend on B
            drawn.manual_seed(int(torch.randint(2**62, (), generator=generator)))
            part.uniform_(generator=drawn)
        keep = keep.ge_(self.p).mul_(1 / (1 - self.p)).to(x)
        shares = x.unflatten(0, (len(several), -1))
        return (_DroppedSilu.apply(shares, keep) if self.silu else shares * keep).flatten(0, 1)


class _DroppedSilu(torch.autograd.Function):
    """silu(x) * keep in half the memory traffic of the two calls, which is what bounds wide stacks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, keep: Tensor) -> Tensor:
        ctx.save_for_backward(x, keep)
        return silu(x).mul_(keep)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        x, keep = ctx.saved_tensors
        grad = grad * keep
        return torch.ops.aten.silu_backward.grad_input(grad, x, grad_input=grad), None


@cache
def _generator(device: torch.device) -> torch.Generator:
    """One to be seeded before each use."""
    return torch.Generator(device)


class EnsembleLinear(nn.Module):
    """M linear layers that share their matrix, y_m = s_m * (r_m * x) W + b_m: [K, B, M or 1, in] -> [K, B, M, out].

    Wen et al. 2020 (BatchEnsemble); with random signs the members begin apart, with ones they begin alike.
    """

    def __init__(self, inputs: int, outputs: int, members: int, random_signs: bool):
        super().__init__()
        bound = 1 / math.sqrt(inputs)
        signs = (
            torch.randint(0, 2, (1, 1, members, inputs)) * 2.0 - 1
            if random_signs
            else torch.ones(1, 1, members, inputs)
        )
        self.weight = nn.Parameter(torch.empty(1, inputs, outputs).uniform_(-bound, bound))
        self.r = nn.Parameter(signs)
        self.s = nn.Parameter(torch.ones(1, 1, members, outputs))
        self.bias = nn.Parameter(torch.empty(1, 1, members, outputs).uniform_(-bound, bound))

    def forward(self, x: Tensor) -> Tensor:
        x = x * self.r
        y = torch.bmm(x.flatten(1, 2), self.weight).unflatten(1, x.shape[1:3])
        return torch.addcmul(self.bias, y, self.s)


class StackedNorm(nn.Module):
    """Layer normalisation over the last dimension of [K, B, T, D]."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1, 1, 1, width))
        self.bias = nn.Parameter(torch.zeros(1, 1, 1, width))

    def forward(self, x: Tensor) -> Tensor:
        return torch.addcmul(self.bias, nn.functional.layer_norm(x, x.shape[-1:]), self.weight)


class Attention(nn.Module):
    """A pre-norm transformer block over the features of a row: [K, B, T, D] -> the same."""

    def __init__(self, width: int, heads: int, dropout: float):
        super().__init__()
        self.heads = heads
        self.norms = nn.ModuleList(StackedNorm(width) for _ in range(2))
        self.qkv, self.project = StackedLinear(width, 3 * width), StackedLinear(width, width)
        self.rise, self.fall = StackedLinear(width, 2 * width), StackedLinear(2 * width, width)
        self.dropout = StackedDropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        rows = x.shape[1:3]
        qkv = self.qkv(self.norms[0](x).flatten(1, 2)).unflatten(1, rows).unflatten(-1, (3, self.heads, -1))
        q, k, v = qkv.permute(3, 0, 1, 4, 2, 5)  # each [K, B, heads, T, D / heads]
        seen = scaled_dot_product_attention(q, k, v).transpose(2, 3).flatten(-2)
        x = x + self.dropout(self.project(seen.flatten(1, 2)).unflatten(1, rows))
        h = silu(self.rise(self.norms[1](x).flatten(1, 2)))
        return x + self.dropout(self.fall(h).unflatten(1, rows))
