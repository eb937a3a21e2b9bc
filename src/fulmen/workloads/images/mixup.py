"""Mixup and CutMix: images made of two, with the labels of both and the share of the first."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass
class Mixed:
    """A loss of it is `share` times that of `label` plus the rest times that of `other` (whatever the loss is)."""

    image: Tensor
    label: Tensor
    other: Tensor
    share: float


def mixup(image: Tensor, label: Tensor, alpha: float) -> Mixed:
    """Weighted means of each image and a random other one, the weight from Beta(alpha, alpha) (Zhang et al. 2018)."""
    share, partner = _share(alpha), torch.randperm(len(image), device=image.device)
    return Mixed(torch.lerp(image[partner], image, share), label, label[partner], share)


def cutmix(image: Tensor, label: Tensor, alpha: float) -> Mixed:
    """A rectangle of each image [B, C, H, W] replaced by that of a random other one (Yun et al. 2019).

    `share` is what is left of the image after the rectangle was cut off at the border.
    """
    height, width = image.shape[-2:]
    partner = torch.randperm(len(image), device=image.device)
    side = math.sqrt(1 - _share(alpha))
    top, bottom = _cut(height, side)
    left, right = _cut(width, side)
    image = image.clone()
    image[..., top:bottom, left:right] = image[partner, :, top:bottom, left:right]
    return Mixed(image, label, label[partner], 1 - (bottom - top) * (right - left) / (height * width))


def _share(alpha: float) -> float:
    return float(torch.distributions.Beta(alpha, alpha).sample())


def _cut(size: int, side: float) -> tuple[int, int]:
    """First and last (exclusive) pixel of a cut of `side` times `size` around a random centre."""
    centre, half = int(torch.randint(size, ())), round(side * size) // 2
    return max(0, centre - half), min(size, centre + half)
