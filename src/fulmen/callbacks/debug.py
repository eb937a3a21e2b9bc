"""Helpers of the presets in conf/debug."""

from lightning.pytorch import Callback, LightningModule, Trainer


class FixedOrder(Callback):
    """Deals the training batches in the stored order, so that `overfit_batches` means the same ones every epoch."""

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        trainer.train_dataloader.shuffle = False
