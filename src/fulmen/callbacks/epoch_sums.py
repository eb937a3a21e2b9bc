"""What `self.log` has summed up over an epoch so far, which Lightning forgets where the epoch is interrupted."""

from collections.abc import Callable
from typing import Any

import torch
from lightning.pytorch import Trainer
from torch import Tensor

from fulmen import lightning_private as private
from fulmen.distributed.ranks import of_all_ranks, rank_and_world

Sums = dict[str, dict[str, Any]]  # name -> op, value and, of a mean, samples
OPS: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "mean": torch.add,
    "sum": torch.add,
    "max": torch.maximum,
    "min": torch.minimum,
}


def of_ranks(trainer: Trainer) -> list[Sums]:
    """What the training epoch in work has logged so far, by rank, on the CPU."""
    sums = private.epoch_sums(trainer).items()
    return of_all_ranks({name: {key: _on("cpu", x) for key, x in each.items()} for name, each in sums})


def own_part(ranks: list[Sums]) -> Sums:
    """What this rank adds: its own sums or, where the number of ranks has changed, those of all on the first."""
    rank, world = rank_and_world()
    if len(ranks) == world:
        return dict(ranks[rank])
    total: Sums = {}
    for sums in ranks if rank == 0 else []:
        for name, each in sums.items():
            total[name] = _together(each, total[name]) if name in total else each
    return total


def add(trainer: Trainer, stored: Sums) -> None:
    """Add what was stored to what has been logged since, and forget it."""
    now = private.epoch_sums(trainer)
    for name in [name for name in stored if name in now]:
        before = {key: _on(now[name]["value"].device, x) for key, x in stored.pop(name).items()}
        total = _together(now[name], before)
        private.set_epoch_sum(trainer, name, total["value"], total.get("samples"))


def _on(device: torch.device | str, x: Any) -> Any:
    """A sum or a number of samples as a tensor there; an op is left as it is."""
    return x if isinstance(x, str) else torch.as_tensor(x).to(device)


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {"op": one["op"], "value": OPS[one["op"]](one["value"], other["value"])}
    return both | ({"samples": one["samples"] + other["samples"]} if "samples" in one else {})
