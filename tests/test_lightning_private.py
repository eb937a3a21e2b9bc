"""Epoch means without `self.log` for every batch: the same numbers, mid-epoch validation and all."""

import torch
from lightning.pytorch import LightningModule, Trainer
from torch.utils.data import DataLoader

from fulmen.lightning_private import log_epoch_mean


class Both(LightningModule):
    """Logs every loss both ways."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.tensor(1.0))
        self.seen: list[tuple[float, float]] = []

    def training_step(self, batch: torch.Tensor, batch_idx: int) -> torch.Tensor:
        loss = (self.weight * batch).square().mean()
        log_epoch_mean(self, "quick", loss, len(batch))
        self.log("slow", loss, on_step=False, on_epoch=True, batch_size=len(batch))
        return loss

    def validation_step(self, batch: torch.Tensor, batch_idx: int) -> None:
        self.log("val", batch.mean(), batch_size=len(batch))

    def on_train_epoch_end(self) -> None:
        metrics = self.trainer.callback_metrics
        self.seen.append((float(metrics["quick"]), float(metrics["slow"])))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.01)


def test_an_epochs_mean_is_that_of_log_over_unequal_batches_and_validations_in_between(tmp_path):
    module, x = Both(), torch.arange(11.0)
    loaders = DataLoader(x, batch_size=4), DataLoader(x, batch_size=4)
    Trainer(
        max_epochs=3, accelerator="cpu", val_check_interval=1, num_sanity_val_steps=0, logger=False,
        enable_checkpointing=False, enable_progress_bar=False, enable_model_summary=False, default_root_dir=tmp_path,
    ).fit(module, *loaders)  # fmt: skip
    quick, slow = zip(*module.seen, strict=True)
    assert quick == slow
    assert len(set(quick)) == 3
