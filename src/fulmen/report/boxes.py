"""How well boxes and masks agree.

Boxes are continuous: (x1, y1, x2, y2) with x2 > x1 and the area (x2 - x1)(y2 - y1). Code that counts pixels inclusively
adds 1 to every side: the boxes (10, 10, 50, 50) and (15, 15, 55, 55) have the IoU 0.620 here and 0.627 there
(`inclusive=True`).
"""

import torch
from torch import Tensor
from torchvision.ops import generalized_box_iou


def iou(a: Tensor, b: Tensor, inclusive: bool = False) -> Tensor:
    """Intersection over union of boxes a [N, 4] and b [N, 4], pair by pair: [N] in 0 ... 1."""
    side = 1.0 if inclusive else 0.0
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2]) + side).clamp(min=0).prod(1)
    areas = [(box[:, 2:] - box[:, :2] + side).prod(1) for box in (a, b)]
    return overlap / (areas[0] + areas[1] - overlap)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalized IoU (Rezatofighi et al. 2019), pair by pair: [N] in -1 ... 1, below 0 where boxes lie apart."""
    return torch.stack([generalized_box_iou(x[None], y[None])[0, 0] for x, y in zip(a, b, strict=True)])


def dice(a: Tensor, b: Tensor) -> Tensor:
    """2 |A and B| / (|A| + |B|) of masks [N, ...] of 0 and 1: [N]; 1 where both are empty."""
    a, b = a.flatten(1).bool(), b.flatten(1).bool()
    total = a.sum(1) + b.sum(1)
    return torch.where(total > 0, 2 * (a & b).sum(1) / total.clamp(min=1), 1.0)
