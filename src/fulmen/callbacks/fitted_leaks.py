"""Whether a module's set-up, or a choice that it makes, knows the test split: both are made again and compared."""

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningModule, Trainer
from torch import Tensor

from fulmen.data.batches import Batch, size
from fulmen.data.leaks.fitted import refitted
from fulmen.data.leaks.leak import Leak
from fulmen.data.leaks.look import kept_random_states
from fulmen.data.leaks.samples import SPLITS, Samples, rows_in
from fulmen.errors import FulmenError
from fulmen.workload import WorkloadData, hooks

ROWS = 512  # of each split that the set-up is repeated with


def setup_leaks(trainer: Trainer, module: LightningModule, data: WorkloadData) -> list[Leak]:
    """What a module takes from the test split when it is set up.

    Its set-up is repeated twice on some rows of each split, and before the second time all numbers of the test split
    are changed: whatever the module holds then must be equal. That needs no list of what it fits, holds for any
    subclass, and no two numbers can be equal or different by accident. A set-up that cannot be repeated says nothing.
    """
    if not all(name in data.splits for name in ("train", "test")):
        return []
    some = {name: {key: value[:ROWS] for key, value in part.items()} for name, part in data.splits.items()}
    try:
        before = _set_up(trainer, module, data, some)
        after = _set_up(trainer, module, data, some | {"test": changed(some["test"])})
        again = _set_up(trainer, module, data, some)
    except FulmenError:
        return []
    except Exception:  # of somebody's own set-up, with fewer rows than it was written for
        return []
    moved = [name for name in before if name in after and not _equal(before[name], after[name])]
    moved = [name for name in moved if name in again and _equal(before[name], again[name])]  # not by chance
    if not moved:
        return []
    more = f" and {len(moved) - 3} more" if len(moved) > 3 else ""
    finding = (
        f"{type(module).__name__}.setup takes {', '.join(moved[:3])}{more} from the test split: with other numbers in "
        f"it they are others"
    )
    return [Leak("fitted_on_test", "error", finding, tuple(moved[:20]), {"count": len(moved)})]


def choice_leaks(module: LightningModule, data: WorkloadData) -> list[Leak]:
    """Thresholds and the like, `Workload.chosen`, that the test split has chosen; asked before a test."""
    chosen = hooks(module).chosen(data)
    there = [(number, name) for number, name in enumerate(SPLITS) if name in data.splits]
    numbers, sizes = [number for number, _ in there], [len(rows_in(data.splits, name)) for _, name in there]
    split = np.repeat(numbers, sizes)
    bare = Samples(np.zeros(len(split)), "numbers", split)
    return [leak for each in chosen if each.rows is None or len(each.rows) for leak in refitted(each, bare)]


def changed(part: Batch) -> Batch:
    """Other numbers of the same kind, so that whatever is fitted to them becomes another."""
    found = {}
    for name, value in part.items():
        turned = value.flip(0)
        if value.is_floating_point():
            found[name] = 1.7 * turned + 0.3 * value.nan_to_num().abs().max() + 0.1
        elif value.dtype == torch.uint8 and value.ndim > 1:
            found[name] = 255 - turned
        else:
            found[name] = turned[: max(1, size(part) // 2)].repeat_interleave(2, 0)[: size(part)]
    return found


def _set_up(
    trainer: Trainer, module: LightningModule, data: WorkloadData, splits: Mapping[str, Batch]
) -> dict[str, Tensor]:
    """What a copy of the module holds after its set-up with other splits."""
    other = copy.copy(data)
    other.splits = dict(splits)
    seen: Any = _Seen(trainer, other)
    twin = copy.deepcopy(module)  # without its trainer
    twin.trainer = seen
    with kept_random_states():
        torch.manual_seed(0)
        twin.setup("fit")
    return {
        name: value.detach().cpu().clone() for name, value in twin.state_dict().items() if isinstance(value, Tensor)
    }


class _Seen:
    """A trainer with other data."""

    def __init__(self, trainer: Trainer, data: WorkloadData):
        self._trainer, self.datamodule = trainer, data

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(self._trainer, name)


def _equal(one: Tensor, other: Tensor) -> bool:
    return one.shape == other.shape and torch.equal(torch.nan_to_num(one.double()), torch.nan_to_num(other.double()))
