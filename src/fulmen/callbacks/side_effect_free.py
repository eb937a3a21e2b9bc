"""Looking at a model in training without leaving a trace."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.trainer.states import RunningStage
from torch import Tensor, nn
from torchmetrics import Metric, MetricCollection

from fulmen.data.batches import Batch, size


@contextmanager
def undisturbed(trainer: Trainer, module: LightningModule, evaluation: bool = True) -> Iterator[dict[str, list]]:
    """Steps of `module` called in this block leave the training as it was.

    Random states, modes, metrics and plain lists and dicts of the module are put back; no gradient is kept.

    Args:
        evaluation: in evaluation mode, and the data module believes that validation is going on.

    Yields:
        name -> values: what the steps would have logged.
    """
    logged: dict[str, list] = {}
    stage, modes = trainer.state.stage, {each: each.training for each in module.modules()}
    kept = {name: value.copy() for name, value in vars(module).items()
            if type(value) in (list, dict) and not name.startswith("_")}  # fmt: skip
    devices = [module.device] if module.device.type == "cuda" else []
    with ExitStack() as stack:
        stack.enter_context(torch.random.fork_rng(devices))
        stack.enter_context(torch.no_grad())
        stack.enter_context(copied_metrics(module))
        vars(module)["log"] = lambda name, value, *_, **__: logged.setdefault(name, []).append(value)
        try:
            if evaluation:
                trainer.state.stage = RunningStage.VALIDATING
                module.eval()
            yield logged
        finally:
            del vars(module)["log"]
            trainer.state.stage = stage
            for each, mode in modes.items():
                each.training = mode
            for name, value in kept.items():
                setattr(module, name, value)


@contextmanager
def copied_metrics(module: nn.Module) -> Iterator[None]:
    """What is updated in this block are copies of the module's torchmetrics."""
    found = [
        (parent, name, child)
        for parent in module.modules()
        if not isinstance(parent, MetricCollection)
        for name, child in parent.named_children()
        if isinstance(child, Metric | MetricCollection)
    ]
    for parent, name, child in found:
        parent._modules[name] = deepcopy(child)
    try:
        yield
    finally:
        for parent, name, child in found:
            parent._modules[name] = child


def evenly(part: Batch, samples: int) -> Batch:
    """At most `samples` of a part, spread over all of it."""
    total = size(part)
    index = torch.linspace(0, total - 1, min(samples, total)).round().long()
    return {name: value[index.to(value.device)] for name, value in part.items()}


def first_non_finite(trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int) -> str:
    """The first layer, in the order of the forward pass, that makes NaN or infinities of finite numbers."""
    for name, parameter in module.named_parameters():
        if not parameter.isfinite().all():
            return f"parameter {name}"
    bad: list[str] = []

    def look(name: str) -> Any:
        def hook(layer: nn.Module, inputs: Any, output: Any) -> None:
            tensors = output if isinstance(output, list | tuple) else [output]
            if any(isinstance(x, Tensor) and x.is_floating_point() and not x.isfinite().all() for x in tensors):
                bad.append(f"{name} ({type(layer).__name__})")

        return hook

    leaves = [(name, layer) for name, layer in module.named_modules() if not list(layer.children()) and name]
    hooks = [layer.register_forward_hook(look(name)) for name, layer in leaves if not isinstance(layer, Metric)]
    try:
        with undisturbed(trainer, module, evaluation=False):
            module.training_step(batch, batch_idx)
    finally:
        for hook in hooks:
            hook.remove()
    return bad[0] if bad else "the loss itself"
