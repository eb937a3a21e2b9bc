"""Whole batches of in-memory tensors, dealt in an order that a checkpoint can continue."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace

import torch
from torch import Tensor

from fulmen.ranks import rank_and_world
from fulmen.seeding import derived_seed


class BatchLoader:
    """Deals `{name: tensor[batch, ...]}` from tensors that share their first dimension.

    The order is a function of seed and epoch alone, and the position inside the epoch travels in the trainer's
    checkpoint (Lightning calls `state_dict` and `load_state_dict`), so that an interrupted epoch goes on with the batch
    that comes next. Under distributed training each rank takes every `world`-th sample: the shuffled order is cut to a
    multiple of the world size, so that all ranks step equally often; evaluation leaves nothing out.

    Args:
        arrays: tensors with the same length N in the first dimension.
        batch_size: samples per batch and rank.
        shuffle: a new order each epoch (training) or the stored one (evaluation).
        seed: of the order.
        order: makes the shuffled order of all ranks, N indices, of epoch and generator; a permutation by default.
    """

    def __init__(
        self,
        arrays: Mapping[str, Tensor],
        batch_size: int,
        shuffle: bool = False,
        seed: int = 0,
        order: Callable[[int, torch.Generator], Tensor] | None = None,
    ):
        lengths = {name: len(array) for name, array in arrays.items()}
        if len(set(lengths.values())) != 1:
            raise ValueError(f"arrays differ in length: {lengths}")
        if batch_size < 1:
            raise ValueError(f"batch_size must be at least 1, got {batch_size}")
        self.arrays = dict(arrays)
        self.batch_size = batch_size
        self.shuffle = shuffle
        self.seed = seed
        self.order = order
        self.epoch = 0
        self._first = 0  # where the next pass begins: beyond 0 only right after a resume
        self._dealt = 0  # batches dealt in the current pass

    @property
    def samples(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def batch_sampler(self) -> SimpleNamespace:  # where Lightning looks for `set_epoch`
        return SimpleNamespace(sampler=self)

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self._dealt = self._first

    def __len__(self) -> int:
        world = rank_and_world()[1]
        share = self.samples // world if self.shuffle else -(-self.samples // world)
        return -(-share // self.batch_size)

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        first, self._first = self._first, 0
        batches = self._order().tensor_split(len(self)) if not self.shuffle else self._order().split(self.batch_size)
        for position in range(first, len(self)):
            self._dealt = position + 1
            index = batches[position]
            yield {name: array.index_select(0, index) for name, array in self.arrays.items()}

    def _order(self) -> Tensor:
        rank, world = rank_and_world()
        if not self.shuffle:
            return torch.arange(rank, self.samples, world)
        generator = torch.Generator().manual_seed(derived_seed(self.seed, "epoch", self.epoch))
        order = self.order(self.epoch, generator) if self.order else torch.randperm(self.samples, generator=generator)
        return order[: self.samples // world * world][rank::world]

    def state_dict(self) -> dict[str, int]:
        return {"dealt": self._dealt if self._dealt < len(self) else 0}

    def load_state_dict(self, state: dict[str, int]) -> None:
        self._first = self._dealt = state["dealt"]
