"""Whole batches of in-memory tensors, dealt in an order that a checkpoint can continue."""

from collections.abc import Callable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from fulmen.distributed.ranks import rank_and_world
from fulmen.errors import FulmenError
from fulmen.utils.seeding import derived_seed

Batch = dict[str, Tensor]
EVALUATION_BATCH = 256  # samples at once where no gradient is kept


class BatchLoader:
    """Deals `{name: tensor[batch, ...]}` from tensors that share their first dimension.

    The order is a function of seed and epoch alone, and the position inside the epoch travels in the trainer's
    checkpoint (Lightning calls `state_dict` and `load_state_dict`), so that an interrupted epoch goes on with the batch
    that comes next. Under distributed training each rank takes every `world`-th sample: the shuffled order is cut to a
    multiple of the world size, so that all ranks step equally often; evaluation leaves nothing out. An epoch that goes
    on with another number of ranks deals to them what is left of its order, each sample once.

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
        self._start = 0  # samples of the order that were dealt to another number of ranks before
        self._first = 0  # where the next pass begins, in batches after those: beyond 0 only right after a resume
        self._dealt = 0  # batches dealt in the current pass
        self._resumed = False

    @property
    def samples(self) -> int:
        return len(next(iter(self.arrays.values())))

    @property
    def batch_sampler(self) -> SimpleNamespace:  # where Lightning looks for `set_epoch`
        return SimpleNamespace(sampler=self)

    @property
    def remaining(self) -> int:
        """Batches that the pass in work, or the next one, still deals to each rank."""
        return self._counts()[1] - self._dealt

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch
        self._dealt = self._first

    def __len__(self) -> int:
        return self._counts(start=0)[1]

    def __iter__(self) -> Iterator[dict[str, Tensor]]:
        if not self._resumed:
            self._start = 0
        first, self._first, self._resumed = self._first, 0, False
        for position, index in enumerate(self._batches()[first:], first + 1):
            self._dealt = position
            yield {name: array.index_select(0, index) for name, array in self.arrays.items()}

    def _counts(self, start: int | None = None) -> tuple[int, int]:
        """Samples and batches of a rank (of evaluation: of the first) from sample `start` of the order on."""
        start, world = self._start if start is None else start, rank_and_world()[1]
        left = self.samples - start
        share = left // world if self.shuffle else -(-left // world)
        share = max(share, 1 if start else 0)  # a rank without a sample would keep the others waiting
        return share, -(-share // self.batch_size)

    def _batches(self) -> list[Tensor]:
        """Indices of each batch of this rank, from sample `_start` of the order on."""
        (rank, world), (share, batches) = rank_and_world(), self._counts()
        order = self._order()[self._start :]
        if not self.shuffle:
            return list(order[rank::world].tensor_split(batches)) if batches else []
        order = torch.cat([order, order[: max(0, world * share - len(order))]])[: world * share]
        return list(order[rank::world].split(self.batch_size)) if share else []

    def _order(self) -> Tensor:
        """Indices of all samples, in the order in which all ranks together take them."""
        if not self.shuffle:
            return torch.arange(self.samples)
        generator = torch.Generator().manual_seed(derived_seed(self.seed, "epoch", self.epoch))
        return self.order(self.epoch, generator) if self.order else torch.randperm(self.samples, generator=generator)

    def state_dict(self) -> dict[str, int]:
        """`dealt` batches from sample `start` of the order on to `world` ranks, `samples` in all; 0 after the last."""
        (share, batches), world, dealt = self._counts(), rank_and_world()[1], self._dealt
        if dealt >= batches:
            return {"dealt": 0, "start": 0, "samples": 0, "world": world}
        longer = min(dealt, share % batches)  # evaluation splits evenly
        own = min(dealt * self.batch_size, share) if self.shuffle else dealt * (share // batches) + longer
        return {"dealt": dealt, "start": self._start, "samples": self._start + world * own, "world": world}

    def load_state_dict(self, state: dict[str, int]) -> None:
        same = state.get("world") in (None, rank_and_world()[1])
        self._start = state.get("start", 0) if same else state["samples"]
        self._first = self._dealt = state["dealt"] if same else 0
        self._resumed = True


def size(batch: Any) -> int:
    """Samples in a batch: the length of its first tensor."""
    values = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, list | tuple) else [batch]
    return next((len(value) for value in values if isinstance(value, Tensor) and value.ndim), 0)


def loss_and_predictions(found: Any, who: str) -> tuple[Tensor, Batch]:
    """What a step returned, if it is a mean loss and a batch of predictions.

    Raises:
        FulmenError: it is something else.
    """
    if isinstance(found, tuple) and len(found) == 2:
        loss, predicted = found
        if isinstance(loss, Tensor) and loss.ndim == 0 and isinstance(predicted, dict):
            return loss, predicted
    shape = f" of shape {list(found.shape)}" if isinstance(found, Tensor) else ""
    raise FulmenError(
        f"{who}.step has to return the mean loss, a scalar tensor, and a dict of what is predicted for each sample, "
        f"say `return loss, {{}}`; it returned a {type(found).__name__}{shape}"
    )
