"""Where the next point comes from, and which trials are stopped early."""

import random
from collections.abc import Callable, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial

from fulmen.search.distinct import Distinct
from fulmen.search.parameters import Parameter, Point
from fulmen.search.trial_states import origin

STARTUP_TRIALS = 10  # of TPE: before them it draws at random
PATIENCE = {"random": 30, "tpe": 10, "gp": 0}  # draws again; what gp proposes depends on the trials, hardly on chance


def make_sampler(kind: str, seed: int, parameters: Sequence[Parameter], points: Sequence[Point] = ()) -> BaseSampler:
    """A sampler whose next point depends on the seed, the trial's number and the trials before it, on nothing else.

    Args:
        kind: grid, random, tpe or gp.
        points: of a grid, or all points of a space that has few.
    """
    if kind == "grid":
        return GridInOrder(parameters, points, seed)
    conditional = any(parameter.when for parameter in parameters)

    def make(trial_seed: int) -> BaseSampler:
        if kind == "random":
            return RandomSampler(trial_seed)
        if kind == "gp":
            return GPSampler(seed=trial_seed, deterministic_objective=False)
        return TPESampler(
            n_startup_trials=STARTUP_TRIALS, seed=trial_seed, multivariate=True, group=conditional, constant_liar=True
        )

    return Distinct(SeededByNumber(make, seed), parameters, points, seed, PATIENCE[kind])


def make_pruner(kind: str, grace_epochs: int, max_epochs: int | None) -> BasePruner:
    """Stops trials that lag behind: `hyperband`, `median`, or `none`.

    Args:
        grace_epochs: nobody is stopped earlier.
        max_epochs: of a trial, where all have the same.
    """
    if kind == "hyperband":
        top = max(max_epochs, grace_epochs) if max_epochs and max_epochs > 0 else "auto"
        return HyperbandPruner(min_resource=grace_epochs, max_resource=top, reduction_factor=3)
    if kind == "median":
        return MedianPruner(n_startup_trials=5, n_warmup_steps=grace_epochs)
    return NopPruner()


class SeededByNumber(BaseSampler):
    """A fresh sampler for every trial, seeded by the study's seed and the trial's number.

    So a study that was stopped and resumed tries what it would have tried, and no restart repeats a point.
    """

    def __init__(self, make: Callable[[int], BaseSampler], seed: int):
        self._make, self._seed = make, seed
        self._number, self._sampler = -1, make(seed)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._for(study, trial).infer_relative_search_space(study, trial)

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, Any]) -> dict[str, Any]:
        return self._for(study, trial).sample_relative(study, trial, search_space)

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: Any) -> Any:
        return self._for(study, trial).sample_independent(study, trial, name, distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._for(study, trial).before_trial(study, trial)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: Any, values: Any) -> None:
        self._for(study, trial).after_trial(study, trial, state, values)

    def _for(self, study: optuna.Study, trial: FrozenTrial) -> BaseSampler:
        if trial.number != self._number:
            self._number = trial.number
            number = origin(trial, study.get_trials(deepcopy=False)) if trial.user_attrs else trial.number
            self._sampler = self._make(random.Random(f"{self._seed}/{number}").randrange(2**32))
        return self._sampler


class GridInOrder(BaseSampler):
    """The points of a grid in an order drawn from the seed, so that the first of them are a fair sample of all.

    A trial's place in that order is its number less the retries before it: workers need not agree on anything else.
    """

    def __init__(self, parameters: Sequence[Parameter], points: Sequence[Point], seed: int):
        self._parameters = {parameter.path: parameter for parameter in parameters}
        self._points = random.Random(seed).sample(list(points), len(points))

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return {}

    def sample_relative(self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, Any]) -> dict[str, Any]:
        return {}

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: Any) -> Any:
        return self._parameters[name].stored(self._point(study, trial)[name])

    def _point(self, study: optuna.Study, trial: FrozenTrial) -> Point:
        trials = study.get_trials(deepcopy=False)
        first = origin(trial, trials)
        retries = sum(1 for other in trials if other.number < first and "retry_of" in other.user_attrs)
        return self._points[first - retries]
