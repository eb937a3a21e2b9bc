"""Gradients accumulated over several batches become that of the mean over their samples."""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from fulmen.data.batches import size
from fulmen.workload import hooks


class WindowMean(Callback):
    """Every optimizer step follows the mean over the samples of the batches it saw, however many and large these were.

    Lightning divides the loss of each batch by `accumulate_grad_batches`, k: a last window of fewer batches counts
    less, and the samples of a smaller batch count more. With n_i samples in batch i of mean gradient g_i, the gradient
    is kept as G_i = (n_(i-1) / n_i) G_(i-1) + g_i / k and multiplied by k n_last / (n_1 + ... + n_last) before the
    step, so before it is clipped. Full windows of equal batches are left as they are.

    A workload that does this itself says so with `averages_gradients = True`.
    """

    def __init__(self) -> None:
        self._batch = 1  # samples in the batch that is dealt
        self._last = self._window = 0  # in the last batch, and in all, since the last optimizer step

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._batch = size(batch) or 1

    def on_before_backward(self, trainer: Trainer, module: LightningModule, loss: Tensor) -> None:
        if self._window and self._last != self._batch:
            self._scale(module, self._last / self._batch)
        self._last = self._batch
        self._window += self._batch

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        window, self._window = self._window, 0
        expected = trainer.accumulate_grad_batches * self._last
        if window and window != expected:
            self._scale(module, expected / window)

    def _scale(self, module: LightningModule, factor: float) -> None:
        gradients = [each.grad for each in module.parameters() if each.grad is not None]
        if gradients and not hooks(module).averages_gradients:
            torch._foreach_mul_(gradients, factor)
