"""What a training tells its study, and what it hears from it: the best place for both is the trial itself."""

from pathlib import Path

import optuna
from optuna.pruners import BasePruner

from fulmen.search.opening import open_study


class Reporter:
    """Writes a trial's progress down and says when its study gives it up.

    Args:
        trial: a running one.
        pruner: made for this trial alone. The study's own must never be asked: Optuna's samplers look only at trials of
            one bracket once a Hyperband of the study's has been, so a search would go on differently.
    """

    def __init__(self, trial: optuna.Trial, pruner: BasePruner):
        self._trial, self._pruner = trial, pruner

    def report(self, value: float, epoch: int) -> None:
        """The monitored metric after so many epochs; of several objectives none can be followed."""
        if self._single:
            self._trial.report(value, epoch)

    def gives_up(self) -> bool:
        """Whether training on would be a waste, as far as was reported."""
        if not self._single:
            return False
        study = self._trial.study
        latest = study.get_trials(deepcopy=False)[self._trial.number]
        return bool(self._pruner.prune(study, latest))  # numpy's bool could not be stored

    @property
    def _single(self) -> bool:
        return len(self._trial.study.directions) == 1


def find_reporter(folder: Path, number: int) -> Reporter | None:
    """The reporter of a trial by its study's folder and its number, for a training in a process of its own.

    None if the trial is over or its study is not here: a run folder may be trained on, or moved, later.
    """
    if not (folder / "search.json").exists():
        return None
    study = open_study(folder)[1]
    trial = next((t for t in study.get_trials(deepcopy=False) if t.number == number), None)
    if trial is None or trial.state.is_finished():
        return None
    return Reporter(optuna.Trial(study, trial._trial_id), study.pruner)
