"""How far a training is, in the `progress.json` of its folder."""

import math
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import Tensor

from fulmen.utils.progress import Best, ProgressFile


class RunProgress(Callback):
    """Counts epochs and, within long ones, batches; of several processes the first one writes.

    Args:
        folder: of the run.
        watched: what tells the best so far; None: nothing does.
    """

    def __init__(self, folder: str | Path, watched: ModelCheckpoint | None = None):
        self.folder, self.watched = Path(folder), watched
        self._file: ProgressFile | None = None
        self._score: Tensor | None = None
        self._validated = 0  # the epoch of the last validation, from 1; 0: of an earlier start
        self._name = ""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        folder = self.folder if trainer.is_global_zero else None
        self._file = ProgressFile(folder, "epochs", epochs_ahead(trainer), trainer.current_epoch).open()

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._notice()

    def on_train_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, number: int
    ) -> None:
        if self._file and self._file.due:
            count = trainer.num_training_batches
            within = (number + 1) / count if math.isfinite(count) else 0.0
            batches = f"batch {number + 1}" + (f" of {int(count)}" if within else "")
            self._tell(self._file, trainer.current_epoch + within, f"{self._epoch(trainer)}, {batches}")

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self._file and self._file.due:
            self._tell(self._file, trainer.current_epoch + 1, self._epoch(trainer))

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._validated = trainer.current_epoch + 1

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self._file:
            self._tell(self._file, trainer.current_epoch, "trained")
            self._file.close()

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        if self._file:
            self._file.close(ended=False)

    def _tell(self, file: ProgressFile, done: float, what: str) -> None:
        self._notice()
        best = None
        if self.watched and self._score is not None:
            best = Best(name=self._name, metric=str(self.watched.monitor), value=float(self._score))
        file.update(done, best=best, what=what)

    def _notice(self) -> None:
        """Look for a new best, which the checkpoint callback knows a moment after each validation."""
        score = self.watched.best_model_score if self.watched else None
        if score is not self._score:
            self._score = score
            self._name = f"epoch {self._validated}" if self._validated else "an earlier epoch"

    def _epoch(self, trainer: Trainer) -> str:
        total = self._file.total if self._file else None
        return f"epoch {trainer.current_epoch + 1}" + (f" of {total}" if total else "")


def epochs_ahead(trainer: Trainer) -> int | None:
    """How many epochs there will be at most; None if nobody knows."""
    limits = [trainer.max_epochs] if trainer.max_epochs and trainer.max_epochs > 0 else []
    batches = trainer.num_training_batches
    if trainer.max_steps and trainer.max_steps > 0 and batches and math.isfinite(batches):
        steps = -(-int(batches) // trainer.accumulate_grad_batches)
        limits.append(-(-trainer.max_steps // steps))
    return min(limits) if limits else None
