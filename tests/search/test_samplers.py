"""Samplers learn where they can, repeat nothing, and go on as if never stopped."""

import math
from statistics import median

import optuna
import pytest
from optuna.trial import TrialState

from fulmen.search.notation import read_space
from fulmen.search.samplers import make_pruner, make_sampler
from fulmen.search.space import grid, suggest

SPACE = read_space({"x": {"low": -5.0, "high": 10.0}, "y": {"low": 0.0, "high": 15.0}})


def branin(x, y):
    """Branin's function: three valleys of depth 0.398."""
    return (y - 0.1292 * x**2 + 1.5915 * x - 6) ** 2 + 10 * (1 - 0.0398) * math.cos(x) + 10


def searched(kind, seed, trials, study=None, space=SPACE, value=branin):
    study = study or optuna.create_study(sampler=make_sampler(kind, seed, space))
    for _ in range(trials):
        trial = study.ask()
        study.tell(trial, value(**suggest(space, trial)))
    return study


def test_tpe_finds_a_better_median_than_random_over_10_seeds():
    best = {kind: [searched(kind, seed, 40).best_value for seed in range(10)] for kind in ("tpe", "random")}
    assert median(best["tpe"]) < median(best["random"])


def test_the_second_half_of_a_tpe_study_depends_on_its_history():
    points = []
    for sign in (1, -1):
        study = searched("tpe", 0, 30, value=lambda x, y, sign=sign: sign * branin(x, y))
        points.append([tuple(trial.params.values()) for trial in study.trials])
    assert points[0][:10] == points[1][:10], "nothing is known yet"
    assert not set(points[0][15:]) & set(points[1][15:])


@pytest.mark.parametrize("kind", ["random", "tpe", "gp"])
def test_a_study_gone_on_with_tries_what_it_would_have_tried(kind):
    whole = searched(kind, 3, 16)
    parts = searched(kind, 3, 7)
    again = optuna.create_study(sampler=make_sampler(kind, 3, SPACE))
    again.add_trials(parts.trials)
    searched(kind, 3, 9, again)
    assert [trial.params for trial in again.trials] == [trial.params for trial in whole.trials]
    assert len({tuple(trial.params.values()) for trial in again.trials}) == 16


def test_a_grid_is_exhaustive_in_a_shuffled_order_also_over_retries():
    space = read_space({"x": {"choices": [1, 2, 3, 4]}, "y": {"choices": ["a", "b", "c"]}})
    points = grid(space)
    study = optuna.create_study(sampler=make_sampler("grid", 0, space, points))
    seen = []
    for number in range(len(points) + 1):
        trial = study.ask()
        point = suggest(space, trial)
        if number == 4:  # its process dies; the next trial retries it
            study.tell(trial, state=TrialState.FAIL)
            study.enqueue_trial(trial.params, user_attrs={"retry_of": trial.number})
            lost = point
            continue
        seen.append(point)
        study.tell(trial, 0.0)
    assert seen[4] == lost
    assert sorted(map(str, seen)) == sorted(map(str, points))
    assert seen != points


def test_pruners_stop_nobody_in_the_grace_period():
    for kind in ("hyperband", "median"):
        study = optuna.create_study(pruner=make_pruner(kind, 4, 20), sampler=optuna.samplers.RandomSampler(0))
        first_verdict = []
        for number in range(30):
            trial = study.ask()
            for epoch in range(1, 21):
                trial.report(float(number), epoch)
                if trial.should_prune():
                    first_verdict.append(epoch)
                    break
            study.tell(trial, float(number))
        assert min(first_verdict) == 4
    study = optuna.create_study(pruner=make_pruner("none", 1, None))
    trial = study.ask()
    trial.report(1e9, 1)
    assert not trial.should_prune()
