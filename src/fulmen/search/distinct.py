"""No point is trained twice: with one seed it would come to the same bits."""

import random
from collections.abc import Mapping, Sequence
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, RandomSampler
from optuna.trial import FrozenTrial

from fulmen.config.mistakes import as_text
from fulmen.search.parameters import Parameter, Point
from fulmen.search.trial_states import origin

DRAWS = 30  # of a point that nobody has tried, before one of those left is taken

Stored = dict[str, Any]  # a point as the study keeps it


class Distinct(BaseSampler):
    """What its sampler draws; where another trial has tried that, it draws again.

    A sampler that is sure of the best point may draw it for ever: then a point is drawn at random, and in the end taken
    from those that are left. Whatever is drawn depends on the seed, the trial's number and the trials before it.

    Args:
        sampler: draws the points.
        parameters: the space.
        points: all of it, if there are few.
        seed: of the study.
        patience: how often `sampler` itself draws again.
    """

    def __init__(
        self, sampler: BaseSampler, parameters: Sequence[Parameter], points: Sequence[Point], seed: int, patience: int
    ):
        self._sampler, self._parameters, self._seed, self._patience = sampler, parameters, seed, patience
        by_path = {parameter.path: parameter for parameter in parameters}
        self._points = [{path: by_path[path].stored(value) for path, value in point.items()} for point in points]
        self._distributions = {parameter.path: parameter.distribution() for parameter in parameters}

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        return self._distributions

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> Stored:
        """The whole point, so that nothing of it is drawn independently."""
        tried = self._tried(study, trial)
        point = self._drawn(self._sampler, study, trial)
        if _key(point) not in tried:
            return point
        chance = random.Random(f"{self._seed}/{trial.number}/again")
        at_random = RandomSampler(chance.randrange(2**32))
        for attempt in range(DRAWS):
            point = self._drawn(self._sampler if attempt < self._patience else at_random, study, trial)
            if _key(point) not in tried:
                return point
        fixed = _fixed(trial).items()
        left = [other for other in self._points if _key(other) not in tried and fixed <= other.items()]
        return chance.choice(left) if left else point

    def sample_independent(self, study: optuna.Study, trial: FrozenTrial, name: str, distribution: Any) -> Any:
        return self._sampler.sample_independent(study, trial, name, distribution)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self._sampler.before_trial(study, trial)

    def after_trial(self, study: optuna.Study, trial: FrozenTrial, state: Any, values: Any) -> None:
        self._sampler.after_trial(study, trial, state, values)

    def _drawn(self, sampler: BaseSampler, study: optuna.Study, trial: FrozenTrial) -> Stored:
        """A point as `sampler` alone would have it, what was decided before it left alone."""
        space = sampler.infer_relative_search_space(study, trial)
        relative = {**sampler.sample_relative(study, trial, space), **_fixed(trial)}
        drawn: Stored = {}
        point: Point = {}
        for parameter in self._parameters:
            path, distribution = parameter.path, self._distributions[parameter.path]
            if not parameter.active(point):
                continue
            if distribution.single() and path not in _fixed(trial):
                drawn[path] = parameter.stored(parameter.extremes()[0])
            elif path in relative:
                drawn[path] = relative[path]
            else:
                drawn[path] = sampler.sample_independent(study, trial, path, distribution)
            point[path] = parameter.plain(drawn[path])
        return drawn

    def _tried(self, study: optuna.Study, trial: FrozenTrial) -> set[str]:
        """The points of all trials but of those that `trial` tries again."""
        trials = study.get_trials(deepcopy=False)
        own = origin(trial, trials)
        return {_key(other.params) for other in trials if other.params and origin(other, trials) != own}


def repeats(trials: Sequence[FrozenTrial]) -> int:
    """How many of finished trials have the point of another: studies of earlier versions may hold some."""
    return len(trials) - len({_key(trial.params) for trial in trials})


def _fixed(trial: FrozenTrial) -> Mapping[str, Any]:
    """What was decided of a trial before it was asked for: it is a retry, or taken from another study."""
    fixed: Mapping[str, Any] = trial.system_attrs.get("fixed_params", {})
    return fixed


def _key(point: Mapping[str, Any]) -> str:
    return as_text(dict(sorted(point.items())))
