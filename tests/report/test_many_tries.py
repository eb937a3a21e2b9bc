"""Many models on the same items: the confidence set is arch's, and the best of many is not believed for being lucky."""

import sys
from dataclasses import replace

import numpy as np
import pytest
from arch.bootstrap import MCS, StationaryBootstrap, StepM

from fulmen.errors import FulmenError
from fulmen.report.many_tries import (
    FEWEST_UNITS,
    block_length,
    confidence_set,
    judged,
    optimism,
    said_of,
    stationary_draws,
    superior,
    tried,
)
from fulmen.report.shared_losses import Losses, shared_losses

U = 400
LUCKY = 9  # a seed with which the best of 20 that are as good as persistence looks better, alone


def losses(models=8, gain=(), seed=0, units=U):
    """Losses of forecasts of noise, and of persistence: squared errors; the first models explain a share of it."""
    rng = np.random.default_rng(seed)
    y = rng.standard_normal(units)
    shares = [*gain, *[0.0] * (models - len(gain))]
    forecast = [0.15 * rng.standard_normal(units) + share * y for share in shares]
    return np.square(y), np.square(y - np.array(forecast))


def items(loss, **more):
    return {"item": np.arange(len(loss)), "loss": loss, **more}


@pytest.mark.parametrize(("seed", "block"), [(0, 1), (1, 5), (2, 12)])
def test_the_confidence_set_is_that_of_arch(seed, block):
    _, loss = losses(gain=[0.3, 0.25, 0.1], seed=seed)
    oracle = MCS(loss.T, 0.05, 1000, block, seed=seed)
    oracle.compute()
    found = confidence_set(loss, block, 1000, seed)
    assert np.flatnonzero(found).tolist() == oracle.included
    assert 0 < found.sum() < len(loss)


def test_models_with_the_same_losses_stand_or_fall_together():
    """Two runs of one network differ by 0 with a deviation of 0, which arch alone answers with no number."""
    _, loss = losses(models=3, gain=[0.4, 0.4])
    twice = np.concatenate([loss, loss[:1], loss[2:]])
    found = confidence_set(twice, 1)
    assert found.tolist() == [*confidence_set(loss, 1).tolist(), found[0], found[2]]
    assert confidence_set(np.ones((4, 50)), 1).all()


def test_a_model_that_is_better_is_found_among_many():
    reference, loss = losses(gain=[0.0, 0.3])
    assert superior(reference, loss, 1) < 0.01
    better = StepM(reference, loss.T, block_size=1, seed=0)
    better.compute()
    assert 1 in better.superior_models


def test_the_best_of_many_lucky_ones_is_not_believed():
    """By construction none is better than persistence: the best alone is claimed often, all counted hardly ever."""
    alone, counted = 0, 0
    for seed in range(40):
        reference, loss = losses(models=30, seed=seed, units=200)
        loss += np.mean(reference) - loss.mean()  # as good as the reference on the whole
        best = loss[np.argmin(loss.mean(1))][None]
        alone += superior(reference, best, 1, 300) < 0.05
        counted += superior(reference, loss, 1, 300) < 0.05
    assert alone > 12
    assert counted <= 6  # 2 expected; more than 6 of 40 come once in 300


def test_wild_losses_of_one_model_do_not_hide_a_better_one():
    reference, loss = losses(gain=[0.2])
    wild = reference + 40 * np.random.default_rng(3).standard_normal(U)
    wild += reference.mean() - wild.mean()
    assert superior(reference, np.vstack([loss, wild]), 1) < 0.01


def test_nothing_is_better_than_itself():
    reference, _ = losses()
    assert superior(reference, np.stack([reference, reference]), 1) == 1.0


def test_the_optimism_of_choosing_is_what_fresh_data_show():
    """30 models equally good: the chosen one is on average as good as the others on new data."""
    told, true = [], []
    for seed in range(40):
        _, loss = losses(models=30, seed=seed, units=200)
        told.append(optimism(loss, 1, 200))
        true.append(loss.mean() - loss.mean(1).min())
    assert np.mean(told) == pytest.approx(np.mean(true), rel=0.25)


def test_blocks_are_as_long_as_days_overlap_and_losses_resemble_each_other():
    rng = np.random.default_rng(0)
    shocks = rng.standard_normal((4, 600))
    alone = shocks
    slow = np.stack([np.convolve(each, np.ones(20), "same") for each in shocks])
    assert block_length(alone, None, 1) <= 5
    assert block_length(alone, None, 10) == 10
    assert block_length(slow, None, 1) > 12
    assert block_length(slow, None, 500) == 60


def test_what_is_said_names_the_set_and_counts_all():
    reference, loss = losses(models=5, gain=[0.4, 0.39])
    found = judged(Losses(list("abcde"), loss, reference, "persistence", unit="days"))
    assert found.confident == tuple(name for name in found.names if name in "ab")
    best, of_set = found.sentences
    assert best.startswith(
        f"{found.names[0]}, the best of 5, is better than persistence when all are counted (p = 0.001"
    )
    assert of_set.startswith("2 of 5 can be the best (95 % confidence set, 400 days): ")
    assert of_set.endswith(f"Shown to be worse: {', '.join(found.names[2:])}.")
    assert found.findings == ["no_difference"]
    plain = found.as_dict()
    assert (plain["reference"], plain["units"], plain["findings"][0]["code"]) == ("persistence", 400, "FUL-V06")


