"""What goes on inside a training, in TensorBoard, at a bounded price."""

import os
import resource
import time
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from fulmen.callbacks.activations import recorded_activations
from fulmen.callbacks.side_effect_free import undisturbed
from fulmen.callbacks.time_budget import Governor
from fulmen.callbacks.writing import (
    distributions,
    draw_graph,
    first_convolution,
    gradients_of,
    histogram,
    images_in,
    weights_of,
)
from fulmen.config.ranges import Count, Fraction, refuses_out_of_range
from fulmen.data.batches import Batch
from fulmen.report import raster
from fulmen.report.confusion import confusion
from fulmen.workload import hooks

SAMPLES = 256  # of the first validation batch: the probe
NORMS = 10  # gradient norms that are written together


class Monitor(Callback):
    """Gradients, weights, activations, predictions, classes, the graph and the machine in TensorBoard.

    Training is not touched: with and without it a run ends with the same weights. A governor leaves jobs out that would
    take more than `share` of the time (a fifth of it in epochs of 20 seconds or more); the end of the run says which.

    Args:
        steps: optimizer steps between two gradient norms.
        epochs: between two looks at activations, filters and predictions.
        share: of the training time that all of it may take.
        images: how many are shown.

    Raises:
        FulmenError: a share that is not between 0 and 1, or counts below 1.
    """

    @refuses_out_of_range
    def __init__(self, steps: Count = 20, epochs: Count = 5, share: Fraction = 0.05, images: Count = 16):
        self.steps, self.epochs, self.share, self.images = steps, epochs, share, images
        self.governor = Governor(share)
        self._writer: SummaryWriter | None = None
        self._probe: Batch | None = None
        self._inputs: Tensor | None = None
        self._graph, self._has_classes, self._unwritten = False, True, False
        self._usage = (0.0, 0.0)
        self._step = 0  # trainer.global_step, which takes longer to ask for than to count
        self._norms: list[tuple[int, Tensor]] = []

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        boards = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        if not boards:
            print("monitor: there is no TensorBoard logger to write to; callbacks=default leaves the monitor out")
            return
        self._writer = boards[0].experiment
        self.governor = Governor(self.share)
        self._usage = time.perf_counter(), time.process_time()
        self._step = trainer.global_step

    def on_train_epoch_start(self, trainer: Trainer, module: LightningModule) -> None:
        self.governor.begin_epoch()

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        if batch_idx == 0 and self._writer and trainer.current_epoch % self.epochs == 0:
            self._inputs = images_in(batch)

    def on_validation_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, *_: Any) -> None:
        if self._writer and self._probe is None and isinstance(batch, dict):
            self._probe = {name: value[:SAMPLES] if isinstance(value, Tensor) and value.ndim else value
                           for name, value in batch.items()}  # fmt: skip

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        step, self._step = self._step, self._step + 1
        if not self._writer:
            return
        if step % self.steps == 0:
            self._do("gradient norm", lambda: self._norm(module, step), 1e-3)
        if trainer.is_last_batch:  # validation will wipe them out
            tensors = sum(1 for _ in module.parameters())
            self._do("gradients", lambda: distributions(self._writer, gradients_of(module), step), 1e-3 * tensors)

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if not self._writer:
            return
        step, tensors = trainer.global_step, sum(1 for _ in module.parameters())
        self._do("system", lambda: self._system(module, step), 2e-3)
        self._do("weights", lambda: distributions(self._writer, weights_of(module), step), 1e-3 * tensors)
        if self._has_classes and self._probe is not None:
            self._do("classes", lambda: self._classes(trainer, module, step), 0.03)
        if trainer.current_epoch % self.epochs == 0:
            self._do("activations", lambda: self._activations(trainer, module, step), 0.03)
            if (inputs := self._inputs) is not None:
                self._do("input images", lambda: self._grid("inputs", inputs[: self.images], step), 0.02)
            if (first := first_convolution(module)) is not None:
                self._do("filters", lambda: self._grid("filters", raster.filters(first.weight), step), 0.02)
        if not self._graph and self._probe is not None:
            guess = 0.04 + 0.004 * tensors
            self._graph = self._do("graph", lambda: draw_graph(self._writer, trainer, module, self._probe), guess)
        self._write()

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._say(trainer)

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._say(trainer)

    def _say(self, trainer: Trainer) -> None:
        if not self._writer:
            return
        text = self.governor.account()
        self._guarded(lambda: self._writer.add_text("monitor", text, trainer.global_step))
        self._unwritten = True
        self._write()
        print(f"monitor: {text}", flush=True)
        self._writer = None

    def _do(self, name: str, job: Callable[[], None], guess: float) -> bool | None:
        """A job within the budget, if it was done; one that cannot write ends the monitoring, not the training."""
        done = self._guarded(lambda: self.governor.run(name, job, guess))
        self._unwritten = self._unwritten or bool(done)
        return done

    def _write(self) -> None:
        """What the thread that writes has still to do counts too: wait for it, as Lightning does soon after."""

        def job() -> None:
            self._write_norms()
            self._writer.flush()
            self._unwritten = False

        if self._unwritten:
            self._guarded(lambda: self.governor.count(job))

    def _guarded(self, job: Callable[[], Any]) -> Any:
        if self._writer is None:
            return None
        try:
            return job()
        except OSError as error:
            print(f"monitor: cannot write to {self._writer.log_dir} ({error.strerror or error}); off from here on")
            self._writer = None
            return None

    def _norm(self, module: nn.Module, step: int) -> None:
        gradients = [gradient for *_, gradient in gradients_of(module)]
        if gradients:
            norms = torch._foreach_norm(gradients)
            self._norms.append((step, torch.linalg.vector_norm(torch.stack(norms))))
        if len(self._norms) >= NORMS:
            self._write_norms()

    def _write_norms(self) -> None:
        for step, norm in self._norms:
            self._writer.add_scalar("gradients/norm", norm, step)
        self._norms = []

    def _activations(self, trainer: Trainer, module: LightningModule, step: int) -> None:
        if self._probe is None:
            return
        with undisturbed(trainer, module), recorded_activations(module) as seen:
            module.validation_step(self._probe, 0)
        for name, outputs in seen.items():
            histogram(self._writer, f"activations/{name}", torch.cat([output.flatten() for output in outputs]), step)

    def _classes(self, trainer: Trainer, module: LightningModule, step: int) -> None:
        with undisturbed(trainer, module):
            found = hooks(module).class_probabilities(self._probe)
        if found is None:
            self._has_classes = False
            return
        probability, target = found
        predicted, classes = probability.argmax(1), probability.shape[1]
        table = confusion(target.cpu().numpy(), predicted.cpu().numpy(), classes)
        self._writer.add_image("classes/confusion", raster.heat_map(table), step)
        named = table.sum(0)
        for label in range(classes):
            if named[label]:
                self._writer.add_scalar(f"precision/class_{label}", table[label, label] / named[label], step)
        images = images_in(self._probe)
        if images is not None and trainer.current_epoch % self.epochs == 0:
            right = (predicted == target).cpu()
            order = right.int().argsort(stable=True)[: self.images]  # mistakes first
            titles = [f"P:{int(predicted[i])} T:{int(target[i])}" for i in order]
            picture = raster.grid(images[order.to(images.device)], titles, [bool(right[i]) for i in order])
            self._writer.add_image("images/predictions", picture, step)

    def _system(self, module: LightningModule, step: int) -> None:
        wall, cpu = time.perf_counter(), time.process_time()
        passed, used = wall - self._usage[0], cpu - self._usage[1]
        self._usage = wall, cpu
        scale = 1024 if os.uname().sysname == "Linux" else 1024**2
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / scale
        self._writer.add_scalar("system/epoch_seconds", passed, step)
        self._writer.add_scalar("system/cpu_cores_busy", used / max(passed, 1e-9), step)
        self._writer.add_scalar("system/peak_memory_mib", peak, step)
        if module.device.type == "cuda":
            used = torch.cuda.max_memory_allocated(module.device) / 2**20
            self._writer.add_scalar("system/gpu_peak_memory_mib", used, step)

    def _grid(self, name: str, images: Tensor, step: int) -> None:
        self._writer.add_image(f"images/{name}", raster.grid(images), step)
