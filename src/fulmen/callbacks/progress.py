"""A progress bar where there is a terminal, one line an epoch where there is none."""

import sys
import time

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar, RichProgressBar
from lightning.pytorch.callbacks.progress.rich_progress import RichProgressBarTheme


def progress_bar() -> Callback:
    """Rich's bar on a terminal, `EpochLines` otherwise (log files, CI, notebooks run as scripts)."""
    if sys.stdout.isatty():
        return RichProgressBar(leave=False, theme=RichProgressBarTheme(metrics_format=".4g"))
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
        metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
        rates = {value for name, value in metrics.items() if name.startswith("lr-")}
        if len(rates) == 1:  # the same for all groups of parameters
            metrics = {name: x for name, x in metrics.items() if not name.startswith("lr-")} | {"lr": rates.pop()}
        shown = "  ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))
        seconds = time.monotonic() - self._started
        print(f"epoch {trainer.current_epoch + 1}/{trainer.max_epochs}  {shown}  {seconds:.1f} s", flush=True)
