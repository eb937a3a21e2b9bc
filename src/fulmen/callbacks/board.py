"""What a monitor writes to TensorBoard, picture by picture; when, and whether there is time, the monitor decides.

TensorBoard sorts its groups by name. What a training comes to is in `main`, `train` and `val`; the groups here begin
with later letters: `val_classes`, `watch`, `watch_...`, `weights`, `weights_gradients`.
"""

import os
import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from fulmen.callbacks.activations import recorded_activations
from fulmen.callbacks.side_effect_free import undisturbed
from fulmen.callbacks.writing import gradients_of, histogram, images_in
from fulmen.data.batches import Batch
from fulmen.lightning_private import datamodule_of
from fulmen.report import raster
from fulmen.report.confusion import confusion
from fulmen.workload import class_names, hooks

NORMS = 10  # gradient norms that are written together
LETTER = 6  # pixels of a title's


@dataclass
class Board:
    """The pages of one training.

    Attributes:
        writer: of TensorBoard's events.
        images: how many are shown.
    """

    writer: SummaryWriter
    images: int
    _usage: tuple[float, float] = field(default_factory=lambda: (time.perf_counter(), time.process_time()))
    _norms: list[tuple[int, Tensor]] = field(default_factory=list)

    def norm(self, module: nn.Module, step: int) -> None:
        """The norm of all gradients together; several are written at once."""
        gradients = [gradient for _, gradient in gradients_of(module)]
        if gradients:
            norms = torch._foreach_norm(gradients)
            self._norms.append((step, torch.linalg.vector_norm(torch.stack(norms))))
        if len(self._norms) >= NORMS:
            self.write_norms()

    def write_norms(self) -> None:
        """Write the norms that wait."""
        for step, norm in self._norms:
            self.writer.add_scalar("watch/gradient_norm", norm, step)
        self._norms = []

    def activations(self, trainer: Trainer, module: LightningModule, probe: Batch, step: int) -> None:
        """A histogram of what each layer gives for the probe."""
        with undisturbed(trainer, module), recorded_activations(module) as seen:
            module.validation_step(probe, 0)
        for name, outputs in seen.items():
            histogram(
                self.writer, f"watch_activations/{name}", torch.cat([output.flatten() for output in outputs]), step
            )

    def classes(
        self, trainer: Trainer, module: LightningModule, probe: Batch, step: int, scores: bool, with_images: bool
    ) -> bool:  # fmt: skip
        """Confusion matrix and precision of each class on the probe (`scores`), and its images; whether there are
        classes."""
        with undisturbed(trainer, module):
            found = hooks(module).class_probabilities(probe)
        if found is None:
            return False
        probability, target = found
        predicted, names = probability.argmax(1), names_of(trainer, probability.shape[1])
        if scores:
            self._scores(confusion(target.cpu().numpy(), predicted.cpu().numpy(), len(names)), names, step)
        images = images_in(probe) if with_images else None
        if images is not None:
            self._predictions(images, predicted, target, names, step)
        return True

    def _scores(self, table: np.ndarray, names: Sequence[str], step: int) -> None:
        self.writer.add_image("val_classes/confusion", raster.heat_map(table, names), step)
        for name, right, all_named in zip(names, table.diagonal(), table.sum(0), strict=True):
            if all_named:
                self.writer.add_scalar(f"val_classes/precision_{name}", right / all_named, step)

    def _predictions(
        self, images: Tensor, predicted: Tensor, target: Tensor, names: Sequence[str], step: int
    ) -> None:  # fmt: skip
        right = (predicted == target).cpu()
        order = right.int().argsort(stable=True)[: self.images]  # mistakes first
        titles = [names[int(target[i])] if right[i] else f"{names[int(predicted[i])]}, is {names[int(target[i])]}"
                  for i in order]  # fmt: skip
        least = max(64, LETTER * max(map(len, titles)) + 4)
        picture = raster.grid(images[order.to(images.device)], titles, [bool(right[i]) for i in order], least)
        self.writer.add_image("watch_images/predictions", picture, step)

    def grid(self, name: str, images: Tensor, step: int) -> None:
        """Images [N, 1 or 3, H, W] in one picture."""
        self.writer.add_image(f"watch_images/{name}", raster.grid(images), step)

    def system(self, module: LightningModule, step: int) -> None:
        """Seconds since the last call, processor cores that were busy, and memory."""
        wall, cpu = time.perf_counter(), time.process_time()
        passed, used = wall - self._usage[0], cpu - self._usage[1]
        self._usage = wall, cpu
        scale = 1024 if os.uname().sysname == "Linux" else 1024**2
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
        self.writer.add_scalar("watch/epoch_seconds", passed, step)
        self.writer.add_scalar("watch/cpu_cores_busy", used / max(passed, 1e-9), step)
        self.writer.add_scalar("watch/peak_memory_mib", peak, step)
        if module.device.type == "cuda":
            used = torch.cuda.max_memory_allocated(module.device) / 2**20
            self.writer.add_scalar("watch/gpu_peak_memory_mib", used, step)


def names_of(trainer: Trainer, classes: int) -> list[str]:
    """What the data call the classes, where they name as many; else their numbers."""
    named = list(class_names(datamodule_of(trainer)))
    return named if len(named) == classes else [str(label) for label in range(classes)]
