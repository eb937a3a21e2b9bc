"""What is said of a PBPK network is what its subjects allow one to say."""

import numpy as np
import pytest
import torch
from scipy import stats

from fulmen.workloads.pbpk.metrics import log_error, log_normalized, log_spread, metrics
from fulmen.workloads.pbpk.verdict import answer, verdict

RNG = np.random.default_rng(0)
SUBJECTS = torch.arange(10)
TRUE = torch.from_numpy(RNG.lognormal(0, 1, (10, 2, 6)))
DOSE, WEIGHT = torch.full((10,), 70.0), torch.full((10,), 70.0)


def shown(network, baseline, compound=SUBJECTS):
    """What is shown of two predictions [S, 2, 6], beside a mean curve."""
    predictions = {"network": network, "rule": baseline, "mean curve": TRUE.mean(0).expand_as(TRUE)}
    errors = {name: log_error(c, TRUE, DOSE, WEIGHT) for name, c in predictions.items()}
    logs = {name: log_normalized(c, DOSE, WEIGHT) for name, c in {"true": TRUE, **predictions}.items()}
    return verdict(logs, errors, log_spread(TRUE, DOSE, WEIGHT), compound, 0.1)


def said(network, baseline, change=None):
    """The answer on two predictions [S, 2, 6]."""
    scores = [metrics(c, TRUE, DOSE, WEIGHT) | {"auc_gmfe": 1.0} for c in (network, baseline)]
    return answer(shown(network, baseline), scores[0] | (change or {}), {"rule": scores[1]})


def off(factor, spread):
    """Predictions off by a factor that differs from subject to subject."""
    return TRUE * torch.from_numpy(np.exp(RNG.normal(np.log(factor), spread, (10, 1, 1))))


def test_a_difference_is_told_with_its_interval_over_subjects_which_is_that_of_the_t_test():
    network, baseline = off(1.05, 0.01), off(2.0, 0.01)
    spread = log_spread(TRUE, DOSE, WEIGHT)
    scores = [metrics(c, TRUE, DOSE, WEIGHT) for c in (network, baseline)]
    errors = [log_error(c, TRUE, DOSE, WEIGHT) for c in (network, baseline)]
    found = shown(network, baseline)
    assert found.simple.value == pytest.approx(scores[0]["r2_log"] - scores[1]["r2_log"])
    expected = stats.ttest_1samp(((errors[1] - errors[0]) / spread.mean()).numpy(), 0).confidence_interval(0.95)
    assert (found.simple.low, found.simple.high) == pytest.approx((expected.low, expected.high))
    assert found.code == "better_than_baselines"
    assert "10 subjects); +" in said(network, baseline)


def test_luck_is_called_chance_and_other_measures_that_disagree_are_named():
    """A point far off costs R2 much and the share within 10 % little."""
    network, baseline = off(1.0, 0.3), off(1.0, 0.3)
    assert "not shown to differ from the best simple model" in said(network, baseline)
    steady, lucky = TRUE * 1.15, TRUE.clone()
    lucky[0] *= 30
    text = said(steady, lucky)
    assert "By other measures it is behind: % within 10 % is 0 against 90 (rule)" in text
    assert "other measures" not in said(TRUE * 1.01, TRUE * 1.15)


def test_subjects_of_one_compound_are_no_independent_evidence():
    network, baseline = off(1.05, 0.01), off(2.0, 0.01)
    found = shown(network, baseline, SUBJECTS // 2)
    assert (found.units, found.unit) == (5, "compounds")
    alone = shown(network, baseline, SUBJECTS * 0)
    assert (alone.code, alone.better_than_chance) == ("too_few", False)
    assert "the test split has 1 compound, and 4 are the fewest" in alone.sentence


def test_curves_of_other_subjects_are_no_signal_and_curves_that_are_alike_cannot_be_told_apart():
    many = torch.from_numpy(RNG.lognormal(0, 1, (400, 2, 6)))
    ones, number = torch.full((400,), 70.0), torch.arange(400)
    predictions = {"network": many[RNG.permutation(400)], "mean curve": many.mean(0).expand_as(many)}
    errors = {name: log_error(c, many, ones, ones) for name, c in predictions.items()}
    logs = {name: log_normalized(c, ones, ones) for name, c in {"true": many, **predictions}.items()}
    assert verdict(logs, errors, log_spread(many, ones, ones), number, 0.1).code == "no_signal"
    alike = verdict(logs, errors, 0 * number.double(), number, 0.1)
    assert alike.sentence.startswith("Too few for a verdict: all curves are the same")


def test_predictions_that_are_not_finite_explain_nothing():
    text = said(TRUE * float("inf"), TRUE * 2, change={"r2_log": float("-inf")})
    assert text == "The network predicts no finite concentrations: it is worse than the constant."
