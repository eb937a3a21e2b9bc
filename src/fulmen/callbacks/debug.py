"""Helpers of training on few batches."""

from lightning.pytorch import Callback, LightningModule, Trainer

from fulmen.data.batches import BatchLoader
from fulmen.lightning_private import training_loaders


class FixedOrder(Callback):
    """Deals the training batches in the stored order, so that `overfit_batches` means the same ones every epoch.

    What Lightning does to the loaders of torch it cannot do to ours.
    """

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.on_train_epoch_start(trainer, module)

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        """Before the first batch is taken from the loaders, which may be new ones."""
        for loader in training_loaders(trainer).flattened:
            if isinstance(loader, BatchLoader):
                loader.shuffle = False
