"""What is said of a PBPK network is what its subjects allow one to say."""

import numpy as np
import pytest
import torch
from scipy import stats

from fulmen.workloads.pbpk.metrics import log_error, log_spread, metrics
from fulmen.workloads.pbpk.verdict import gain_of, verdict

RNG = np.random.default_rng(0)
SUBJECTS = torch.arange(10)
TRUE = torch.from_numpy(RNG.lognormal(0, 1, (10, 2, 6)))
DOSE, WEIGHT = torch.full((10,), 70.0), torch.full((10,), 70.0)


def said(network, baseline, compound=SUBJECTS, change=None):
    """The verdict on two predictions [S, 2, 6]."""
    errors = {name: log_error(c, TRUE, DOSE, WEIGHT) for name, c in {"network": network, "rule": baseline}.items()}
    scores = [metrics(c, TRUE, DOSE, WEIGHT) | {"auc_gmfe": 1.0} for c in (network, baseline)]
    main = scores[0] | (change or {})
    return verdict(main, {"rule": scores[1]}, errors, log_spread(TRUE, DOSE, WEIGHT), compound)


def off(factor, spread):
    """Predictions off by a factor that differs from subject to subject."""
    return TRUE * torch.from_numpy(np.exp(RNG.normal(np.log(factor), spread, (10, 1, 1))))


def test_a_difference_is_told_with_its_interval_over_subjects_which_is_that_of_the_t_test():
    network, baseline = off(1.05, 0.01), off(2.0, 0.01)
    spread, scores = log_spread(TRUE, DOSE, WEIGHT), [metrics(c, TRUE, DOSE, WEIGHT) for c in (network, baseline)]
    errors = [log_error(c, TRUE, DOSE, WEIGHT) for c in (network, baseline)]
    gain, low, high, _ = gain_of(*errors, spread, SUBJECTS)
    assert gain == pytest.approx(100 * (scores[0]["r2_log"] - scores[1]["r2_log"]))
    each = ((errors[1] - errors[0]) / spread.mean()).numpy()
    expected = stats.ttest_1samp(each, 0).confidence_interval(0.95)
    assert (low, high) == pytest.approx((100 * expected.low, 100 * expected.high))
    text = said(network, baseline)
    assert f"{gain:+.2f} points (95 % interval {low:+.2f} to {high:+.2f}, paired over 10 subjects), more." in text


def test_luck_is_called_chance_and_other_measures_that_disagree_are_named():
    """A point far off costs R2 much and the share within 10 % little."""
    network, baseline = off(1.0, 0.3), off(1.0, 0.3)
    assert "which chance alone may explain" in said(network, baseline)
    steady, lucky = TRUE * 1.15, TRUE.clone()
    lucky[0] *= 30
    text = said(steady, lucky)
    assert "By other measures it is behind: % within 10 % is 0 against 90 (rule)" in text
    assert "other measures" not in said(TRUE * 1.01, TRUE * 1.15)


def test_subjects_of_one_compound_are_no_independent_evidence():
    network, baseline = off(1.05, 0.01), off(2.0, 0.01)
    assert "paired over 5 compounds" in said(network, baseline, SUBJECTS // 2)
    assert "points; no interval from 1 compound" in said(network, baseline, SUBJECTS * 0)


def test_predictions_that_are_not_finite_explain_nothing():
    assert said(TRUE, TRUE * 2, change={"r2_log": float("-inf")}) == "The network predicts no finite concentrations."
