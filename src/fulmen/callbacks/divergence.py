"""Ends a training that has left all bounds, with a verdict instead of a traceback."""

import math
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from fulmen.callbacks.side_effect_free import first_non_finite
from fulmen.distributed.ranks import any_rank, first_given
from fulmen.errors import Diverged
from fulmen.optim.rates import lower
from fulmen.workload import hooks


class DivergenceStop(Callback):
    """Stops at a loss of training or validation that is not finite, and at a mean beyond `factor` times the naive one.

    The naive loss is the module's `naive_loss`: what a forecast that costs nothing would score on the training split.
    A module without it is watched for NaN and infinities only.

    Args:
        factor: how many times the naive loss is too much.
        loss: the logged mean of an epoch that is compared.
        validation_loss: the logged loss of a validation.
    """

    def __init__(self, factor: float = 3.0, loss: str = "train/loss", validation_loss: str = "val/loss"):
        self.factor = factor
        self.loss, self.validation_loss = loss, validation_loss
        self._batch: tuple[Any, int] = (None, 0)

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        self._batch = batch, batch_idx

    def on_before_backward(self, trainer: Trainer, module: LightningModule, loss: Tensor) -> None:
        """Here the weights are still those that made the loss, so that the layer can be found; one rank ends all."""
        value = float(loss.detach())
        if not any_rank(not math.isfinite(value)):
            return
        found = None if math.isfinite(value) else (value, first_non_finite(trainer, module, *self._batch))
        first = first_given(found)
        assert first is not None, "a rank has said that its loss is not finite"
        value, where = first
        step = trainer.global_step + 1
        raise Diverged(f"diverged: the loss of step {step} is {value}, first in {where}{self._advice(module)}", where)

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        """Before the weights can be saved as the best: checkpoints are the last callbacks."""
        loss = trainer.callback_metrics.get(self.validation_loss)
        if trainer.state.fn != "fit" or trainer.sanity_checking:
            return
        value = 0.0 if loss is None else float(loss)
        if any_rank(not math.isfinite(value)):
            raise Diverged(
                f"diverged: {self.validation_loss} of epoch {trainer.current_epoch + 1} is {value}"
                f"{self._advice(module)}",
                where=self.validation_loss,
            )

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        loss, naive = trainer.callback_metrics.get(self.loss), hooks(module).naive_loss
        value = math.nan if loss is None else float(loss)
        if any_rank(value > self.factor * naive):
            raise Diverged(
                f"diverged: {self.loss} of epoch {trainer.current_epoch + 1} is {value:.3g}, more than "
                f"{self.factor:g} times the {naive:.3g} of a naive forecast{self._advice(module)}",
                loss=value, base=naive,
            )  # fmt: skip

    def _advice(self, module: LightningModule) -> str:
        return advice(module.trainer.optimizers[0].defaults.get("lr"))


def advice(rate: object) -> str:
    """What to try after a training with this learning rate has diverged; "" where it is not known."""
    return f"; try model.optimizer.lr={lower(rate):.1g}" if isinstance(rate, int | float) else ""
