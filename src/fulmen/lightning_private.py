"""Means over the samples of an epoch, of all ranks."""

from typing import Any

from lightning.pytorch import LightningModule
from torch import Tensor


def log_mean(module: LightningModule, name: str, value: Tensor, samples: int, **options: Any) -> None:
    """`module.log` of a mean over the samples of a batch; a batch without samples, which a rank may get, adds nothing.

    Args:
        value: of a batch, a scalar.
        samples: in the batch.
        options: of `log`.
    """
    value = value if samples else value.new_zeros(())
    module.log(name, value, on_step=False, on_epoch=True, batch_size=samples, sync_dist=True, **options)


def log_epoch_mean(module: LightningModule, name: str, value: Tensor, samples: int) -> None:
    """As `log_mean`, at a hundredth of what `LightningModule.log` costs per batch.

    The first batch of an epoch goes through `log`, which begins the mean and checks that `name` may be logged there;
    all others are added to it.

    Args:
        value: of a batch, a scalar; it is detached.
        samples: in the batch.
    """
    trainer, hook = module.trainer, module._current_fx_name
    mean = trainer._results.get(f"{hook}.{name}") if trainer._results is not None else None
    if mean is None or mean.has_reset or trainer._logger_connector.should_reset_tensors(hook):
        log_mean(module, name, value, samples)
        return
    mean.value = mean.value + value.detach() * samples
    mean.cumulated_batch_size = mean.cumulated_batch_size + samples
    mean._computed = None
