"""What was taken from a person's files, told at the beginning of a training; what looks wrong there is warned of."""

import warnings
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer

from fulmen.distributed.ranks import is_first
from fulmen.io.taken import Taken, doubts_of, lines_of, without_doubts
from fulmen.workload import taken_of

_told: ContextVar[set[tuple[str, ...]] | None] = ContextVar("told", default=None)


class TellTaken(Callback):
    """Tells it as soon as the data are set up, once for a trainer."""

    def __init__(self) -> None:
        self.told = False

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        data: Any = getattr(trainer, "datamodule", None)
        if not self.told:
            self.told = True
            tell(taken_of(data), getattr(data, "warnings", ()))


def tell(taken: Sequence[Taken], warned: Collection[str] = ()) -> None:
    """Print what was taken and warn of what looks wrong, on the first process; within `told_once` nothing twice.

    Args:
        warned: doubts that the data have warned of themselves.
    """
    if not is_first() or not taken:
        return
    lines, doubts = lines_of(without_doubts(taken)), doubts_of(taken)
    if told_before(*lines, *doubts):
        return
    print("\n".join(lines), flush=True)
    for doubt in doubts_of(replace(each, doubts=[one for one in each.doubts if one not in warned]) for each in taken):
        warnings.warn(doubt, UserWarning, stacklevel=2)


def told_before(*key: str) -> bool:
    """Whether `key` was told in this block of `told_once` already; from now on it was."""
    before = _told.get()
    if before is None:
        return False
    known = key in before
    before.add(key)
    return known


@contextmanager
def told_once() -> Iterator[None]:
    """All trainings in this block, which may be many of the same data, tell it once."""
    token = _told.set(set() if _told.get() is None else _told.get())
    try:
        yield
    finally:
        _told.reset(token)
