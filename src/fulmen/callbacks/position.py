"""Going on with a training in the middle of an epoch, with the batch that comes next.

Lightning's own checkpoints stand somewhere between two places (a hook has run, a counter has not), and what it makes of
them on a restart depends on which hook that was. `fulmen.lightning_private` brings its counters into one form,
whichever hook saved them: everything that was begun is complete. Here the loaders follow.
"""

import torch
from lightning.pytorch import Trainer

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
