"""What a model says of every sample of the test split, said once: while it is tested."""

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from fulmen.callbacks.side_effect_free import copied_metrics
from fulmen.data.batches import Batch, size
from fulmen.distributed.ranks import of_all_ranks
from fulmen.workload import Workload, WorkloadData


class SampleOutputs(Callback):
    """Keeps what `test_step` returns, on the CPU."""

    def __init__(self) -> None:
        self._parts: list[Batch] = []

    def on_test_start(self, trainer: Trainer, module: LightningModule) -> None:
        self._parts = []

    def on_test_batch_end(
        self, trainer: Trainer, module: LightningModule, outputs: Any, batch: Any, batch_idx: int, *_: Any
    ) -> None:
        if isinstance(outputs, Mapping):
            self._parts.append({name: value.detach().cpu() for name, value in outputs.items()})

    def of_whole_split(self, trainer: Trainer, module: Workload, data: WorkloadData) -> Batch:
        """Tensors [N, ...] of all N samples of the test split, in its order; all processes have to ask.

        Samples that were left out of the test, by `limit_test_batches`, are predicted now.
        """
        whole = interleaved(of_all_ranks(joined(self._parts)))
        samples = size(data.splits["test"]) if "test" in data.splits else None
        self._parts = []
        if not whole or samples is None or size(whole) >= samples:
            return {name: value[:samples] for name, value in whole.items()}
        return predict_test(module, data)


@torch.no_grad()
def predict_test(module: Workload, data: WorkloadData) -> Batch:
    """What `test_step` says of the whole test split, tensors [N, ...] on the CPU; nothing is logged."""
    said = []
    with copied_metrics(module):
        module.eval().log = lambda *_, **__: None  # type: ignore[method-assign]
        try:
            for batch in data.whole("test"):
                moved = {name: value.to(module.device) for name, value in batch.items()}
                said.append(module.test_step(data.on_after_batch_transfer(moved, 0), 0))
        finally:
            del module.log
    return joined([{name: value.cpu() for name, value in each.items()} for each in said])


def joined(parts: Iterable[Batch]) -> Batch:
    """Batches one after the other."""
    parts = list(parts)
    return {name: torch.cat([part[name] for part in parts]) for name in parts[0]} if parts else {}


def interleaved(of_ranks: list[Batch]) -> Batch:
    """What every process says of its samples, in the order of the split: sample i is with process i modulo world.

    BatchLoader and torch's DistributedSampler deal in this way.
    """
    said = [part for part in of_ranks if part]
    if len(said) < 2:
        return said[0] if said else {}
    world = len(of_ranks)
    places = torch.cat([torch.arange(size(part)) * world + rank for rank, part in enumerate(of_ranks) if part])
    order = places.argsort()
    whole: dict[str, Tensor] = joined(said)
    return {name: value[order] for name, value in whole.items()}
