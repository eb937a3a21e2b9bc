"""A progress bar where there is a terminal or a notebook, one line an epoch where there is neither."""

import sys
import time

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme

from fulmen.callbacks.notebook_bar import NotebookBar, in_notebook, scores
from fulmen.lightning_private import CountingFromOne


def progress_bar() -> Callback:
    """Rich's bar on a terminal, a line of HTML in a notebook, else `EpochLines` (log files, CI)."""
    if in_notebook():
        return NotebookBar()
    if sys.stdout.isatty():
        return CountingFromOne(leave=False, theme=RichProgressBarTheme(metrics_format=".4g"))
    return EpochLines()


class EpochLines(ProgressBar):
    """Prints `epoch 3/50  train/loss 0.12  val/loss 0.15  1.2 s` when an epoch ends."""

    def __init__(self) -> None:
        super().__init__()
        self._enabled = True
        self._started = time.monotonic()

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._started = time.monotonic()

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if not self._enabled or not trainer.is_global_zero:
            return
        seconds = time.monotonic() - self._started
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {scores(trainer)}  {seconds:.1f} s", flush=True)
