"""Stop at any moment, go on as if nothing had happened.

Three things make a resumed training bit-equal to an uninterrupted one: the random state is a function of seed and
batch (so none needs to be stored), the loader's position travels in the checkpoint (`fulmen.data.batches`), and
`last.ckpt` is taken only where nothing is half done: between an optimizer step and the next batch, or between two
epochs, after the learning-rate schedulers had their turn.
"""

import io
import signal
from collections.abc import Callable, Iterable
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO

from fulmen.errors import FulmenError, Interrupted
from fulmen.files import atomic_write
from fulmen.ranks import any_rank
from fulmen.seeding import derived_seed
from fulmen.stored import moved


class ExactResume(Callback):
    """Writes `last.ckpt` at the end of every epoch and when Ctrl-C, SIGTERM or SIGUSR1 asks training to stop.

    The signal only sets a flag; the batch in work is finished first (and, if it is the last of its epoch, the
    validation too). A second signal of the same kind acts at once, without saving.

    Args:
        folder: where `last.ckpt` goes.
        seed: the run's seed.

    Attributes:
        asked: the signal that came, or None; one that came after the last batch is for the caller to obey.
    """

    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGUSR1)

    def __init__(self, folder: str, seed: int):
        self.path = Path(folder) / "last.ckpt"
        self.seed = seed
        self.asked: int | None = None
        self._handlers: dict[int, Callable | int | None] = {}
        self._between_epochs = False
        self._means: dict[str, dict[str, Any]] = {}  # of the epoch that was interrupted

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        for number in self.signals:
            self._handlers[number] = signal.signal(number, self._ask)
        if trainer.received_sigterm:  # it came while the data were prepared; Lightning would stop without saving
            self.asked = signal.SIGTERM
            trainer._signal_connector.received_sigterm = False
        # A schedule that asks for the number of steps makes Lightning build the loaders before it knows their state.
        trainer.fit_loop._load_combined_loader_states()

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.current_epoch > 0 or self.asked:
            self._save(trainer, between_epochs=True)
        self._stop_if_asked(trainer)

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        seed = derived_seed(self.seed, trainer.current_epoch, batch_idx, trainer.global_rank)
        if module.device.type == "cpu":
            torch.default_generator.manual_seed(seed)  # torch.manual_seed takes 1 ms to queue it for absent GPUs
        else:
            torch.manual_seed(seed)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        loop = trainer.fit_loop.epoch_loop
        self._add_means(loop._results)
        half_done = loop._should_accumulate() or loop._num_ready_batches_reached()
        if half_done or loop._should_check_val_fx(trainer.fit_loop._data_fetcher) or not self._anyone_asked(trainer):
            return
        self._save(trainer, between_epochs=False)
        self._stop_if_asked(trainer)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        trainer.fit_loop.restarting = False  # else Lightning skips the schedulers at the end of a resumed epoch

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._save(trainer, between_epochs=True)
        self._restore_handlers()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._restore_handlers()

    def on_save_checkpoint(self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]) -> None:
        """Between epochs Lightning's counters still stand at the end of the last one; resuming would skip an epoch."""
        if not self._between_epochs:
            checkpoint["epoch_means"] = {
                name: {"value": metric.value, "samples": metric.cumulated_batch_size}
                for name, metric in trainer.fit_loop.epoch_loop._results.items()
                if metric.is_tensor and metric.meta.is_mean_reduction
            }
            return
        loops = checkpoint["loops"]["fit_loop"]
        _zero(loops["epoch_loop.batch_progress"]["current"])
        loops["epoch_loop.batch_progress"]["is_last_batch"] = False
        _zero(loops["epoch_loop.scheduler_progress"]["current"])
        _zero(loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["step"]["current"])
        _zero(loops["epoch_loop.automatic_optimization.optim_progress"]["optimizer"]["zero_grad"]["current"])
        _zero(loops["epoch_loop.val_loop.batch_progress"]["total"])
        loops["epoch_loop.state_dict"]["_batches_that_stepped"] -= 1  # Lightning adds one on every restart

    def on_load_checkpoint(self, trainer: Trainer, module: LightningModule, checkpoint: dict[str, Any]) -> None:
        self._means = checkpoint.get("epoch_means", {})
        ours = [each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint)]
        follow_folder(ours, checkpoint["callbacks"], self.path.parent)

    def _add_means(self, results: Any) -> None:
        """Lightning forgets what `self.log` averaged before the interruption; add it to what came after."""
        while self._means:
            name, mean = self._means.popitem()
            if name in results:
                results[name].value += mean["value"]
                results[name].cumulated_batch_size += mean["samples"]

    def _save(self, trainer: Trainer, between_epochs: bool) -> None:
        if trainer.fast_dev_run:
            return
        self._between_epochs = between_epochs
        trainer.save_checkpoint(self.path)
        self._between_epochs = False

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = number
        signal.signal(number, signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL)

    def _anyone_asked(self, trainer: Trainer) -> bool:
        return any_rank(self.asked is not None)

    def _stop_if_asked(self, trainer: Trainer) -> None:
        if self._anyone_asked(trainer):
            number = signal.Signals(self.asked or signal.SIGTERM)
            raise Interrupted(
                f"{number.name} after {trainer.global_step} steps (epoch {trainer.current_epoch + 1}); "
                f"saved {self.path}. Go on with: python train.py resume={self.path.parent.parent}",
                exit_code=128 + number,
            )

    def _restore_handlers(self) -> None:
        while self._handlers:
            number, handler = self._handlers.popitem()
            signal.signal(number, handler or signal.SIG_DFL)


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that are whole or absent, and that load without unpickling objects."""

    def save_checkpoint(self, checkpoint: dict[str, Any], path: str | Path, storage_options: Any = None) -> None:
        buffer = io.BytesIO()  # torch's own writer hides why the disk refused
        torch.save(checkpoint, buffer)
        with atomic_write(path, "wb") as file:
            file.write(buffer.getbuffer())

    def load_checkpoint(self, path: str | Path, map_location: Any = "cpu", weights_only: bool | None = True) -> dict:
        return read_checkpoint(path, map_location)


def read_checkpoint(path: str | Path, map_location: Any = "cpu") -> dict[str, Any]:
    """The checkpoint at `path`: plain values and tensors, never unpickled objects.

    Raises:
        FulmenError: there is none, it is truncated, or it holds more than plain values.
    """
    path = Path(path)
    if not path.is_file():
        raise FulmenError(f"no checkpoint at {path}")
    try:
        return torch.load(path, map_location=map_location, weights_only=True)
    except Exception as error:
        others = sorted(other.name for other in path.parent.glob("*.ckpt") if other != path)
        hint = f"; beside it lies {', '.join(others)}" if others else ""
        reason = str(error).partition(". ")[0].splitlines()[0]
        raise FulmenError(f"{path} is damaged or no plain checkpoint ({reason}){hint}") from error


def follow_folder(checkpoints: Iterable[ModelCheckpoint], states: dict[str, Any], now: Path) -> None:
    """Lead the paths in the `states` of ModelCheckpoints to the folder `now`: a run folder may have been moved.

    Lightning forgets the best score where the folder has another name, and the next epoch would replace a better one.
    """
    for checkpoint in checkpoints:
        state = states.get(checkpoint.state_key)
        if state and checkpoint.dirpath and Path(checkpoint.dirpath) == now.resolve():
            states[checkpoint.state_key] = moved(state, str(state.get("dirpath")), checkpoint.dirpath)


def _zero(counts: dict[str, int]) -> None:
    counts.update(dict.fromkeys(counts, 0))
