"""Networks for tables: encoded columns [K, B, C] -> logits [K, B, M, O] of K networks with M members each.

O is 1 for two labels (the log odds of the second), else one per label. In all but `DeepMLP`, every parameter and buffer
has the leading dimension K, so that networks of the same kind can be stacked and trained at once (`batched_fit.py`).
"""

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Literal

import torch
from torch import Tensor, nn

from fulmen.config.ranges import Count, Natural, Share
from fulmen.errors import FulmenError
from fulmen.workloads.sensors.networks.encoder import Inputs
from fulmen.workloads.sensors.networks.layers import (
    Attention,
    EnsembleLinear,
    StackedDropout,
    StackedLinear,
    StackedNorm,
)


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


class MLP(TableNet):
    """Hidden layers of equal width with SiLU and dropout; none of them is logistic regression."""

    def __init__(
        self,
        inputs: Inputs,
        labels: Sequence | int = (0, 1),
        layers: Natural = 3,
        width: Count = 128,
        dropout: Share = 0.1,
    ):
        super().__init__(inputs, labels)
        sizes = [inputs.columns, *[width] * layers]
        self.layers = nn.ModuleList(StackedLinear(a, b) for a, b in pairwise(sizes))
        self.head = StackedLinear(sizes[-1], self.outputs)
        self.dropout = StackedDropout(dropout, silu=True)

    def body(self, columns: Tensor) -> Tensor:
        h = columns
        for layer in self.layers:
            h = self.dropout(layer(h))
        return self.head(h)[:, :, None]


class TabM(TableNet):
    """A parameter-efficient ensemble of MLPs (Gorishniy et al. 2024): one set of matrices, M sets of scales and heads.

    Members start apart in the signs of their inputs; their losses are averaged in training, their probabilities after.

    Args:
        members: M.
        layers: hidden ones.
        width: of the hidden layers.
        dropout: after each hidden layer.
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
        self.dropout = StackedDropout(dropout, silu=True)

    def body(self, columns: Tensor) -> Tensor:
        h = columns[:, :, None]  # [K, B, 1, C]
        for layer in self.layers:
            h = self.dropout(layer(h))
        return (h[..., None] * self.head).sum(-2) + self.head_bias


class FTTransformer(TableNet):
    """Each feature a token, a transformer over the tokens, the answer read from one of its own (Gorishniy et al. 2021).

    The token of a feature is the sum of its encoded columns, each times a learned vector, plus a bias of the feature.
    """

    belongs: Tensor

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
        fan: whether the variance is kept on the way forward ("in") or of the gradient on its way back ("out").
    """

    stackable = False

    def __init__(
        self, inputs: Inputs, labels: Sequence | int = (0, 1), hidden: Sequence[Count] = (512, 256, 128, 64),
        dropout: Share = 0.3, fan: Literal["in", "out"] = "in",
    ):  # fmt: skip
        super().__init__(inputs, labels)
        sizes, layers = [inputs.columns, *hidden], []
        for a, b in pairwise(sizes):
            layers += [nn.Linear(a, b), nn.BatchNorm1d(b), nn.ReLU(), nn.Dropout(dropout)]
        self.layers = nn.Sequential(*layers, nn.Linear(sizes[-1], self.outputs))
        for layer in self.layers:
            if isinstance(layer, nn.Linear):
                nn.init.kaiming_normal_(layer.weight, mode="fan_in" if fan == "in" else "fan_out", nonlinearity="relu")
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
