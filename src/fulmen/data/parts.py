"""Data that fit into memory, split into the three parts of a study."""

from lightning.pytorch import LightningDataModule
from torch import Tensor

from fulmen.data.batches import BatchLoader
from fulmen.errors import FulmenError

EVALUATION_BATCH = 256  # samples at once where no gradient is kept


class InMemoryParts(LightningDataModule):
    """Loaders over `parts`: `setup` of a subclass fills in `train`, `validation` and `test`.

    Args:
        batch_size: samples per training batch.
        seed: of the order of the training batches.

    Raises:
        FulmenError: a batch size below 1.

    Attributes:
        parts: name -> the tensors of that part, samples first.
    """

    def __init__(self, batch_size: int, seed: int):
        super().__init__()
        if batch_size < 1:
            raise FulmenError(f"batch_size is {batch_size}; it must be 1 or more")
        self.batch_size, self.seed = batch_size, seed
        self.parts: dict[str, dict[str, Tensor]] = {}

    def train_dataloader(self) -> BatchLoader:
        return BatchLoader(self.parts["train"], self.batch_size, shuffle=True, seed=self.seed)

    def val_dataloader(self) -> BatchLoader:
        return BatchLoader(self.parts["validation"], EVALUATION_BATCH)

    def test_dataloader(self) -> BatchLoader:
        return BatchLoader(self.parts["test"], EVALUATION_BATCH)

    predict_dataloader = test_dataloader
