"""A progress bar for notebooks: one line that is updated where it stands, with nothing to install."""

import html
import sys
import time
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ProgressBar

SECONDS = 0.25  # between two updates


def in_notebook() -> bool:
    """Whether this process is the kernel of a notebook; what a kernel starts is none."""
    shell, kernel = sys.modules.get("IPython"), sys.modules.get("ipykernel.zmqshell")
    return bool(shell and kernel and isinstance(shell.get_ipython(), kernel.ZMQInteractiveShell))


def scores(trainer: Trainer) -> str:
    """`train/loss 0.12  val/loss 0.15`: what was logged last, several equal learning rates as one."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    rates = {value for name, value in metrics.items() if name.startswith("lr-")}
    if len(rates) == 1:  # the same for all groups of parameters
        metrics = {name: x for name, x in metrics.items() if not name.startswith("lr-")} | {"lr": rates.pop()}
    return "  ".join(f"{name} {value:.4g}" for name, value in sorted(metrics.items()))


class NotebookBar(ProgressBar):
    """Shows `epoch 3 of 50  train/loss 0.12  val/loss 0.15  4 s, 50 s left` below a bar, as HTML without widgets."""

    def __init__(self) -> None:
        super().__init__()
        self._shown: Any = None
        self._enabled = True
        self._began = self._next = 0.0
        self._first = 0
        self._scores = ""

    def disable(self) -> None:
        self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._began, self._next, self._first = time.monotonic(), 0.0, trainer.current_epoch
        self._shown = None
        if self._enabled and trainer.is_global_zero:
            from IPython.display import display

            self._shown = display(self._line(trainer, 0.0), raw=True, display_id=True)

    def on_train_batch_end(self, trainer: Trainer, module: LightningModule, *_: Any) -> None:
        if self._shown and time.monotonic() >= self._next:
            total = trainer.num_training_batches
            self._update(trainer, (trainer.fit_loop.batch_idx + 1) / total if total != float("inf") else 0.0)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._scores = scores(trainer)
        if self._shown and time.monotonic() >= self._next:
            self._update(trainer, 1.0)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        if self._shown:
            self._shown.update(self._line(trainer, 0.0, ended="trained"), raw=True)

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        if self._shown:
            self._shown.update(self._line(trainer, 0.0, ended="stopped"), raw=True)
            self._shown = None

    def _update(self, trainer: Trainer, within: float) -> None:
        self._shown.update(self._line(trainer, within), raw=True)
        self._next = time.monotonic() + SECONDS

    def _line(self, trainer: Trainer, within: float, ended: str = "") -> dict[str, str]:
        """As HTML and as text, for whoever shows no HTML.

        Args:
            within: the share of this epoch that is done.
        """
        total = trainer.max_epochs if trainer.max_epochs and trainer.max_epochs > 0 else None
        done, seconds = trainer.current_epoch + within, time.monotonic() - self._began
        of = f" of {total}" if total else ""
        epoch = f"epoch {trainer.current_epoch + (not ended)}{of}" + (f", {ended}" if ended else "")
        fresh = done - self._first
        left = f", {seconds / fresh * (total - done):.0f} s left" if total and fresh > 0 and not ended else ""
        text = "  ".join(filter(None, [epoch, self._scores, f"{seconds:.0f} s{left}"]))
        share = 1.0 if ended == "trained" else done / total if total else 0.0
        bar = f'<progress value="{min(share, 1.0):.3f}" max="1" style="width: 16em"></progress>'
        said = html.escape(text).replace("  ", " &nbsp; ")
        return {"text/plain": text, "text/html": f'{bar} <span style="font-size: 90%">{said}</span>'}
