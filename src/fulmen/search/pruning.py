"""Reports a trial's progress to its study and stops it politely when the study gives it up."""

import math
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer

from fulmen.callbacks.base import Watcher
from fulmen.config.mistakes import did_you_mean
from fulmen.distributed.ranks import from_first
from fulmen.errors import FulmenError


class Pruning(Watcher):
    """Tells the study what the monitored metric is after every validation, and ends training if it says so.

    Only the first process of several speaks to the study; the verdict is broadcast, so that all stop after the same
    epoch. Nothing is raised: a pruned training is a result. A run folder that is trained on later, when its trial is
    over, is left alone.

    Args:
        study: folder of the study.
        trial: number of the trial.
        monitor: the metric.
    """

    def __init__(self, study: str, trial: int, monitor: str):
        self.folder, self.number, self.monitor = Path(study), trial, monitor
        self._trial: Any = None

    def on_fit_start(self, trainer: Trainer, module: LightningModule) -> None:
        if trainer.is_global_zero:
            self._trial = _running_trial(self.folder, self.number)

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
        if self._trial is None or len(self._trial.study.directions) > 1 or not math.isfinite(value):
            return False
        self._trial.report(value, trainer.current_epoch + 1)
        over = trainer.current_epoch + 1 == trainer.max_epochs  # nothing is left to save
        return not over and bool(self._trial.should_prune())  # numpy's bool could not be stored


def _running_trial(folder: Path, number: int) -> Any:
    """The Optuna trial, or None if it is over or its study is not here."""
    if not (folder / "search.json").exists():
        return None
    import optuna

    from fulmen.search.study import open_study

    study = open_study(folder)[1]
    trial = next((t for t in study.get_trials(deepcopy=False) if t.number == number), None)
    if trial is None or trial.state.is_finished():
        return None
    return optuna.Trial(study, trial._trial_id)
