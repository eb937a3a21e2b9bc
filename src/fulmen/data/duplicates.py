"""Samples of one part of the data that stand, number for number, in another."""

import torch
from torch import Tensor

from fulmen.data.leaks.content import content_hashes

LARGEST = 200_000_000  # numbers; parts beyond are not searched
FIRST = 16  # numbers of a sample, spread over it, that are compared before all of them are


def copies(part: dict[str, Tensor], other: dict[str, Tensor]) -> int | None:
    """How many samples of `part` are in `other` too; None if there is nothing to compare or too much.

    Compared is everything but vectors of whole numbers (labels, identities), by a 64-bit hash.
    """
    names = [name for name, x in part.items() if name in other and (x.is_floating_point() or x.ndim > 1)]
    names = [name for name in names if part[name].shape[1:] == other[name].shape[1:]]
    names = [name for name in names if part[name].dtype == other[name].dtype and not part[name].is_complex()]
    if not names or sum(x[name].numel() for x in (part, other) for name in names) > LARGEST:
        return None
    one, two = ({name: _rows(x[name]) for name in names} for x in (part, other))
    few, many = hashes(one, FIRST), hashes(two, FIRST)
    alike = torch.isin(few, many)
    if not alike.any():
        return 0
    there = torch.isin(many, few)
    whole = hashes({name: x[there] for name, x in two.items()})
    return int(torch.isin(hashes({name: x[alike] for name, x in one.items()}), whole).sum())


def _rows(x: Tensor) -> Tensor:
    return x.detach().cpu().reshape(len(x), -1)


def hashes(part: dict[str, Tensor], most: int | None = None) -> Tensor:
    """One whole number per sample [N], equal for equal samples whatever their neighbours are.

    Args:
        part: name -> numbers [N, ...].
        most: about how many numbers of each to look at; all by default.
    """
    total = torch.zeros(len(next(iter(part.values()))), dtype=torch.int64)
    for number, rows in enumerate(part.values()):
        if not rows.shape[1]:  # a table without such columns
            continue
        rows = rows[:, :: max(1, rows.shape[1] // most)] if most else rows
        rows = rows.clone(memory_format=torch.contiguous_format)  # contiguous() keeps odd strides of a single column
        found = content_hashes(rows.view(torch.uint8).numpy()).view("int64")
        total += torch.from_numpy(found) * (2 * number + 1)
    return total
