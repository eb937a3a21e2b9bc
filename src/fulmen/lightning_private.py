"""The one file that touches private parts of Lightning 2.6: what they are for, and why there is no public way.

Exact resume needs to know and to set where Lightning's loops stand, to the batch; that is not part of its public
interface. tests/test_lightning_private.py has a canary for each private part, which names it when it has changed;
`make canary` runs them with the newest release of Lightning there is.
"""

from collections.abc import Callable
from typing import Any, TypeGuard

from lightning.fabric.utilities.data import _set_sampler_epoch
from lightning.fabric.utilities.distributed import _set_num_threads_if_needed
from lightning.fabric.utilities.rank_zero import _get_rank
from lightning.fabric.utilities.types import _Stateful
from lightning.pytorch import Callback, LightningDataModule, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint, RichProgressBar
from lightning.pytorch.loops.fetchers import _DataFetcher
from lightning.pytorch.strategies import DDPStrategy, FSDPStrategy, Strategy
from lightning.pytorch.strategies.launchers import _SubprocessScriptLauncher
from lightning.pytorch.utilities.combined_loader import CombinedLoader
from torch import Tensor

Launched = DDPStrategy | FSDPStrategy  # strategies whose processes are started by a launcher of scripts
Loops = dict[str, Any]  # a checkpoint's state of the fit loop and of those below it

# What `self.log` sums up over an epoch: publicly there are only the finished means, in `callback_metrics`.


def log_mean(module: LightningModule, name: str, value: Tensor, samples: int, **options: Any) -> None:
    """`module.log` of a mean over the samples of a batch; a batch without samples, which a rank may get, adds nothing.

    Args:
        value: of a batch, a scalar.
        samples: in the batch.
        options: of `log`.
    """
    value = value if samples else value.new_zeros(())
    module.log(name, value, on_step=False, on_epoch=True, batch_size=samples, sync_dist=True, **options)


def log_epoch_mean(module: LightningModule, name: str, value: Tensor, samples: int) -> None:
    """As `log_mean`, at a hundredth of what `LightningModule.log` costs per batch.

    The first batch of an epoch goes through `log`, which begins the mean and checks that `name` may be logged there;
    all others are added to it.

    Args:
        value: of a batch, a scalar; it is detached.
        samples: in the batch.
    """
    trainer, hook = module.trainer, str(module._current_fx_name)
    mean = trainer._results.get(f"{hook}.{name}") if trainer._results is not None else None
    if mean is None or mean.has_reset or trainer._logger_connector.should_reset_tensors(hook):
        log_mean(module, name, value, samples)
        return
    mean.value = mean.value + value.detach() * samples
    mean.cumulated_batch_size = mean.cumulated_batch_size + samples
    mean._computed = None


def epoch_sums(trainer: Trainer) -> dict[str, dict[str, Any]]:
    """What the training epoch in work has logged so far: name -> `op`, `value` and, of a mean, `samples`."""
    sums: dict[str, dict[str, Any]] = {}
    for name, metric in trainer.fit_loop.epoch_loop._results.items():
        if metric.is_tensor and metric.meta.on_epoch and not metric.has_reset:
            sums[name] = {"op": metric.meta.reduce_fx.__name__, "value": metric.value}
            if metric.meta.is_mean_reduction:
                sums[name]["samples"] = metric.cumulated_batch_size
    return sums


def set_epoch_sum(trainer: Trainer, name: str, value: Tensor, samples: Tensor | None = None) -> None:
    """Put another sum in the place of one of `epoch_sums`."""
    metric = trainer.fit_loop.epoch_loop._results[name]
    metric.value = value
    if samples is not None:
        metric.cumulated_batch_size = samples


def restore_logged(trainer: Trainer, metrics: dict[str, Tensor]) -> None:
    """Let `callback_metrics`, which is made anew at each reading, show what was logged before a resume."""
    trainer._logger_connector._callback_metrics.update(metrics)


# What is public, but not to a type checker: Lightning sets it from other classes.


def callbacks_of(trainer: Trainer) -> list[Callback]:
    """The callbacks of a training in the order of their turns; the list itself, for who adds one."""
    return trainer.callbacks  # type: ignore[attr-defined]


