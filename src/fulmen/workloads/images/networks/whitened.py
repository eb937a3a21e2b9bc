"""A small network for few epochs: its first layer is the whitening of 2 x 2 patches and is not trained.

Architecture, initialisation and hyperparameters after K. Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU"
(arXiv 2404.00498).
"""

from collections.abc import Sequence
from typing import Annotated, Any

import torch
from torch import Tensor, nn
from torch.nn.functional import conv2d, gelu

from fulmen.config.ranges import Count, Positive, refuses_out_of_range
from fulmen.config.rules import Rule, has_items

PATCH, IMAGES, EPSILON = 2, 5000, 5e-4
Widths = Annotated[Sequence[Count], Rule("with three items", has_items, (3,))]


class WhitenedCNN(nn.Module):
    """Whitened patches (24 channels) and three groups of two convolutions: [B, 3, H, W] to [B, C].

    1,972,504 parameters and 288 frozen filters with the published widths and 10 classes; any image of 9 pixels up.

    Args:
        widths: channels of the three groups.
        bias_rate: learning rate of biases over that of the filters.
    """

    whitening: Tensor

    @refuses_out_of_range
    def __init__(self, classes: Count = 10, widths: Widths = (64, 256, 256), bias_rate: Positive = 64.0):
        super().__init__()
        self.classes, self.bias_rate = classes, bias_rate
        channels = 2 * 3 * PATCH**2
        self.register_buffer("whitening", torch.randn(channels, 3, PATCH, PATCH) / PATCH)  # until `fit`
        self.bias = nn.Parameter(torch.zeros(channels))
        ends = zip((channels, *widths), widths, strict=False)
        self.features = nn.Sequential(*(_group(*each) for each in ends), nn.AdaptiveMaxPool2d(1), nn.Flatten())
        self.head = nn.Linear(widths[-1], classes, bias=False)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.features(gelu(conv2d(image, self.whitening, self.bias)))) / 9

    @torch.no_grad()
    def fit(self, image: Tensor) -> None:
        """Take the whitening from standardised images [N, 3, H, W]; both signs of each filter, so that none is lost."""
        filters = whitening(patches(image)).view(-1, 3, PATCH, PATCH)
        self.whitening.copy_(torch.cat([filters, -filters]))

    def groups(self, lr: float, weight_decay: float = 0.0) -> list[dict[str, Any]]:
        """Parameter groups for an optimizer: biases learn `bias_rate` times as fast and decay as slowly as filters."""
        biases = [each for each in self.parameters() if each.ndim == 1]
        filters = [each for each in self.parameters() if each.ndim > 1]
        fast = {"lr": lr * self.bias_rate, "weight_decay": weight_decay / self.bias_rate}
        return [{"params": filters}, {"params": biases, **fast}]


def _group(inside: int, outside: int) -> nn.Sequential:
    return nn.Sequential(
        _convolution(inside, outside), nn.MaxPool2d(2), _normalisation(outside), nn.GELU(),
        _convolution(outside, outside), _normalisation(outside), nn.GELU(),
    )  # fmt: skip


def _convolution(inside: int, outside: int) -> nn.Conv2d:
    """Its first filters pass the channels on."""
    layer = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
    nn.init.dirac_(layer.weight.data[:inside])
    return layer


def _normalisation(channels: int) -> nn.BatchNorm2d:
    """Shifts but does not scale, forgets fast: there are few steps."""
    layer = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    layer.weight.requires_grad_(False)
    return layer


def patches(image: Tensor) -> Tensor:
    """All 2 x 2 patches of images [N, 3, H, W] as rows [P, 12]."""
    unfolded = image.unfold(2, PATCH, 1).unfold(3, PATCH, 1)
    return unfolded.permute(0, 2, 3, 1, 4, 5).reshape(-1, 3 * PATCH**2)


def whitening(rows: Tensor, epsilon: float = EPSILON) -> Tensor:
    """W [D, D] such that the covariance of `rows @ W.T` is the identity, but for `epsilon`; largest variance first."""
    values, vectors = torch.linalg.eigh(rows.double().T.cov())
    return (vectors / (values + epsilon).sqrt()).T.flip(0).to(rows.dtype)
