"""Reports a trial's progress to its study and stops it politely when the study gives it up."""

import math
from pathlib import Path

from lightning.pytorch import LightningModule, Trainer

from fulmen.callbacks.base import Watcher
from fulmen.config.mistakes import did_you_mean
from fulmen.distributed.ranks import from_first
from fulmen.errors import FulmenError
from fulmen.search.reporter import Reporter, find_reporter


class Pruning(Watcher):
    """Tells the study what the monitored metric is after every validation, and ends training if it says so.

    Only the first process of several speaks to the study; its answer is broadcast, so that all stop after the same
    epoch. Nothing is raised: a pruned training is a result. A run folder that is trained on later, when its trial is
    over, is left alone.

    Args:
        study: folder of the study.
        trial: number of the trial.
        monitor: the metric.
        reporter: of the trial, where the process that works on the study trains it too; else it is found by `study` and
            `trial` when training starts.
    """

    def __init__(self, study: str, trial: int, monitor: str, reporter: Reporter | None = None):
        self.folder, self.number, self.monitor = Path(study), trial, monitor
        self._reporter = reporter

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.is_global_zero and self._reporter is None:
            self._reporter = find_reporter(self.folder, self.number)

    def on_validation_end(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.sanity_checking or trainer.state.fn != "fit":
            return
        if self.monitor not in trainer.callback_metrics:
            names = sorted(trainer.callback_metrics)
            raise FulmenError(f"monitor: the model logs no {self.monitor}{did_you_mean(self.monitor, names)}")
        if from_first(self._gives_up(trainer)):
            trainer.should_stop = True
            self.ending = ("pruned", f"pruned after {trainer.current_epoch + 1} epochs")

    def _gives_up(self, trainer: Trainer) -> bool:
        value = float(trainer.callback_metrics[self.monitor])
        if self._reporter is None or not math.isfinite(value):
            return False
        self._reporter.report(value, trainer.current_epoch + 1)
        over = trainer.current_epoch + 1 == trainer.max_epochs  # nothing is left to save
        return not over and self._reporter.gives_up()