def test_luck_is_called_by_its_code():
    reference, loss = losses(models=20, seed=LUCKY, units=200)
    loss += np.mean(reference) - loss.mean()
    found = judged(Losses([str(i) for i in range(20)], loss, reference, "persistence"))
    assert "many_tries" in found.findings
    assert "is not shown to be better than persistence when all are counted" in found.sentences[0]
    assert "FUL-V07 many tries" in found.sentences[0]
    assert found.sentences[1].startswith("Each of the 20 can be the best")


def test_what_is_ignored_is_neither_found_nor_said_but_listed():
    reference, loss = losses(models=20, seed=LUCKY, units=200)
    loss += np.mean(reference) - loss.mean()
    found = judged(Losses([str(i) for i in range(20)], loss, reference, "persistence"))
    both = replace(found, ignored=frozenset({"many_tries", "no_difference"}))
    assert both.findings == both.as_dict()["findings"] == []
    assert both.sentences == ["ignored, as asked: FUL-V07 many tries, FUL-V06 no difference"]
    one = replace(found, ignored=frozenset({"no_difference"})).sentences
    assert one == [found.sentences[0], "ignored, as asked: FUL-V06 no difference"]


def test_items_are_put_into_days_and_means_stay_the_same():
    rng = np.random.default_rng(0)
    day = np.repeat(np.arange(100) * 3, 4)
    persistence = rng.random(400)
    models = {
        name: items(rng.random(400), time=day, until=day + 6, **{"baseline/persistence": persistence}) for name in "abc"
    }
    shuffled = rng.permutation(400)
    models["b"] = {name: values[shuffled] for name, values in models["b"].items()}
    found = shared_losses(models)
    assert (found.loss.shape, found.span, found.unit, found.in_time) == ((3, 100), 2, "days", True)
    assert np.allclose(found.loss.mean(1), [models[name]["loss"].mean() for name in "abc"])
    assert found.loss[0] == pytest.approx(models["a"]["loss"].reshape(100, 4).mean(1))
    assert found.reference == pytest.approx(persistence.reshape(100, 4).mean(1))
    assert found.reference_name == "persistence"


def test_items_that_not_all_share_are_left_out_and_runs_are_averaged():
    a = items(np.arange(6.0))
    b = {"item": np.tile(np.arange(2, 8), 2), "loss": np.r_[np.zeros(6), np.full(6, 2.0)], "run": np.repeat([0, 1], 6)}
    found = shared_losses({"a": a, "b": b})
    assert found.loss.shape == (2, 4)
    assert found.loss.mean(1).tolist() == [3.5, 1.0]
    assert found.reference is None


def test_many_independent_items_become_batches():
    loss = np.random.default_rng(0).random(10_001)
    found = shared_losses({"a": items(loss), "b": items(2 * loss)})
    assert found.loss.shape[1] <= 1000
    assert found.unit == "batches of 11 items"
    assert found.loss.mean(1) == pytest.approx([loss.mean(), 2 * loss.mean()])


def test_too_few_models_or_units_give_no_word():
    loss = np.random.default_rng(0).random(FEWEST_UNITS - 1)
    assert tried({name: items(loss + i) for i, name in enumerate("abc")}) is None
    long = np.random.default_rng(0).random(50)
    assert tried({name: items(long + i) for i, name in enumerate("ab")}) is None
    assert tried({"a": items(long), "b": items(long), "c": items(np.full(50, np.nan))}) is None
    assert said_of({}) == (None, [])
    few = {name: items(loss + i, time=np.arange(FEWEST_UNITS - 1)) for i, name in enumerate("abc")}
    assert said_of(few)[1] == [
        "FUL-V05 too few: 19 days are too few to say which of 3 can be the best, all counted; 20 are the fewest."
    ]


def test_without_arch_one_line_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    _, loss = losses(models=3)
    models = {name: items(each) for name, each in zip("abc", loss, strict=True)}
    with pytest.raises(FulmenError, match="pip install 'fulmen\\[stats\\]'"):
        tried(models)
    assert said_of(models)[1] == [
        "which models can be the best, all tries counted, is not said without arch: pip install 'fulmen[stats]'"
    ]


@pytest.mark.parametrize(("units", "block"), [(120, 1), (97, 7), (60, 13)])
def test_draws_of_the_stationary_bootstrap_are_those_of_arch(units, block):
    theirs = [drawn[0][0].copy() for drawn in StationaryBootstrap(block, np.arange(units), seed=3).bootstrap(20)]
    assert np.array_equal(list(stationary_draws(units, block, 20, 3)), theirs)


def test_how_far_the_best_flatters_itself_is_said_without_importing_arch(monkeypatch):
    loss = losses(models=4, units=60)[1]
    known = optimism(loss, 1, 50)
    monkeypatch.setitem(sys.modules, "arch", None)
    monkeypatch.setitem(sys.modules, "arch.bootstrap", None)
    assert optimism(loss, 1, 50) == known
