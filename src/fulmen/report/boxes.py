"""How well boxes and masks agree.

Boxes are continuous: (x1, y1, x2, y2) with x2 > x1 and the area (x2 - x1)(y2 - y1). Code that counts pixels inclusively
adds 1 to every side: the boxes (10, 10, 50, 50) and (15, 15, 55, 55) have the IoU 0.620 here and 0.627 there
(`inclusive=True`). Boxes without area have no part in common with any box: their IoU is 0.
"""

import torch
from torch import Tensor


def iou(a: Tensor, b: Tensor, inclusive: bool = False) -> Tensor:
    """Intersection over union of boxes a [N, 4] and b [N, 4], pair by pair: [N] in 0 ... 1."""
    side = 1.0 if inclusive else 0.0
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2]) + side).clamp(min=0).prod(1)
    areas = [(box[:, 2:] - box[:, :2] + side).prod(1) for box in (a, b)]
    return _share(overlap, areas[0] + areas[1] - overlap)


def giou(a: Tensor, b: Tensor) -> Tensor:
    """Generalized IoU (Rezatofighi et al. 2019), pair by pair: [N] in -1 ... 1, below 0 where boxes lie apart.

    It is the IoU less the share of the smallest box around both that neither covers.
    """
    hull = (torch.maximum(a[:, 2:], b[:, 2:]) - torch.minimum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    overlap = (torch.minimum(a[:, 2:], b[:, 2:]) - torch.maximum(a[:, :2], b[:, :2])).clamp(min=0).prod(1)
    union = (a[:, 2:] - a[:, :2]).prod(1) + (b[:, 2:] - b[:, :2]).prod(1) - overlap
    return _share(overlap, union) - _share(hull - union, hull)


def _share(part: Tensor, whole: Tensor) -> Tensor:
    """Of nothing it is 0."""
    return torch.where(whole > 0, part / whole.clamp(min=torch.finfo(whole.dtype).tiny), torch.zeros_like(whole))


def dice(a: Tensor, b: Tensor) -> Tensor:
    """2 |A and B| / (|A| + |B|) of masks [N, ...] of 0 and 1: [N]; 1 where both are empty."""
    a, b = a.flatten(1).bool(), b.flatten(1).bool()
    total = a.sum(1) + b.sum(1)
    return torch.where(total > 0, 2 * (a & b).sum(1) / total.clamp(min=1), 1.0)
