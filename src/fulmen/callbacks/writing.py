"""What the monitor shows of tensors and models, and how it is written."""

import math
import warnings
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.tensorboard import SummaryWriter

from fulmen.callbacks.side_effect_free import undisturbed
from fulmen.data.batches import Batch, size

BINS = 64
LARGE = 100_000  # values of a tensor that make its histogram; of more, every n-th
Tensors = list[tuple[str, Tensor]]  # name, values


def histogram(writer: SummaryWriter, tag: str, x: Tensor, step: int) -> None:
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
    writer.add_histogram_raw(tag, low, high, len(x), total, squares, limits.tolist(), counts.tolist(), step)


def distributions(writer: SummaryWriter, group: str, tensors: Tensors, step: int) -> None:
    """A histogram of each; TensorBoard shows their spread over the steps beside it (DISTRIBUTIONS)."""
    for name, x in tensors:
        histogram(writer, f"{group}/{name}", x, step)


def draw_graph(writer: SummaryWriter, trainer: Trainer, module: LightningModule, batch: Batch) -> str:
    """Traced once: `add_graph` alone would do it three times, to compare; why it cannot be drawn, "" if it is."""
    samples = size(batch)
    tensors = {name: x[:2] if len(x) == samples else x for name, x in batch.items() if isinstance(x, Tensor) and x.ndim}
    try:
        with undisturbed(trainer, module), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # tracing tells what it cannot follow
            values = tuple(tensors.values())
            writer.add_graph(torch.jit.trace(Prediction(module, list(tensors)), values, check_trace=False), values)
    except OSError:
        raise
    except Exception as error:  # tracing fails for good reasons: control flow, outputs that are no tensors
        return (str(error).strip() or type(error).__name__).splitlines()[0][:120]
    return ""


class Prediction(nn.Module):
    """`predict_step` as a function of tensors, for the graph."""

    def __init__(self, module: LightningModule, names: list[str]):
        super().__init__()
        self.model, self.names = module, names

    def forward(self, *values: Tensor) -> tuple[Tensor, ...]:
        outputs = self.model.predict_step(dict(zip(self.names, values, strict=True)), 0)
        return tuple(x for x in outputs.values() if isinstance(x, Tensor) and x.requires_grad | x.is_floating_point())


def weights_of(module: nn.Module) -> Tensors:
    return [(name, p.detach()) for name, p in module.named_parameters()]


def gradients_of(module: nn.Module) -> Tensors:
    named = [(name, p.grad) for name, p in module.named_parameters() if p.grad is not None]
    return [(name, gradient) for name, gradient in named if not gradient.is_sparse]


def images_in(batch: Any) -> Tensor | None:
    """The first images [N, 1 or 3, H, W] in a batch."""
    values = batch.values() if isinstance(batch, dict) else batch if isinstance(batch, list | tuple) else [batch]
    for x in values:
        if isinstance(x, Tensor) and x.ndim == 4 and x.shape[1] in (1, 3) and min(x.shape[2:]) >= 4:
            return x
    return None


def first_convolution(module: nn.Module) -> nn.Conv2d | None:
    return next(
        (layer for layer in module.modules() if isinstance(layer, nn.Conv2d) and layer.weight.shape[2] > 1), None
    )
