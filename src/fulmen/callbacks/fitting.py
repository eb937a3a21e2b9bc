"""The callbacks a training runs with: those configured, less what cannot work, and what the arguments need."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import GradientAccumulationScheduler, LearningRateMonitor, ModelCheckpoint
from lightning.pytorch.loggers import Logger

from fulmen.callbacks.accumulation import WindowMean
from fulmen.callbacks.best import BestInPlace
from fulmen.callbacks.debug import FixedOrder


def completed(
    configured: Sequence[Callback], loggers: Sequence[Logger], trainer: Mapping[str, Any], folder: str | Path
) -> list[Callback]:
    """The callbacks of a training.

    Args:
        configured: as the config names them.
        trainer: the arguments of the Trainer.
        folder: of the checkpoints.
    """
    kept = [each for each in configured if loggers or not isinstance(each, LearningRateMonitor)]
    accumulates = any(isinstance(each, GradientAccumulationScheduler) for each in kept)
    if accumulates or trainer.get("accumulate_grad_batches", 1) > 1:
        kept.insert(0, WindowMean())  # before those that look at the gradients
    if trainer.get("overfit_batches"):
        kept.append(FixedOrder())
    watched = next((each for each in kept if isinstance(each, ModelCheckpoint)), None)
    if watched:
        kept.append(BestInPlace(folder, watched))
    return kept
