"""Going on with a training in the middle of an epoch, with the batch that comes next.

Lightning's own checkpoints stand somewhere between two places (a hook has run, a counter has not), and what it makes of
them on a restart depends on which hook that was. `fulmen.lightning_private` brings its counters into one form,
whichever hook saved them: everything that was begun is complete. Here the loaders follow.
"""

from typing import Any

import torch
from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_warn
from torch.utils.data import DataLoader, DistributedSampler, IterableDataset, RandomSampler, SequentialSampler

from fulmen import lightning_private as private
from fulmen.data.batches import BatchLoader


def go_on_in_epoch(trainer: Trainer, world_before: int, seed: int) -> None:
    """The loaders go on where they stood, and an epoch dealt to another number of processes ends when it is dealt.

    Args:
        seed: of the epoch's order, for loaders that cannot store where they stand; what was dealt is dealt again.
    """
    private.load_positions(trainer)
    if world_before != trainer.world_size:
        _count_anew(trainer, world_before)
    if not resumable(trainer):
        begin_order(trainer, seed)
        private.pass_over(trainer, trainer.fit_loop.epoch_loop.batch_progress.current.ready)
    if private.validation_follows(trainer):  # it did
        private.uncount_batch(trainer)


def begin_order(trainer: Trainer, seed: int) -> None:
    """Loaders that cannot store where they stand shuffle by a seed of the epoch, so that it can be dealt again."""
    if resumable(trainer):
        return
    torch.manual_seed(seed)
    for loader in private.training_loaders(trainer).flattened:
        private.order_by_epoch(loader, trainer.current_epoch)
    if trainer.current_epoch == 0 or trainer.fit_loop.is_resuming:  # Lightning began to deal before it came here
        private.deal_again(trainer)


def _count_anew(trainer: Trainer, world_before: int) -> None:
    """Batches done of the epoch, as many as leave what is still to be dealt to this number of processes."""
    dealing, done = private.training_loaders(trainer), trainer.fit_loop.epoch_loop.batch_progress.current.ready
    ours = [loader for loader in dealing.flattened if isinstance(loader, BatchLoader)]
    whole = [len(loader) - loader.remaining for loader in ours if len(loader) == len(dealing)]
    private.set_batches_done(trainer, min(whole) if whole else done * world_before // trainer.world_size)


def resumable(trainer: Trainer) -> bool:
    """Whether all training loaders can store where they stand."""
    return all(map(private.can_store_position, private.training_loaders(trainer).flattened))


def warn_of_inexact_loaders(trainer: Trainer) -> None:
    """Name the training loaders with which an interrupted epoch cannot go on as it would have gone."""
    loaders = private.training_loaders(trainer).flattened
    for loader in [each for each in loaders if not (private.can_store_position(each) or _can_deal_again(each))]:
        rank_zero_warn(
            f"an interrupted epoch goes on with other batches than it would have had: {type(loader).__name__} neither "
            "stores where it stands (state_dict, load_state_dict) nor shuffles by torch's seed; "
            "fulmen.data.batches.BatchLoader does"
        )


def _can_deal_again(loader: Any) -> bool:
    """Whether the order of an epoch follows from torch's seed, see `begin_order`."""
    if not isinstance(loader, DataLoader) or isinstance(loader.dataset, IterableDataset):
        return False
    sampler = loader.sampler
    by_seed = isinstance(sampler, RandomSampler) and sampler.generator is None
    return by_seed or isinstance(sampler, SequentialSampler | DistributedSampler)
