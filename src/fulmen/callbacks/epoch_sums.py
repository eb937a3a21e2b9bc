"""What `self.log` has summed up over an epoch so far, which Lightning forgets where the epoch is interrupted."""

from typing import Any

import torch

from fulmen.distributed.ranks import of_all_ranks, rank_and_world

Sums = dict[str, dict[str, Any]]  # name -> op, value and, of a mean, samples
OPS = {"mean": torch.add, "sum": torch.add, "max": torch.maximum, "min": torch.minimum}


def of_ranks(results: Any) -> list[Sums]:
    """What the training results of an epoch in work hold, by rank."""
    own: Sums = {}
    for name, metric in results.items():
        if metric.is_tensor and metric.meta.on_epoch and not metric.has_reset:
            own[name] = {"op": metric.meta.reduce_fx.__name__, "value": metric.value.cpu()}
            if metric.meta.is_mean_reduction:
                own[name]["samples"] = torch.as_tensor(metric.cumulated_batch_size).cpu()
    return of_all_ranks(own)


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


def add(results: Any, stored: Sums) -> None:
    """Put what was stored into the results that have been logged since, and forget it."""
    for name in [name for name in stored if name in results]:
        metric, device = results[name], results[name].value.device
        before = {key: x.to(device) if key != "op" else x for key, x in stored.pop(name).items()}
        now = {"value": metric.value} | ({"samples": metric.cumulated_batch_size} if "samples" in before else {})
        for key, x in _together(now | {"op": before["op"]}, before).items():
            if key != "op":
                setattr(metric, "cumulated_batch_size" if key == "samples" else key, x)


def _together(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    both = {"op": one["op"], "value": OPS[one["op"]](one["value"], other["value"])}
    return both | ({"samples": one["samples"] + other["samples"]} if "samples" in one else {})