def is_dry_run(trainer: Trainer) -> bool:
    """Whether `fast_dev_run` tries a few batches alone, and nothing is to be kept."""
    return bool(trainer.fast_dev_run)  # type: ignore[attr-defined]


def overfits_batches(trainer: Trainer) -> bool:
    """Whether the same few batches are trained on again and again, to see whether the network can learn them."""
    return bool(trainer.overfit_batches)  # type: ignore[attr-defined]


def datamodule_of(trainer: Trainer) -> LightningDataModule | None:
    """The data that a trainer is at work on."""
    return trainer.datamodule  # type: ignore[attr-defined]


# Where the loops stand: publicly there are only whole epochs and the number of optimizer steps.


def epoch_is_whole(trainer: Trainer) -> bool:
    """Whether all batches of the training epoch have been dealt; what `is_last_batch` says only of some loaders."""
    return trainer.fit_loop.epoch_loop._num_ready_batches_reached()


def waits_for_step(trainer: Trainer) -> bool:
    """Whether gradients of batches were accumulated that no optimizer step has used yet."""
    return trainer.fit_loop.epoch_loop._should_accumulate()


def validation_follows(trainer: Trainer) -> bool:
    """Whether a validation comes after this batch; the rule of five Trainer arguments has no public name."""
    return trainer.fit_loop.epoch_loop._should_check_val_fx(_fetcher(trainer))


def has_validated(trainer: Trainer) -> bool:
    """Whether a validation took place in this training."""
    return trainer.fit_loop.epoch_loop.val_loop._has_run


def checkpoint_now(trainer: Trainer) -> dict[str, Any]:
    """The whole checkpoint as it is now; `save_checkpoint` only writes it, and at once."""
    return trainer._checkpoint_connector.dump_checkpoint(False)


def saves_within_epochs(checkpoint: ModelCheckpoint) -> bool:
    """Whether it saves after a number of steps; the argument is not kept under a public name."""
    return bool(checkpoint._every_n_train_steps)


def forget_sigterm(trainer: Trainer) -> None:
    """`trainer.received_sigterm` cannot be set: Lightning would end without saving, where ExactResume saves first."""
    trainer._signal_connector.received_sigterm = False


# Going on where a checkpoint stands: Lightning resumes whole epochs, or what a hook of its own has saved.


def epoch_was_restarted(trainer: Trainer) -> None:
    """The rest of a resumed epoch is done: while the flag stands, Lightning skips the schedulers at its end."""
    trainer.fit_loop._restarting = False


def restart_nothing(trainer: Trainer) -> None:
    """The next epoch is a new one: Lightning's flag means one in work, and never falls where there are max_steps."""
    fit_loop = trainer.fit_loop
    for loop in (fit_loop, fit_loop.epoch_loop, fit_loop.epoch_loop.val_loop):
        loop._restarting = False
        loop.reset_restart_stage()


def training_loaders(trainer: Trainer) -> CombinedLoader:
    """The loaders that the epoch is dealt from; `train_dataloader` gives them in the form the user has."""
    loaders = trainer.fit_loop._combined_loader
    assert loaders is not None, "training has not begun"
    return loaders


def can_store_position(loader: Any) -> bool:
    """Whether Lightning stores where `loader` stands, by the rule it has for it."""
    return isinstance(loader, _Stateful)


def load_positions(trainer: Trainer) -> None:
    """Set the loaders to where the checkpoint has them: schedules make Lightning build them before it knows that."""
    trainer.fit_loop._load_combined_loader_states()


def deal_again(trainer: Trainer) -> None:
    """Begin to take batches from the loaders once more, since they have another order now."""
    iter(_fetcher(trainer))


def pass_over(trainer: Trainer, batches: int) -> None:
    """Take so many batches for nothing, and do not count them: Lightning adds those of before by itself."""
    fetcher = _fetcher(trainer)
    for _ in range(batches):
        next(fetcher)
    fetcher.fetched = 0


def _fetcher(trainer: Trainer) -> _DataFetcher:
    """What takes the batches from the loaders, for the fit loop."""
    fetcher = trainer.fit_loop._data_fetcher
    assert fetcher is not None, "training has not begun"
    return fetcher


