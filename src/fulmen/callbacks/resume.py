"""Stop at any moment, go on as if nothing had happened.

Four things make a resumed training equal, bit for bit, to an uninterrupted one: the random state is a function of seed
and batch (so none needs to be stored), the loader's position travels in the checkpoint (`fulmen.data.batches`), so do
the sums of the epoch in work and the result so far, and `last.ckpt` is taken only where nothing is half done: between
an optimizer step and the next batch, or between two epochs, after the learning-rate schedulers had their turn.
"""

import signal
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping, ModelCheckpoint
from lightning.pytorch.utilities import rank_zero_warn

from fulmen import lightning_private as private
from fulmen.callbacks import epoch_sums, position
from fulmen.callbacks.base import RunLogger
from fulmen.callbacks.checkpoint_files import AtomicCheckpoints, follow_folder, keep_arguments, read_checkpoint
from fulmen.callbacks.reached import reached
from fulmen.config.outside import resume_command
from fulmen.distributed.ranks import any_rank
from fulmen.errors import Interrupted
from fulmen.optim import schedulers
from fulmen.signals import Listener, listening
from fulmen.utils.seeding import derived_seed

__all__ = ["AtomicCheckpoints", "ExactResume", "reached", "read_checkpoint"]


class ExactResume(Callback):
    """Writes `last.ckpt` at the end of every epoch and when Ctrl-C, SIGTERM or SIGUSR1 asks training to stop.

    The signal only sets a flag; the batch in work is finished first (and, if it is the last of its epoch, the
    validation too). A later one ends the process at once, see `fulmen.signals`. A training that ends in an epoch
    (by `max_steps`, `max_time` or early stopping) is stored as what it is, so that it can go on with the next batch.

    Args:
        folder: where `last.ckpt` goes.
        seed: the run's seed.

    Attributes:
        monitor: the metric that the run is judged by.
        rules: what decides when training ends, as text; a decision stands as long as they are the same.
        fit_seconds: gives the seconds of training so far, over all starts.
        before: the result that the checkpoint holds (see `reached`); None once training has gone on.
    """

    def __init__(self, folder: str, seed: int):
        self.path = Path(folder) / "last.ckpt"
        self.seed = seed
        self.monitor = self.rules = ""
        self.fit_seconds: Callable[[], float] = float
        self.before: dict[str, Any] | None = None
        self._listening = ExitStack()
        self._listener: Listener | None = None
        self._saving: str | None = None  # "start" of an epoch or "in" one, while last.ckpt is made
        self._ended_in_epoch: dict[str, Any] | None = None  # the checkpoint of where it did
        self._restored: dict[str, Any] | None = None  # where the checkpoint stands that is being loaded
        self._sums: epoch_sums.Sums = {}  # of the epoch that was interrupted

    @property
    def asked(self) -> int | None:
        """The signal that came, or None; one that came after the last batch is for the caller to obey."""
        return self._listener.asked if self._listener else None

    def setup(self, trainer: Trainer, module: LightningModule, stage: str) -> None:
        if stage == "fit" and not any(isinstance(callback, _AfterAll) for callback in private.callbacks_of(trainer)):
            private.callbacks_of(trainer).append(_AfterAll(self))

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        if self._restored and self._restored["decided"] and self._decision_stands(trainer):
            trainer.should_stop = True

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._listener = self._listening.enter_context(listening(patient=True))
        if trainer.received_sigterm:  # it came while the data were prepared; Lightning would stop without saving
            self._listener.asked = signal.SIGTERM
            private.forget_sigterm(trainer)
        position.warn_of_inexact_loaders(trainer)
        if self._restored:
            device = trainer.strategy.root_device
            known = {name: value.to(device) for name, value in self._restored["metrics"].items()}
            private.restore_logged(trainer, known)
            if self._restored["in_epoch"]:
                world = self._restored["world"] or trainer.world_size
                position.go_on_in_epoch(trainer, world, self._order_seed(trainer))
            else:
                private.restart_nothing(trainer)
            schedulers.go_on(trainer, self._restored.get("steps_per_epoch"))
        self._restored = self.before = None

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.current_epoch > 0 or self.asked:
            self._save(trainer, "start")
        self._stop_if_asked(trainer)
        position.begin_order(trainer, self._order_seed(trainer))

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        seed = derived_seed(self.seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        if module.device.type == "cpu":
            torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 1 ms to queue it for absent GPUs
        else:
            torch.manual_seed(seed)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        if self._sums:
            epoch_sums.add(trainer, self._sums)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._sums = {}
        private.epoch_was_restarted(trainer)
        if not private.epoch_is_whole(trainer) and not private.is_dry_run(trainer):
            self._saving = "in"  # before early stopping counts what is no epoch
            self._ended_in_epoch = private.checkpoint_now(trainer)
            self._saving = None

    def after_batch(self, trainer: Trainer) -> None:
        """All callbacks have had their turn: stop here, if asked to and if nothing is half done."""
        half_done = private.waits_for_step(trainer) or private.epoch_is_whole(trainer)
        if half_done or private.validation_follows(trainer) or not any_rank(self.asked is not None):
            return
        self._save(trainer, "in")
        self._stop_if_asked(trainer)

    def after_training(self, trainer: Trainer) -> None:
        """The last checkpoint holds all that is known of the run."""
        if self._ended_in_epoch is None:
            self._save(trainer, "start")
        else:
            final = self._ended_in_epoch | {"result": self._result(trainer)}
            final["position"] |= {"decided": trainer.should_stop, "metrics": _metrics(trainer)}
            trainer.strategy.save_checkpoint(final, self.path)
        self._listening.close()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._listening.close()

    def on_save_checkpoint(self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Bring Lightning's counters into one form, and add what it leaves out; other checkpoints stay as they are."""
        if self._saving is None:
            return
        loops, in_epoch = checkpoint["loops"]["fit_loop"], self._saving == "in"
        (private.store_in_epoch if in_epoch else private.store_at_epoch_start)(loops)
        if in_epoch:
            checkpoint["epoch_sums"] = epoch_sums.of_ranks(trainer)
        checkpoint["position"] = {
            "in_epoch": in_epoch,
            "world": trainer.world_size,
            "steps_per_epoch": schedulers.steps_per_epoch(trainer),
            "decided": trainer.should_stop,
            "rules": self.rules,
            "metrics": _metrics(trainer),
        }
        checkpoint["result"] = self._result(trainer)
        ours = [logger for logger in trainer.loggers if isinstance(logger, RunLogger)]
        checkpoint["loggers"] = {type(logger).__name__: logger.state_dict() for logger in ours}

    def _result(self, trainer: Trainer) -> dict[str, Any]:
        return reached(trainer, self.monitor) | {"fit_seconds": self.fit_seconds()}

    def on_load_checkpoint(self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]) -> None:
        if trainer.state.fn != "fit":
            return
        ours = [each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint)]
        follow_folder(ours, checkpoint["callbacks"], self.path.parent)
        keep_arguments(private.callbacks_of(trainer), checkpoint["callbacks"])
        schedulers.forget_length(checkpoint["lr_schedulers"])
        self.before = checkpoint.get("result")
        if "position" in checkpoint:
            self._restored = checkpoint["position"]
        else:
            in_epoch = private.modernised(checkpoint["loops"]["fit_loop"])
            self._restored = {"in_epoch": in_epoch, "world": None, "decided": False, "rules": "", "metrics": {}}
        if not self._restored["in_epoch"]:
            return
        ranks = checkpoint.get("epoch_sums")
        means = {name: mean | {"op": "mean"} for name, mean in checkpoint.get("epoch_means", {}).items()}  # older
        self._sums = epoch_sums.own_part(ranks) if ranks else means

    def _decision_stands(self, trainer: Trainer) -> bool:
        """Whether the run had ended by rules that are still the same, or early stopping still says so."""
        if self._restored is not None and self._restored["rules"] == self.rules:
            return True
        for stop in [each for each in private.callbacks_of(trainer) if isinstance(each, EarlyStopping)]:
            if stop.stopped_epoch and stop.wait_count >= stop.patience:
                rank_zero_warn(
                    f"early stopping has ended this run: no better {stop.monitor} for {stop.wait_count} checks; "
                    f"callbacks.early_stopping.patience={2 * stop.wait_count} or callbacks.early_stopping=null lets it "
                    f"go on"
                )
                return True
        return False

    def _order_seed(self, trainer: Trainer) -> int:
        return derived_seed(self.seed, "order", trainer.current_epoch)

    def _save(self, trainer: Trainer, where: str) -> None:
        if private.is_dry_run(trainer):
            return
        self._saving = where
        try:
            trainer.save_checkpoint(self.path)
        finally:
            self._saving = None

    def _stop_if_asked(self, trainer: Trainer) -> None:
        if any_rank(self.asked is not None):
            number = signal.Signals(self.asked or signal.SIGTERM)
            raise Interrupted(
                f"{number.name} after {trainer.global_step} steps (epoch {trainer.current_epoch + 1}); "
                f"saved {self.path}. Go on with: {resume_command(self.path.parent.parent)}",
                exit_code=128 + number,
            )


class _AfterAll(Callback):
    """The last of all callbacks: what is stored after a batch and after training holds what the others made of it."""

    def __init__(self, resume: ExactResume):
        self.resume = resume

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        self.resume.after_batch(trainer)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self.resume.after_training(trainer)


def _metrics(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().cpu() for name, value in trainer.callback_metrics.items()}
