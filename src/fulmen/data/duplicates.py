"""Samples of one part of the data that stand, number for number, in another."""

import torch
from torch import Tensor

LARGEST = 200_000_000  # numbers; parts beyond are not searched


def copies(part: dict[str, Tensor], other: dict[str, Tensor]) -> int | None:
    """How many samples of `part` are in `other` too; None if there is nothing to compare or too much.

    Compared is everything but vectors of whole numbers (labels, identities), by a 64-bit hash.
    """
    names = [name for name, x in part.items() if name in other and (x.is_floating_point() or x.ndim > 1)]
    names = [name for name in names if part[name].shape[1:] == other[name].shape[1:]]
    names = [name for name in names if part[name].dtype == other[name].dtype and not part[name].is_complex()]
    if not names or sum(x[name].numel() for x in (part, other) for name in names) > LARGEST:
        return None
    return int(torch.isin(hashes(part, names), hashes(other, names)).sum())


def hashes(part: dict[str, Tensor], names: list[str]) -> Tensor:
    """One whole number per sample [N], equal for equal samples whatever their neighbours are."""
    generator = torch.Generator().manual_seed(0)
    total = torch.zeros(len(part[names[0]]), dtype=torch.int64)
    for name in names:
        rows = part[name].detach().cpu().reshape(len(total), -1).contiguous()
        size = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[rows.element_size()]
        odd = torch.randint(-(2**62), 2**62, (rows.shape[1],), generator=generator) * 2 + 1
        for chunk in torch.arange(len(rows)).split(4096):
            total[chunk] += (rows[chunk].view(size).long() * odd).sum(1)  # whole numbers wrap around, exactly
    return total
