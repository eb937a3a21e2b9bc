"""The handwritten digits of scikit-learn as a small real task for benchmarks."""

from itertools import pairwise

import torch
from lightning.pytorch import LightningModule
from sklearn.datasets import load_digits
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from fulmen.workload import WorkloadData

CLASSES = 10


class Digits(WorkloadData):
    """1,797 images of 8 x 8 pixels; 360 of them for validation, drawn by the seed."""

    def __init__(self, seed: int, batch_size: int = 64):
        super().__init__(batch_size, seed)

    def setup(self, stage: str) -> None:
        x, y = load_digits(return_X_y=True)
        order = torch.randperm(len(x), generator=torch.Generator().manual_seed(self.seed))
        x, y = torch.tensor(x / 16, dtype=torch.float32)[order], torch.tensor(y)[order]
        cut = {"validation": slice(0, 360), "train": slice(360, None)}
        self.splits = {name: {"image": x[part].view(-1, 1, 8, 8), "target": y[part]} for name, part in cut.items()}


class Classifier(LightningModule):
    """Cross-entropy on the logits of a network."""

    def __init__(self, network: nn.Module, lr: float = 1e-3, weight_decay: float = 1e-4):
        super().__init__()
        self.network, self.lr, self.weight_decay = network, lr, weight_decay

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        return self._step(batch, "train")

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        self._step(batch, "val")

    def predict_step(self, batch: dict[str, Tensor], batch_idx: int = 0) -> dict[str, Tensor]:
        return {"probability": self(batch["image"]).softmax(1)}

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.lr, weight_decay=self.weight_decay)

    def _step(self, batch: dict[str, Tensor], stage: str) -> Tensor:
        loss = cross_entropy(self(batch["image"]), batch["target"])
        self.log(f"{stage}/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["target"]))
        return loss


def mlp(
    hidden: int = 64, layers: int = 2, activation: type[nn.Module] = nn.ReLU, dropout: float = 0.0
) -> nn.Sequential:
    sizes = [64] + [hidden] * layers
    blocks = [part for i, o in pairwise(sizes) for part in (nn.Linear(i, o), activation(), nn.Dropout(dropout))]
    return nn.Sequential(nn.Flatten(), *blocks, nn.Linear(hidden, CLASSES))


def cnn(dropout: float = 0.3) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Dropout(dropout), nn.Linear(32 * 16, CLASSES),
    )  # fmt: skip


class PixelByPixel(nn.Module):
    """A plain recurrent network that reads an image as 64 numbers, one after the other.

    Args:
        gain: of the recurrent weights at the start; above 1 gradients grow from step to step.
    """

    def __init__(self, hidden: int = 32, gain: float = 1.0, kind: str = "tanh"):
        super().__init__()
        self.rnn = nn.RNN(1, hidden, batch_first=True, nonlinearity=kind)
        nn.init.orthogonal_(self.rnn.weight_hh_l0, gain)
        self.head = nn.Linear(hidden, CLASSES)

    def forward(self, image: Tensor) -> Tensor:
        return self.head(self.rnn(image.flatten(1)[..., None])[0][:, -1])
