"""Where a training stands, in the counters of Lightning's loops: between two epochs, or after so many batches of one.

Lightning's own checkpoints stand somewhere in between (a hook has run, a counter has not), and what it makes of them on
a restart depends on which hook that was. Here both places have one form, whichever hook saved it: everything that was
begun is complete.
"""

from typing import Any

import torch
from lightning.fabric.utilities.data import _set_sampler_epoch
from lightning.fabric.utilities.types import _Stateful
from lightning.pytorch import Trainer

Loops = dict[str, Any]  # state of the fit loop and those below it


def at_epoch_start(loops: Loops) -> None:
    """Nothing of the next epoch has begun."""
    for counts in loops["epoch_progress"].values():
        _level(counts, counts["completed"])
    steps = loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]
    progress = [loops["epoch_loop.batch_progress"], loops["epoch_loop.scheduler_progress"], *steps.values()]
    for counts in [each["current"] for each in progress]:
        _level(counts, 0)
    _level(loops["epoch_loop.val_loop.batch_progress"]["total"], 0)
    loops["epoch_loop.batch_progress"]["is_last_batch"] = False
    loops["state_dict"].pop("combined_loader", None)  # a limited epoch ends where its loader could go on


def in_epoch(loops: Loops) -> None:
    """So many batches of an epoch are done, the epoch itself is not."""
    for counts in loops["epoch_progress"].values():
        counts["processed"] = counts["completed"]
    batches = loops["epoch_loop.batch_progress"]
    if batches["current"]["completed"] < batches["current"]["ready"]:  # saved by a hook at the end of the batch
        loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1
    for counts in (batches["current"], batches["total"]):
        _level(counts, counts["ready"])


def modernised(loops: Loops) -> bool:
    """Bring what was stored before there was one form into it; whether it stands in an epoch."""
    if loops["epoch_loop.batch_progress"]["current"]["ready"]:
        in_epoch(loops)
        return True
    loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1  # it was lowered for Lightning to raise
    at_epoch_start(loops)
    return False


def go_on_with_next_epoch(trainer: Trainer) -> None:
    """Lightning restarts nothing: its flag means an epoch in work, and never falls where there are max_steps."""
    fit_loop = trainer.fit_loop
    for loop in (fit_loop, fit_loop.epoch_loop, fit_loop.epoch_loop.val_loop):
        loop._restarting = False
        loop.reset_restart_stage()


def go_on_in_epoch(trainer: Trainer, world_before: int, seed: int) -> None:
    """The loaders go on where they stood, and an epoch dealt to another number of processes ends when it is dealt.

    Args:
        seed: of the epoch's order, for loaders that cannot store where they stand; what was dealt is dealt again.
    """
    fit_loop, epoch_loop = trainer.fit_loop, trainer.fit_loop.epoch_loop
    fit_loop._load_combined_loader_states()  # schedules make Lightning build the loaders before it knows their state
    if world_before != trainer.world_size:
        _count_anew(trainer, world_before)
    if not resumable(trainer):
        begin_order(trainer, seed)
        for _ in range(epoch_loop.batch_progress.current.ready):
            next(fit_loop._data_fetcher)
        fit_loop._data_fetcher.fetched = 0  # Lightning adds them
    if epoch_loop._should_check_val_fx(fit_loop._data_fetcher):  # it did; Lightning will count the batch once more
        epoch_loop._batches_that_stepped -= 1


def begin_order(trainer: Trainer, seed: int) -> None:
    """Loaders that cannot store where they stand shuffle by a seed of the epoch, so that it can be dealt again."""
    fit_loop = trainer.fit_loop
    if resumable(trainer):
        return
    torch.manual_seed(seed)
    for loader in fit_loop._combined_loader.flattened:
        _set_sampler_epoch(loader, trainer.current_epoch)
    if trainer.current_epoch == 0 or fit_loop.is_resuming:  # Lightning began to deal before it came here
        iter(fit_loop._data_fetcher)


def _count_anew(trainer: Trainer, world_before: int) -> None:
    """Batches done of the epoch, as many as leave what is still to be dealt to this number of processes."""
    loader, done = trainer.fit_loop._combined_loader, trainer.fit_loop.epoch_loop.batch_progress.current
    whole = [each for each in loader.flattened if hasattr(each, "remaining") and len(each) == len(loader)]
    now = (
        min(len(each) - each.remaining for each in whole) if whole else done.ready * world_before // trainer.world_size
    )
    _level(done.__dict__, now)


def resumable(trainer: Trainer) -> bool:
    """Whether all training loaders can store where they stand."""
    return all(isinstance(loader, _Stateful) for loader in trainer.fit_loop._combined_loader.flattened)


def _level(counts: dict[str, int], value: int) -> None:
    counts.update(dict.fromkeys(counts, value))
