"""How the processes of one run agree, sum and gather: the one place that talks between ranks.

Whatever decides (to stop, to prune, that training has diverged) asks here, so that no rank goes on alone; whatever is
counted or collected over an epoch is added up here, as integers or in double precision. Every function must be called
by all ranks at the same point; with one process all of them return what they are given.
"""

import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import torch
from lightning.pytorch import Trainer
from torch import Tensor
from torch import distributed as dist
from torch.nn.functional import pad

from fulmen.lightning_private import launched_rank

T = TypeVar("T")


def rank_and_world() -> tuple[int, int]:
    """This process' number among all processes of the run, and how many they are."""
    if has_joined():
        return dist.get_rank(), dist.get_world_size()
    return 0, 1


def is_first() -> bool:
    """Whether this is, or is going to be, the first process of its run; before they meet, what launched them knows."""
    rank, world = rank_and_world()
    return rank == 0 if world > 1 else not launched_rank()


def has_joined() -> bool:
    """Whether this process is one of a group already."""
    return dist.is_available() and dist.is_initialized()


def part() -> None:
    """Leave the group."""
    if has_joined():
        dist.destroy_process_group()


def any_rank(flag: bool) -> bool:
    """Whether `flag` is set on any rank."""
    if rank_and_world()[1] == 1:
        return flag
    found = torch.tensor(int(flag), device=_device())
    dist.all_reduce(found, dist.ReduceOp.MAX)
    return bool(found)


def from_first(value: T) -> T:
    """The first rank's value, anything that can be pickled; that of the others is ignored."""
    if rank_and_world()[1] == 1:
        return value
    held = [value]
    dist.broadcast_object_list(held, src=0)
    return held[0]


def first_given(value: T | None) -> T | None:
    """The value of the lowest rank that has one."""
    return next((each for each in of_all_ranks(value) if each is not None), None)


def from_first_by_store(key: str, text: str) -> str:
    """The first rank's text, before the processes that torchrun has started have joined."""
    address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
    store = dist.TCPStore(address, port, is_master=False, timeout=timedelta(minutes=2))
    if os.environ["RANK"] == "0":
        store.set(key, text)
    return store.get(key).decode()


def of_all_ranks(value: T) -> list[T]:
    """Every rank's value, in their order; anything that can be pickled."""
    world = rank_and_world()[1]
    if world == 1:
        return [value]
    found = [value] * world
    dist.all_gather_object(found, value)
    return found


def wait_for_all() -> None:
    """Come back when all ranks have come here."""
    if rank_and_world()[1] > 1:
        dist.barrier()


def sum_over_ranks(x: Tensor) -> Tensor:
    """Added up over all ranks, in double precision or as whole numbers; of one process `x` itself."""
    if rank_and_world()[1] == 1:
        return x
    total = x.detach().to(_device(), torch.float64 if x.is_floating_point() else torch.int64, copy=True)
    dist.all_reduce(total)
    return total.to(x.device)


def exact_means(trainer: Trainer) -> None:
    """Let `self.log(..., sync_dist=True)` divide the sum over all samples by their number."""
    if trainer.world_size > 1:
        setattr(trainer.strategy, "reduce", _ExactMean(trainer.strategy.reduce))  # noqa: B010


class _ExactMean:
    """In the place of a strategy's `reduce`, which cuts the fraction off a mean over ranks of whole numbers.

    Lightning divides the mean over ranks of an epoch's sum by that of its samples: cut off, 21 samples of two ranks
    count as 20. An object, not a `partial`: Lightning copies what is bound in one, the whole strategy, with every mean.
    """

    def __init__(self, otherwise: Callable[..., Tensor]):
        self.otherwise = otherwise

    def __call__(self, x: Tensor, group: Any = None, reduce_op: Any = "mean") -> Tensor:
        if group is not None or not isinstance(x, Tensor) or str(reduce_op).lower() not in ("mean", "avg"):
            return self.otherwise(x, group, reduce_op)
        mean = sum_over_ranks(x).double() / rank_and_world()[1]
        return mean.to(x.dtype) if x.is_floating_point() else mean


def gather_rows(x: Tensor, group: None = None) -> list[Tensor]:
    """[n, ...] of every rank, in their order; n may differ and be 0, where the other dimensions are not known.

    Args:
        group: what torchmetrics adds to a call of a metric's `dist_sync_fn`; all ranks are meant.
    """
    world = rank_and_world()[1]
    if world == 1:
        return [x]
    x = x.detach().contiguous()
    shapes: list[torch.Size] = of_all_ranks(x.shape)
    if not x.ndim:
        return _gathered(x)
    largest = max(shapes, key=lambda shape: (len(shape), shape[0]))
    if not len(x):
        x = x.new_zeros((0, *largest[1:]))
    padded = pad(x, (0, 0) * (x.ndim - 1) + (0, largest[0] - len(x)))
    return [rows[: shape[0]] for rows, shape in zip(_gathered(padded), shapes, strict=True)]


def _gathered(x: Tensor) -> list[Tensor]:
    here = x.to(_device())
    found = [torch.empty_like(here) for _ in range(rank_and_world()[1])]
    dist.all_gather(found, here)
    return [each.to(x.device) for each in found]


def _device() -> torch.device:
    """Where the processes exchange tensors."""
    return torch.device("cuda" if dist.get_backend() == "nccl" else "cpu")
