"""A tiny image classifier with everything that could be disturbed: dropout, batch norm, metrics, augmentation."""

import torch
from helpers import quiet_trainer
from torch import nn
from torch.nn.functional import cross_entropy
from torchmetrics.classification import MulticlassAccuracy

from fulmen.callbacks.resume import AtomicCheckpoints, ExactResume
from fulmen.workload import Workload, WorkloadData


class Blobs(WorkloadData):
    """Images of 8 x 8 whose class is the quarter that is bright; brighter while training."""

    def __init__(self, train=160, validation=80, batch_size=20):
        super().__init__(batch_size, seed=3)
        self.samples = {"train": train, "validation": validation}

    def setup(self, stage):
        for i, (name, count) in enumerate(self.samples.items()):
            generator = torch.Generator().manual_seed(i)
            target = torch.arange(count) % 4
            image = torch.randn(count, 1, 8, 8, generator=generator)
            for row in range(count):
                top, left = 4 * (target[row] // 2), 4 * (target[row] % 2)
                image[row, 0, top : top + 4, left : left + 4] += 1.5
            self.splits[name] = {"image": image, "target": target}

    def on_after_batch_transfer(self, batch, index):
        if self.trainer.training:
            return batch | {"image": batch["image"] + 0.1}
        return batch


class Classifier(Workload):
    def __init__(self, lr=0.01, activation=nn.ReLU):
        layers = nn.BatchNorm2d(8), activation(), nn.Flatten(), nn.Dropout(0.3), nn.Linear(288, 4)
        super().__init__(nn.Sequential(nn.Conv2d(1, 8, 3), *layers))
        self.accuracy = MulticlassAccuracy(4)
        self.seen = []
        self.lr = lr

    def training_step(self, batch, _):
        loss = cross_entropy(self.network(batch["image"]), batch["target"])
        self.log("train/loss", loss, on_step=False, on_epoch=True, batch_size=len(batch["target"]))
        return loss

    def validation_step(self, batch, _):
        logits = self.network(batch["image"])
        self.accuracy.update(logits, batch["target"])
        self.seen.append(len(logits))
        self.log("val/loss", cross_entropy(logits, batch["target"]), batch_size=len(logits))
        self.log("val/accuracy", self.accuracy)

    def predict_step(self, batch, _=0):
        return {"probability": self.network(batch["image"]).softmax(1)}

    def configure_optimizers(self):
        return torch.optim.Adam(self.parameters(), lr=self.lr)


def fit(folder, callbacks, epochs=3, logger=False, model=None, data=None, resume=False, seed=0):
    """Train; (model, trainer)."""
    torch.manual_seed(seed)
    model = model or Classifier()
    trainer = quiet_trainer(
        max_epochs=epochs, logger=logger, plugins=[AtomicCheckpoints()], default_root_dir=folder,
        callbacks=[ExactResume(str(folder), seed=7), *callbacks],
    )  # fmt: skip
    trainer.fit(model, datamodule=data or Blobs(), ckpt_path=folder / "last.ckpt" if resume else None)
    return model, trainer
