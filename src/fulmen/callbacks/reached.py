"""What a training has come to: the result of a run, as far as it is known."""

from typing import Any

from lightning.pytorch import Trainer

from fulmen.callbacks.base import Watcher
from fulmen.callbacks.best import BestInPlace
from fulmen.diagnosis.ignored import as_plain
from fulmen.lightning_private import callbacks_of


def reached(trainer: Trainer, monitor: str) -> dict[str, Any]:
    """The result so far, plain: metrics of the last epoch and the best, epochs, steps, what the callbacks found."""
    metrics = {name: float(value) for name, value in trainer.callback_metrics.items()}
    for best in [each for each in callbacks_of(trainer) if isinstance(each, BestInPlace)]:
        metrics |= best.scores(monitor)
    watchers = [each for each in callbacks_of(trainer) if isinstance(each, Watcher)]
    return {
        "metrics": metrics,
        "verdicts": [verdict.as_dict() for watcher in watchers for verdict in watcher.verdicts],
        "ignored": as_plain(verdict for watcher in watchers for verdict in watcher.ignored),
        "endings": [list(watcher.ending) for watcher in watchers if watcher.ending],
        "epochs": trainer.current_epoch,
        "steps": trainer.global_step,
    }
