"""What goes on inside a training, in TensorBoard, at a bounded price."""

import math
import os
import resource
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from fulmen.callbacks.activations import recorded_activations
from fulmen.callbacks.governor import Governor
from fulmen.callbacks.probing import Batch, class_probabilities, undisturbed
from fulmen.errors import FulmenError
from fulmen.evaluation import raster

BINS = 64
LARGE = 100_000  # values of a tensor that make its histogram; of more, every n-th
SAMPLES = 256  # of the first validation batch: the probe
Tensors = list[tuple[str, str, Tensor]]  # kind, name, values
SAFETY = 0.75  # of the share: a job may cost more than the last time, and the thread that writes is not seen


class Monitor(Callback):
    """Gradients, weights, activations, predictions, classes, the graph and the machine in TensorBoard.

    Training is not touched: with and without it a run ends with the same weights. A governor leaves jobs out that would
    take more than `share` of the time, and the end of the run says which.

    Args:
        steps: optimizer steps between two gradient norms.
        epochs: between two looks at activations, filters and predictions.
        share: of the training time that all of it may take.
        images: how many are shown.

    Raises:
        FulmenError: a share that is not between 0 and 1, or counts below 1.
    """

    def __init__(self, steps: int = 20, epochs: int = 5, share: float = 0.05, images: int = 16):
        if not 0 < share < 1:
            raise FulmenError(f"share is {share}; it must lie between 0 and 1")
        if min(steps, epochs, images) < 1:
            raise FulmenError("steps, epochs and images must be 1 or more")
        self.steps, self.epochs, self.share, self.images = steps, epochs, share, images
        self.governor = Governor(share)
        self._writer: SummaryWriter | None = None
        self._probe: Batch | None = None
        self._inputs: Tensor | None = None
        self._graph, self._has_classes = False, True
        self._usage = (0.0, 0.0)

    def on_train_start(self, trainer: Trainer, module: LightningModule) -> None:
        boards = [logger for logger in trainer.loggers if isinstance(logger, TensorBoardLogger)]
        if not trainer.is_global_zero or trainer.fast_dev_run:
            return
        if not boards:
            print("monitor: there is no TensorBoard logger to write to; callbacks=default leaves the monitor out")
            return
        self._writer = boards[0].experiment
        self.governor = Governor(SAFETY * self.share)
        self._usage = time.perf_counter(), time.process_time()

    def on_train_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> None:
        if self._writer and batch_idx == 0 and trainer.current_epoch % self.epochs == 0:
            self._inputs = _images(batch)

    def on_validation_batch_start(self, trainer: Trainer, module: LightningModule, batch: Any, *_: Any) -> None:
        if self._writer and self._probe is None and isinstance(batch, dict):
            self._probe = {name: value[:SAMPLES] if isinstance(value, Tensor) and value.ndim else value
                           for name, value in batch.items()}  # fmt: skip

    def on_before_optimizer_step(self, trainer: Trainer, module: LightningModule, optimizer: Any) -> None:
        if not self._writer or not (trainer.is_last_batch or trainer.global_step % self.steps == 0):
            return
        step, tensors = trainer.global_step, _gradients(module)
        if tensors and step % self.steps == 0:
            self._do("gradient norm", lambda: self._norm(tensors, step), 1e-3)
        if tensors and trainer.is_last_batch:  # validation will wipe them out
            self._do("gradients", lambda: self._distributions(tensors, step), 1e-3 * len(tensors))

    def on_train_epoch_end(self, trainer: Trainer, module: LightningModule) -> None:
        if not self._writer:
            return
        step, tensors = trainer.global_step, sum(1 for _ in module.parameters())
        self._do("system", lambda: self._system(module, step), 2e-3)
        self._do("weights", lambda: self._distributions(_weights(module), step), 1e-3 * tensors)
        if self._has_classes and self._probe is not None:
            self._do("classes", lambda: self._classes(trainer, module, step), 0.03)
        if trainer.current_epoch % self.epochs == 0:
            self._do("activations", lambda: self._activations(trainer, module, step), 0.03)
            if (inputs := self._inputs) is not None:
                self._do("input images", lambda: self._grid("inputs", inputs[: self.images], step), 0.02)
            if (first := _first_convolution(module)) is not None:
                self._do("filters", lambda: self._grid("filters", raster.filters(first.weight), step), 0.02)
        if not self._graph and self._probe is not None:
            self._graph = self._do("graph", lambda: self._draw_graph(trainer, module), 0.3)

    def on_train_end(self, trainer: Trainer, module: LightningModule) -> None:
        self._say(trainer)

    def on_exception(self, trainer: Trainer, module: LightningModule, exception: BaseException) -> None:
        self._say(trainer)

    def _say(self, trainer: Trainer) -> None:
        if not self._writer:
            return
        text = self.governor.account()
        self._do("account", lambda: self._writer.add_text("monitor", text, trainer.global_step), 0.0)
        print(f"monitor: {text}", flush=True)
        self._writer = None

    def _do(self, name: str, job: Callable[[], None], guess: float) -> bool:
        """A job within the budget; one that cannot write ends the monitoring, not the training."""
        if self._writer is None:
            return False
        try:
            return self.governor.run(name, job, guess)
        except OSError as error:
            print(f"monitor: cannot write to {self._writer.log_dir} ({error.strerror or error}); off from here on")
            self._writer = None
            return False

    def _histogram(self, tag: str, x: Tensor, step: int) -> None:
        """As `add_histogram`, which takes some 15 times as long for it: equal bins instead of exponential ones."""
        x = x.detach().flatten()
        x = x[:: max(1, len(x) // LARGE)].float()
        if not len(x):
            return
        low, high = (float(bound) for bound in x.aminmax())
        if not math.isfinite(low + high):
            x = x[x.isfinite()]
            low, high = (float(bound) for bound in x.aminmax()) if len(x) else (0.0, 0.0)
        top = high if high > low else low + 1e-6 * max(abs(low), 1.0)
        counts = torch.histc(x, BINS, low, top)
        limits = torch.linspace(low, top, BINS + 1, dtype=torch.float64)[1:]
        total, squares = float(x.sum()), float(torch.linalg.vector_norm(x)) ** 2
        self._writer.add_histogram_raw(tag, low, high, len(x), total, squares, limits.tolist(), counts.tolist(), step)

    def _norm(self, tensors: Tensors, step: int) -> None:
        norm = nn.utils.get_total_norm([gradient for *_, gradient in tensors])
        self._writer.add_scalar("gradients/norm", norm, step)

    def _distributions(self, tensors: Tensors, step: int) -> None:
        """Histogram, mean and standard deviation of each."""
        for kind, name, x in tensors:
            self._histogram(f"{kind}/{name}", x, step)
            deviation, mean = torch.std_mean(x.float(), correction=0)
            self._writer.add_scalar(f"{kind}_mean/{name}", mean, step)
            self._writer.add_scalar(f"{kind}_sd/{name}", deviation, step)

    def _activations(self, trainer: Trainer, module: LightningModule, step: int) -> None:
        if self._probe is None:
            return
        with undisturbed(trainer, module), recorded_activations(module) as seen:
            module.validation_step(self._probe, 0)
        for name, outputs in seen.items():
            self._histogram(f"activations/{name}", torch.cat([output.flatten() for output in outputs]), step)

    def _classes(self, trainer: Trainer, module: LightningModule, step: int) -> None:
        if type(module).predict_step is LightningModule.predict_step:
            self._has_classes = False
            return
        with undisturbed(trainer, module):
            found = class_probabilities(module.predict_step(self._probe, 0), self._probe)
        if found is None:
            self._has_classes = False
            return
        probability, target = found
        predicted, classes = probability.argmax(1), probability.shape[1]
        table = raster.confusion(predicted, target, classes)
        self._writer.add_image("classes/confusion", raster.heat_map(table), step)
        named = table.sum(0)
        for label in range(classes):
            if named[label]:
                self._writer.add_scalar(f"precision/class_{label}", table[label, label] / named[label], step)
        images = _images(self._probe)
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

    def _draw_graph(self, trainer: Trainer, module: LightningModule) -> None:
        tensors = {name: x[:2] for name, x in self._probe.items() if isinstance(x, Tensor) and x.ndim}
        try:
            with undisturbed(trainer, module), warnings.catch_warnings():
                warnings.simplefilter("ignore")  # tracing tells what it cannot follow
                self._writer.add_graph(_Forward(module, list(tensors)), tuple(tensors.values()))
        except OSError:
            raise
        except Exception as error:  # tracing fails for good reasons: control flow, outputs that are no tensors
            reason = (str(error).strip() or type(error).__name__).splitlines()[0]
            print(f"monitor: the graph of this model cannot be drawn: {reason[:120]}")


class _Forward(nn.Module):
    """`predict_step` as a function of tensors, for the graph."""

    def __init__(self, module: LightningModule, names: list[str]):
        super().__init__()
        self.model, self.names = module, names

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        outputs = self.model.predict_step(dict(zip(self.names, values, strict=True)), 0)
        return tuple(x for x in outputs.values() if isinstance(x, Tensor) and x.requires_grad | x.is_floating_point())


def _weights(module: nn.Module) -> Tensors:
    return [("weights" if p.ndim > 1 else "biases", name, p.detach()) for name, p in module.named_parameters()]


def _gradients(module: nn.Module) -> Tensors:
    named = [(name, p.grad) for name, p in module.named_parameters() if p.grad is not None]
    return [("gradients", name, gradient) for name, gradient in named if not gradient.is_sparse]


def _images(batch: Any) -> Tensor | None:
    """The first images [N, 1 or 3, H, W] in a batch."""
    values = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, list | tuple) else [batch]
    for x in values:
        if isinstance(x, Tensor) and x.ndim == 4 and x.shape[1] in (1, 3) and min(x.shape[2:]) >= 4:
            return x
    return None


def _first_convolution(module: nn.Module) -> nn.Conv2d | None:
    return next(
        (layer for layer in module.modules() if isinstance(layer, nn.Conv2d) and layer.weight.shape[2] > 1), None
    )
