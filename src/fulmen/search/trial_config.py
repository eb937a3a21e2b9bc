"""What one training of a study is told: the overrides that all of them share, and values of its own as plain data."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import optuna
from omegaconf import DictConfig
from optuna.trial import FrozenTrial

from fulmen.config.check import check_values
from fulmen.config.mistakes import as_text, key_of
from fulmen.config.schema import is_group
from fulmen.search.space import as_overrides
from fulmen.search.study import Study
from fulmen.utils.plain import Plain

PRUNING = "callbacks.pruning"
FOR_A_PERSON = ("callbacks.progress", "callbacks.summary")  # nobody sits before a single training of a search


@dataclass(frozen=True)
class TrialConfig:
    """What a training is told.

    Attributes:
        shared: the overrides of the study, as typed.
        values: dotted path, or config group -> its value. They are data: nothing in them is parsed.
        pruning: the node of the callback that reports to the study; None if nothing does.
    """

    shared: tuple[str, ...]
    values: Mapping[str, Plain]
    pruning: dict[str, Plain] | None = None

    def check(self, folder: Path) -> DictConfig:
        """The config of a training in the run folder `folder`, with the same checks as if all had been typed.

        Raises:
            ConfigError: all mistakes, and a command that works.
        """
        chosen = {path: value for path, value in self.values.items() if is_group(path)}
        values = {path: value for path, value in self.values.items() if not is_group(path)}
        watched = {PRUNING: self.pruning} if self.pruning else {}
        return check_values([*self.shared, *as_overrides(chosen)], values | watched | {"output_dir": str(folder)})

    def overrides(self) -> list[str]:
        """The same as a person would type it for `python train.py`: for the record, and for a process of its own."""
        watched = [f"+{PRUNING}={as_text(self.pruning)}"] if self.pruning else []
        return [*self.shared, *as_overrides(self.values), *watched]


def of_trial(study: Study, trial: optuna.Trial) -> TrialConfig:
    """What a trial's training is told: its point, what watches it, no more output."""
    shares = study.search.workers > 1 and not any(key_of(o) == "threads" for o in study.plan.overrides)
    threads: dict[str, Plain] = {"threads": 1} if shares else {}
    values = {**study.point(trial), "test": False, **threads, **_switched_off(study, *FOR_A_PERSON)}
    pruning: dict[str, Plain] = {
        "_target_": "fulmen.search.pruning.Pruning",
        "study": str(study.folder),
        "trial": trial.number,
        "monitor": study.base["monitor"],
    }
    return TrialConfig(study.plan.overrides, values, pruning)


def of_champion(study: Study, winner: FrozenTrial, seed: int) -> TrialConfig:
    """What a training of the champion is told: the point of the best trial, a seed, to be tested."""
    values = {**study.point(winner), "test": True, "seed": seed, **_switched_off(study, *FOR_A_PERSON)}
    return TrialConfig(study.plan.overrides, values)


def _switched_off(study: Study, *paths: str) -> dict[str, Plain]:
    return {path: None for path in paths if study.design.has_entry(path)}
