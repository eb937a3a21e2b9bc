"""Networks for tables: encoded columns [K, B, C] -> logits [K, B, M, O] of K networks with M members each.

O is 1 for two labels (the log odds of the second), else one per label. In all but `DeepMLP`, every parameter and buffer
has the leading dimension K, so that networks of the same kind can be stacked and trained at once (`stacking.py`).
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention, silu

from fulmen.errors import FulmenError
from fulmen.signatures import Count, Rule
from fulmen.workloads.sensors.inputs import Inputs

Share = Annotated[float, Rule("of at least 0 and below 1", lambda share: 0 <= share < 1)]
Layers = Annotated[int, Rule("of at least 0", lambda layers: layers >= 0)]


def outputs(labels: Sequence | int) -> int:
    """O, for these labels or so many."""
    count = labels if isinstance(labels, int) else len(labels)
    if count < 2:
        raise FulmenError(f"labels: {labels} is too few; a classifier needs two or more")
    return 1 if count == 2 else count


class TableNet(nn.Module):
    """`forward` of every network here: encode, then `body`.

    Args:
        inputs: the encoding.
        labels: of the target, in their order, or their number.
    """

    stackable = True

    def __init__(self, inputs: Inputs, labels: Sequence | int = (0, 1)):
        super().__init__()
        self.inputs, self.outputs = inputs, outputs(labels)

    def forward(self, x: Tensor, category: Tensor) -> Tensor:
        """Numeric columns [K, B, n], NaN where missing, and level numbers [K, B, c] -> logits [K, B, M, O]."""
        return self.body(self.inputs(x, category))

    def body(self, columns: Tensor) -> Tensor:
        raise NotImplementedError


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
    """Dropout of [K, B, ...] whose mask depends on the seed and the row of the batch, not on K.

    So each network of a stack sees what it would see alone under the same seed. `generators`, one per seed, serve equal
    shares of the stack; without them torch's own serves all.
    """

    def __init__(self, p: float):
        super().__init__()
        self.p = p
        self.generators: list[torch.Generator] | None = None

    def forward(self, x: Tensor) -> Tensor:
        if not self.training or self.p == 0:
            return x
        noise = []
        for generator in self.generators or (None,):  # one number each, so that the next mask does not depend on B
            seed = int(torch.randint(2**62, (), generator=generator))
            noise.append(
                torch.rand(x.shape[1:], device=x.device, generator=torch.Generator(x.device).manual_seed(seed))
            )
        keep = (torch.stack(noise) >= self.p).to(x) / (1 - self.p)
        return (x.unflatten(0, (len(noise), -1)) * keep[:, None]).flatten(0, 1)


class MLP(TableNet):
    """Hidden layers of equal width with SiLU and dropout; none of them is logistic regression."""

    def __init__(
        self,
        inputs: Inputs,
        labels: Sequence | int = (0, 1),
        layers: Layers = 3,
        width: Count = 128,
        dropout: Share = 0.1,
    ):
        super().__init__(inputs, labels)
        sizes = [inputs.columns, *[width] * layers]
        self.layers = nn.ModuleList(StackedLinear(a, b) for a, b in pairwise(sizes))
        self.head = StackedLinear(sizes[-1], self.outputs)
        self.dropout = StackedDropout(dropout)

    def body(self, columns: Tensor) -> Tensor:
        h = columns
        for layer in self.layers:
            h = self.dropout(silu(layer(h)))
        return self.head(h)[:, :, None]


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


class TabM(TableNet):
    """A parameter-efficient ensemble of MLPs (Gorishniy et al. 2024): one set of matrices, M sets of scales and heads.

    Members start apart in the signs of their inputs; their losses are averaged in training, their probabilities after.
    """

    def __init__(
        self, inputs: Inputs, labels: Sequence | int = (0, 1), members: Count = 8, layers: Count = 2, width: Count = 96,
        dropout: Share = 0.2,
    ):  # fmt: skip
        super().__init__(inputs, labels)
        sizes = [inputs.columns, *[width] * layers]
        self.layers = nn.ModuleList(
            EnsembleLinear(a, b, members, random_signs=i == 0) for i, (a, b) in enumerate(pairwise(sizes))
        )
        bound = 1 / math.sqrt(width)
        self.head = nn.Parameter(torch.empty(1, 1, members, width, self.outputs).uniform_(-bound, bound))
        self.head_bias = nn.Parameter(torch.empty(1, 1, members, self.outputs).uniform_(-bound, bound))
        self.dropout = StackedDropout(dropout)

    def body(self, columns: Tensor) -> Tensor:
        h = columns[:, :, None]  # [K, B, 1, C]
        for layer in self.layers:
            h = self.dropout(silu(layer(h)))
        return (h[..., None] * self.head).sum(-2) + self.head_bias


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


class FTTransformer(TableNet):
    """Each feature a token, a transformer over the tokens, the answer read from one of its own (Gorishniy et al. 2021).

    The token of a feature is the sum of its encoded columns, each times a learned vector, plus a bias of the feature.
    """

    def __init__(
        self, inputs: Inputs, labels: Sequence | int = (0, 1), layers: Count = 2, width: Count = 32, heads: Count = 4,
        dropout: Share = 0.1,
    ):  # fmt: skip
        super().__init__(inputs, labels)
        if width % heads:
            raise FulmenError(f"width is {width}; it must be a multiple of heads={heads}")
        features = int(inputs.feature.max()) + 1
        bound = 1 / math.sqrt(width)
        self.embedding = nn.Parameter(torch.empty(1, 1, inputs.columns, width).uniform_(-bound, bound))
        self.token = nn.Parameter(torch.empty(1, 1, features + 1, width).uniform_(-bound, bound))
        self.blocks = nn.ModuleList(Attention(width, heads, dropout) for _ in range(layers))
        self.norm, self.head = StackedNorm(width), StackedLinear(width, self.outputs)
        belongs = nn.functional.one_hot(inputs.feature, features + 1).T.float()  # the last row: no column
        self.register_buffer("belongs", belongs[None, None], persistent=False)

    def body(self, columns: Tensor) -> Tensor:
        tokens = self.belongs @ (columns[..., None] * self.embedding) + self.token  # [K, B, features + 1, D]
        for block in self.blocks:
            tokens = block(tokens)
        return self.head(self.norm(tokens)[:, :, -1])[:, :, None]


class DeepMLP(TableNet):
    """Linear layers with batch normalisation, ReLU and dropout, Kaiming-initialised; not stackable.

    Args:
        hidden: widths of the hidden layers.
        dropout: after each of them.
    """

    stackable = False

    def __init__(
        self, inputs: Inputs, labels: Sequence | int = (0, 1), hidden: Sequence[Count] = (512, 256, 128, 64),
        dropout: Share = 0.3,
    ):  # fmt: skip
        super().__init__(inputs, labels)
        sizes, layers = [inputs.columns, *hidden], []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], self.outputs))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(layer.bias)

    def body(self, columns: Tensor) -> Tensor:
        return self.layers(columns[0])[None, :, None]


def probability(logits: Tensor) -> Tensor:
    """[..., M, O] -> probabilities of the labels, mean over the members: [..., L]."""
    if logits.shape[-1] == 1:
        p = logits.sigmoid().mean(-2)
        return torch.cat([1 - p, p], -1)
    return logits.softmax(-1).mean(-2)


def row_loss(logits: Tensor, target: Tensor) -> Tensor:
    """Cross-entropy of each row, mean over its members: logits [..., M, O], label numbers [...] -> [...]."""
    target = target[..., None].expand(logits.shape[:-1])  # [..., M]
    if logits.shape[-1] == 1:
        return nn.functional.binary_cross_entropy_with_logits(logits[..., 0], target.to(logits), reduction="none").mean(
            -1
        )
    return (
        nn.functional.cross_entropy(logits.flatten(0, -2), target.flatten(), reduction="none").view_as(target).mean(-1)
    )


def parameter_groups(network: nn.Module) -> list[dict]:
    """Matrices, which the optimizer may decay, and the rest (scales, biases, tokens), which it must not."""
    matrices = {id(m.weight) for m in network.modules() if isinstance(m, StackedLinear | EnsembleLinear | nn.Linear)}
    split: dict[bool, list[nn.Parameter]] = {True: [], False: []}
    for parameter in network.parameters():
        split[id(parameter) in matrices].append(parameter)
    return [{"params": split[True]}, {"params": split[False], "weight_decay": 0.0}]
