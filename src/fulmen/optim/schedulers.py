"""Learning-rate schedules, and how a module hands them to Lightning."""

import inspect
import math
import warnings
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

from lightning.pytorch import Trainer
from lightning.pytorch.utilities import rank_zero_warn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, OneCycleLR, ReduceLROnPlateau

NEVER = 2**62  # epochs between two steps


class Trained(Protocol):
    """A module that holds its optimizer and its scheduler as partials."""

    optimizer: Callable[..., Optimizer]
    scheduler: Callable[..., Any] | None

    @property
    def trainer(self) -> Trainer: ...

    def parameters(self, recurse: bool = True) -> Iterator[Any]: ...


def optimizers(module: Trained, parameters: Iterable[Any] | None = None) -> Any:
    """What `configure_optimizers` returns for a module with the partials `optimizer` and `scheduler` (or None).

    `parameters`, all of the module's by default, may be groups with options of their own.

    A scheduler with an argument `total_steps` gets the number of optimizer steps of the whole training and is stepped
    after each of them; any other is stepped once an epoch. One that watches a metric watches what the best checkpoint
    is chosen by, and is stepped after the epochs that have a validation; where validations are counted in batches
    across epochs, after each of them, see `step_plateaus`.
    """
    optimizer = module.optimizer(module.parameters() if parameters is None else parameters)
    if module.scheduler is None:
        return optimizer
    by_step = "total_steps" in inspect.signature(module.scheduler).parameters
    total = {"total_steps": int(module.trainer.estimated_stepping_batches)} if by_step else {}
    best = module.trainer.checkpoint_callback
    scheduler = module.scheduler(optimizer, **total)
    epochs = getattr(module.trainer, "check_val_every_n_epoch", 1)
    watches = isinstance(scheduler, ReduceLROnPlateau)
    return {
        "optimizer": optimizer,
        "lr_scheduler": {
            "scheduler": scheduler,
            "interval": "step" if by_step else "epoch",
            "frequency": (epochs or NEVER) if watches else 1,
            "monitor": getattr(best, "monitor", None) or "val/loss",
        },
    }


def step_plateaus(trainer: Trainer) -> None:
    """After a validation: step the schedulers that watch a metric and that Lightning never steps."""
    for config in trainer.lr_scheduler_configs:
        if config.reduce_on_plateau and config.frequency == NEVER and config.monitor in trainer.callback_metrics:
            watching: ReduceLROnPlateau = config.scheduler  # type: ignore[assignment]  # no subclass of the other kind
            watching.step(trainer.callback_metrics[config.monitor])


def forget_length(states: Iterable[dict[str, Any]]) -> None:
    """How many steps a one-cycle schedule covers is no state: it is made for the training as it now is."""
    for state in states:
        if "_schedule_phases" in state:
            del state["_schedule_phases"], state["total_steps"]


def steps_per_epoch(trainer: Trainer) -> float:
    """Of the optimizer."""
    return -(-trainer.num_training_batches // trainer.accumulate_grad_batches)


def go_on(trainer: Trainer, steps_per_epoch_before: float | None) -> None:
    """Let schedules by step go on in a training of another length, and say how the learning rate jumps.

    They stand where a training that had been like this from the start would now stand.
    """
    per_epoch, batches = steps_per_epoch(trainer), trainer.fit_loop.epoch_loop.batch_progress.current.ready
    for config in trainer.lr_scheduler_configs:
        scheduler = config.scheduler
        if config.interval != "step" or not isinstance(scheduler, LambdaLR | OneCycleLR):
            continue
        if steps_per_epoch_before not in (None, per_epoch):
            done = trainer.current_epoch * per_epoch + batches // trainer.accumulate_grad_batches
            scheduler.last_epoch = int(min(done, trainer.estimated_stepping_batches))
        groups = scheduler.optimizer.param_groups
        before = [group["lr"] for group in groups]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # torch means it for its own step
            rates = scheduler.get_lr()
        if rates == before:
            continue
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
        scheduler._last_lr = list(rates)
        rank_zero_warn(
            f"the schedule now covers {trainer.estimated_stepping_batches:,} steps, {scheduler.last_epoch:,} of them "
            f"done: the learning rate jumps from {before[0]:.3g} to {rates[0]:.3g}"
        )


def cosine(optimizer: Optimizer, total_steps: int, warmup: float = 0.0) -> LambdaLR:
    """The learning rate rises linearly over the share `warmup` of the steps and falls to 0 along half a cosine.

    Loshchilov & Hutter (2017), one cycle without restarts.

    Args:
        warmup: share of the steps, from 0 to 1.
    """
    rising = round(warmup * total_steps)

    def factor(step: int) -> float:
        if step < rising:
            return (step + 1) / rising
        return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - rising) / max(1, total_steps - rising))))

    return LambdaLR(optimizer, factor)


def triangular(
    optimizer: Optimizer, total_steps: int, start: float = 0.2, peak: float = 0.23, end: float = 0.07
) -> LambdaLR:
    """The learning rate rises linearly from the share `start` to all of it and falls linearly to the share `end`.

    Args:
        peak: share of the steps at which it turns.
    """
    top = max(1, round(peak * total_steps))

    def factor(step: int) -> float:
        if step < top:
            return start + (1 - start) * step / top
        return 1 - (1 - end) * min(1.0, (step - top) / max(1, total_steps - top))

    return LambdaLR(optimizer, factor)