def order_by_epoch(loader: Any, epoch: int) -> None:
    """Tell a loader's samplers the epoch, wherever they are in it, as Lightning does before each epoch."""
    _set_sampler_epoch(loader, epoch)


def set_batches_done(trainer: Trainer, batches: int) -> None:
    """How many batches of the epoch in work count as done."""
    _level(trainer.fit_loop.epoch_loop.batch_progress.current.__dict__, batches)


def uncount_batch(trainer: Trainer) -> None:
    """Lightning will count the batch after which it stopped for a validation once more."""
    trainer.fit_loop.epoch_loop._batches_that_stepped -= 1


def store_at_epoch_start(loops: Loops) -> None:
    """Make a checkpoint's counters those of a training in which nothing of the next epoch has begun."""
    for counts in loops["epoch_progress"].values():
        _level(counts, counts["completed"])
    steps = loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]
    progress = [loops["epoch_loop.batch_progress"], loops["epoch_loop.scheduler_progress"], *steps.values()]
    for counts in [each["current"] for each in progress]:
        _level(counts, 0)
    _level(loops["epoch_loop.val_loop.batch_progress"]["total"], 0)
    loops["epoch_loop.batch_progress"]["is_last_batch"] = False
    loops["state_dict"].pop("combined_loader", None)  # a limited epoch ends where its loader could go on


def store_in_epoch(loops: Loops) -> None:
    """Make a checkpoint's counters those of a training in which so many batches are done, the epoch itself is not."""
    for counts in loops["epoch_progress"].values():
        counts["processed"] = counts["completed"]
    batches = loops["epoch_loop.batch_progress"]
    if batches["current"]["completed"] < batches["current"]["ready"]:  # saved by a hook at the end of the batch
        loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1
    for counts in (batches["current"], batches["total"]):
        _level(counts, counts["ready"])


def modernised(loops: Loops) -> bool:
    """Bring counters that were stored before there was one form into it; whether they stand in an epoch."""
    if loops["epoch_loop.batch_progress"]["current"]["ready"]:
        store_in_epoch(loops)
        return True
    loops["epoch_loop.state_dict"]["_batches_that_stepped"] += 1  # it was lowered for Lightning to raise
    store_at_epoch_start(loops)
    return False


def _level(counts: dict[str, int], value: int) -> None:
    counts.update(dict.fromkeys(counts, value))


# How a bar counts epochs: Lightning's begins with 0 and ends one before the number that was asked for.


class CountingFromOne(RichProgressBar):
    """Rich's bar that says `Epoch 1/50` of the first epoch and `Epoch 50/50` of the last one."""

    def _get_train_description(self, current_epoch: int) -> str:
        limit = self.trainer.max_epochs
        text = f"Epoch {current_epoch + 1}" + (f"/{limit}" if limit is not None and limit > 0 else "")
        return text.ljust(len(self.validation_description))  # as long as its neighbour, or the bars flicker


# The processes of a run: a strategy makes its launcher by itself, and only for the command line of this process.


def launched_rank() -> int | None:
    """The rank that the environment gives this process before the processes have met; None where it gives none."""
    return _get_rank()


class ScriptLauncher(_SubprocessScriptLauncher):
    """A launcher that starts the other ranks of this machine by `start_ranks` of its subclass, and watches none.

    Lightning starts them by the command line of this process, which may be a search, and watches them with a thread
    that kills this process if they end.
    """

    @classmethod
    def replaces(cls, strategy: Strategy) -> TypeGuard[Launched]:
        """Whether `strategy` would start processes by a launcher that this one can stand in for."""
        return isinstance(strategy.launcher, _SubprocessScriptLauncher)

    def take_over(self, strategy: Strategy) -> None:
        """Be the launcher of `strategy`."""
        strategy._launcher = self

    def launch(self, function: Callable, *args: Any, trainer: Trainer | None = None, **kwargs: Any) -> Any:
        if not self.cluster_environment.creates_processes_externally:
            self.start_ranks()
        _set_num_threads_if_needed(self.num_processes)
        return function(*args, **kwargs)

    def start_ranks(self) -> None:
        """Start every rank of this machine but the first, and keep the processes in `procs`."""
        raise NotImplementedError
