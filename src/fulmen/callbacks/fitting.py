"""The callbacks a training runs with: those configured, less what cannot work, and what the arguments need."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import (
    EarlyStopping,
    GradientAccumulationScheduler,
    LearningRateMonitor,
    ModelCheckpoint,
)
from lightning.pytorch.loggers import Logger
from lightning.pytorch.utilities import rank_zero_warn
from lightning.pytorch.utilities.exceptions import MisconfigurationException

from fulmen.callbacks.accumulation import WindowMean
from fulmen.callbacks.best import BestInPlace
from fulmen.callbacks.debug import FixedOrder
from fulmen.callbacks.run_progress import RunProgress
from fulmen.config.contradictions import is_validated
from fulmen.config.mistakes import did_you_mean
from fulmen.errors import FulmenError
from fulmen.lightning_private import callbacks_of, has_validated, is_dry_run
from fulmen.optim.schedulers import step_plateaus


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
    kept.append(Horizon())
    watched = next((each for each in kept if isinstance(each, ModelCheckpoint)), None)
    if watched:
        kept.append(BestInPlace(folder, watched))
    kept.append(RunProgress(Path(folder).parent, watched))
    return kept


class Horizon(Callback):
    """Looks ahead once the batches are counted: does a validation come before early stopping asks for its metric?

    It says so where none came for the best checkpoint, and steps plateau schedulers where validations keep no step with
    epochs.
    """

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        watching = [each for each in callbacks_of(trainer) if isinstance(each, EarlyStopping) and each.strict]
        metric = next((each.monitor for each in watching if is_validated(each.monitor)), None)
        if metric and trainer.global_step == 0 and not is_dry_run(trainer) and trainer.max_steps != -1:
            first = first_validation(trainer)
            if first is not None and trainer.max_steps < first:
                raise FulmenError(
                    f"trainer.max_steps={trainer.max_steps} ends before the first validation, after {first} steps, and "
                    f"early stopping watches {metric}: take trainer.max_steps={first} or more, an earlier "
                    "trainer.val_check_interval, or callbacks.early_stopping=null"
                )

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.state.fn == "fit" and not trainer.sanity_checking:
            step_plateaus(trainer)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        keeping = [each for each in trainer.checkpoint_callbacks if isinstance(each, ModelCheckpoint)]
        without = next((each.monitor for each in keeping if each.monitor and not each.best_model_path), None)
        if without and without not in trainer.callback_metrics and trainer.global_step and not is_dry_run(trainer):
            rank_zero_warn(f"{not_logged(without, trainer)}: there is no best checkpoint, the last weights count")


def first_validation(trainer: Trainer) -> int | None:
    """Optimizer steps before the first validation of a training that begins; None if there is none."""
    if not trainer.enable_validation:
        return None
    batches, window = int(trainer.num_training_batches), trainer.accumulate_grad_batches
    every, first = trainer.check_val_every_n_epoch, trainer.val_check_batch
    if first is None:  # by the clock
        return None
    epochs, rest = divmod(int(first if every is None else (every - 1) * batches + min(first, batches)), batches)
    return epochs * -(-batches // window) + rest // window


@contextmanager
def refusals_in_words(trainer: Trainer) -> Iterator[None]:
    """What Lightning refuses while a training is prepared or goes on, as what the user can mend.

    Raises:
        FulmenError: it was one of Lightning's refusals; anything else comes out as it is.
    """
    try:
        yield
    except MisconfigurationException as error:  # Lightning's own word for what the user can mend
        raise FulmenError(str(error)) from error
    except RuntimeError as error:
        stopping = raised_by(error)
        if not isinstance(stopping, EarlyStopping) or stopping.monitor in trainer.callback_metrics:
            raise
        raise not_logged(stopping.monitor, trainer) from error
    except ValueError as error:
        if not validates_later_than_epochs_end(trainer):
            raise
        raise FulmenError(
            f"trainer.val_check_interval={trainer.val_check_interval}: an epoch has only "
            f"{trainer.num_training_batches} batches; trainer.check_val_every_n_epoch=null counts them across epochs"
        ) from error


def raised_by(error: BaseException) -> Any:
    """The object whose method raised `error`; None if it was no method."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    return step.tb_frame.f_locals.get("self") if step is not None else None


def validates_later_than_epochs_end(trainer: Trainer) -> bool:
    """Whether an epoch ends before `val_check_interval`, which Lightning refuses where validations belong to epochs."""
    interval, batches = trainer.val_check_interval, trainer.num_training_batches
    return isinstance(interval, int) and interval > batches and trainer.check_val_every_n_epoch is not None


def not_logged(metric: str, trainer: Trainer) -> FulmenError:
    """The message where a metric that is watched was not logged."""
    if is_validated(metric) and not has_validated(trainer):
        names = ("limit_val_batches", "val_check_interval", "check_val_every_n_epoch", "max_steps")
        said = ", ".join(f"trainer.{name}={getattr(trainer, name)}" for name in names)
        return FulmenError(f"monitor: there is no {metric}, since no validation has taken place yet ({said})")
    return FulmenError(f"monitor: the model logs no {metric}{did_you_mean(metric, sorted(trainer.callback_metrics))}")
